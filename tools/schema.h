#ifndef ORCH_TOOLS_SCHEMA_H
#define ORCH_TOOLS_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The schema compiler's idea of what it reads.  It runs once per build and frees nothing.
 */
enum { MAX_WORDS = 64 };

struct pos {
	const char *file;
	int line;
};

struct field {
	struct pos pos;
	char *name, *type, *summary, *dflt, *keys, *merge_key, *wire;
	char *values;		     /* what a string may be */
	char *shown, *shown_default; /* the same, and the default, as OpenAPI says it */
	int number, outer[2];
	bool required, pointer, set, map, merge, retain, replace, granular, atomic;
	size_t t; /* index of the type, once resolved */
};

struct type {
	struct pos pos;
	char *package, *name; /* "apps.v1", "apps.v1.Deployment" */
	const char *class;
	size_t elem;
	bool has_elem, named, atomic;
	char *summary, *discriminator;
	struct field *fields;
	size_t nfields, first; /* first: index of its first field in the output */
	size_t nwire, wire;    /* the same for the fields that protobuf has */
};

struct line { /* an @ line of a kind, kept as words */
	char *word[MAX_WORDS];
	int n;
	struct pos pos;
};

struct kind {
	struct pos pos;
	char *group, *version, *kind, *plural, *singular, *shorts, *categories;
	bool namespaced;
	unsigned verbs;
	struct line *subs, *columns;
	size_t nsubs, ncolumns, type;
	char *summary;
	const char *named;
};

extern struct type *types;
extern size_t ntypes;
extern struct kind *kinds;
extern size_t nkinds;

/* The types that need no fields, in the order of the first `types`: name and class. */
enum { NSCALARS = 13 };
extern const char *const scalars[NSCALARS][2];

enum { VERB_LIST = 2, ALL_VERBS = 255 };

/* "FILE:LINE: message", and exit 1. */
_Noreturn void fail(struct pos pos, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Room for one more in an array that started as NULL: *ADD(items, n) = x. */
void *grow(void *items, size_t n, size_t size);
#define ADD(items, n) ((items) = grow((items), (n), sizeof *(items)), &(items)[(n)++])

char *join(const char *a, const char *b, const char *c);

/* schema_read.c: files become types and kinds. */
struct reader {
	char *group, *version, *package; /* of the last "api" line */
	bool in_kind, in_type;
};
void parse_file(const char *path);
struct type *new_type(
    struct reader *r, const char *name, const char *class, const char *summary, struct pos pos);
struct kind *new_kind(struct reader *r, const char *name, const char *summary, struct pos pos);
void add_field(struct type *t, struct field f);
unsigned parse_verb(const char *word, struct pos pos);

/* schema_write.c: the C text, on stdout. */
void put_types(void);
void put_kinds(void);

#endif
