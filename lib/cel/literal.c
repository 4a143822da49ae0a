/* What literals say that functions are going to read (cel-go's cel/validator.go). */
#include <string.h>

#include "base/mem.h"
#include "cel/env.h"
#include "cel/regex.h"

struct literals {
	struct arena *a;
	struct cel_issues *issues;
};

static bool
readable(struct literals *l, const char *function, const struct cel_value *v)
{
	struct cel_value ignored;
	const char *why;

	if (strcmp(function, "timestamp") == 0)
		return cel_parse_timestamp(v->text.p, v->text.len, &ignored);
	if (strcmp(function, "duration") == 0)
		return cel_parse_duration(v->text.p, v->text.len, &ignored);
	return cel_regex(l->a, v->text.p, v->text.len, &why) != NULL;
}

static void
look_at_call(struct literals *l, const struct cel_expr *e)
{
	const struct cel_expr *text = e->nargs ? e->arg[e->nargs - 1] : NULL;
	bool regex = strcmp(e->name, "matches") == 0;
	bool time = strcmp(e->name, "timestamp") == 0 || strcmp(e->name, "duration") == 0;

	if (!text || text->node != CEL_N_CONST || text->value.kind != CEL_STRING)
		return;
	if (regex ? e->nargs + (e->operand != NULL) != 2 : !time || e->nargs != 1)
		return;
	if (!readable(l, e->name, &text->value))
		cel_issue(l->issues, text->at, "invalid %s argument", e->name);
}

static void
look_at(struct literals *l, const struct cel_expr *e)
{
	if (!e)
		return;
	if (e->node == CEL_N_CALL)
		look_at_call(l, e);
	/* optMap() has its operand twice, in x.hasValue() and x.value(): once is enough */
	if (!e->operand || !e->operand->shared || strcmp(e->name, "value") != 0)
		look_at(l, e->operand);
	for (size_t i = 0; i < e->nargs; i++)
		look_at(l, e->arg[i]);
	for (size_t i = 0; i < e->nitems; i++) {
		look_at(l, e->item[i].key);
		look_at(l, e->item[i].value);
	}
	if (e->node == CEL_N_FOLD) {
		const struct cel_expr *const part[] = { e->fold->range, e->fold->init,
			e->fold->condition, e->fold->step, e->fold->result };

		for (size_t i = 0; i < COUNT(part); i++)
			look_at(l, part[i]);
	}
}

void
cel_check_literals(struct cel_program *p, struct cel_issues *issues)
{
	struct literals l = { &p->arena, issues };

	look_at(&l, p->root);
}
