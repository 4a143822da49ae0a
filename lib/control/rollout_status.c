/* A Deployment's status and its conditions Available, Progressing and ReplicaFailure. */
#include <stdarg.h>
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/time.h"
#include "control/condition.h"
#include "control/number.h"
#include "control/rollout.h"

enum { DEFAULT_DEADLINE = 600 };

int64_t
rollout_deadline(const struct rollout *r)
{
	json_int_t n =
	    num32(get(r->deployment, "spec", "progressDeadlineSeconds"), DEFAULT_DEADLINE);

	return n > 0 && n != INT32_MAX ? n : 0; /* the largest number means: none */
}

/* The same status for the same reason says nothing new: the condition and its times stay. */
void
rollout_condition(struct rollout *r, const char *type, const char *status, const char *reason,
    const char *message, ...)
{
	json_t *c = condition_find(r->next, type);
	autofree char *sentence = NULL;
	va_list ap;

	if (c && strcmp(text(c, "status"), status) == 0 && strcmp(text(c, "reason"), reason) == 0)
		return;
	va_start(ap, message);
	if (vasprintf(&sentence, message, ap) < 0)
		abort();
	va_end(ap);
	condition_set(r->next, type, status, reason, sentence, r->now);
	put(condition_find(r->next, type), json_string(r->now), "lastUpdateTime");
}

static void
put_count(json_t *status, const char *key, int64_t n)
{
	if (n)
		json_object_set_new(status, key, json_integer(n));
	else
		json_object_del(status, key);
}

static int64_t
count(const json_t *deployment, const char *key)
{
	return num32(get(deployment, "status", key), 0);
}

void
rollout_status(struct rollout *r)
{
	int64_t current = 0, ready = 0, available = 0, terminating = 0, missing;
	json_t *status = get(r->next, "status");

	for (size_t i = 0; i < r->n; i++) {
		current += r->set[i].current;
		ready += r->set[i].ready;
		available += r->set[i].available;
		terminating += r->set[i].terminating;
	}
	missing = rollout_total(r) - available;
	put_count(status, "observedGeneration", meta_generation(r->deployment));
	put_count(status, "replicas", current);
	put_count(status, "updatedReplicas", r->latest ? r->latest->current : 0);
	put_count(status, "readyReplicas", ready);
	put_count(status, "availableReplicas", available);
	put_count(status, "unavailableReplicas", missing > 0 ? missing : 0);
	put_count(status, "terminatingReplicas", terminating);
	if (available >= r->replicas - r->unavailable)
		rollout_condition(r, "Available", "True", "MinimumReplicasAvailable",
		    "Deployment has minimum availability.");
	else
		rollout_condition(r, "Available", "False", "MinimumReplicasUnavailable",
		    "Deployment does not have minimum availability.");
}

bool
rollout_complete(const struct rollout *r, const json_t *deployment)
{
	return count(deployment, "updatedReplicas") == r->replicas &&
	       count(deployment, "replicas") == r->replicas &&
	       count(deployment, "availableReplicas") == r->replicas &&
	       num(get(deployment, "status", "observedGeneration"), 0) >=
		   meta_generation(r->deployment);
}

/* Has anything got further since the last status? */
static bool
advances(const struct rollout *r)
{
	const json_t *was = r->deployment, *is = r->next;

	return count(is, "updatedReplicas") > count(was, "updatedReplicas") ||
	       count(is, "replicas") - count(is, "updatedReplicas") <
		   count(was, "replicas") - count(was, "updatedReplicas") ||
	       count(is, "readyReplicas") > count(was, "readyReplicas") ||
	       count(is, "availableReplicas") > count(was, "availableReplicas");
}

/* When the deadline ends, seconds from now; far off when there is nothing to wait for. */
static int64_t
time_left(const struct rollout *r)
{
	const json_t *c = condition_find(r->next, "Progressing");
	int64_t since;

	if (!c || strcmp(text(c, "reason"), "NewReplicaSetAvailable") == 0 ||
	    !time_parse(text(c, "lastUpdateTime"), &since))
		return INT64_MAX;
	return since + rollout_deadline(r) - world_now(r->w);
}

/* Progress: the condition stays what it was, but its clock starts again. */
static void
note_progress(struct rollout *r, const char *what)
{
	json_t *c = condition_find(r->next, "Progressing");

	if (c)
		json_object_set_new(
		    c, "reason", json_string("")); /* else the same reason changes nothing */
	rollout_condition(
	    r, "Progressing", "True", "ReplicaSetUpdated", "%s is progressing.", what);
}

static void
note_failure(struct rollout *r)
{
	const json_t *failure = r->latest ? condition_find(r->latest->obj, "ReplicaFailure") : NULL;

	for (size_t i = 0; !failure && i < r->n; i++)
		failure = condition_find(r->set[i].obj, "ReplicaFailure");
	if (failure)
		rollout_condition(r, "ReplicaFailure", text(failure, "status"),
		    text(failure, "reason"), "%s", text(failure, "message"));
	else
		condition_remove(r->next, "ReplicaFailure");
}

void
rollout_progress(struct rollout *r)
{
	const char *reason = text(condition_find(r->next, "Progressing"), "reason");
	autofree char *what = r->latest ? xasprintf("ReplicaSet \"%s\"", meta_name(r->latest->obj))
					: xasprintf("Deployment \"%s\"", meta_name(r->deployment));
	bool done = count(r->next, "replicas") == count(r->next, "updatedReplicas") &&
		    strcmp(reason, "NewReplicaSetAvailable") == 0;

	note_failure(r);
	if (!rollout_deadline(r)) {
		condition_remove(r->next, "Progressing");
		return;
	}
	if (done)
		return;
	if (rollout_complete(r, r->next))
		rollout_condition(r, "Progressing", "True", "NewReplicaSetAvailable",
		    "%s has successfully progressed.", what);
	else if (advances(r))
		note_progress(r, what);
	else if (time_left(r) < 0)
		rollout_condition(r, "Progressing", "False", "ProgressDeadlineExceeded",
		    "%s has timed out progressing.", what);
	reason = text(condition_find(r->next, "Progressing"), "reason");
	if (time_left(r) != INT64_MAX && strcmp(reason, "ProgressDeadlineExceeded") != 0)
		plan_again(r->out, time_left(r) + 1);
}

/* Pausing stops the clock of the deadline, resuming starts it; a deadline that has passed stays
 * passed. */
void
rollout_paused_condition(struct rollout *r)
{
	const char *reason = text(condition_find(r->next, "Progressing"), "reason");
	bool paused = truth(get(r->deployment, "spec", "paused"));
	bool was = strcmp(reason, "DeploymentPaused") == 0;

	if (!rollout_deadline(r) || strcmp(reason, "ProgressDeadlineExceeded") == 0)
		return;
	if (paused && !was)
		rollout_condition(
		    r, "Progressing", "Unknown", "DeploymentPaused", "Deployment is paused");
	else if (!paused && was)
		rollout_condition(
		    r, "Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed");
}
