#ifndef ORCH_STORE_OBJECT_H
#define ORCH_STORE_OBJECT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/schema.h"
#include "api/selector.h"
#include "base/buf.h"
#include "serve/bytes.h"

/*
 * One version of one stored object: immutable, reference counted, shared by all
 * threads.  It is kept as bytes ready to be sent.  The bytes are the object's JSON without the
 * leading '{' and without kind and apiVersion:
 *
 *	"metadata":{"name":"web",...},"spec":{...}}
 *
 * so that the same bytes serve a GET (behind {"kind":..,"apiVersion":..,), an item
 * of a list (behind '{') and a watch event, and never are encoded again.
 */
struct object {
	_Atomic unsigned refs;
	uint32_t labels_at, labels_len; /* where metadata.labels stands in body; len 0: none */
	uint64_t revision;		/* its resourceVersion */
	struct bytes *body;
	_Atomic(struct bytes *) message; /* see object_message() */
	uint32_t text_len;
	bool shown;  /* made of another: it is as it is to be seen, see conversion.h */
	char text[]; /* "namespace\0name\0" and the value of each selectable field of the kind; of a
			custom kind the version that it is kept in */
};

struct object *object_ref(struct object *o);
void object_unref(struct object *o);		      /* accepts NULL */
const char *object_namespace(const struct object *o); /* "" when cluster-scoped */
const char *object_name(const struct object *o);

/* The JSON of it as a new tree, with apiVersion and kind: of any version that it can be seen in. */
json_t *object_json(const struct object *o, const struct kind *k);
/* One that is kept as k, although k is only a view now (api/convert.h). */
json_t *object_json_kept(const struct object *o, const struct kind *k);
/* The version of k's that it is kept in: of a custom kind not always the one that others are. */
const struct kind *object_kind(const struct object *o, const struct kind *k);
const char *object_version(const struct object *o); /* of a custom kind: "v1", or "" if unknown */
/*
 * Its message in protobuf (api/protobuf.h), of the kind that is kept: made when somebody first asks
 * for it, and kept beside the body while all that are kept so are not too large.  A new reference,
 * or NULL when it cannot be encoded.
 */
struct bytes *object_message(struct object *o, const struct kind *stored, struct err *err);
void object_drop_message(struct object *o); /* for object_unref() */
/* Its body as k shows it; a new reference. */
struct bytes *object_body(const struct object *o, const struct kind *k);
/* The same of another body of an object that is kept like this one. */
struct bytes *body_view(const struct object *like, struct bytes *body, const struct kind *k);

/*
 * An object that is encoded but has no resourceVersion yet: the commit thread puts
 * the number in by joining three pieces, nothing is encoded twice.
 */
struct draft {
	struct buf body; /* without the digits of the resourceVersion */
	size_t slot;	 /* where they go */
	uint32_t labels_at, labels_len;
	struct buf text;
};
#define DRAFT_INIT                          \
	{                                   \
		BUF_INIT, 0, 0, 0, BUF_INIT \
	}
void draft_release(struct draft *d);
/* Encode obj, a whole object of this kind, in the form that is kept; metadata.resourceVersion in
 * it is ignored. */
void draft_encode(struct draft *d, const struct kind *k, const json_t *obj);
/* To be kept as k, whatever others are. */
void draft_encode_as(struct draft *d, const struct kind *k, const json_t *obj);
void draft_copy(
    struct draft *d, const struct object *o); /* the object again, for another version */
struct object *draft_finish(const struct draft *d, uint64_t revision);
/* Would it be kept in the version that o is? */
bool draft_like(const struct draft *d, const struct object *o);
bool draft_same(
    const struct draft *d, const struct object *o); /* nothing but the version would change */
/* The same for what has been through another version, where fields may stand in another order. */
bool draft_equal(const struct draft *d, const struct object *o);

/* An object from what the engine kept: body as above and the index entry made by object_index(). */
struct object *object_restore(uint64_t revision, const struct kind *k, const void *body, size_t len,
    const void *index, size_t index_len);
/* The index entry of an object, to be kept beside its body so that reading it again parses nothing.
 */
void object_index(const struct object *o, struct buf *out);

/* The fields of a kind that a field selector may name besides metadata.name and metadata.namespace:
 * their paths, ended by NULL.  Their values stand in object.text in this order. */
const char *const *kind_fields(const struct kind *k);
const char *object_field(
    const struct object *o, const struct kind *k, const char *path); /* NULL: not selectable */

/* What a list or watch asks for, ready to be matched. */
struct filter {
	const struct kind *kind;
	char *namespace, *name;		  /* NULL: any */
	struct selector *labels, *fields; /* NULL: all */
	const char *node; /* the spec.nodeName a Pod must have, NULL: any (points into fields) */
};
void filter_release(struct filter *f);
/* Parse both selectors (NULL or "": all) into f, whose kind is set; refuses unknown field names. */
int filter_parse(struct filter *f, const char *labels, const char *fields, struct err *err);
bool filter_match(const struct filter *f, const struct object *o);
bool filter_selects(const struct filter *f); /* has a selector of any sort */

#endif
