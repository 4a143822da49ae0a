/* Work that ends: Job and CronJob. */
#include <string.h>

#include "api/rules.h"
#include "base/mem.h"

static void
check_job_spec(struct causes *out, const struct path *at, const json_t *spec)
{
	static const char *const numbers[] = { "parallelism", "completions",
		"activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished",
		"backoffLimitPerIndex", "maxFailedIndexes" };
	const json_t *pods = json_object_get(spec, "template");
	const char *restart = text(pods, "spec", "restartPolicy");
	bool indexed = !strcmp(text(spec, "completionMode"), "Indexed");
	const struct path *policy = AT(AT(AT(at, "template"), "spec"), "restartPolicy");

	for (size_t i = 0; i < COUNT(numbers); i++)
		check_not_negative(out, at, spec, numbers[i]);
	if (indexed && !json_object_get(spec, "completions"))
		refuse_required(out, AT(at, "completions"), "when completion mode is Indexed");
	if (!indexed && json_object_get(spec, "backoffLimitPerIndex"))
		refuse_value(out, AT(at, "backoffLimitPerIndex"),
		    json_object_get(spec, "backoffLimitPerIndex"),
		    "requires indexed completion mode");
	if (json_object_get(spec, "maxFailedIndexes") &&
	    !json_object_get(spec, "backoffLimitPerIndex"))
		refuse_required(
		    out, AT(at, "backoffLimitPerIndex"), "when maxFailedIndexes is specified");
	check_pod_template(out, AT(at, "template"), pods);
	/* A Pod that is restarted for ever never completes. */
	if (strcmp(restart, "OnFailure") && strcmp(restart, "Never"))
		refuse_required(out, policy, "valid values: \"OnFailure\", \"Never\"");
	else if (json_object_get(spec, "podFailurePolicy") && strcmp(restart, "Never"))
		refuse_text(out, policy, restart,
		    "only \"Never\" is supported when podFailurePolicy is specified");
}

void
job_create(struct causes *out, const json_t *obj)
{
	check_job_spec(out, AT(NULL, "spec"), json_object_get(obj, "spec"));
}

void
cron_job_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");
	const struct path *at = AT(NULL, "spec");
	const char *schedule = text(spec, "schedule"), *zone = text(spec, "timeZone");

	/* The name of a Job made from it gets a number of up to eleven characters. */
	if (strlen(meta_name(obj)) > 52)
		refuse_text(out, AT(AT(NULL, "metadata"), "name"), meta_name(obj),
		    "must be no more than 52 characters");
	if (!*schedule)
		refuse_required(out, AT(at, "schedule"), "");
	else if (strstr(schedule, "TZ"))
		refuse_text(out, AT(at, "schedule"), schedule,
		    "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
	if (!strcmp(zone, "Local"))
		refuse_text(out, AT(at, "timeZone"), zone,
		    "timeZone must be an explicit time zone as defined in "
		    "https://www.iana.org/time-zones");
	check_not_negative(out, at, spec, "startingDeadlineSeconds");
	check_not_negative(out, at, spec, "successfulJobsHistoryLimit");
	check_not_negative(out, at, spec, "failedJobsHistoryLimit");
	check_job_spec(out, AT(AT(at, "jobTemplate"), "spec"), get(spec, "jobTemplate", "spec"));
}
