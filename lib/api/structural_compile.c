/* Compiling the rules of a custom kind, and what is asked of them when it is defined. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "api/structural_rule.h"
#include "base/mem.h"
#include "cel/cel.h"
#include "cel/library.h"

void
rules_read(struct structural *s, struct node *n, const json_t *schema)
{
	const json_t *list = json_object_get(schema, "x-kubernetes-validations");
	size_t i;
	json_t *v;

	if (!json_array_size(list))
		return;
	n->rule = arena_alloc(&s->arena, json_array_size(list) * sizeof *n->rule);
	json_array_foreach (list, i, v) {
		autobuf struct buf field = BUF_INIT;
		const char *path = text(v, "fieldPath"),
			   *reason = str(json_object_get(v, "reason"), NULL);
		const json_t *optional = json_object_get(v, "optionalOldSelf");
		char why[128];

		n->rule[n->nrules++] = (struct rule){ .source = schema_keep(s, text(v, "rule")),
			.message = schema_keep(s, text(v, "message")),
			.expression = schema_keep(s, text(v, "messageExpression")),
			.reason = reason ? schema_keep(s, reason) : NULL,
			.path = schema_keep(s, path),
			.says_optional = json_is_boolean(optional),
			.optional_old = truth(optional) };
		if (*path && schema_at(schema, path, true, &field, why) && field.len)
			n->rule[n->nrules - 1].field = arena_text(&s->arena, field.data, field.len);
	}
}

/* Every node by its own, with those below it: properties, values of maps, items. */
static void
each(struct structural *s, struct node *n, bool resource,
    void (*run)(struct structural *s, struct node *n, bool resource))
{
	if (!n->rules_inside)
		return;
	if (n->additional)
		each(s, n->additional, n->additional->embedded, run);
	for (size_t i = 0; i < n->nproperties; i++)
		each(s, n->property[i].node, n->property[i].node->embedded, run);
	if (n->items)
		each(s, n->items, n->items->embedded, run);
	run(s, n, resource);
}

static struct cel_env *
env_new(struct structural *s, const struct cel_type *self, bool optional)
{
	struct cel_env *env = cel_env_new(CEL_AS_KUBERNETES | CEL_SIZED_NAMES);

	cel_env_kubernetes(env);
	cel_env_variable(env, "self", self);
	cel_env_variable(env, "oldSelf", optional ? cel_optional_type(&s->arena, self) : self);
	GROW(s->env, s->nenvs, s->envs_cap);
	return s->env[s->nenvs++] = env;
}

static const char *
keep(struct structural *s, const char *prefix, const char *words)
{
	autofree char *text = xasprintf("%s%s", prefix, words);

	return arena_text(&s->arena, text, strlen(text));
}

static bool
blank(const char *s)
{
	return !s[strspn(s, " \t\n\v\f\r")];
}

static void
compile(struct structural *s, struct cel_env *env, struct rule *r)
{
	autobuf struct buf issues = BUF_INIT, more = BUF_INIT;

	if (blank(r->source))
		return;
	if (cel_compile(env, r->source, &r->program, &issues) < 0) {
		r->fault = keep(s, "compilation failed: ", issues.data);
		return;
	}
	if (cel_program_type(r->program)->kind != CEL_T_BOOL) {
		r->fault = "cel expression must evaluate to a bool";
		return;
	}
	r->uses_old = cel_program_uses(r->program, 1);
	if (blank(r->expression))
		return;
	if (cel_compile(env, r->expression, &r->words, &more) < 0)
		r->words_fault = keep(s, "messageExpression compilation failed: ", more.data);
	else if (cel_program_type(r->words)->kind != CEL_T_STRING)
		r->words_fault = "messageExpression must evaluate to a string";
}

static void
compile_node(struct structural *s, struct node *n, bool resource)
{
	const struct cel_type *self;
	struct cel_env *env[2] = { NULL, NULL };
	int64_t least;

	if (!n->nrules)
		return;
	self = node_cel_type(&s->arena, n, resource, &least);
	for (size_t i = 0; i < n->nrules && self; i++) {
		struct rule *r = &n->rule[i];

		r->self = self;
		r->least = least;
		if (!env[r->optional_old])
			env[r->optional_old] = env_new(s, self, r->optional_old);
		compile(s, env[r->optional_old], r);
		s->programs += cel_program_size(r->program) + cel_program_size(r->words);
	}
}

void
rules_compile(struct structural *s)
{
	each(s, s->root, true, compile_node);
}

static void
free_node(struct structural *s, struct node *n, bool resource)
{
	(void)s;
	(void)resource;
	for (size_t i = 0; i < n->nrules; i++) {
		cel_program_free(n->rule[i].program);
		cel_program_free(n->rule[i].words);
	}
}

void
rules_free(struct structural *s)
{
	if (s->root)
		each(s, s->root, true, free_node);
	for (size_t i = 0; i < s->nenvs; i++)
		cel_env_free(s->env[i]);
	free(s->env);
}

size_t
rules_size(const struct structural *s)
{
	size_t sum = s->programs;

	for (size_t i = 0; i < s->nenvs; i++)
		sum += cel_env_arena(s->env[i])->total;
	return sum;
}

/* --- what is asked ------------------------------------------------------------------------- */

enum { TOTAL_LIMIT = 100000000, DEAREST = 4 };

/* What all rules may cost together, and which of them cost most. */
struct budget {
	uint64_t total;
	struct dear {
		char *path;
		uint64_t cost;
	} dear[DEAREST + 1];
	size_t n;
	const struct causes *wrong; /* with the schema itself: from this one to that */
	size_t from, to;
	const struct rule_watch *watch; /* NULL: nobody */
};

/* Where a schema stands: how often there may be such a value (UINT64_MAX: as often as a request
 * has room for), and below what items are not told apart between two revisions. */
struct stand {
	uint64_t times;
	const struct path *apart;
	bool resource;
};

static uint64_t
times(uint64_t a, uint64_t b)
{
	return a && b > UINT64_MAX / a ? UINT64_MAX : a * b;
}

static void
observe(struct budget *b, const struct path *at, uint64_t cost)
{
	size_t i = b->n;

	b->total = cost > UINT64_MAX - b->total ? UINT64_MAX : b->total + cost;
	if (cost < TOTAL_LIMIT / 100)
		return;
	for (; i > 0 && b->dear[i - 1].cost < cost; i--)
		b->dear[i] = b->dear[i - 1];
	b->dear[i] = (struct dear){ path_print(at), cost };
	if (++b->n > DEAREST)
		free(b->dear[--b->n].path);
}

static void
refuse_cost(
    struct causes *out, const struct path *at, const char *what, uint64_t cost, uint64_t limit)
{
	double factor = (double)cost / (double)limit;
	char text[64] = "more than 100x";

	if (factor <= 100)
		snprintf(text, sizeof text, factor < 1.5 ? "%fx" : "%.1fx", factor);
	refuse_forbidden(out, at,
	    "%s exceeds budget by factor of %s (try simplifying the rule, or adding maxItems, "
	    "maxProperties, and maxLength where arrays, maps, and strings are declared)",
	    what, text);
}

/* How often a value that is no shorter has room in a request. */
static uint64_t
room(int64_t least)
{
	enum { REQUEST = 3 * 1024 * 1024 };

	return (uint64_t)(REQUEST / (least + 1));
}

/* A rule as Go prints it. */
static json_t *
shown_rule(const struct rule *r)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:s, s:o}", "Rule", r->source, "Message", r->message,
	    "MessageExpression", r->expression, "Reason",
	    r->reason ? json_string(r->reason) : json_null(), "FieldPath", r->path,
	    "OptionalOldSelf", r->says_optional ? json_boolean(r->optional_old) : json_null());
}

static void
check_words(struct causes *out, const struct path *at, const struct rule *r, struct budget *b)
{
	const struct path *here = AT(at, "messageExpression");
	json_auto_t *shown = r->words_fault ? shown_rule(r) : NULL;
	uint64_t cost;

	if (shown)
		refuse_value(out, here, shown, "%s", r->words_fault);
	if (shown || !r->words)
		return;
	cost = cel_program_cost(r->words).max;
	if (cost > RULE_LIMIT)
		refuse_cost(out, here, "estimated messageExpression cost", cost, RULE_LIMIT);
	observe(b, here, cost);
}

static void
check_rule(struct causes *out, const struct path *at, const struct rule *r, struct stand here,
    struct budget *b)
{
	json_auto_t *shown = r->fault ? shown_rule(r) : NULL;
	const struct path *rule = AT(at, "rule");
	uint64_t cost = 0;

	if (r->program && !r->fault)
		cost = times(cel_program_cost(r->program).max,
		    here.times == UINT64_MAX ? room(r->least) : here.times);
	if (b->watch)
		b->watch->see(b->watch->arg, at, r, cost, true);
	if (cost > RULE_LIMIT)
		refuse_cost(out, rule, "estimated rule cost", cost, RULE_LIMIT);
	observe(b, rule, cost);
	if (shown)
		refuse_value(out, rule, shown, "%s", r->fault);
	check_words(out, at, r, b);
	if (r->uses_old && here.apart) {
		autofree char *apart = path_print(here.apart);

		refuse_text(out, rule, r->source,
		    "oldSelf cannot be used on the uncorrelatable portion of the schema within %s",
		    apart);
	} else if (!r->uses_old && r->says_optional) {
		refuse_value(out, AT(at, "optionalOldSelf"), json_boolean(r->optional_old),
		    "may not be set if oldSelf is not used in rule");
	}
}

/* Is something wrong with the schema here or below? */
static bool
wrong_within(const struct budget *b, const struct path *at)
{
	autofree char *here = path_print(at);
	size_t len = strlen(here);

	for (size_t i = b->from; i < b->to; i++) {
		const char *field = b->wrong->item[i].field;

		if (!strncmp(field, here, len) && strchr(".[", field[len]))
			return true;
	}
	return false;
}

/* Each rule once more, from below; s is not needed: all is in the nodes. */
static void
check_node(struct causes *out, const struct path *at, const struct node *n, struct stand here,
    struct budget *b)
{
	struct stand below = here;
	int64_t most = n->types == IS_ARRAY		       ? n->max_items
		       : n->additional || n->open || n->closed ? n->max_properties
							       : 1;

	if (!n->rules_inside)
		return;
	below.times =
	    most < 0 || here.times == UINT64_MAX ? UINT64_MAX : times(here.times, (uint64_t)most);
	if (n->additional)
		check_node(out, AT(at, "additionalProperties"), n->additional, below, b);
	for (size_t i = 0; i < n->nproperties; i++)
		check_node(out, KEY(AT(at, "properties"), n->property[i].name), n->property[i].node,
		    below, b);
	if (n->list != LIST_MAP && !below.apart)
		below.apart = at;
	if (n->items)
		check_node(out, AT(at, "items"), n->items, below, b);
	if (!n->nrules || wrong_within(b, at))
		return;
	for (size_t i = 0; i < n->nrules; i++) {
		const struct path *rule = ITEM(AT(at, "x-kubernetes-validations"), i);

		if (n->rule[i].self)
			check_rule(out, rule, &n->rule[i], here, b);
	}
	if (!n->rule[0].self) {
		autofree char *where = path_print(AT(at, "x-kubernetes-validations"));

		cause_add(out, "InternalError", where,
		    "Internal error: internal error: failed to construct type information for "
		    "x-kubernetes-validations rules: unable to convert structural schema to CEL "
		    "declarations");
	}
}

void
rules_check(struct structural *s, const struct path *at, struct causes *out, size_t from)
{
	struct budget b = { .wrong = out, .from = from, .to = out->n };

	check_node(out, at, s->root, (struct stand){ 1, NULL, true }, &b);
	for (size_t i = 0; i < b.n; i++) {
		if (b.total > TOTAL_LIMIT)
			cause_add(out, "FieldValueForbidden", b.dear[i].path,
			    "Forbidden: contributed to estimated rule cost total exceeding cost "
			    "limit "
			    "for entire OpenAPIv3 schema");
		free(b.dear[i].path);
	}
	if (b.total > TOTAL_LIMIT)
		refuse_cost(out, at,
		    "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 "
		    "schema",
		    b.total, TOTAL_LIMIT);
}

void
rules_estimate(struct structural *s, const struct rule_watch *watch)
{
	struct causes none = CAUSES_INIT;
	struct budget b = { .wrong = &none, .watch = watch };

	check_node(&none, NULL, s->root, (struct stand){ 1, NULL, true }, &b);
	for (size_t i = 0; i < b.n; i++)
		free(b.dear[i].path);
	causes_release(&none);
}
