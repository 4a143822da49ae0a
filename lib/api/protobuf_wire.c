/* Protobuf's own encoding: varints, keys, lengths. */
#include "api/protobuf_wire.h"

#include <string.h>

#include "base/mem.h"

enum { GROUP_DEPTH = 32 };

/* --- reading --- */

bool
read_varint(struct reader *r, uint64_t *ret)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64 && r->p < r->end; shift += 7) {
		unsigned char c = *r->p++;

		if (shift == 63 && c > 1)
			return false;
		v |= (uint64_t)(c & 0x7f) << shift;
		if (c < 0x80) {
			*ret = v;
			return true;
		}
	}
	return false;
}

bool
read_key(struct reader *r, int *number, enum wire *wire)
{
	uint64_t key;

	if (!read_varint(r, &key) || key >> 3 == 0 || key >> 3 >= 1 << 29 || (key & 7) > WIRE_32)
		return false;
	*number = (int)(key >> 3);
	*wire = (enum wire)(key & 7);
	return true;
}

bool
read_bytes(struct reader *r, struct reader *ret)
{
	uint64_t n;

	if (!read_varint(r, &n) || n > (size_t)(r->end - r->p))
		return false;
	*ret = (struct reader){ r->p, r->p + n };
	r->p += n;
	return true;
}

static bool
skip_fixed(struct reader *r, size_t n)
{
	if ((size_t)(r->end - r->p) < n)
		return false;
	r->p += n;
	return true;
}

/* Up to the end of the group, which may hold others. */
static bool
skip_group(struct reader *r)
{
	int depth = 1, number;
	enum wire wire;

	while (depth > 0) {
		if (!read_key(r, &number, &wire))
			return false;
		if (wire == WIRE_GROUP && ++depth > GROUP_DEPTH)
			return false;
		if (wire == WIRE_END)
			depth--;
		else if (wire != WIRE_GROUP && !read_skip(r, wire))
			return false;
	}
	return true;
}

bool
read_skip(struct reader *r, enum wire wire)
{
	struct reader bytes;
	uint64_t v;

	switch (wire) {
	case WIRE_VARINT:
		return read_varint(r, &v);
	case WIRE_64:
		return skip_fixed(r, 8);
	case WIRE_32:
		return skip_fixed(r, 4);
	case WIRE_BYTES:
		return read_bytes(r, &bytes);
	case WIRE_GROUP:
		return skip_group(r);
	default:
		return false;
	}
}

/* --- writing --- */

void
writer_release(struct writer *w)
{
	free(w->data);
	*w = (struct writer)WRITER_INIT;
}

size_t
written(const struct writer *w)
{
	return w->cap - w->at;
}

/* Room for len bytes before what is there. */
static unsigned char *
room(struct writer *w, size_t len)
{
	if (w->at < len) {
		size_t have = written(w), cap;
		unsigned char *data;

		if (__builtin_add_overflow(w->cap ? w->cap * 2 : 4096, len, &cap))
			abort();
		data = xmalloc(cap);
		if (have)
			memcpy(data + cap - have, w->data + w->at, have);
		free(w->data);
		*w = (struct writer){ data, cap, cap - have };
	}
	w->at -= len;
	return w->data + w->at;
}

void
write_raw(struct writer *w, const void *data, size_t len)
{
	if (len)
		memcpy(room(w, len), data, len);
}

void
write_varint(struct writer *w, uint64_t v)
{
	unsigned char bytes[10];
	size_t n = 0;

	do {
		bytes[n++] = (unsigned char)(v | 0x80);
	} while (v >>= 7);
	bytes[n - 1] &= 0x7f;
	memcpy(room(w, n), bytes, n);
}

void
write_key(struct writer *w, int number, enum wire wire)
{
	write_varint(w, (uint64_t)number << 3 | wire);
}

void
write_message(struct writer *w, int number, size_t mark)
{
	write_varint(w, written(w) - mark);
	write_key(w, number, WIRE_BYTES);
}

void
write_bytes(struct writer *w, int number, const void *data, size_t len)
{
	size_t mark = written(w);

	write_raw(w, data, len);
	write_message(w, number, mark);
}

void
write_number(struct writer *w, int number, uint64_t v)
{
	write_varint(w, v);
	write_key(w, number, WIRE_VARINT);
}

/* --- the schema's part --- */

static const struct choice choices[] = {
	{ "apiextensions.v1.JSONSchemaPropsOrBool", 2, 1, CLASS_BOOL },
	{ "apiextensions.v1.JSONSchemaPropsOrArray", 1, 2, CLASS_STRUCT },
	{ "apiextensions.v1.JSONSchemaPropsOrStringArray", 1, 2, CLASS_STRING },
};

const struct choice *
choice_find(const struct type *t)
{
	for (size_t i = 0; i < COUNT(choices); i++)
		if (strcmp(t->name, choices[i].type) == 0)
			return &choices[i];
	return NULL;
}

const struct type *
choice_schema(void)
{
	return type_find("apiextensions.v1.JSONSchemaProps");
}

const struct type *
choice_other(const struct choice *c)
{
	const struct type *schema = choice_schema();

	/* scalar types have no names of their own: these two fields are of them */
	if (c->class == CLASS_STRUCT)
		return schema;
	return type_field(schema, c->class == CLASS_BOOL ? "nullable" : "pattern")->type;
}

bool
type_is_empty(const struct type *t)
{
	return strcmp(t->name, "apiextensions.v1.CustomResourceSubresourceStatus") == 0;
}

int
field_depth(const struct field *f)
{
	return 1 + !!f->outer[0] + !!f->outer[1];
}

int
field_step(const struct field *f, int depth)
{
	return depth < 2 && f->outer[depth] ? f->outer[depth] : f->number;
}
