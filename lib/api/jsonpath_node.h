#ifndef ORCH_API_JSONPATH_NODE_H
#define ORCH_API_JSONPATH_NODE_H

#include "api/jsonpath.h"

/* A template as a tree: what the parser makes and the evaluation walks. */
enum node_type {
	NODE_TEXT,     /* text: printed as it is, also a quoted string in an expression */
	NODE_EXPR,     /* child: steps; its results are printed */
	NODE_RANGE,    /* child: steps, body: what is printed for each result */
	NODE_ROOT,     /* $: start again at the whole value */
	NODE_FIELD,    /* text; child: the path that ['a.b'] also is, when there is no such field */
	NODE_WILDCARD, /* every member or item */
	NODE_RECURSIVE, /* the value and everything in it */
	NODE_SLICE,	/* from, to, step */
	NODE_UNION,	/* child: a list of alternatives, each a NODE_EXPR */
	NODE_FILTER,	/* child: left side, body: right side or NULL, op */
	NODE_VALUE,	/* value: a number or boolean */
};

enum compare { OP_EXISTS, OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE };

struct node {
	enum node_type type;
	struct node *next, *child, *body;
	char *text;
	json_t *value;
	enum compare op;
	long from, to, step;
	bool has_from, has_to, single; /* single: an index, not a slice */
};

struct jsonpath {
	struct node *first;
};

enum { JSONPATH_DEPTH = 64 }; /* how deep ranges, unions and filters may nest */

#endif
