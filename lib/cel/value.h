#ifndef ORCH_CEL_VALUE_H
#define ORCH_CEL_VALUE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "cel/type.h"

/*
 * Values of the expression language: small, passed by value; what they point to lives in the arena
 * of an evaluation, or is JSON that outlives it.  Objects and lists out of JSON are looked at only
 * where an expression asks.
 */
enum cel_kind {
	CEL_ERROR, /* evaluation failed: text.p says why */
	CEL_NULL,
	CEL_BOOL,
	CEL_INT,
	CEL_UINT,
	CEL_DOUBLE,
	CEL_STRING,
	CEL_BYTES,
	CEL_TIMESTAMP,
	CEL_DURATION,
	CEL_LIST,
	CEL_MAP,
	CEL_OBJECT,   /* fields with types of their own */
	CEL_TYPE,     /* a type as a value */
	CEL_OPTIONAL, /* holding may be NULL */
	CEL_OPAQUE,   /* of a library: an IP, a quantity ... */
};

struct cel_value {
	enum cel_kind kind;
	union {
		bool b;
		int64_t i;
		uint64_t u;
		double d;
		struct {
			const char *p; /* not always ended by a NUL */
			size_t len;
		} text; /* STRING (UTF-8), BYTES, ERROR */
		struct {
			int64_t s;
			int32_t ns; /* of DURATION: of the same sign as s */
		} time;		    /* since the epoch, or how long */
		const struct cel_list *list;
		const struct cel_map *map; /* MAP and OBJECT */
		const struct cel_type *type;
		const struct cel_value *holding;
		const struct cel_opaque *opaque;
	};
};

/* A list: its items, or a JSON array whose items are of one type. */
struct cel_list {
	size_t n;
	const struct cel_value *item; /* NULL: json */
	const json_t *json;
	const struct cel_type *of;
	const char *const *keys; /* as its type has them */
};

struct cel_entry {
	struct cel_value key, value;
};
/* A map in the order in which it was written, or a JSON object (keys are strings). */
struct cel_map {
	size_t n;
	const struct cel_entry *entry; /* NULL: json */
	const json_t *json;
	const struct cel_type *type; /* of a map from JSON, or the OBJECT's own */
};

/* A library's own kind of value: the type says which, the functions know what is behind it. */
struct cel_opaque {
	const struct cel_type *type;
	const void *data;
	bool (*equal)(const void *a, const void *b);
};

#define CEL_MAKE(kind_, member, ...) ((struct cel_value){ .kind = kind_, .member = __VA_ARGS__ })
#define cel_bool(v) CEL_MAKE(CEL_BOOL, b, (v))
#define cel_int(v) CEL_MAKE(CEL_INT, i, (v))
#define cel_uint(v) CEL_MAKE(CEL_UINT, u, (v))
#define cel_double(v) CEL_MAKE(CEL_DOUBLE, d, (v))
#define cel_null() ((struct cel_value){ .kind = CEL_NULL })
struct cel_value cel_text(const char *p, size_t len);	     /* a string, borrowed */
struct cel_value cel_string(struct arena *a, const char *s); /* a copy */

/* An error as a value; the words are Kubernetes clients' to read: "no such key: x". */
struct cel_value cel_error(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* JSON as a value of a type (dyn for what has none): date-time strings become timestamps where the
 * type says so.  Borrows json. */
struct cel_value cel_from_json(struct arena *a, const json_t *json, const struct cel_type *type);
/* The other way, new; NULL for what JSON cannot say (an opaque value, a map with keys that are no
 * strings). Times are strings, bytes base64. */
json_t *cel_to_json(struct arena *a, struct cel_value v);

struct cel_value cel_list_get(struct arena *a, const struct cel_list *l, size_t i);
/* The value of a key, or false. Numbers are equal across int, uint and double. */
bool cel_map_find(
    struct arena *a, const struct cel_map *m, struct cel_value key, struct cel_value *ret);
/* The i-th entry; for JSON in the order of the object. `at` is NULL before the first call. */
struct cel_value cel_map_key(struct arena *a, const struct cel_map *m, size_t i, void **at);

struct cel_value cel_list_of(
    struct arena *a, const struct cel_value *items, size_t n); /* borrowed */
struct cel_value cel_map_of(struct arena *a, const struct cel_entry *entries, size_t n);
struct cel_value cel_optional_of(struct arena *a, struct cel_value v);
struct cel_value cel_optional_none(void);
struct cel_value cel_opaque_of(struct arena *a, const struct cel_type *type, const void *data,
    bool (*equal)(const void *a, const void *b));

/* Equality as the language has it: of different kinds false, numbers by value, NaN never. */
bool cel_equal(struct arena *a, struct cel_value x, struct cel_value y);
/* Of two lists, and their sum, when x has keys. */
bool cel_keyed_equal(struct arena *a, const struct cel_list *x, const struct cel_list *y);
struct cel_value cel_keyed_add(struct arena *a, const struct cel_list *x, const struct cel_list *y);
/* Of two objects from JSON: all that is in it counts, also what expressions have no name for. */
bool cel_objects_equal(struct arena *a, const struct cel_map *x, const struct cel_map *y);
/* Order of two of one kind (or two numbers): -1, 0, 1; 2: they have none. */
int cel_compare(struct cel_value x, struct cel_value y);

size_t cel_size(struct cel_value v); /* of what has one (characters of a string), else 1 */
const struct cel_type *cel_type_of(struct cel_value v);

/* RFC 3339, and Go's durations: "1h2m3.5s". */
bool cel_parse_timestamp(const char *p, size_t len, struct cel_value *ret);
bool cel_parse_duration(const char *p, size_t len, struct cel_value *ret);
char *cel_print_timestamp(struct arena *a, struct cel_value v);
char *cel_print_duration(struct arena *a, struct cel_value v); /* "3.5s" */

#endif
