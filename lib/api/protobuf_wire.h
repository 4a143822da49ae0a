#ifndef ORCH_API_PROTOBUF_WIRE_H
#define ORCH_API_PROTOBUF_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/schema.h"

/*
 * The encoding itself (protobuf.dev/programming-guides/encoding), and what both directions share.
 * For lib/api/protobuf*.c, and for messages that are no kind's.
 */
enum wire { WIRE_VARINT, WIRE_64, WIRE_BYTES, WIRE_GROUP, WIRE_END, WIRE_32 };

/* Reading moves p on and never beyond end. */
struct reader {
	const unsigned char *p, *end;
};
bool read_varint(struct reader *r, uint64_t *ret); /* false: cut off, or longer than 64 bits */
bool read_key(struct reader *r, int *number, enum wire *wire);
bool read_bytes(struct reader *r, struct reader *ret);
bool read_skip(struct reader *r, enum wire wire); /* a value that nobody wants */

/*
 * Writing goes backwards, from the last byte to the first: the length of a message is known when
 * its turn comes.  What is there stands in data[at] up to data[cap].
 */
struct writer {
	unsigned char *data;
	size_t cap, at;
};
#define WRITER_INIT        \
	{                  \
		NULL, 0, 0 \
	}
void writer_release(struct writer *w);
size_t written(const struct writer *w);
void write_raw(struct writer *w, const void *data, size_t len);
void write_varint(struct writer *w, uint64_t v);
void write_key(struct writer *w, int number, enum wire wire);
/* Make what came after `mark` (an earlier written()) the message of field `number`. */
void write_message(struct writer *w, int number, size_t mark);
void write_bytes(struct writer *w, int number, const void *data, size_t len);
void write_number(struct writer *w, int number, uint64_t v); /* as a varint */

/*
 * A JSON value that is one of two things, each with a field of its own in the message:
 * a schema, or a flag, or a list.
 */
struct choice {
	const char *type; /* of the schema's tables */
	int schema, other;
	enum type_class class; /* of other: a bool, or a list of schemas (STRUCT) or of strings */
};
const struct choice *choice_find(const struct type *t); /* NULL: it is none */
const struct type *choice_schema(void);
const struct type *choice_other(const struct choice *c); /* the type of an item of it */
/* Is it the raw type whose message has no fields? */
bool type_is_empty(const struct type *t);

/* The numbers on the way to a field, outermost first, and how many they are. */
int field_depth(const struct field *f);
int field_step(const struct field *f, int depth);

#endif
