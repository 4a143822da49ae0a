/*
 * Objects of any kind: the bytes are JSON, or the choices by which an object is built
 * from the schema of a kind (which gets much deeper).  Nothing may crash, defaults must be
 * final the second time, and what is valid must be valid as an update of itself.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/lookup.h"
#include "api/validate.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t left;
};

static unsigned
byte(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->data++;
}

static const char *
word(struct input *in)
{
	static const char *const words[] = { "", "a", "web", "A_b", "a.b", "a-b", "1", "25%",
		"101%", "%", "-", "..", "/", "../a", "/a/../b", "x/y", "x/y/z", "10.0.0.1", "::1",
		"1:2:3:4:5:6:7:8", "1::2::3", "::ffff:1.2.3.4", "256.1.1.1", "None", "Always",
		"Never", "In", "Exists", "Gt", "100m", "1.5Gi", "1e999", "-1", "5", "cpu", "memory",
		"hugepages-2Mi", "example.com/gpu", "metadata.name", "metadata.labels['a']",
		"limits.cpu", "eHg=", "eA", "RollingUpdate", "2026-01-01T00:00:00Z",
		"2026-13-01T00:00:00.5+99:00", "ExternalName", "LoadBalancer", "Recreate",
		"OnDelete", "Local", "ClientIP", "busybox:latest", " i", "TZ=UTC * * * * *",
		"Container", "User", "* * * * *", "10.0.0.0/8", "https://u@h/?q#f",
		"kubernetes.io/tls", "\x01\x7f\"\\\n", "\xc3\xa9" };

	return words[byte(in) % COUNT(words)];
}

static json_t *build(struct input *in, const struct type *t, const struct field *f, unsigned depth);

static json_t *
build_struct(struct input *in, const struct type *t, unsigned depth)
{
	json_t *obj = json_object();

	for (size_t i = 0; i < t->nfields; i++)
		if (byte(in) % 4 == 1)
			json_object_set_new(obj, t->fields[i].name,
			    build(in, t->fields[i].type, &t->fields[i], depth + 1));
	if (byte(in) % 16 == 1)
		json_object_set_new(obj, word(in), json_integer(byte(in)));
	return obj;
}

static json_t *
build_text(struct input *in, const struct field *f)
{
	unsigned n = 0;

	while (f && f->values && f->values[n])
		n++;
	if (n && byte(in) % 4)
		return json_string(f->values[byte(in) % n]);
	return json_string(word(in));
}

static json_t *
build_number(struct input *in)
{
	static const json_int_t numbers[] = { 0, 1, -1, 2, 80, 65535, 65536, 2147483647,
		2147483648LL, -2147483649LL, INT64_MAX, INT64_MIN };

	return json_integer(numbers[byte(in) % COUNT(numbers)]);
}

static json_t *
build(struct input *in, const struct type *t, const struct field *f, unsigned depth)
{
	enum type_class class = byte(in) % 32 == 1 ? byte(in) % (CLASS_MAP + 1) : t->class;
	json_t *v = NULL;

	if (depth > 24 || (class >= CLASS_STRUCT && class != t->class))
		return json_null();
	switch (class) {
	case CLASS_STRUCT:
		return build_struct(in, t, depth);
	case CLASS_LIST:
		v = json_array();
		for (unsigned n = byte(in) % 4; n; n--)
			json_array_append_new(v, build(in, t->elem, f, depth + 1));
		return v;
	case CLASS_MAP:
		v = json_object();
		for (unsigned n = byte(in) % 4; n; n--)
			json_object_set_new(v, word(in), build(in, t->elem, NULL, depth + 1));
		return v ? v : json_object();
	case CLASS_BOOL:
		return json_boolean(byte(in) & 1);
	case CLASS_INT32:
	case CLASS_INT64:
		return build_number(in);
	case CLASS_DOUBLE:
		return json_real(byte(in) / 8.0);
	case CLASS_INT_OR_STRING:
		return byte(in) & 1 ? build_number(in) : json_string(word(in));
	case CLASS_ANY:
	case CLASS_RAW:
		return json_pack("{s:s}", "a", word(in));
	default:
		return build_text(in, f);
	}
}

static void
check(const struct kind *k, json_t *obj)
{
	struct causes unknown = CAUSES_INIT, causes = CAUSES_INIT, again = CAUSES_INIT;
	struct err err;
	bool typed = validate_types(k, obj, &unknown, &err) == 0;
	json_t *once, *twice;

	for (size_t i = 0; i < unknown.n; i++) {
		const struct field *f;

		field_at(&f, k->type, unknown.item[i].field, &err);
	}
	once = json_deep_copy(obj);
	normalize(k, once);
	defaults_apply(k, once);
	twice = json_deep_copy(once);
	normalize(k, twice);
	defaults_apply(k, twice);
	if (typed && !json_equal(once, twice))
		abort();
	if (typed && validate_types(k, once, NULL, &err) < 0)
		abort();
	validate_create(k, once, &causes);
	free(causes_message(&causes, k, "x"));
	validate_update(k, once, twice, &again);
	if (typed && !causes.n && again.n)
		abort();
	/* And against another object, as wrong as this one. */
	validate_update(k, once, obj, &again);
	causes_release(&unknown);
	causes_release(&causes);
	causes_release(&again);
	json_decref(once);
	json_decref(twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	size_t n;
	const struct kind *const *kinds = schema_kinds(&n);
	const struct kind *k = kinds[byte(&in) % n];
	bool plain = byte(&in) % 4 == 1;
	json_t *obj = plain ? json_loadb((const char *)in.data, in.left, 0, NULL)
			    : build_struct(&in, k->type, 0);

	if (obj)
		check(k, obj);
	json_decref(obj);
	return 0;
}
