#ifndef ORCH_CEL_AST_H
#define ORCH_CEL_AST_H

#include "cel/value.h"
#include "cel/well_known.h"

/*
 * An expression as a tree.  Macros are expanded while it is parsed: what is left are
 * comprehensions.  Nodes belong to the arena of their program.
 */
enum cel_node {
	CEL_N_CONST,
	CEL_N_IDENT,
	CEL_N_SELECT, /* operand.name; test: has(operand.name) */
	CEL_N_CALL,   /* name(arg ...), target.name(arg ...); operators are called _+_ and so on */
	CEL_N_LIST,
	CEL_N_MAP,
	CEL_N_STRUCT, /* name{field: value} */
	CEL_N_FOLD,   /* a comprehension */
};

struct cel_item {
	struct cel_expr *key; /* of a MAP; NULL in a LIST */
	const char *field;    /* of a STRUCT */
	size_t at;	      /* of the colon behind that */
	struct cel_expr *value;
	bool optional; /* ?: left out when the value is an optional that holds nothing */
};

/* Calls that are no calls of functions. */
enum cel_op {
	CEL_OP_CALL,
	CEL_OP_AND,
	CEL_OP_OR,
	CEL_OP_TERNARY,
	CEL_OP_INDEX,
	CEL_OP_INDEX_OPTIONAL, /* a[?b] */
	CEL_OP_FIELD_OPTIONAL, /* a.?b */
	CEL_OP_NOT_FALSE,
	CEL_OP_OR_ELSE, /* x.or(y), x.orValue(y) */
};

struct cel_expr {
	enum cel_node node;
	size_t at;	  /* where it is in the source, in bytes: of an operator, of the dot ... */
	const char *name; /* of IDENT, SELECT, CALL, STRUCT */
	bool leading_dot; /* IDENT: the name begins with a dot */
	bool test;	  /* SELECT */
	bool optional;	  /* SELECT: .?name */
	struct cel_value value;	  /* of CONST */
	struct cel_expr *operand; /* of SELECT, the target of a CALL (may be NULL) */
	struct cel_expr **arg;
	size_t nargs;
	struct cel_item *item;
	size_t nitems;
	struct cel_fold *fold;
	const char *macro; /* the macro it was made of: for messages */

	/* what the checker finds */
	const struct cel_type *type;
	const struct cel_overload
	    *overload;			    /* of a CALL: the only one that can be meant, or NULL */
	const struct cel_function_set *set; /* of a CALL: all of that name */
	const char *resolved;		    /* IDENT and SELECT: the whole name of a variable */
	const struct cel_type *type_value;  /* IDENT that names a type */
	const struct cel_well_known *known; /* of a STRUCT: it makes one of these */
	int slot;			    /* IDENT: of a variable, else -1 */
	enum cel_op op;			    /* of a CALL */
	uint64_t candidates;		    /* of a CALL: which overloads its types fit */
	struct cel_estimate *estimate;	    /* of its size, in estimates of cost */
	bool settled;			    /* its type is final */
	bool shared;			    /* a macro has put it into two places */
	bool attribute;			    /* a name, or a part of something: what costs as one */
};

struct cel_fold {
	const char *var, *var2; /* var2: of the two-variable forms, else NULL */
	const char *accu;
	struct cel_expr *range, *init, *condition, *step, *result;
	size_t slot; /* of the accumulator among the locals; the variables are behind it */
	/* of one that collects, what it adds and (or NULL) when: map(), filter() */
	const struct cel_expr *item, *filter;
};

/* Mistakes in an expression, as cel-go words and shows them. */
struct cel_issue_item {
	size_t at, order;
	char *msg;
};
struct cel_issues {
	const char *source;
	struct cel_issue_item *item;
	size_t n, cap;
};
#define CEL_NOWHERE SIZE_MAX /* a mistake of the whole: no line is shown */
void cel_issue(struct cel_issues *i, size_t at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* "ERROR: <input>:1:5: ...\n | source\n | ....^", one after another, in the order of the source. */
void cel_issues_show(struct cel_issues *i, struct buf *out);
void cel_issues_release(struct cel_issues *i);

/* NULL when there are issues. */
struct cel_expr *cel_parse(
    struct arena *a, const char *source, unsigned bits, struct cel_issues *issues);

/* --- parser and macros ---------------------------------------------------------------- */

struct cel_parser;
struct cel_expr *cel_node_new(struct arena *a, enum cel_node node, size_t at);
struct cel_expr *cel_call(struct arena *a, size_t at, const char *name, size_t n, ...);
struct cel_expr *cel_ident(struct arena *a, size_t at, const char *name);
struct cel_expr *cel_constant(struct arena *a, size_t at, struct cel_value v);
/* What a macro call stands for; NULL: it is none, and stays a call. */
struct cel_expr *cel_expand(struct arena *a, struct cel_issues *issues, unsigned bits,
    struct cel_expr *target, const char *name, struct cel_expr **args, size_t n, size_t at);

#endif
