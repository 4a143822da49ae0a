#ifndef ORCH_CEL_LEX_H
#define ORCH_CEL_LEX_H

#include "cel/ast.h"

/* Words of the expression language. */
enum cel_token_kind {
	TOK_END,
	TOK_INT,
	TOK_UINT,
	TOK_FLOAT,
	TOK_STRING,
	TOK_BYTES,
	TOK_IDENT,
	TOK_QUOTED, /* an identifier in back quotes: only behind a dot */
	TOK_TRUE,
	TOK_FALSE,
	TOK_NULL,
	TOK_OP, /* text says which: "==", "in", "(" ... */
	TOK_BAD,
};

struct cel_token {
	enum cel_token_kind kind;
	size_t at, len;		/* in the source */
	struct cel_value value; /* of constants */
	const char *text;	/* of IDENT, QUOTED and OP */
};

/* The token at or behind *at, which is moved behind it.  A word that is none is an issue, and
 * passed over. */
struct cel_token cel_lex(
    struct arena *a, const char *source, size_t *at, struct cel_issues *issues);

#endif
