/*
 * What the status of a Job must keep to.  Much of it is asked only when the part in question
 * changes, so that Jobs of before the rules can still be written.
 */
#include <string.h>

#include "api/indexes.h"
#include "api/rules_status.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"

static const struct path *const top = NULL;

/* A Job as it was or is to be. */
struct job {
	const json_t *obj, *status;
	bool complete, failed, finished, failing, met;
};

static struct job
job_of(const json_t *obj)
{
	struct job j = { .obj = obj, .status = json_object_get(obj, "status") };

	j.complete = condition_true(obj, "Complete");
	j.failed = condition_true(obj, "Failed");
	j.finished = j.complete || j.failed;
	j.failing = condition_true(obj, "FailureTarget");
	j.met = condition_true(obj, "SuccessCriteriaMet");
	return j;
}

static const json_t *
part(const struct job *j, const char *key)
{
	return json_object_get(j->status, key);
}

static bool
changed(const struct job *now, const struct job *old, const char *key)
{
	return !same_value(part(now, key), part(old, key));
}

/* The value of conditions is not shown. */
static void
refuse_conditions(struct causes *out, const char *why)
{
	cause_add(out, "FieldValueInvalid", "status.conditions", "Invalid value: %s", why);
}

/* --- lists of indexes: "1,3-5" ------------------------------------------------------------- */

static bool
indexes_valid(const char *s, long long completions, char why[static 256])
{
	return index_count(s, completions, why) >= 0;
}

/* The first index that is in both lists, -1 for none. */
static long long
overlap(const char *a, const char *b, long long completions)
{
	struct interval x = { -1, -1 }, y = { -1, -1 };
	char why[256];

	if (!*a || !*b || !index_next(&a, completions, &x, why) ||
	    !index_next(&b, completions, &y, why))
		return -1;
	for (;;) {
		if (x.from <= y.to && y.from <= x.to)
			return x.from > y.from ? x.from : y.from;
		if (x.to < y.to) {
			if (!*a || !index_next(&a, completions, &x, why))
				return -1;
		} else if (!*b || !index_next(&b, completions, &y, why)) {
			return -1;
		}
	}
}

static void
check_indexes(struct causes *out, const struct job *now, const struct job *old)
{
	const struct path *at = AT(top, "status");
	const json_t *completions = get(now->obj, "spec", "completions");
	const json_t *per_index = get(now->obj, "spec", "backoffLimitPerIndex");
	const json_t *failed = part(now, "failedIndexes");
	const char *done = str(part(now, "completedIndexes"), "");
	bool done_changed = changed(now, old, "completedIndexes");
	bool failed_changed = changed(now, old, "failedIndexes");
	long long n = num(completions, 0), both;
	char why[256];

	if (done_changed && completions && !indexes_valid(done, n, why))
		refuse_text(out, AT(at, "completedIndexes"), done,
		    "error parsing completedIndexes: %s", why);
	if (failed_changed && completions && per_index && failed &&
	    !indexes_valid(str(failed, ""), n, why))
		refuse_value(
		    out, AT(at, "failedIndexes"), failed, "error parsing failedIndexes: %s", why);
	if (done_changed && *done && strcmp(text(now->obj, "spec", "completionMode"), "Indexed"))
		refuse_text(out, AT(at, "completedIndexes"), done,
		    "cannot set non-empty completedIndexes when non-indexed completion mode");
	if (failed_changed && !per_index && failed)
		refuse_value(out, AT(at, "failedIndexes"), failed,
		    "cannot set non-null failedIndexes when backoffLimitPerIndex is null");
	if ((failed_changed || done_changed) && completions && failed &&
	    (both = overlap(done, str(failed, ""), n)) >= 0)
		refuse_value(out, AT(at, "failedIndexes"), failed,
		    "failedIndexes and completedIndexes overlap at index: %lld", both);
}

/* --- pods that are counted ------------------------------------------------------------------ */

static void
check_uncounted(struct causes *out, const struct job *j)
{
	static const char *const lists[] = { "succeeded", "failed" };
	json_auto_t *seen = json_object();
	size_t i;
	json_t *uid;

	for (size_t l = 0; l < COUNT(lists); l++) {
		const struct path *at =
		    AT(AT(AT(top, "status"), "uncountedTerminatedPods"), lists[l]);

		json_array_foreach (get(j->status, "uncountedTerminatedPods", lists[l]), i, uid) {
			if (!*str(uid, ""))
				refuse_text(out, ITEM(at, i), "", "must not be empty");
			else if (repeats(seen, str(uid, "")))
				refuse_duplicate(out, ITEM(at, i), str(uid, ""));
		}
	}
}

static void
check_counts(struct causes *out, const struct job *j)
{
	static const char *const counts[] = { "active", "succeeded", "failed", "ready",
		"terminating" };

	for (size_t i = 0; i < COUNT(counts); i++)
		check_not_negative(out, AT(top, "status"), j->status, counts[i]);
	check_uncounted(out, j);
}

static bool
any_uncounted(const struct job *j)
{
	return json_array_size(get(j->status, "uncountedTerminatedPods", "failed")) +
		   json_array_size(get(j->status, "uncountedTerminatedPods", "succeeded")) >
	       0;
}

/* A Job that has ended has nothing left to do. */
static void
check_rest(struct causes *out, const struct job *now, const struct job *old)
{
	const struct path *at = AT(top, "status");
	bool turned = now->finished != old->finished;

	if ((turned || changed(now, old, "active")) && now->finished &&
	    num(part(now, "active"), 0) > 0)
		refuse_value(out, AT(at, "active"), part(now, "active"),
		    "active>0 is invalid for finished job");
	if ((turned || changed(now, old, "startTime")) && now->finished && !part(now, "startTime"))
		refuse_required(out, AT(at, "startTime"), "startTime is required for finished job");
	if ((turned || changed(now, old, "uncountedTerminatedPods")) && now->finished &&
	    any_uncounted(now))
		refuse_value(out, AT(at, "uncountedTerminatedPods"),
		    part(now, "uncountedTerminatedPods"),
		    "uncountedTerminatedPods needs to be empty for finished job");
}

static void
check_pods(struct causes *out, const struct job *now, const struct job *old)
{
	const struct path *at = AT(top, "status");

	if ((now->finished != old->finished || changed(now, old, "terminating")) && now->finished &&
	    num(part(now, "terminating"), 0) > 0)
		refuse_value(out, AT(at, "terminating"), part(now, "terminating"),
		    "terminating>0 is invalid for finished job");
	if ((changed(now, old, "ready") || changed(now, old, "active")) &&
	    num(part(now, "ready"), 0) > num(part(now, "active"), 0))
		refuse_value(out, AT(at, "ready"), part(now, "ready"),
		    "cannot set more ready pods than active");
}

/* --- times and conditions ------------------------------------------------------------------ */

static bool
before(const json_t *a, const json_t *b)
{
	int64_t x, y;

	return time_parse(str(a, ""), &x) && time_parse(str(b, ""), &y) && x < y;
}

static void
check_times(struct causes *out, const struct job *now, const struct job *old)
{
	const struct path *at = AT(AT(top, "status"), "completionTime");
	const json_t *start = part(now, "startTime"), *end = part(now, "completionTime");
	bool end_changed = changed(now, old, "completionTime");
	bool asked = now->complete != old->complete || end_changed;

	if (asked && end && !now->complete)
		refuse_value(out, at, end,
		    "cannot set completionTime when there is no Complete=True condition");
	if (asked && !end && now->complete)
		refuse_required(out, at, "completionTime is required for Complete jobs");
	if ((end_changed || changed(now, old, "startTime")) && start && end && before(end, start))
		refuse_value(out, at, end, "completionTime cannot be set before startTime");
}

static void
check_outcome(struct causes *out, const struct job *now, const struct job *old)
{
	bool complete = now->complete != old->complete, failed = now->failed != old->failed;
	bool failing = now->failing != old->failing, met = now->met != old->met;

	if ((failed || failing) && now->failed && !now->failing)
		refuse_conditions(out,
		    "cannot set Failed=True condition without the FailureTarget=true condition");
	if ((complete || met) && now->complete && !now->met)
		refuse_conditions(out,
		    "cannot set Complete=True condition without the SuccessCriteriaMet=true "
		    "condition");
}

static void
check_contradictions(struct causes *out, const struct job *now, const struct job *old)
{
	bool complete = now->complete != old->complete;

	if ((complete || now->failed != old->failed) && now->complete && now->failed)
		refuse_conditions(out, "cannot set Complete=True and Failed=true conditions");
	if ((complete || now->failing != old->failing) && now->complete && now->failing)
		refuse_conditions(
		    out, "cannot set Complete=True and FailureTarget=true conditions");
}

static void
check_criteria(struct causes *out, const struct job *now)
{
	if (now->met && now->failed)
		refuse_conditions(
		    out, "cannot set SuccessCriteriaMet=True and Failed=true conditions");
	if (now->met && now->failing)
		refuse_conditions(
		    out, "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions");
	if (get(now->obj, "spec", "successPolicy") && !now->met && now->complete)
		refuse_conditions(out, "cannot set Complete=True for Job with SuccessPolicy unless "
				       "SuccessCriteriaMet=True");
}

/* --- what may not go back ------------------------------------------------------------------ */

static void
check_final(struct causes *out, const struct job *now, const struct job *old)
{
	static const char *const final[] = { "Failed", "Complete", "FailureTarget" };

	for (size_t i = 0; i < COUNT(final); i++)
		if (condition_true(old->obj, final[i]) && !condition_true(now->obj, final[i])) {
			autofree char *why =
			    xasprintf("cannot disable the terminal %s=True condition", final[i]);

			refuse_conditions(out, why);
		}
}

/* Where as many Pods run as are to succeed, both may be made fewer together. */
static bool
elastic(const json_t *job)
{
	return !strcmp(text(job, "spec", "completionMode"), "Indexed") &&
	       same_value(get(job, "spec", "completions"), get(job, "spec", "parallelism"));
}

static void
check_progress(struct causes *out, const struct job *now, const struct job *old)
{
	const struct path *at = AT(top, "status");

	check_final(out, now, old);
	if (num(part(now, "failed"), 0) < num(part(old, "failed"), 0))
		refuse_number(out, AT(at, "failed"), num(part(now, "failed"), 0),
		    "cannot decrease the failed counter");
	if (!elastic(now->obj) && num(part(now, "succeeded"), 0) < num(part(old, "succeeded"), 0))
		refuse_number(out, AT(at, "succeeded"), num(part(now, "succeeded"), 0),
		    "cannot decrease the succeeded counter");
	if (part(now, "completionTime") && part(old, "completionTime") &&
	    changed(now, old, "completionTime"))
		refuse_value(out, AT(at, "completionTime"), part(now, "completionTime"),
		    "completionTime cannot be mutated");
	if (part(old, "startTime") && changed(now, old, "startTime") &&
	    !truth(get(now->obj, "spec", "suspend")))
		refuse_required(
		    out, AT(at, "startTime"), "startTime cannot be removed for unsuspended job");
	if (old->met && !now->met)
		refuse_conditions(out, "cannot disable the SuccessCriteriaMet=True condition");
	if (old->complete && !old->met && now->met)
		refuse_conditions(out,
		    "cannot set SuccessCriteriaMet=True for Job already has Complete=true "
		    "conditions");
}

void
job_status(struct causes *out, const json_t *obj, const json_t *before_it)
{
	const struct job now = job_of(obj), old = job_of(before_it);

	check_counts(out, &now);
	check_contradictions(out, &now, &old);
	check_times(out, &now, &old);
	check_outcome(out, &now, &old);
	check_rest(out, &now, &old);
	check_indexes(out, &now, &old);
	check_pods(out, &now, &old);
	check_criteria(out, &now);
	check_progress(out, &now, &old);
}
