/* Asking rules of an object, within a budget. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "api/structural_rule.h"
#include "base/mem.h"
#include "base/text.h"
#include "cel/cel.h"

enum { CALL_LIMIT = 1000000, BUDGET = 10000000, MESSAGE_MAX = 10240 };
static const char over_limit[] = "operation cancelled: actual cost limit exceeded";

struct ask {
	struct arena arena;
	struct causes *out, *passed;
	int64_t left;			/* of the budget; below 0: no more rules are asked */
	const struct rule_watch *watch; /* NULL: nobody */
};

/* A value, what it was before, and the nearest around it of which that is known. */
struct spot {
	const struct path *at;
	const struct node *node;
	const json_t *value, *old;
	const struct node *near_node;
	const json_t *near, *near_old;
};

/* Did nothing change here? */
static bool
unchanged(const struct spot *p)
{
	if (p->old)
		return node_unchanged(p->node, p->value, p->old);
	return p->near_old && node_unchanged(p->near_node, p->near, p->near_old);
}

static char *
trimmed(const char *s, size_t len)
{
	static const char white[] = " \t\n\v\f\r";

	for (; len && strchr(white, *s); len--)
		s++;
	while (len && strchr(white, s[len - 1]))
		len--;
	return xstrndup(s, len);
}

/* What messages call a rule: its message, or itself. */
static char *
called(const struct rule *r)
{
	const char *s = *r->message ? r->message : r->source;

	return trimmed(s, strlen(s));
}

static void refuse(struct ask *a, const struct spot *p, const char *word, const char *fmt, ...)
    PRINTF(4, 5);
static void
refuse(struct ask *a, const struct spot *p, const char *word, const char *fmt, ...)
{
	autofree char *field = node_path(p->at), *detail = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&detail, fmt, ap) < 0)
		abort();
	va_end(ap);
	cause_add(a->out, "FieldValueInvalid", field, "Invalid value: \"%s\": %s", word, detail);
}

static void
spent(struct ask *a, const struct spot *p, const char *word)
{
	refuse(a, p, word,
	    "validation failed due to running out of cost budget, no further validation rules will "
	    "be run");
	a->left = -1;
}

/* It cost too much to find out: the rest is not asked. */
static char *
too_dear(struct ask *a, const struct rule *r, const struct cel_value *v, uint64_t cost)
{
	if ((int64_t)cost > a->left)
		return xstrdup("messageExpression evaluation failed due to running out of cost "
			       "budget, no further validation rules will be run");
	if (v->kind == CEL_ERROR && v->text.len >= strlen(over_limit) &&
	    !strncmp(v->text.p, over_limit, strlen(over_limit))) {
		autobuf struct buf source = BUF_INIT;

		text_quote(&source, r->expression);
		return xasprintf("no further validation rules will be run due to call cost exceeds "
				 "limit for messageExpression: %s",
		    source.data);
	}
	return NULL;
}

/*
 * The message that an expression makes, or NULL when it makes none that can be shown.  *dear: it
 * is about what it costs to make it.  As in Kubernetes, oldSelf is the plain value here also where
 * the rule itself sees an optional one.
 */
static char *
made_message(struct ask *a, const struct rule *r, const struct spot *p, bool *dear)
{
	const json_t *old = json_is_null(p->old) ? NULL : p->old;
	struct cel_value variables[2] = { cel_from_json(&a->arena, p->value, r->self),
		old ? cel_from_json(&a->arena, old, r->self) : cel_null() },
			 v;
	uint64_t cost = 0;
	char *text;

	if (!old && cel_program_uses(r->words, 1))
		return NULL;
	v = cel_eval(r->words, variables, &a->arena, CALL_LIMIT, &cost);
	text = too_dear(a, r, &v, cost);
	if ((*dear = text))
		return text;
	a->left -= (int64_t)cost;
	if (v.kind != CEL_STRING)
		return NULL;
	text = trimmed(v.text.p, v.text.len);
	if (*text && strlen(text) <= MESSAGE_MAX && !strchr(text, '\n'))
		return text;
	free(text);
	return NULL;
}

/* "\"b\": " of a scalar; nothing of what is larger. */
static char *
shown(const json_t *value)
{
	struct buf b = BUF_INIT;
	autofree char *text = NULL;

	buf_puts(&b, "");
	if (json_is_string(value))
		text_quote(&b, json_string_value(value));
	else if (!json_is_object(value) && !json_is_array(value))
		buf_puts(&b, text = json_dumps(value, JSON_ENCODE_ANY));
	return buf_detach(&b);
}

/* word: what is shown in place of the value; NULL: the value. */
static void
say(struct causes *out, const struct rule *r, const struct spot *p, const char *word,
    const char *detail)
{
	autofree char *above = node_path(p->at),
		      *is = word ? xasprintf("\"%s\"", word) : shown(p->value),
		      *field = !r->field ? xstrdup(above)
			       : p->at	 ? xasprintf("%s.%s", above, r->field)
					 : xstrdup(r->field);
	const char *reason = r->reason ? r->reason : "FieldValueInvalid";

	if (!strcmp(reason, "FieldValueForbidden"))
		cause_add(out, reason, field, "Forbidden: %s", detail);
	else if (!strcmp(reason, "FieldValueRequired"))
		cause_add(out, reason, field, "Required value: %s", detail);
	else if (!strcmp(reason, "FieldValueDuplicate"))
		cause_add(out, reason, field, "Duplicate value%s%s", *is ? ": " : "", is);
	else
		cause_add(out, reason, field, "Invalid value: %s%s%s", is, *is ? ": " : "", detail);
}

/* The value could not be found out. */
static void
failed(struct ask *a, const struct node *n, const struct rule *r, const struct spot *p,
    const char *why)
{
	autofree char *name = called(r);

	if (text_starts(why, "no such overload"))
		refuse(a, p, n->word,
		    "'%s': call arguments did not match a supported operator, function or macro "
		    "signature for rule: %s",
		    why, name);
	else if (text_starts(why, over_limit))
		refuse(a, p, n->word,
		    "'%s': no further validation rules will be run due to call cost exceeds limit "
		    "for "
		    "rule: %s",
		    why, name);
	else
		refuse(a, p, n->word, "%s evaluating rule: %s", why, name);
	if (text_starts(why, over_limit))
		a->left = -1;
}

static void
broken(struct ask *a, const struct rule *r, const struct spot *p)
{
	struct causes *out = r->uses_old || !unchanged(p) ? a->out : a->passed;
	bool dear = false;
	autofree char *detail = r->words ? made_message(a, r, p, &dear) : NULL, *name = NULL;

	if (!detail) {
		name = called(r);
		detail = *r->message ? steal(name) : xasprintf("failed rule: %s", name);
	}
	if (dear) {
		const struct rule plain = { .field = r->field };

		if (out)
			say(out, &plain, p, p->node->word, detail);
		a->left = -1;
	} else if (out) {
		say(out, r, p, NULL, detail);
	}
}

static void
ask_rule(struct ask *a, const struct node *n, const struct rule *r, const struct spot *p)
{
	const json_t *old = json_is_null(p->old) ? NULL : p->old;
	struct cel_value variables[2], v;
	uint64_t cost = 0;

	if (r->fault) {
		refuse(a, p, n->word, "rule compile error: %s", r->fault);
		return;
	}
	if (!r->program || (r->uses_old && !old && !r->optional_old))
		return;
	if (a->left <= 0) {
		spent(a, p, n->word);
		return;
	}
	variables[0] = cel_from_json(&a->arena, p->value, r->self);
	variables[1] = old ? cel_from_json(&a->arena, old, r->self) : cel_null();
	if (r->optional_old)
		variables[1] = old ? cel_optional_of(&a->arena, variables[1]) : cel_optional_none();
	v = cel_eval(r->program, variables, &a->arena, CALL_LIMIT, &cost);
	if (a->watch)
		a->watch->see(a->watch->arg, p->at, r, cost, v.kind == CEL_BOOL && v.b);
	if ((int64_t)cost > a->left) {
		spent(a, p, n->word);
		return;
	}
	a->left -= (int64_t)cost;
	if (v.kind == CEL_ERROR) {
		autofree char *why = xstrndup(v.text.p, v.text.len);

		failed(a, n, r, p, why);
	} else if (v.kind != CEL_BOOL || !v.b) {
		broken(a, r, p);
	}
}

static void ask(struct ask *a, const struct node *n, const struct spot *p);

static void
ask_below(struct ask *a, const struct node *n, const struct spot *above, const struct path *at,
    const json_t *value, const json_t *old)
{
	struct spot p = { .at = at, .node = n, .value = value, .old = old };

	p.near_node = above->old ? above->node : above->near_node;
	p.near = above->old ? above->value : above->near;
	p.near_old = above->old ? above->old : above->near_old;

	if (n->rules_inside && a->left >= 0)
		ask(a, n, &p);
}

static void
ask_object(struct ask *a, const struct node *n, const struct spot *p)
{
	const json_t *old = p->old;
	const char *name;
	json_t *v;

	if (n->additional)
		json_object_foreach ((json_t *)p->value, name, v)
			ask_below(
			    a, n->additional, p, KEY(p->at, name), v, json_object_get(old, name));
	for (size_t i = 0; i < n->nproperties; i++) {
		name = n->property[i].name;
		v = json_object_get(p->value, name);
		if (v)
			ask_below(a, n->property[i].node, p, AT(p->at, name), v,
			    json_object_get(old, name));
	}
}

static void
ask(struct ask *a, const struct node *n, const struct spot *p)
{
	json_auto_t *before = NULL;
	size_t i;
	json_t *v;

	if (json_is_null(p->value))
		return;
	for (i = 0; i < n->nrules && a->left >= 0; i++)
		ask_rule(a, n, &n->rule[i], p);
	if (json_is_array(p->value) && n->items && n->items->rules_inside) {
		before = node_index(n, p->old);
		json_array_foreach (p->value, i, v)
			ask_below(a, n->items, p, ITEM(p->at, i), v, node_same_item(n, before, v));
	} else if (json_is_object(p->value)) {
		ask_object(a, n, p);
	}
}

void
rules_validate(const struct structural *s, const json_t *obj, const json_t *old, struct causes *out,
    struct causes *passed)
{
	struct ask a = { .out = out, .passed = passed, .left = BUDGET };
	const struct spot top = { .node = s->root, .value = obj, .old = old };

	ask(&a, s->root, &top);
	arena_release(&a.arena);
}

void
rules_validate_default(const struct node *n, const struct path *at, struct causes *out)
{
	struct ask a = { .out = out, .passed = out, .left = BUDGET };
	const struct spot top = { .at = at, .node = n, .value = n->dflt, .old = n->dflt };

	ask(&a, n, &top);
	arena_release(&a.arena);
}

void
rules_meter(const struct structural *s, const json_t *obj, const struct rule_watch *watch)
{
	struct causes none = CAUSES_INIT;
	struct ask a = { .out = &none, .left = BUDGET, .watch = watch };
	const struct spot top = { .node = s->root, .value = obj };

	ask(&a, s->root, &top);
	arena_release(&a.arena);
	causes_release(&none);
}
