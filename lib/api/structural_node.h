#ifndef ORCH_API_STRUCTURAL_NODE_H
#define ORCH_API_STRUCTURAL_NODE_H

#include "api/cause.h"
#include "api/structural.h"
#include "base/arena.h"

/* What the parts of structural.c share: a schema as a tree of nodes, all in one arena. */
enum type_bits {
	IS_STRING = 1,
	IS_NUMBER = 2,
	IS_INTEGER = 4,
	IS_BOOLEAN = 8,
	IS_ARRAY = 16,
	IS_OBJECT = 32,
};

struct property {
	const char *name;
	struct node *node;
};

/* Several schemas: allOf, anyOf, oneOf. */
struct nodes {
	struct node *item;
	size_t n;
};

struct rule; /* structural_rule.h */

struct node {
	unsigned types;	  /* of enum type_bits, 0: any */
	const char *word; /* its type, "" when it has none that is known */
	bool nullable, int_or_string, preserve, embedded;
	bool exclusive_minimum, exclusive_maximum;
	bool has_minimum, has_maximum, has_multiple;
	double minimum, maximum, multiple;
	int64_t min_length, max_length, min_items, max_items, min_properties,
	    max_properties;  /* -1: none */
	const char *pattern; /* NULL: none */
	const char *format;  /* one that is known, or NULL */
	bool (*format_fits)(const char *text, size_t len);
	const json_t *dflt, *enumeration; /* NULL: none */
	const char **choice;		  /* the strings of the enumeration, in order */
	size_t nchoices;
	const char **required;
	size_t nrequired;
	struct property *property; /* in alphabetical order */
	size_t nproperties;
	bool defaults;	   /* there is a default in here */
	bool rules_inside; /* there are rules in here */
	bool lists_inside; /* there are sets, maps or embedded resources in here */
	bool embedded_inside;
	struct node *items, *additional; /* NULL: none */
	bool closed;			 /* additionalProperties: false */
	bool open;			 /* additionalProperties: true */
	struct nodes all, any, one;
	struct node * not ;
	enum list_type list;
	bool list_typed;	 /* x-kubernetes-list-type stands there */
	const char *const *keys; /* NULL-terminated */
	bool atomic;		 /* x-kubernetes-map-type */
	struct rule *rule;
	size_t nrules;
	const char *summary; /* its description, "" when it has none */
};

struct structural {
	struct arena arena;
	json_t *kept; /* what nodes point to: defaults and enumerations */
	struct node *root;
	const struct type *type;
	struct cel_env **env; /* of the rules */
	size_t nenvs, envs_cap;
	size_t programs; /* their bytes */
};

const struct node *node_property(const struct node *n, const char *name); /* or NULL */
const char *schema_keep(struct structural *s, const char *text); /* a copy that lives as long */
char *node_path(const struct path *at); /* path_print(), "<nil>" for NULL */

/* Is this one of the strings of the enumeration? */
bool node_chooses(const struct node *n, const json_t *value);

/* The known format of this name, or NULL. */
bool (*format_check(const char *name))(const char *text, size_t len);

/* structural_check.c, structural_shape.c: what is asked of a schema before it is compiled. */
/* Is there a word in it that makes asking for its shape idle?  NULL: no. */
const char *schema_unusable(const json_t *schema);
void schema_check(const json_t *schema, const struct path *at, struct causes *out);
void schema_shape(const json_t *schema, const struct path *at, struct causes *out);

/* Defaults must fit their schemas (structural_prune.c). */
void node_check_defaults(const struct node *root, const struct path *at, struct causes *out);
void node_prune(const struct node *n, json_t *value, bool resource);

/* Values against a schema, without rules (structural_value.c); base is where the value stands when
 * that is not the top of an object. */
void node_validate(const struct node *n, const struct path *base, const json_t *value,
    const json_t *old, struct causes *out);
/* The same, of one field of an object. */
void node_validate_field(const struct node *n, const char *name, const json_t *value,
    const json_t *old, struct causes *out);
/* Sets, maps and embedded resources (structural_list.c). */
void node_validate_lists(
    const struct node *n, const struct path *at, const json_t *value, struct causes *out);
void node_validate_embedded(const struct node *n, const struct path *at, const json_t *value,
    bool root, struct causes *out);
/* apiVersion, kind and metadata of an object that stands in another one. */
void node_validate_resource(const struct path *at, const json_t *value, struct causes *out);
/* The items of an old list map by their keys, new; NULL where items cannot be told apart. */
json_t *node_index(const struct node *n, const json_t *old);
/* The one that this item was before, or NULL. */
const json_t *node_same_item(const struct node *n, const json_t *index, const json_t *item);
/* Did nothing change?  The items of a list map may come in another order; of what the schema does
 * not know nobody can tell. */
bool node_unchanged(const struct node *n, const json_t *value, const json_t *old);

/*
 * The schema at a path below another one, or NULL and *why; brackets: ['name'] is a step, too.
 * plain (may be NULL) gets the path as causes write it: "spec.replicas".
 */
const json_t *schema_at(
    const json_t *schema, const char *path, bool brackets, struct buf *plain, char why[static 128]);

/* structural_type.c */
const struct type *node_type(struct arena *a, const struct node *root);

#endif
