#ifndef ORCH_API_RULES_CEL_H
#define ORCH_API_RULES_CEL_H

#include "api/check.h"
#include "cel/cel.h"
#include "cel/type.h"

/*
 * Expressions in fields: compiled when they are written, with what they may use where they
 * stand (Kubernetes: admission/plugin/cel/compile.go).  One set serves the expressions of one
 * object; its environments are made when they are first needed.
 */
enum expression_uses {
	USES_PARAMS = 1,
	USES_AUTHORIZER = 2,
	USES_VARIABLES = 4, /* those that were defined so far */
	USES_PATCHES = 8,   /* Object{...} and JSONPatch{...} */
	USES_ALL = 16,
};

struct expressions {
	struct cel_env *env[USES_ALL];
	struct cel_type variables; /* an object type that grows */
	struct cel_field *field;
	struct arena arena;
};

void expressions_init(struct expressions *e, size_t variables); /* how many there may be */
void expressions_release(struct expressions *e);

/* The types that an expression may have: a list ended by NULL. */
extern const struct cel_type *const gives_bool[],
    *const gives_string[], *const gives_text_or_null[], *const gives_object[],
							    *const gives_patches[];

/* Compile; `shown` is what a refusal quotes. */
void check_expression(struct causes *out, const struct path *at, struct expressions *e,
    unsigned uses, const char *source, const char *shown, const struct cel_type *const *gives);
/* The same of a variable, which others may use from here on, whatever was wrong with it. */
void check_variable(struct causes *out, const struct path *at, struct expressions *e, unsigned uses,
    const char *name, const char *source);

/* Selectors of devices (dynamic-resource-allocation/cel/compile.go): the environment of a list of
 * them, and a check of one. */
struct cel_env *device_environment(void);
void check_device_expression(
    struct causes *out, const struct path *at, const struct cel_env *env, const char *source);

#endif
