#ifndef ORCH_API_VALIDATE_H
#define ORCH_API_VALIDATE_H

#include <jansson.h>
#include <stdbool.h>

#include "api/schema.h"
#include "base/err.h"

/*
 * Checking an object against its kind.  A check collects causes rather than
 * stopping at the first: each has a field path as Kubernetes writes it
 * ("spec.template.spec.containers[0].image"), a reason and a message.
 */
struct cause {
	const char *reason; /* FieldValueRequired, FieldValueInvalid, FieldValueNotSupported, ... */
	char *field;
	char *message; /* "Required value", "Invalid value: \"x\": must be ..." */
};
struct causes {
	struct cause *item;
	size_t n, cap;
	size_t from;  /* where the question that is asked now began */
	size_t bytes; /* of all messages */
};
#define CAUSES_INIT              \
	{                        \
		NULL, 0, 0, 0, 0 \
	}
void causes_release(struct causes *c);
void cause_add(struct causes *c, const char *reason, const char *field, const char *fmt, ...)
    PRINTF(4, 5);

/*
 * Decoding, as the API server does it before anything else: do the types
 * fit the schema?  0, or ERR_BAD_REQUEST with one message naming the field.  Unknown and
 * duplicate fields are not errors here: *unknown (may be NULL) collects their paths.
 */
int validate_types(
    const struct kind *k, const json_t *obj, struct causes *unknown, struct err *err);
/* The same of any kind, in place: of a custom one metadata are asked here, and the rest by the
 * rules below; what its schema does not know is dropped. */
int validate_decode(const struct kind *k, json_t *obj, struct causes *unknown, struct err *err);
/* The same of what a strategic merge patch has made, in the words that it gets. */
int validate_tree(const struct kind *k, const json_t *obj, struct causes *unknown, struct err *err);

/* Rules beyond types: names, labels, required fields, allowed values, and each kind's own. Empty:
 * valid. */
void validate_create(const struct kind *k, const json_t *obj, struct causes *out);
/* The same of what a client sends to create: a custom object's status that has a subresource is not
 * looked at. */
void validate_sent(const struct kind *k, json_t *obj, struct causes *out);
/* An update of more than the status: is it valid, and may it change so?  `old` is the stored
 * object.  Kubernetes asks some questions twice: the causes have such answers twice. */
void validate_update(
    const struct kind *k, const json_t *obj, const json_t *old, struct causes *out);
/* A write of the part of an object that a subresource ("status", "resize") is about. */
void validate_part(const struct kind *k, const char *sub, const json_t *obj, const json_t *old,
    struct causes *out);

/*
 * The message of a 422 as Kubernetes words it, `Deployment.apps "web" is invalid: spec.x: Required
 * value`, with several causes in brackets: [a, b].
 */
char *causes_message(
    const struct causes *c, const struct kind *k, const char *name); /* all of it, new */
/* The same as an ERR_INVALID; err holds the first kilobyte. */
int causes_err(const struct causes *c, const struct kind *k, const char *name, struct err *err);

/*
 * The form in which an object is kept, in place: fields that the schema does not know, nulls,
 * empty lists and maps and the zeros of fields that are no pointers are dropped, quantities become
 * canonical.  The order on a write is
 * validate_types, normalize, defaults_apply, admission, validate_create or validate_update.
 */
void normalize(const struct kind *k, json_t *obj);
/*
 * The same in two steps, for who notes what a client owns: a list that it sent empty is something
 * it says where it would be null otherwise ([] of a CSINode's drivers), and null is what is kept of
 * it.
 */
void normalize_sent(const struct kind *k, json_t *obj);
void normalize_kept(const struct kind *k, json_t *obj);

/* Apply the defaults that Kubernetes publishes for this kind, in place.  Idempotent. */
void defaults_apply(const struct kind *k, json_t *obj);

#endif
