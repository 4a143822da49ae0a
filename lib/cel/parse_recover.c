/* What is said of an expression that is none, and how it goes on, as ANTLR does: a word too many is
 * passed over, a bracket that is missing taken as there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cel/parse.h"

/* The first mistake is told; what follows from it would only confuse. */
struct cel_expr *
parse_fail(struct cel_parser *p, size_t at, const char *fmt, const char *a, const char *b)
{
	autofree char *msg = NULL;

	if (!p->failed) {
		if (asprintf(&msg, fmt, a, b) < 0) /* NOLINT: the formats are ours */
			abort();
		cel_issue(p->issues, at, "Syntax error: %s", msg);
	}
	p->failed = true;
	return NULL;
}

bool
parse_begins(const struct cel_token *t)
{
	static const char *const ops[] = { "[", "{", "(", ".", "-", "!", NULL };

	if (t->kind == TOK_OP)
		return text_in(t->text, ops);
	return t->kind != TOK_END && t->kind != TOK_QUOTED;
}

#define EXPRESSION                                                            \
	"{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, " \
	"NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"

/* The word behind the one that is looked at. */
static struct cel_token
ahead(const struct cel_parser *p)
{
	struct cel_issues ignored = { .source = p->source };
	size_t at = p->at;
	struct cel_token t = cel_lex(p->a, p->source, &at, &ignored);

	cel_issues_release(&ignored);
	return t;
}

static void
report(struct cel_parser *p, const char *fmt, const char *a, const char *b)
{
	autofree char *msg = NULL;

	if (p->recovering)
		return;
	if (asprintf(&msg, fmt, a, b) < 0) /* NOLINT: the formats are ours */
		abort();
	cel_issue(p->issues, p->tok.at, "Syntax error: %s", msg);
	p->recovering = true;
}

/* One word too many, or the wrong one: as ANTLR tells them apart.  true: it goes on behind that. */
bool
parse_passed_over(struct cel_parser *p)
{
	struct cel_token next = ahead(p);

	if (p->tok.kind == TOK_END || !parse_begins(&next))
		return false;
	report(p, "extraneous input '%s' expecting " EXPRESSION "%s", parse_shown(p), "");
	parse_next(p);
	return true;
}

struct cel_expr *
parse_no_expression(struct cel_parser *p)
{
	return parse_fail(
	    p, p->tok.at, "mismatched input '%s' expecting " EXPRESSION "%s", parse_shown(p), "");
}

/* May what is looked at stand behind the bracket, or ':', that is missing? */
static bool
follows(const struct cel_parser *p, char missing)
{
	char outer = p->nopen > 1 ? p->open[p->nopen - 2] : 0;

	if (missing == ':')
		return parse_begins(&p->tok);
	if (p->tok.kind == TOK_END)
		return !outer;
	if (p->tok.kind != TOK_OP || p->tok.text[1])
		return false;
	return *p->tok.text == outer || (*p->tok.text == ',' && outer && outer != ':');
}

bool
parse_close(struct cel_parser *p, const char *op, const char *expecting)
{
	struct cel_token next = ahead(p);

	if (p->nopen)
		p->nopen--;
	if (parse_take(p, op))
		return true;
	if (p->tok.kind == TOK_END || next.kind != TOK_OP || strcmp(next.text, op) != 0) {
		parse_fail(
		    p, p->tok.at, "mismatched input '%s' expecting %s", parse_shown(p), expecting);
		return false;
	}
	report(p, "extraneous input '%s' expecting %s", parse_shown(p), expecting);
	parse_next(p);
	parse_next(p);
	return true;
}

bool
parse_first(struct cel_parser *p, const char *op, const char *expecting, bool fields)
{
	struct cel_token next = ahead(p);
	bool name = p->tok.kind == TOK_IDENT || p->tok.kind == TOK_QUOTED;
	bool good =
	    fields ? next.kind == TOK_IDENT || next.kind == TOK_QUOTED : parse_begins(&next);

	if ((fields ? name : parse_begins(&p->tok)) || parse_is_op(p, op) || parse_is_op(p, ",") ||
	    parse_is_op(p, "?"))
		return true;
	if (p->tok.kind == TOK_END || !good) {
		parse_fail(
		    p, p->tok.at, "mismatched input '%s' expecting %s", parse_shown(p), expecting);
		return false;
	}
	report(p, "extraneous input '%s' expecting %s", parse_shown(p), expecting);
	parse_next(p);
	return true;
}

void
parse_end(struct cel_parser *p)
{
	struct cel_token next = ahead(p);

	report(p,
	    next.kind == TOK_END ? "extraneous input '%s' expecting %s"
				 : "mismatched input '%s' expecting %s",
	    parse_shown(p), "<EOF>");
}

bool
parse_open(struct cel_parser *p, char closer)
{
	if (p->nopen == sizeof p->open)
		return parse_deeper(p, PARSE_RULES);
	p->open[p->nopen++] = closer;
	return true;
}

bool
parse_expect(struct cel_parser *p, const char *op, const char *expecting)
{
	struct cel_token next = ahead(p);
	bool fine = true;

	if (parse_take(p, op)) {
		;
	} else if (p->tok.kind != TOK_END && next.kind == TOK_OP && strcmp(next.text, op) == 0) {
		report(p, "extraneous input '%s' expecting %s", parse_shown(p), expecting);
		parse_next(p);
		parse_next(p);
	} else if (p->nopen && (*op == ':' || p->open[p->nopen - 1] == *op) && follows(p, *op)) {
		report(p, "missing %s at '%s'", expecting, parse_shown(p));
	} else {
		parse_fail(
		    p, p->tok.at, "mismatched input '%s' expecting %s", parse_shown(p), expecting);
		fine = false;
	}
	if (p->nopen && p->open[p->nopen - 1] == *op)
		p->nopen--;
	return fine;
}
