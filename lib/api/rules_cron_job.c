/* CronJobs (Kubernetes: pkg/apis/batch/validation). */
#include <string.h>
#include <strings.h>

#include "api/cron.h"
#include "api/rules.h"
#include "api/rules_job.h"
#include "api/shown.h"
#include "api/zone.h"
#include "base/mem.h"
#include "base/text.h"

/* old: NULL when there is none. */
static void
check_schedule(struct causes *out, const struct path *at, const json_t *spec, const json_t *old)
{
	const char *schedule = text(spec, "schedule");
	bool zoned = strstr(schedule, "TZ"), allowed = strstr(text(old, "schedule"), "TZ");
	struct cron cron;
	struct err err;

	if (!*schedule) {
		refuse_required(out, at, "");
		return;
	}
	if (!zoned && cron_parse(&cron, schedule, &err) < 0)
		refuse_text(out, at, schedule, "%s", err.msg);
	if (zoned && allowed && json_object_get(spec, "timeZone"))
		refuse_text(out, at, schedule,
		    "cannot use both timeZone field and TZ or CRON_TZ in schedule");
	else if (zoned && !allowed)
		refuse_text(out, at, schedule,
		    "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
}

/* Are the parts between '/' such as the IANA names? */
static bool
zone_fits(const char *zone)
{
	static const char chars[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.-_0123456789+";

	for (const char *p = zone;; p++) {
		size_t n = strcspn(p, "/");

		if (!n || n > 14 || *p == '-' || strspn(p, chars) < n ||
		    (n <= 2 && !strncmp(p, "..", n)))
			return false;
		p += n;
		if (!*p)
			return true;
	}
}

static void
check_zone(struct causes *out, const struct path *at, const json_t *v)
{
	const char *zone = str(v, "");
	bool local = !strcasecmp(zone, "Local");

	if (!*zone) {
		refuse_text(out, at, zone, "timeZone must be nil or non-empty string");
		return;
	}
	if (zone_fits(zone) && local)
		refuse_text(out, at, zone,
		    "timeZone must be an explicit time zone as defined in "
		    "https://www.iana.org/time-zones");
	if (!zone_fits(zone) || (!zone_known(zone) && strcmp(zone, "Local")))
		refuse_text(out, at, zone, "unknown time zone %s", zone);
}

static void
check_job_template(struct causes *out, const struct path *at, const json_t *spec)
{
	static const char *const values[] = { "nil", "false", NULL };
	const json_t *manual = json_object_get(spec, "manualSelector");

	check_job_spec(out, at, spec);
	if (json_object_get(spec, "selector"))
		refuse_shown(out, AT(at, "selector"), "meta.v1.LabelSelector",
		    json_object_get(spec, "selector"), "`selector` will be auto-generated");
	if (truth(manual))
		refuse_unsupported_value(out, AT(at, "manualSelector"), manual, values);
}

static void
check_cron_job(struct causes *out, const json_t *spec, const json_t *old)
{
	static const char *const policies[] = { "Allow", "Forbid", "Replace", NULL };
	const struct path *at = AT(NULL, "spec");
	const json_t *zone = json_object_get(spec, "timeZone");

	check_schedule(out, AT(at, "schedule"), spec, old);
	check_not_negative(out, at, spec, "startingDeadlineSeconds");
	if (zone && !same_value(zone, json_object_get(old, "timeZone")))
		check_zone(out, AT(at, "timeZone"), zone);
	if (check_required(out, at, spec, "concurrencyPolicy"))
		check_one_of(out, at, spec, "concurrencyPolicy", policies);
	check_job_template(
	    out, AT(AT(at, "jobTemplate"), "spec"), get(spec, "jobTemplate", "spec"));
	check_not_negative(out, at, spec, "successfulJobsHistoryLimit");
	check_not_negative(out, at, spec, "failedJobsHistoryLimit");
}

void
cron_job_create(struct causes *out, const json_t *obj)
{
	check_cron_job(out, json_object_get(obj, "spec"), NULL);
	/* The name of a Job made from it gets a number of up to eleven characters. */
	if (strlen(meta_name(obj)) > 52)
		refuse_text(out, AT(AT(NULL, "metadata"), "name"), meta_name(obj),
		    "must be no more than 52 characters");
}

void
cron_job_update(struct causes *out, const json_t *obj, const json_t *old)
{
	check_cron_job(out, json_object_get(obj, "spec"), json_object_get(old, "spec"));
}
