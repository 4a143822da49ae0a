/* Expressions into trees (cel-spec, langdef.md, Syntax): a function for each level of binding. */
#include <stdarg.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "cel/parse.h"

/* --- issues ----------------------------------------------------------------------------- */

static size_t
characters(const char *p, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += (p[i] & 0xc0) != 0x80;
	return n;
}

/* --- tokens -------------------------------------------------------------------------------- */

void
parse_next(struct cel_parser *p)
{
	p->tok = cel_lex(p->a, p->source, &p->at, p->issues);
	p->recovering = false;
}

const char *
parse_shown(const struct cel_parser *p)
{
	if (p->tok.kind == TOK_END)
		return "<EOF>";
	return arena_text(p->a, p->source + p->tok.at, p->tok.len);
}

bool
parse_is_op(const struct cel_parser *p, const char *op)
{
	return p->tok.kind == TOK_OP && strcmp(p->tok.text, op) == 0;
}

bool
parse_take(struct cel_parser *p, const char *op)
{
	if (!parse_is_op(p, op))
		return false;
	parse_next(p);
	return true;
}

/* --- nodes ----------------------------------------------------------------------------------- */

struct cel_expr *
cel_node_new(struct arena *a, enum cel_node node, size_t at)
{
	struct cel_expr *e = arena_alloc(a, sizeof *e);

	*e = (struct cel_expr){ .node = node, .at = at, .slot = -1 };
	return e;
}

struct cel_expr *
cel_call(struct arena *a, size_t at, const char *name, size_t n, ...)
{
	struct cel_expr *e = cel_node_new(a, CEL_N_CALL, at);
	va_list ap;

	e->name = name;
	e->nargs = n;
	e->arg = arena_alloc(a, (n + 1) * sizeof *e->arg);
	va_start(ap, n);
	for (size_t i = 0; i < n; i++)
		e->arg[i] = va_arg(ap, struct cel_expr *);
	va_end(ap);
	return e;
}

struct cel_expr *
cel_ident(struct arena *a, size_t at, const char *name)
{
	struct cel_expr *e = cel_node_new(a, CEL_N_IDENT, at);

	e->name = name;
	return e;
}

struct cel_expr *
cel_constant(struct arena *a, size_t at, struct cel_value v)
{
	struct cel_expr *e = cel_node_new(a, CEL_N_CONST, at);

	e->value = v;
	return e;
}

/* --- the levels --------------------------------------------------------------------------------
 */

/* a.b.C{field: value}: the name was read as an expression. */
static const char *
qualified(struct arena *a, const struct cel_expr *e)
{
	const char *first;
	autofree char *whole = NULL;

	if (e->node == CEL_N_IDENT)
		return e->leading_dot ? NULL : e->name;
	if (e->node != CEL_N_SELECT || e->test || e->optional ||
	    !(first = qualified(a, e->operand)))
		return NULL;
	whole = xasprintf("%s.%s", first, e->name);
	return arena_text(a, whole, strlen(whole));
}

static bool
reserved(const char *word)
{
	static const char *const words[] = { "as", "break", "const", "continue", "else", "for",
		"function", "if", "import", "let", "loop", "package", "namespace", "return", "var",
		"void", "while", NULL };

	return text_in(word, words);
}

static struct cel_expr *
constant(struct cel_parser *p)
{
	struct cel_token t = p->tok;

	if (t.kind == TOK_TRUE || t.kind == TOK_FALSE)
		t.value = cel_bool(t.kind == TOK_TRUE);
	else if (t.kind == TOK_NULL)
		t.value = cel_null();
	else if (t.kind == TOK_INT) {
		if (t.value.u > INT64_MAX)
			cel_issue(p->issues, t.at, "invalid int literal");
		t.value = cel_int((int64_t)t.value.u);
	}
	parse_next(p);
	return cel_constant(p->a, t.at, t.value);
}

static struct cel_expr *
name(struct cel_parser *p)
{
	bool dot = parse_is_op(p, ".");
	size_t at = p->tok.at;
	struct cel_token t;
	struct cel_expr *e;

	if (dot)
		parse_next(p);
	t = p->tok;
	if (t.kind != TOK_IDENT)
		return parse_fail(
		    p, t.at, "no viable alternative at input '.%s'%s", parse_shown(p), "");
	parse_next(p);
	if (reserved(t.text)) {
		cel_issue(p->issues, at, "reserved identifier: %s", t.text);
		p->failed = true;
		return NULL;
	}
	if (parse_is_op(p, "(")) {
		size_t open = p->tok.at;

		parse_next(p);
		return parse_call(p, NULL, t.text, open);
	}
	e = cel_ident(p->a, at, t.text);
	e->leading_dot = dot;
	return e;
}

static struct cel_expr *
primary(struct cel_parser *p)
{
	struct cel_expr *e;

	if (!parse_begins(&p->tok))
		return parse_no_expression(p);
	if (parse_is_op(p, "(")) {
		parse_next(p);
		if (!parse_open(p, ')'))
			return NULL;
		e = parse_expression(p);
		return e && parse_expect(p, ")", "')'") ? e : NULL;
	}
	if (parse_is_op(p, "["))
		return parse_list(p);
	if (parse_is_op(p, "{"))
		return parse_map(p);
	if (p->tok.kind == TOK_IDENT || parse_is_op(p, "."))
		return name(p);
	if (p->tok.kind == TOK_OP)
		return parse_no_expression(p);
	return constant(p);
}

static struct cel_expr *
selection(struct cel_parser *p, struct cel_expr *of)
{
	size_t at = p->tok.at;
	struct cel_expr *e;
	struct cel_token t;
	bool optional;

	parse_next(p);
	optional = parse_take(p, "?");
	t = p->tok;
	if (t.kind != TOK_IDENT && t.kind != TOK_QUOTED) {
		/* what could follow is decided by several words: ANTLR shows all of them */
		autofree char *seen = xasprintf(
		    "%s%s", optional ? ".?" : ".", t.kind == TOK_END ? "" : parse_shown(p));

		return parse_fail(p, t.at, "no viable alternative at input '%s'%s", seen, "");
	}
	parse_next(p);
	if (t.kind == TOK_IDENT && !optional && parse_is_op(p, "(")) {
		size_t open = p->tok.at;

		parse_next(p);
		return parse_call(p, of, t.text, open);
	}
	if (optional)
		return cel_call(p->a, at, "_?._", 2, of,
		    cel_constant(p->a, t.at, cel_text(t.text, strlen(t.text))));
	e = cel_node_new(p->a, CEL_N_SELECT, at);
	e->operand = of;
	e->name = t.text;
	return e;
}

static struct cel_expr *
indexed(struct cel_parser *p, struct cel_expr *of)
{
	size_t at = p->tok.at;
	struct cel_expr *index;
	bool optional;

	parse_next(p);
	optional = parse_take(p, "?");
	index = parse_open(p, ']') ? parse_expression(p) : NULL;
	if (!index || !parse_expect(p, "]", "']'"))
		return NULL;
	return cel_call(p->a, at, optional ? "_[?_]" : "_[_]", 2, of, index);
}

static struct cel_expr *
member(struct cel_parser *p)
{
	int outside = p->depth[PARSE_MEMBER];
	struct cel_expr *e = parse_deeper(p, PARSE_MEMBER) ? primary(p) : NULL;
	const char *type;

	while (e) {
		bool dot = parse_is_op(p, "."), index = parse_is_op(p, "[");

		if ((dot || index) && !parse_deeper(p, PARSE_MEMBER))
			e = NULL;
		else if (dot || index)
			e = dot ? selection(p, e) : indexed(p, e);
		else if (parse_is_op(p, "{") && (type = qualified(p->a, e)))
			e = parse_structure(p, type);
		else
			break;
	}
	p->depth[PARSE_MEMBER] = outside;
	return e;
}

static struct cel_expr *
unary(struct cel_parser *p)
{
	bool minus = parse_is_op(p, "-");
	size_t at = p->tok.at, n = 0;
	struct cel_expr *e;

	if (!parse_begins(&p->tok) && parse_passed_over(p))
		return unary(p);
	if (!minus && !parse_is_op(p, "!"))
		return member(p);
	while (parse_take(p, minus ? "-" : "!"))
		n++;
	if (minus && n == 1 && (p->tok.kind == TOK_INT || p->tok.kind == TOK_FLOAT)) {
		/* a negative constant: the least int has no positive counterpart */
		struct cel_token *t = &p->tok;
		bool least = t->kind == TOK_INT && t->value.u == (uint64_t)INT64_MAX + 1;

		if (least) {
			parse_next(p);
			return cel_constant(p->a, at, cel_int(INT64_MIN));
		}
		e = constant(p);
		e->at = at;
		if (e->value.kind == CEL_INT)
			e->value.i = -e->value.i;
		else
			e->value.d = -e->value.d;
		if (parse_is_op(p, ".") ||
		    parse_is_op(p, "[")) { /* -1.f() is -(1.f()) in no grammar of ours */
			struct cel_expr *of = e;

			while (of && (parse_is_op(p, ".") || parse_is_op(p, "[")))
				of = parse_is_op(p, ".") ? selection(p, of) : NULL;
			return of ? of : parse_no_expression(p);
		}
		return e;
	}
	if (!(e = member(p)))
		return NULL;
	return n % 2 ? cel_call(p->a, at, minus ? "-_" : "!_", 1, e) : e;
}

/* The operators of a level, and what they are called. */
struct level {
	const char *op[8], *name[8];
};
static const struct level levels[] = {
	{ { "<", "<=", ">=", ">", "==", "!=", "in" },
	    { "_<_", "_<=_", "_>=_", "_>_", "_==_", "_!=_", "@in" } },
	{ { "+", "-" }, { "_+_", "_-_" } },
	{ { "*", "/", "%" }, { "_*_", "_/_", "_%_" } },
};

static int
operator_at(const struct cel_parser *p, const struct level *l)
{
	for (int i = 0; l->op[i]; i++)
		if (parse_is_op(p, l->op[i]))
			return i;
	return -1;
}

static struct cel_expr *
binary(struct cel_parser *p, size_t level)
{
	enum parse_rule rule = level ? PARSE_CALC : PARSE_RELATION;
	int outside = p->depth[rule], found;
	struct cel_expr *e, *right;

	if (level == COUNT(levels))
		return unary(p);
	e = parse_deeper(p, rule) ? binary(p, level + 1) : NULL;
	while (e && (found = operator_at(p, &levels[level])) >= 0) {
		size_t at = p->tok.at;

		parse_next(p);
		right = parse_deeper(p, rule) ? binary(p, level + 1) : NULL;
		e = right ? cel_call(p->a, at, levels[level].name[found], 2, e, right) : NULL;
	}
	p->depth[rule] = outside;
	return e;
}

/* Terms of && or || as a tree that is no deeper than it must be. */
static struct cel_expr *
balance(
    struct cel_parser *p, const char *op, void **term, const size_t *at, size_t low, size_t high)
{
	size_t mid = (low + high) / 2;

	if (low == high)
		return term[low];
	return cel_call(p->a, at[mid], op, 2, balance(p, op, term, at, low, mid),
	    balance(p, op, term, at, mid + 1, high));
}

static struct cel_expr *
logic(struct cel_parser *p, bool or)
{
	const char *op = or ? "||" : "&&", *called = or ? "_||_" : "_&&_";
	struct cel_expr *first = or ? logic(p, false) : binary(p, 0);
	struct bag terms = { 0 }, ops = { 0 };
	size_t *at;

	if (!first || !parse_is_op(p, op))
		return first;
	parse_put(p, &terms, first);
	while (first && parse_is_op(p, op)) {
		size_t *where = arena_alloc(p->a, sizeof *where);

		*where = p->tok.at;
		parse_put(p, &ops, where);
		parse_next(p);
		if ((first = or ? logic(p, false) : binary(p, 0)))
			parse_put(p, &terms, first);
	}
	if (!first)
		return NULL;
	at = arena_alloc(p->a, ops.n * sizeof *at);
	for (size_t i = 0; i < ops.n; i++)
		at[i] = *(size_t *)ops.item[i];
	return balance(p, called, terms.item, at, 0, terms.n - 1);
}

static struct cel_expr *
conditional(struct cel_parser *p)
{
	struct cel_expr *e = logic(p, true), *yes, *no;
	size_t at = p->tok.at;

	if (!e || !parse_take(p, "?"))
		return e;
	if (!parse_open(p, ':') || !(yes = logic(p, true)) || !parse_expect(p, ":", "':'") ||
	    !(no = parse_expression(p)))
		return NULL;
	return cel_call(p->a, at, "_?_:_", 3, e, yes, no);
}

struct cel_expr *
parse_expression(struct cel_parser *p)
{
	struct cel_expr *e;

	e = parse_deeper(p, PARSE_EXPR) ? conditional(p) : NULL;
	p->depth[PARSE_EXPR]--;
	return e;
}

struct cel_expr *
cel_parse(struct arena *a, const char *source, unsigned bits, struct cel_issues *issues)
{
	struct cel_parser p = { .a = a, .source = source, .bits = bits, .issues = issues };
	size_t size = characters(source, strlen(source));
	struct cel_expr *e;

	issues->source = source;
	if (size > LENGTH) {
		issues->source = "";
		cel_issue(issues, 0,
		    "expression code point size exceeds limit: size: %zu, limit %d", size, LENGTH);
		return NULL;
	}
	parse_next(&p);
	e = parse_expression(&p);
	if (e && p.tok.kind != TOK_END)
		parse_end(&p);
	return issues->n ? NULL : e;
}
