#ifndef ORCH_CEL_PARSE_H
#define ORCH_CEL_PARSE_H

#include "cel/lex.h"

/* What parse.c and parse_literal.c share.  A function that fails gives NULL or false, and has said
 * why. */
enum { DEPTH = 250, LENGTH = 100000, MOST_ARGS = 4096 };

/* Rules of the grammar that stand inside of themselves, also those that go on to the left: a.b.c */
enum parse_rule { PARSE_EXPR, PARSE_RELATION, PARSE_CALC, PARSE_MEMBER, PARSE_RULES };
enum { PARSE_OPEN = 1024 };

struct cel_parser {
	struct arena *a;
	const char *source;
	size_t at;
	struct cel_token tok; /* the one that is looked at */
	struct cel_issues *issues;
	unsigned bits;
	int depth[PARSE_RULES];	 /* how many of a rule are open */
	bool failed, recovering; /* recovering: the next mistake follows from the last one */
	char open[PARSE_OPEN];	 /* the brackets (and ':') that will be closed */
	size_t nopen;
};

/* Things with commas between, in the arena. */
struct bag {
	void **item;
	size_t n, cap;
};
void parse_put(struct cel_parser *p, struct bag *b, void *item);

struct cel_expr *parse_expression(struct cel_parser *p);
struct cel_expr *parse_list(struct cel_parser *p);
struct cel_expr *parse_map(struct cel_parser *p);
struct cel_expr *parse_structure(struct cel_parser *p, const char *name); /* behind the name */
/* target.name( or, without a target, name(: the parenthesis is open already. */
struct cel_expr *parse_call(
    struct cel_parser *p, struct cel_expr *target, const char *name, size_t at);

/* One more of a rule is open; false (told): that is too deep.  The caller takes it back. */
bool parse_deeper(struct cel_parser *p, enum parse_rule rule);
void parse_next(struct cel_parser *p);
bool parse_is_op(const struct cel_parser *p, const char *op);
bool parse_take(struct cel_parser *p, const char *op); /* when it is there */
bool parse_expect(struct cel_parser *p, const char *op, const char *expecting);
bool parse_open(struct cel_parser *p, char closer); /* what parse_expect() will close */
/* The end of a list, map or object, where a comma might stand, too; its first item. */
bool parse_close(struct cel_parser *p, const char *op, const char *expecting);
bool parse_first(struct cel_parser *p, const char *op, const char *expecting, bool fields);
bool parse_begins(const struct cel_token *t); /* an expression may begin with it */
/* It may not, but with the next word: it is told and passed over. */
bool parse_passed_over(struct cel_parser *p);
struct cel_expr *parse_no_expression(struct cel_parser *p); /* told; NULL */
void parse_end(struct cel_parser *p);			    /* told: there is more */
const char *parse_shown(const struct cel_parser *p);	    /* the word that is looked at */
/* The first mistake is told; what follows from it would only confuse.  NULL. */
struct cel_expr *parse_fail(
    struct cel_parser *p, size_t at, const char *fmt, const char *a, const char *b);

#endif
