#ifndef ORCH_API_PROTOBUF_DECODE_H
#define ORCH_API_PROTOBUF_DECODE_H

#include <jansson.h>

#include "api/path.h"
#include "api/protobuf_wire.h"
#include "base/err.h"

/* Reading values: what protobuf_decode.c and protobuf_scalar.c share.  Private to them. */
struct decoder {
	int depth;
	struct err *err;
};

extern const char decode_cut[]; /* why a message that ends too early is refused */
int decode_refuse(struct decoder *d, const struct path *at, const char *why);
/* The key of the next field of a message: 1, or 0 at its end. */
int decode_next(
    struct decoder *d, struct reader *r, int *number, enum wire *wire, const struct path *at);

int decode_text(struct decoder *d, struct reader bytes, json_t **v, const struct path *at);
int decode_double(struct decoder *d, struct reader *r, json_t **v, const struct path *at);
int decode_number(
    struct decoder *d, const struct type *t, struct reader *r, json_t **v, const struct path *at);
/* A text, or a message that JSON shows as one value: all of r. */
int decode_scalar(
    struct decoder *d, const struct type *t, struct reader r, json_t **v, const struct path *at);

#endif
