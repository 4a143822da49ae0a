#include <string.h>

#include "base/text.h"
#include "control/name.h"

uint64_t
name_mix(uint64_t hash, const char *text)
{
	return text_hash(text, strlen(text) + 1, hash);
}

uint64_t
name_mix_number(uint64_t hash, int64_t n)
{
	for (int i = 0; i < 64; i += 8) { /* the same on every machine */
		unsigned char byte = (unsigned char)((uint64_t)n >> i);

		hash = text_hash(&byte, 1, hash);
	}
	return hash;
}

const char *
name_letters(uint64_t hash, size_t n, char *buf)
{
	static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";

	hash ^= hash >> 32; /* FNV's upper bits are its better ones */
	for (size_t i = 0; i < n; i++) {
		buf[i] = alphabet[hash % (sizeof alphabet - 1)];
		hash /= sizeof alphabet - 1;
	}
	buf[n] = '\0';
	return buf;
}

static void
drop_nulls(json_t *value)
{
	const char *key;
	void *next;
	json_t *v;
	size_t i;

	json_object_foreach_safe(value, next, key, v)
	{
		if (json_is_null(v))
			json_object_del(value, key);
		else
			drop_nulls(v);
	}
	json_array_foreach (value, i, v)
		drop_nulls(v);
}

char *
name_canonical(const json_t *value)
{
	json_auto_t *copy = json_deep_copy(value);

	drop_nulls(copy);
	return json_dumps(copy, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY);
}
