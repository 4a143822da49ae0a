/* Calls and what is between brackets: lists, maps, objects. */
#include <string.h>

#include "base/mem.h"
#include "cel/parse.h"

void
parse_put(struct cel_parser *p, struct bag *b, void *item)
{
	if (b->n == b->cap) {
		void **more = arena_alloc(p->a, (b->cap * 2 + 4) * sizeof *more);

		if (b->n)
			memcpy(more, b->item, b->n * sizeof *more);
		b->item = more;
		b->cap = b->cap * 2 + 4;
	}
	b->item[b->n++] = item;
}

bool
parse_deeper(struct cel_parser *p, enum parse_rule rule)
{
	if (++p->depth[rule] <= DEPTH)
		return true;
	if (!p->failed)
		cel_issue(p->issues, CEL_NOWHERE, "expression recursion limit exceeded: %d", DEPTH);
	p->failed = true;
	return false;
}

/* "a, b)": the parenthesis is open already. */
static bool
arguments(struct cel_parser *p, struct bag *b)
{
	if (parse_take(p, ")"))
		return true;
	if (!parse_open(p, ')'))
		return false;
	do {
		struct cel_expr *e = parse_expression(p);

		if (!e)
			return false;
		parse_put(p, b, e);
	} while (parse_take(p, ","));
	return parse_expect(p, ")", "')'");
}

struct cel_expr *
parse_call(struct cel_parser *p, struct cel_expr *target, const char *name, size_t at)
{
	struct bag b = { 0 };
	struct cel_expr *e;

	if (!arguments(p, &b))
		return NULL;
	e = cel_expand(p->a, p->issues, p->bits, target, name, (struct cel_expr **)b.item, b.n, at);
	if (e)
		return e;
	e = cel_node_new(p->a, CEL_N_CALL, at);
	e->name = name;
	e->operand = target;
	e->arg = (struct cel_expr **)b.item;
	e->nargs = b.n;
	return e;
}

static void
set_items(struct cel_parser *p, struct cel_expr *e, const struct bag *b)
{
	e->nitems = b->n;
	e->item = arena_alloc(p->a, (b->n + 1) * sizeof *e->item);
	for (size_t i = 0; i < b->n; i++)
		e->item[i] = *(struct cel_item *)b->item[i];
}

static struct cel_item *
new_item(struct cel_parser *p)
{
	struct cel_item *i = arena_alloc(p->a, sizeof *i);

	*i = (struct cel_item){ .optional = parse_take(p, "?") };
	return i;
}

struct cel_expr *
parse_list(struct cel_parser *p)
{
	struct cel_expr *e = cel_node_new(p->a, CEL_N_LIST, p->tok.at);
	struct bag b = { 0 };

	if (!parse_open(p, ']'))
		return NULL;
	parse_next(p);
	if (!parse_first(p, "]",
		"{'[', ']', '{', '(', '.', ',', '-', '!', '?', 'true', 'false', 'null', NUM_FLOAT, "
		"NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}",
		false))
		return NULL;
	while (!parse_is_op(p, "]")) {
		struct cel_item *i = new_item(p);

		if (!(i->value = parse_expression(p)))
			return NULL;
		parse_put(p, &b, i);
		if (!parse_take(p, ","))
			break;
	}
	if (!parse_close(p, "]", "{']', ','}"))
		return NULL;
	set_items(p, e, &b);
	return e;
}

struct cel_expr *
parse_map(struct cel_parser *p)
{
	struct cel_expr *e = cel_node_new(p->a, CEL_N_MAP, p->tok.at);
	struct bag b = { 0 };

	if (!parse_open(p, '}'))
		return NULL;
	parse_next(p);
	if (!parse_first(p, "}",
		"{'[', '{', '}', '(', '.', ',', '-', '!', '?', 'true', 'false', 'null', NUM_FLOAT, "
		"NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}",
		false))
		return NULL;
	while (!parse_is_op(p, "}")) {
		struct cel_item *i = new_item(p);

		if (!(i->key = parse_expression(p)) || !parse_expect(p, ":", "':'") ||
		    !(i->value = parse_expression(p)))
			return NULL;
		parse_put(p, &b, i);
		if (!parse_take(p, ","))
			break;
	}
	if (!parse_close(p, "}", "{'}', ','}"))
		return NULL;
	set_items(p, e, &b);
	return e;
}

struct cel_expr *
parse_structure(struct cel_parser *p, const char *name)
{
	struct cel_expr *e = cel_node_new(p->a, CEL_N_STRUCT, p->tok.at);
	struct bag b = { 0 };

	e->name = name;
	if (!parse_open(p, '}'))
		return NULL;
	parse_next(p);
	if (!parse_first(p, "}", "{'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}", true))
		return NULL;
	while (!parse_is_op(p, "}")) {
		struct cel_item *i = new_item(p);

		if (p->tok.kind != TOK_IDENT && p->tok.kind != TOK_QUOTED)
			return parse_fail(p, p->tok.at, "mismatched input '%s' expecting %s",
			    parse_shown(p), "{'}', ',', '\?', IDENTIFIER, ESC_IDENTIFIER}");
		i->field = p->tok.text;
		parse_next(p);
		i->at = p->tok.at;
		if (!parse_expect(p, ":", "':'") || !(i->value = parse_expression(p)))
			return NULL;
		parse_put(p, &b, i);
		if (!parse_take(p, ","))
			break;
	}
	if (!parse_close(p, "}", "{'}', ','}"))
		return NULL;
	set_items(p, e, &b);
	return e;
}
