/* Work that ends: Job and CronJob. */
#include <string.h>

#include "api/cron.h"
#include "api/rules.h"
#include "base/mem.h"

static const char one_of_both[] =
    "Invalid value: specifying one of OnExitCodes and OnPodConditions is required";
static const char not_both[] =
    "Invalid value: specifying both OnExitCodes and OnPodConditions is not supported";

static void
refuse_whole(struct causes *out, const struct path *at, const char *message)
{
	autofree char *field = path_print(at);

	cause_add(out, "FieldValueInvalid", field, "%s", message);
}

static void
check_exit_codes(struct causes *out, const struct path *at, const json_t *codes)
{
	static const char *const operators[] = { "In", "NotIn", NULL };
	const json_t *values = json_object_get(codes, "values");
	bool in = !strcmp(text(codes, "operator"), "In"), ordered = true;
	json_auto_t *seen = json_object();
	size_t i;
	json_t *v;

	json_array_foreach (values, i, v) {
		autofree char *word = xasprintf("%" JSON_INTEGER_FORMAT, num(v, 0));

		if (in && !num(v, 1))
			refuse_value(
			    out, ITEM(AT(at, "values"), i), v, "must not be 0 for the In operator");
		if (repeats(seen, word))
			refuse_duplicate_value(out, ITEM(AT(at, "values"), i), v);
		ordered &= !i || num(json_array_get(values, i - 1), 0) <= num(v, 0);
	}
	if (!ordered)
		refuse_value(out, AT(at, "values"), values, "must be ordered");
	check_one_of(out, at, codes, "operator", operators);
}

static void
check_failure_policy(struct causes *out, const struct path *at, const json_t *policy)
{
	static const char *const actions[] = { "Count", "FailIndex", "FailJob", "Ignore", NULL };
	size_t i;
	json_t *rule;

	json_array_foreach (json_object_get(policy, "rules"), i, rule) {
		const struct path *here = ITEM(AT(at, "rules"), i);
		const json_t *codes = json_object_get(rule, "onExitCodes");
		bool conditions = json_array_size(json_object_get(rule, "onPodConditions"));

		check_one_of(out, here, rule, "action", actions);
		if (codes)
			check_exit_codes(out, AT(here, "onExitCodes"), codes);
		if (codes && conditions)
			refuse_whole(out, here, not_both);
		else if (!codes && !conditions)
			refuse_whole(out, here, one_of_both);
	}
}

/* As Kubernetes shows it, with every field. */
static json_t *
success_policy_shown(const json_t *policy)
{
	json_t *rules = json_array();
	size_t i;
	json_t *rule;

	json_array_foreach (json_object_get(policy, "rules"), i, rule)
		json_array_append_new(
		    rules, json_pack("{s:O?, s:O?}", "SucceededIndexes",
			       json_object_get(rule, "succeededIndexes"), "SucceededCount",
			       json_object_get(rule, "succeededCount")));
	return json_pack("{s:o}", "Rules", rules);
}

static void
check_indexed(struct causes *out, const struct path *at, const json_t *spec)
{
	const json_t *per_index = json_object_get(spec, "backoffLimitPerIndex");
	const json_t *success = json_object_get(spec, "successPolicy");
	bool indexed = !strcmp(text(spec, "completionMode"), "Indexed");

	if (indexed && !json_object_get(spec, "completions"))
		refuse_required(out, AT(at, "completions"), "when completion mode is Indexed");
	if (!indexed && per_index)
		refuse_value(out, AT(at, "backoffLimitPerIndex"), per_index,
		    "requires indexed completion mode");
	if (json_object_get(spec, "maxFailedIndexes") && !per_index)
		refuse_required(
		    out, AT(at, "backoffLimitPerIndex"), "when maxFailedIndexes is specified");
	if (success && !indexed) {
		json_auto_t *shown = success_policy_shown(success);

		refuse_value(
		    out, AT(at, "successPolicy"), shown, "requires indexed completion mode");
	}
}

static void
check_job_spec(struct causes *out, const struct path *at, const json_t *spec)
{
	static const char *const numbers[] = { "parallelism", "completions",
		"activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished",
		"backoffLimitPerIndex", "maxFailedIndexes" };
	const json_t *pods = json_object_get(spec, "template");
	const json_t *failure = json_object_get(spec, "podFailurePolicy");
	const char *restart = text(pods, "spec", "restartPolicy"),
		   *manager = text(spec, "managedBy");
	const struct path *policy = AT(AT(AT(at, "template"), "spec"), "restartPolicy");

	for (size_t i = 0; i < COUNT(numbers); i++)
		check_not_negative(out, at, spec, numbers[i]);
	if (*manager && !strchr(manager, '/'))
		refuse_text(out, AT(at, "managedBy"), manager,
		    "must be a domain-prefixed path (such as \"acme.io/foo\")");
	check_indexed(out, at, spec);
	check_failure_policy(out, AT(at, "podFailurePolicy"), failure);
	check_pod_template(out, AT(at, "template"), pods);
	/* A Pod that is restarted for ever never completes. */
	if (strcmp(restart, "OnFailure") && strcmp(restart, "Never"))
		refuse_required(out, policy, "valid values: \"OnFailure\", \"Never\"");
	else if (failure && strcmp(restart, "Never"))
		refuse_text(out, policy, restart,
		    "only \"Never\" is supported when podFailurePolicy is specified");
}

void
job_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");
	json_int_t completions = num(json_object_get(spec, "completions"), 0);
	const char *name = meta_name(obj);
	size_t before = out->n;

	/* The Pods of an indexed Job have its name and their number as their host name. */
	if (!strcmp(text(spec, "completionMode"), "Indexed") && completions > 0 && *name) {
		autofree char *last = xasprintf("%s-%" JSON_INTEGER_FORMAT, name, completions - 1);

		check_dns_label(out, NULL, last);
		if (out->n > before) {
			causes_truncate(out, before);
			refuse_text(out, AT(AT(NULL, "metadata"), "name"), name,
			    "will not able to create pod with invalid DNS label: %s", last);
		}
	}
	check_job_spec(out, AT(NULL, "spec"), spec);
}

void
job_update(struct causes *out, const json_t *obj, const json_t *old)
{
	static const char *const fixed[] = { "selector", "template", "completionMode",
		"podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy" };
	const json_t *now = json_object_get(obj, "spec"), *before = json_object_get(old, "spec");
	bool waiting =
	    truth(json_object_get(before, "suspend")) && !get(old, "status", "startTime");
	bool elastic =
	    !strcmp(text(now, "completionMode"), "Indexed") &&
	    same_value(json_object_get(now, "completions"), json_object_get(now, "parallelism"));

	if (!elastic)
		check_immutable(out, AT(AT(NULL, "spec"), "completions"),
		    json_object_get(now, "completions"), json_object_get(before, "completions"));
	for (size_t i = 0; i < COUNT(fixed); i++)
		/* Of a Job that has not started, where its Pods go may still change. */
		if (strcmp(fixed[i], "template") || !waiting)
			check_immutable(out, AT(AT(NULL, "spec"), fixed[i]),
			    json_object_get(now, fixed[i]), json_object_get(before, fixed[i]));
}

void
cron_job_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");
	const struct path *at = AT(NULL, "spec");
	const char *schedule = text(spec, "schedule"), *zone = text(spec, "timeZone");
	struct cron cron;
	struct err err;

	/* The name of a Job made from it gets a number of up to eleven characters. */
	if (strlen(meta_name(obj)) > 52)
		refuse_text(out, AT(AT(NULL, "metadata"), "name"), meta_name(obj),
		    "must be no more than 52 characters");
	if (!*schedule)
		refuse_required(out, AT(at, "schedule"), "");
	else if (strstr(schedule, "TZ"))
		refuse_text(out, AT(at, "schedule"), schedule,
		    "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
	else if (cron_parse(&cron, schedule, &err) < 0)
		refuse_text(out, AT(at, "schedule"), schedule, "%s", err.msg);
	if (!strcmp(zone, "Local"))
		refuse_text(out, AT(at, "timeZone"), zone,
		    "timeZone must be an explicit time zone as defined in "
		    "https://www.iana.org/time-zones");
	check_not_negative(out, at, spec, "startingDeadlineSeconds");
	check_not_negative(out, at, spec, "successfulJobsHistoryLimit");
	check_not_negative(out, at, spec, "failedJobsHistoryLimit");
	check_job_spec(out, AT(AT(at, "jobTemplate"), "spec"), get(spec, "jobTemplate", "spec"));
}
