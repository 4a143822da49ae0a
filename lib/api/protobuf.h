#ifndef ORCH_API_PROTOBUF_H
#define ORCH_API_PROTOBUF_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "api/schema.h"
#include "base/buf.h"
#include "base/err.h"

/*
 * Objects in Kubernetes' protobuf form, by the numbers in the schema's tables.
 *
 * What is written is what Kubernetes' own code writes, byte for byte: fields in the order of
 * their numbers, keys of maps sorted, and the zero of each field that is no pointer
 * (api/schema.h).  What is read may come from anybody: unknown fields are skipped, everything else
 * that is wrong is BAD_REQUEST with the path of the field, or MEDIA_TYPE for what is no envelope.
 *
 * An object travels in an envelope: four bytes "k8s\0", then runtime.Unknown, which holds
 * apiVersion and kind and the object's own message.
 */
#define PROTOBUF_TYPE "application/vnd.kubernetes.protobuf"

/* Do the bytes begin as an envelope does? */
bool protobuf_starts(const void *data, size_t len);

/* Append obj, of the kind that it says, in an envelope.  NOT_ACCEPTABLE for a custom resource. */
int protobuf_write(const json_t *obj, struct buf *out, struct err *err);

/*
 * The object in an envelope, new, with apiVersion and kind.  An envelope that does not
 * name the kind holds one of `dflt` (may be NULL).  *kind (may be NULL) gets what it is of.
 */
int protobuf_read(const void *data, size_t len, const struct kind *dflt, json_t **ret,
    const struct kind **kind, struct err *err);

/* The same for one message without envelope, of any struct type. */
int protobuf_encode(const json_t *v, const struct type *t, struct buf *out, struct err *err);
int protobuf_decode(
    const void *data, size_t len, const struct type *t, json_t **ret, struct err *err);

/* The parts, to join what is encoded already: an envelope around a message, a message or text as
 * field `number`, ... */
void protobuf_wrap(
    struct buf *out, const char *api_version, const char *kind, const void *message, size_t len);
void protobuf_field(struct buf *out, int number, const void *data, size_t len);
/* What stands before and behind the message, where its `len` bytes are sent on their own. */
void protobuf_wrap_begin(struct buf *out, const char *api_version, const char *kind, size_t len);
void protobuf_wrap_end(struct buf *out);
void protobuf_head(struct buf *out, int number, size_t len);
/* ... and the frame of a watch: its length in 4 bytes, then a WatchEvent of an object in its
 * envelope. */
void protobuf_event(struct buf *out, const char *type, const void *object, size_t len);

#endif
