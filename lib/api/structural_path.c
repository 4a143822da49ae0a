/* Simple paths into schemas: ".spec.replicas", ".spec['a.b'].c". */
#include <stdint.h>
#include <string.h>

#include "api/meta.h"
#include "api/structural_node.h"
#include "base/mem.h"

/* The next piece: a sign, a name up to the next sign, or a text in quotes (with them). */
static size_t
piece(const char *p)
{
	size_t n = 1;

	if (strchr(".[]", *p))
		return *p != '\0';
	if (*p != '\'')
		return strcspn(p, ".[]'");
	for (; p[n] && p[n] != '\''; n++)
		if (p[n] == '\\' && p[n + 1])
			n++;
	return p[n] ? n + 1 : n;
}

static const json_t *
fail(char why[static 128], const char *fmt, const char *what, size_t len)
{
	snprintf(why, 128, fmt, (int)(len > 80 ? 80 : len), what);
	return NULL;
}

/* What stands between the brackets: 'text', with \' and \\ in it. */
static char *
quoted(const char *p, size_t len)
{
	struct buf b = BUF_INIT;

	buf_puts(&b, "");
	for (size_t i = 1; i + 1 < len; i++) {
		if (p[i] == '\\' && i + 2 < len)
			i++;
		buf_putc(&b, p[i]);
	}
	return buf_detach(&b);
}

/* One step down; named gets whether it is a field and not the key of a map. */
static const json_t *
step(const json_t *schema, const char *name, bool *named)
{
	const json_t *properties = json_object_get(schema, "properties"),
		     *more = json_object_get(schema, "additionalProperties");

	*named = json_object_size(properties) > 0;
	if (*named)
		return json_object_get(properties, name);
	return json_is_object(more) ? more : NULL;
}

const json_t *
schema_at(
    const json_t *schema, const char *path, bool brackets, struct buf *plain, char why[static 128])
{
	static const char gone[] = "does not refer to a valid field",
			  early[] = "unexpected end of JSON path";
	const char *p = path;

	while (*p) {
		autofree char *name = NULL;
		size_t n = piece(p);
		bool named, key = *p == '[';

		if (n != 1 || (*p != '.' && *p != '['))
			return fail(why, "expected [ or . but got: %.*s", p, n);
		if (key && !brackets)
			return fail(why, "%.*s", "array notation is not allowed", SIZE_MAX);
		n = piece(++p);
		if (!n)
			return fail(why, "%.*s", early, SIZE_MAX);
		if (key && (*p != '\'' || n < 2 || p[n - 1] != '\''))
			return fail(why, "expected single quoted string but got %.*s", p, n);
		name = key ? quoted(p, n) : xstrndup(p, n);
		schema = step(schema, name, &named);
		if (!schema)
			return fail(why, "%.*s", gone, SIZE_MAX);
		p += n;
		if (key && *p != ']')
			return *p ? fail(why, "expected ] but got %.*s", p, piece(p))
				  : fail(why, "%.*s", early, SIZE_MAX);
		p += key;
		if (plain)
			buf_printf(plain, named ? "%s%s" : "%.0s[%s]", plain->len ? "." : "", name);
	}
	return schema;
}
