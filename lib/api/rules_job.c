/* Jobs (Kubernetes: pkg/apis/batch/validation). */
#include <stdio.h>
#include <string.h>

#include "api/indexes.h"
#include "api/rules.h"
#include "api/rules_job.h"
#include "api/selector.h"
#include "api/shown.h"
#include "base/mem.h"
#include "base/text.h"

enum { SOFT_LIMIT = 100000, HIGH_LIMIT = 10000 };

static void
refuse_whole(struct causes *out, const struct path *at, const char *message)
{
	autofree char *field = path_print(at);

	cause_add(out, "FieldValueInvalid", field, "Invalid value: %s", message);
}

/* --- podFailurePolicy ------------------------------------------------------------------- */

/* A word that must be there, with those it can be: `["In" "NotIn"]` when it is missing. */
static void
check_word(struct causes *out, const struct path *at, const json_t *obj, const char *key,
    const char *const *words, const char *list)
{
	autofree char *detail = xasprintf("valid values: %s", list);

	if (!*text(obj, key))
		refuse_required(out, AT(at, key), detail);
	else if (!text_in(text(obj, key), words))
		refuse_unsupported(out, AT(at, key), text(obj, key), words);
}

static void
check_codes(struct causes *out, const struct path *at, const json_t *values, bool in)
{
	json_auto_t *seen = json_object();
	bool ordered = true;
	size_t i;
	json_t *v;

	json_array_foreach (values, i, v) {
		autofree char *word = xasprintf("%" JSON_INTEGER_FORMAT, num(v, 0));

		if (in && !num(v, 1))
			refuse_value(out, ITEM(at, i), v, "must not be 0 for the In operator");
		if (repeats(seen, word))
			refuse_duplicate_value(out, ITEM(at, i), v);
		ordered &= !i || num(json_array_get(values, i - 1), 0) <= num(v, 0);
	}
	if (!ordered)
		refuse_value(out, at, values, "must be ordered");
}

static void
check_exit_codes(
    struct causes *out, const struct path *at, const json_t *codes, const json_t *containers)
{
	static const char *const operators[] = { "In", "NotIn", NULL };
	const json_t *values = json_object_get(codes, "values");
	const json_t *name = json_object_get(codes, "containerName");

	check_word(out, at, codes, "operator", operators, "[\"In\" \"NotIn\"]");
	if (name && !json_object_get(containers, str(name, "")))
		refuse_value(out, AT(at, "containerName"), name,
		    "must be one of the container or initContainer names in the pod template");
	if (!json_array_size(values))
		refuse_value(out, AT(at, "values"), values, "at least one value is required");
	else if (json_array_size(values) > 255)
		refuse_too_many(out, AT(at, "values"), json_array_size(values), 255);
	check_codes(out, AT(at, "values"), values, !strcmp(text(codes, "operator"), "In"));
}

static void
check_conditions(struct causes *out, const struct path *up, const json_t *conditions)
{
	static const char *const statuses[] = { "False", "True", "Unknown", NULL };
	size_t i;
	json_t *c;

	if (json_array_size(conditions) > 20)
		refuse_too_many(out, up, json_array_size(conditions), 20);
	json_array_foreach (conditions, i, c) {
		const struct path *at = ITEM(up, i);

		check_qualified_name(out, AT(at, "type"), text(c, "type"));
		check_word(out, at, c, "status", statuses, "[\"False\" \"True\" \"Unknown\"]");
	}
}

static void
check_failure_rule(struct causes *out, const struct path *at, const json_t *rule,
    const json_t *spec, const json_t *containers)
{
	static const char *const actions[] = { "Count", "FailIndex", "FailJob", "Ignore", NULL };
	const json_t *codes = json_object_get(rule, "onExitCodes");
	const json_t *conditions = json_object_get(rule, "onPodConditions");

	if (!strcmp(text(rule, "action"), "FailIndex") &&
	    !json_object_get(spec, "backoffLimitPerIndex"))
		refuse_text(out, AT(at, "action"), "FailIndex",
		    "requires the backoffLimitPerIndex to be set");
	check_word(
	    out, at, rule, "action", actions, "[\"Count\" \"FailIndex\" \"FailJob\" \"Ignore\"]");
	if (codes)
		check_exit_codes(out, AT(at, "onExitCodes"), codes, containers);
	check_conditions(out, AT(at, "onPodConditions"), conditions);
	if (codes && json_array_size(conditions))
		refuse_whole(
		    out, at, "specifying both OnExitCodes and OnPodConditions is not supported");
	else if (!codes && !json_array_size(conditions))
		refuse_whole(
		    out, at, "specifying one of OnExitCodes and OnPodConditions is required");
}

static void
check_failure_policy(struct causes *out, const struct path *at, const json_t *spec)
{
	const json_t *rules = get(spec, "podFailurePolicy", "rules");
	const json_t *pod = get(spec, "template", "spec");
	json_auto_t *names = NULL, *first = NULL;
	size_t i;
	json_t *rule;

	if (!json_array_size(rules))
		return;
	names = set_of(json_object_get(pod, "containers"), "name");
	first = set_of(json_object_get(pod, "initContainers"), "name");
	json_object_update(names, first);
	if (json_array_size(rules) > 20)
		refuse_too_many(out, AT(at, "rules"), json_array_size(rules), 20);
	json_array_foreach (rules, i, rule)
		check_failure_rule(out, ITEM(AT(at, "rules"), i), rule, spec, names);
}

/* --- successPolicy ---------------------------------------------------------------------- */

static void
check_success_rule(
    struct causes *out, const struct path *at, const json_t *rule, json_int_t completions)
{
	const json_t *indexes = json_object_get(rule, "succeededIndexes");
	const json_t *count = json_object_get(rule, "succeededCount");
	long long total = 0;
	char why[256];

	if (!indexes && !count)
		refuse_required(out, at,
		    "at least one of succeededCount or succeededIndexes must be specified");
	if (json_string_length(indexes) > 64 << 10)
		refuse_too_long(out, AT(at, "succeededIndexes"), 64 << 10);
	if (indexes && (total = index_count(str(indexes, ""), completions, why)) < 0) {
		refuse_value(out, AT(at, "succeededIndexes"), indexes,
		    "error parsing succeededIndexes: %s", why);
		total = 0;
	}
	check_not_negative(out, at, rule, "succeededCount");
	if (count && num(count, 0) > completions)
		refuse_value(out, AT(at, "succeededCount"), count,
		    "must be less than or equal to %lld (the number of specified completions)",
		    (long long)completions);
	if (count && indexes && num(count, 0) > total)
		refuse_value(out, AT(at, "succeededCount"), count,
		    "must be less than or equal to %lld (the number of indexes in the specified "
		    "succeededIndexes field)",
		    total);
}

static void
check_success_policy(struct causes *out, const struct path *at, const json_t *spec)
{
	const json_t *policy = json_object_get(spec, "successPolicy");
	const json_t *rules = json_object_get(policy, "rules");
	const json_t *completions = json_object_get(spec, "completions");
	size_t i;
	json_t *rule;

	if (!policy)
		return;
	if (strcmp(text(spec, "completionMode"), "Indexed") != 0) {
		refuse_shown(
		    out, at, "batch.v1.SuccessPolicy", policy, "requires indexed completion mode");
		return;
	}
	if (!json_array_size(rules))
		refuse_required(out, AT(at, "rules"),
		    "at least one rules must be specified when the successPolicy is specified");
	if (json_array_size(rules) > 20)
		refuse_too_many(out, AT(at, "rules"), json_array_size(rules), 20);
	if (completions)
		json_array_foreach (rules, i, rule)
			check_success_rule(
			    out, ITEM(AT(at, "rules"), i), rule, num(completions, 0));
}

/* --- indexed Jobs ----------------------------------------------------------------------- */

static void
check_most(struct causes *out, const struct path *at, const json_t *spec, const char *key,
    json_int_t most, const char *when)
{
	const json_t *n = json_object_get(spec, key);

	if (n && num(n, 0) > most)
		refuse_value(out, AT(at, key), n, "must be less than or equal to %lld%s",
		    (long long)most, when);
}

static void
check_many(struct causes *out, const struct path *at, const json_t *spec)
{
	static const char when[] =
	    " when completions are above 100000 and used with backoff limit per index";

	if (num(json_object_get(spec, "completions"), 0) <= SOFT_LIMIT ||
	    !json_object_get(spec, "backoffLimitPerIndex"))
		return;
	if (!json_object_get(spec, "maxFailedIndexes"))
		refuse_required(out, AT(at, "maxFailedIndexes"),
		    "must be specified when completions is above 100000");
	check_most(out, at, spec, "parallelism", HIGH_LIMIT, when);
	check_most(out, at, spec, "maxFailedIndexes", HIGH_LIMIT, when);
}

static void
check_indexed(struct causes *out, const struct path *at, const json_t *spec)
{
	const json_t *completions = json_object_get(spec, "completions");
	const json_t *failed = json_object_get(spec, "maxFailedIndexes");

	if (!completions)
		refuse_required(out, AT(at, "completions"), "when completion mode is Indexed");
	check_most(out, at, spec, "parallelism", SOFT_LIMIT, " when completion mode is Indexed");
	if (completions && failed && num(failed, 0) > num(completions, 0))
		refuse_value(out, AT(at, "maxFailedIndexes"), failed,
		    "must be less than or equal to completions");
	check_most(out, at, spec, "maxFailedIndexes", SOFT_LIMIT, "");
	check_many(out, at, spec);
}

static void
check_mode(struct causes *out, const struct path *at, const json_t *spec)
{
	static const char *const modes[] = { "NonIndexed", "Indexed", NULL };
	static const char *const indexed[] = { "backoffLimitPerIndex", "maxFailedIndexes" };
	const char *mode = text(spec, "completionMode");

	check_one_of(out, at, spec, "completionMode", modes);
	if (!strcmp(mode, "Indexed"))
		check_indexed(out, at, spec);
	for (size_t i = 0; i < COUNT(indexed) && (!*mode || !strcmp(mode, "NonIndexed")); i++)
		if (json_object_get(spec, indexed[i]))
			refuse_value(out, AT(at, indexed[i]), json_object_get(spec, indexed[i]),
			    "requires indexed completion mode");
}

/* --- the spec --------------------------------------------------------------------------- */

static void
check_manager(struct causes *out, const struct path *at, const json_t *spec)
{
	const json_t *manager = json_object_get(spec, "managedBy");

	if (!manager)
		return;
	check_prefixed_path(out, AT(at, "managedBy"), str(manager, ""));
	if (json_string_length(manager) > 63)
		refuse_too_long(out, AT(at, "managedBy"), 63);
}

static void
check_replacement(struct causes *out, const struct path *at, const json_t *spec)
{
	static const char *const policies[] = { "Failed", "TerminatingOrFailed", NULL };
	static const char *const failed[] = { "Failed", NULL };

	check_one_of(out, at, spec, "podReplacementPolicy",
	    json_object_get(spec, "podFailurePolicy") ? failed : policies);
}

/* A Pod that is restarted for ever never completes. */
static void
check_restart(struct causes *out, const struct path *at, const json_t *spec)
{
	static const char *const policies[] = { "OnFailure", "Never", NULL };
	const char *restart = text(spec, "template", "spec", "restartPolicy");

	at = AT(AT(AT(at, "template"), "spec"), "restartPolicy");
	if (!*restart || !strcmp(restart, "Always"))
		refuse_required(out, at, "valid values: \"OnFailure\", \"Never\"");
	else if (!text_in(restart, policies))
		refuse_unsupported(out, at, restart, policies);
	else if (json_object_get(spec, "podFailurePolicy") && strcmp(restart, "Never"))
		refuse_text(out, at, restart,
		    "only \"Never\" is supported when podFailurePolicy is specified");
}

void
check_job_spec(struct causes *out, const struct path *at, const json_t *spec)
{
	static const char *const numbers[] = { "parallelism", "completions",
		"activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished",
		"backoffLimitPerIndex", "maxFailedIndexes" };

	for (size_t i = 0; i < COUNT(numbers); i++)
		check_not_negative(out, at, spec, numbers[i]);
	if (json_object_get(spec, "maxFailedIndexes") &&
	    !json_object_get(spec, "backoffLimitPerIndex"))
		refuse_required(
		    out, AT(at, "backoffLimitPerIndex"), "when maxFailedIndexes is specified");
	check_manager(out, at, spec);
	check_mode(out, at, spec);
	check_failure_policy(out, AT(at, "podFailurePolicy"), spec);
	check_success_policy(out, AT(at, "successPolicy"), spec);
	check_replacement(out, at, spec);
	check_pod_template(out, AT(at, "template"), json_object_get(spec, "template"));
	check_restart(out, at, spec);
}

/* --- selectors -------------------------------------------------------------------------- */

static bool
selects(const json_t *selector, const json_t *labels)
{
	struct selector *s;
	struct err err;
	bool ret;

	if (selector_from_json(&s, selector, &err) < 0)
		return true;
	ret = selector_match(s, labels);
	selector_free(s);
	return ret;
}

static void
check_label(struct causes *out, const json_t *spec, const char *key, const char *value)
{
	const struct path *at =
	    KEY(AT(AT(AT(AT(NULL, "spec"), "template"), "metadata"), "labels"), key);
	const json_t *labels = get(spec, "template", "metadata", "labels");
	autofree char *detail = xasprintf("must be '%s'", value);
	json_auto_t *sorted = NULL;

	if (!json_object_get(labels, key)) {
		refuse_required(out, at, detail);
	} else if (strcmp(str(json_object_get(labels, key), ""), value) != 0) {
		sorted = sorted_copy(labels);
		refuse_value(out, at, sorted, "%s", detail);
	}
}

/* Unless it was made by hand, the server has made it of the Job's uid and name. */
static void
check_generated(struct causes *out, const json_t *obj)
{
	static const char *const keys[][2] = { { "controller-uid", "uid" }, { "job-name", "name" },
		{ "batch.kubernetes.io/controller-uid", "uid" },
		{ "batch.kubernetes.io/job-name", "name" } };
	const json_t *spec = json_object_get(obj, "spec");
	const json_t *selector = json_object_get(spec, "selector");
	json_auto_t *made = NULL;

	if (truth(json_object_get(spec, "manualSelector")) || !selector)
		return;
	made = json_object();
	for (size_t i = 0; i < COUNT(keys); i++) {
		const char *value = text(obj, "metadata", keys[i][1]);

		check_label(out, spec, keys[i][0], value);
		json_object_set_new(made, keys[i][0], json_string(value));
	}
	if (!selects(selector, made))
		refuse_shown(out, AT(AT(NULL, "spec"), "selector"), "meta.v1.LabelSelector",
		    selector, "`selector` not auto-generated");
}

static void
check_selector(struct causes *out, const json_t *spec)
{
	const struct path *at = AT(NULL, "spec");
	const json_t *selector = json_object_get(spec, "selector");
	const json_t *labels = get(spec, "template", "metadata", "labels");

	if (!selector)
		refuse_required(out, AT(at, "selector"), "");
	else
		check_label_selector(out, AT(at, "selector"), selector);
	if (!selects(selector, labels)) {
		json_auto_t *sorted = sorted_copy(labels);

		refuse_value(out, AT(AT(AT(at, "template"), "metadata"), "labels"), sorted,
		    "`selector` does not match template `labels`");
	}
}

/* The Pods of an indexed Job have its name and their number as their host name. */
static void
check_host_names(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");
	json_int_t completions = num(json_object_get(spec, "completions"), 0);
	const char *name = meta_name(obj);
	autofree char *last = NULL;
	size_t before = out->n;

	if (strcmp(text(spec, "completionMode"), "Indexed") || completions <= 0 || !*name)
		return;
	last = xasprintf("%s-%" JSON_INTEGER_FORMAT, name, completions - 1);
	check_dns_label(out, NULL, last);
	if (out->n > before) {
		causes_truncate(out, before);
		refuse_text(out, AT(AT(NULL, "metadata"), "name"), name,
		    "will not able to create pod with invalid DNS label: %s", last);
	}
}

/* What an object without uid has not been given yet is not asked for. */
static bool
from_server(const json_t *obj)
{
	return *text(obj, "metadata", "uid");
}

void
job_spec(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");

	check_job_spec(out, AT(NULL, "spec"), spec);
	if (from_server(obj))
		check_selector(out, spec);
}

void
job_create(struct causes *out, const json_t *obj)
{
	if (from_server(obj))
		check_generated(out, obj);
	job_spec(out, obj);
	check_host_names(out, obj);
}

/* --- updates ---------------------------------------------------------------------------- */

static void
set_or_delete(json_t *obj, const char *key, json_t *value)
{
	if (value)
		json_object_set(obj, key, value);
	else
		json_object_del(obj, key);
}

/* The old template with what may change in it before the Job has started as in the new one; new. */
static json_t *
with_placement(const json_t *before, const json_t *now)
{
	static const char *const of_meta[] = { "annotations", "labels" };
	static const char *const of_spec[] = { "nodeSelector", "tolerations", "schedulingGates" };
	json_t *ret = json_deep_copy(before);
	json_t *meta = json_object_get(ret, "metadata"), *spec = json_object_get(ret, "spec");
	json_t *affinity = json_object_get(spec, "affinity");
	json_t *node = get(now, "spec", "affinity", "nodeAffinity");

	if (!meta && json_object_get(now, "metadata"))
		json_object_set_new(ret, "metadata", meta = json_object());
	for (size_t i = 0; i < COUNT(of_meta) && meta; i++)
		set_or_delete(meta, of_meta[i], get(now, "metadata", of_meta[i]));
	for (size_t i = 0; i < COUNT(of_spec) && spec; i++)
		set_or_delete(spec, of_spec[i], get(now, "spec", of_spec[i]));
	if (!affinity && get(now, "spec", "affinity"))
		json_object_set_new(spec, "affinity", affinity = json_object());
	if (affinity)
		set_or_delete(affinity, "nodeAffinity", node);
	if (affinity && !get(now, "spec", "affinity") && !json_object_size(affinity))
		json_object_del(spec, "affinity");
	return ret;
}

static void
check_completions(struct causes *out, const json_t *now, const json_t *before)
{
	const struct path *at = AT(AT(NULL, "spec"), "completions");
	const json_t *has = json_object_get(now, "completions");
	const json_t *had = json_object_get(before, "completions");

	if (strcmp(text(now, "completionMode"), "Indexed") != 0)
		check_immutable(out, at, has, had);
	else if (has && !same_value(has, had) &&
		 num(has, 0) != num(json_object_get(now, "parallelism"), 1))
		refuse_value(out, at, has, "can only be modified in tandem with spec.parallelism");
}

static void
check_fixed(struct causes *out, const struct path *at, const char *type, const json_t *has,
    const json_t *had)
{
	if (!same_value(has, had))
		refuse_shown(out, at, type, has, "field is immutable");
}

void
job_update(struct causes *out, const json_t *obj, const json_t *old)
{
	static const struct {
		const char *name, *type; /* NULL: no struct */
	} fixed[] = { { "completionMode", NULL },
		{ "podFailurePolicy", "batch.v1.PodFailurePolicy" },
		{ "backoffLimitPerIndex", NULL }, { "managedBy", NULL },
		{ "successPolicy", "batch.v1.SuccessPolicy" } };
	const json_t *now = json_object_get(obj, "spec"), *before = json_object_get(old, "spec");
	const json_t *has = json_object_get(now, "template");
	const struct path *at = AT(NULL, "spec");
	bool waiting =
	    truth(json_object_get(before, "suspend")) && !get(old, "status", "startTime");
	json_auto_t *had = waiting ? with_placement(json_object_get(before, "template"), has)
				   : json_incref(json_object_get(before, "template"));

	check_completions(out, now, before);
	check_fixed(out, AT(at, "selector"), "meta.v1.LabelSelector",
	    json_object_get(now, "selector"), json_object_get(before, "selector"));
	check_fixed(out, AT(at, "template"), "core.v1.PodTemplateSpec", has, had);
	for (size_t i = 0; i < COUNT(fixed); i++) {
		const json_t *v = json_object_get(now, fixed[i].name);
		const json_t *was = json_object_get(before, fixed[i].name);

		if (fixed[i].type)
			check_fixed(out, AT(at, fixed[i].name), fixed[i].type, v, was);
		else
			check_immutable(out, AT(at, fixed[i].name), v, was);
	}
}
