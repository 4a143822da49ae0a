#include "node/shutdown.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/agent_state.h"
#include "node/files.h"

enum {
	CRITICAL = 2000000000, /* system-cluster-critical and above */
	LAST_WORDS = 5,	       /* seconds more, until the server has heard of the last pod's end */
};

/* --- rules ------------------------------------------------------------------------------------ */

static int
by_priority(const void *x, const void *y)
{
	const struct shutdown_group *a = x, *b = y;

	return (a->priority > b->priority) - (a->priority < b->priority);
}

static int
parse_one(struct shutdown_rules *r, char *one, struct err *err)
{
	char *value = strchr(one, '=');
	long long priority;
	double seconds;

	if (value)
		*value++ = '\0';
	if (!value || !text_int(one, &priority) || priority < INT32_MIN || priority > INT32_MAX)
		return err_set(err, ERR_INVALID, "'%s' is not PRIORITY=DURATION", one);
	if (!text_duration(value, &seconds) || seconds < 0)
		return err_set(err, ERR_INVALID, "priority %s: '%s' is not a duration", one, value);
	if (r->n == SHUTDOWN_GROUPS)
		return err_set(err, ERR_INVALID, "more than %d priorities", SHUTDOWN_GROUPS);
	for (size_t i = 0; i < r->n; i++)
		if (r->group[i].priority == priority)
			return err_set(
			    err, ERR_INVALID, "priority %lld stands there twice", priority);
	r->group[r->n++] = (struct shutdown_group){ priority, seconds };
	return 0;
}

int
shutdown_parse(struct shutdown_rules *ret, const char *list, struct err *err)
{
	autofree char *copy = xstrdup(list);
	struct shutdown_rules rules = { .n = 0 };
	int r;

	for (char *rest = copy, *one; (one = strsep(&rest, ","));)
		if ((r = parse_one(&rules, one, err)) < 0)
			return r;
	qsort(rules.group, rules.n, sizeof *rules.group, by_priority);
	*ret = rules;
	return 0;
}

int
shutdown_simple(struct shutdown_rules *ret, double grace, double critical, struct err *err)
{
	if (critical > grace)
		return err_set(err, ERR_INVALID, "critical pods have more time than there is");
	*ret = (struct shutdown_rules){ .n = 0 };
	if (grace <= 0)
		return 0;
	ret->group[0] = (struct shutdown_group){ 0, grace - critical };
	ret->group[1] = (struct shutdown_group){ CRITICAL, critical };
	ret->n = 2;
	return 0;
}

double
shutdown_seconds(const struct shutdown_rules *r)
{
	double sum = 0;

	for (size_t i = 0; i < r->n; i++)
		sum += r->group[i].seconds;
	return sum;
}

size_t
shutdown_group_of(const struct shutdown_rules *r, const json_t *pod)
{
	int64_t priority = num(get(pod, "spec", "priority"), 0);
	size_t i = r->n;

	while (i > 1 && r->group[i - 1].priority > priority)
		i--;
	return i ? i - 1 : 0;
}

/* --- the record: a node that is started again goes on with it, unless the machine was ----------
 */

static char *
record_path(const struct agent *a)
{
	return host_path(a->host, "run/shutdown");
}

static void
record(const struct agent *a)
{
	autofree char *path = record_path(a), *line = NULL;
	char boot[64];
	struct err err;

	if (!a->shutdown.causes) {
		unlink(path);
		return;
	}
	if (!file_line("/proc/sys/kernel/random/boot_id", boot, sizeof boot))
		return;
	line = xasprintf("%s %u\n", boot, a->shutdown.causes);
	if (file_swap(path, line, strlen(line), 0600, &err) < 0)
		log_line("cannot record that the machine shuts down: %s", err.msg);
}

void
shutdown_resume(struct agent *a)
{
	autofree char *path = record_path(a);
	char line[128], boot[64], *space;

	if (!a->host->o.shutdown.n || !file_line(path, line, sizeof line) ||
	    !file_line("/proc/sys/kernel/random/boot_id", boot, sizeof boot) ||
	    !(space = strchr(line, ' '))) {
		unlink(path);
		return;
	}
	*space = '\0';
	if (strcmp(line, boot) != 0) { /* the machine has come up again */
		unlink(path);
		return;
	}
	a->shutdown.causes = (unsigned)strtoul(space + 1, NULL, 10);
	a->host->shutting_down = a->shutdown.causes != 0;
	if (a->shutdown.causes)
		log_line("the machine is still shutting down: going on with it");
}

/* --- doing it --------------------------------------------------------------------------------- */

/* Did one end this pod, or keep it from beginning? */
static bool
spoiled(const struct pod *p)
{
	return p->fail_reason &&
	       ((strcmp(p->fail_reason, SHUTDOWN_REASON) == 0 && p->fail_message &&
		    strcmp(p->fail_message, SHUTDOWN_MESSAGE) == 0) ||
		   strcmp(p->fail_reason, SHUTDOWN_REFUSAL) == 0);
}

static bool
in_group(const struct agent *a, const struct pod *p)
{
	return !p->retired &&
	       shutdown_group_of(&a->host->o.shutdown, p->object) == a->shutdown.group;
}

/* Nothing of it runs any more, and everybody knows. */
static bool
has_ended(const struct pod *p)
{
	return p->retired || (p->sandbox != SANDBOX && !p->job.pid && !p->dirty && pod_over(p)) ||
	       (p->stopping && p->sandbox == SANDBOX_DOWN && !p->dirty);
}

static void
end_pod(struct pod *p, double seconds, double now)
{
	json_int_t own = num(get(p->object, "spec", "terminationGracePeriodSeconds"), 30);
	double grace = (double)own < seconds ? (double)own : seconds, by = now + grace;

	if (!p->stop_by || by < p->stop_by)
		p->stop_by = by;
	p->stopping = true;
	p->dirty = true;
	if (pod_over(p))
		return;
	log_line("pod %s: the machine shuts down, ending it within %.0f s", p->label, grace);
	text_replace(&p->fail_reason, SHUTDOWN_REASON);
	text_replace(&p->fail_message, SHUTDOWN_MESSAGE);
}

/* Tell the pods of the group; are there any that have not ended? */
static bool
group_goes_on(struct agent *a, double now)
{
	const struct shutdown_group *g = &a->host->o.shutdown.group[a->shutdown.group];
	bool any = false;

	for (size_t i = 0; i < a->n; i++) {
		struct pod *p = a->pod[i];

		if (!in_group(a, p) || has_ended(p))
			continue;
		any = true;
		if (!a->shutdown.begun)
			end_pod(p, g->seconds, now);
	}
	if (any && !a->shutdown.begun) {
		a->shutdown.group_by = now + g->seconds;
		a->wake = 0;
	}
	a->shutdown.begun = true;
	return any;
}

static bool
all_ended(const struct agent *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (!has_ended(a->pod[i]))
			return false;
	return true;
}

/* What belongs to the machine begins again; what was bound to it is replaced elsewhere. */
static void
revive(struct agent *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (spoiled(a->pod[i]) && a->pod[i]->sandbox == SANDBOX_DOWN &&
		    pod_is_static(a->pod[i]))
			pod_revive(a->pod[i]);
}

void
shutdown_due(struct agent *a, double now)
{
	struct shutdown *s = &a->shutdown;
	const struct shutdown_rules *rules = &a->host->o.shutdown;

	if (!s->causes)
		revive(a);
	if (!s->causes || s->ended)
		return;
	for (; s->group < rules->n; s->group++, s->begun = false) {
		if (group_goes_on(a, now) && now < s->group_by)
			break;
		s->group_by = now + LAST_WORDS;
	}
	if (s->group < rules->n || (!all_ended(a) && now < s->group_by)) {
		if (s->group_by < a->wake)
			a->wake = s->group_by;
		return;
	}
	s->ended = true;
	a->wake = 0;
	log_line("the machine may go down: %s",
	    all_ended(a) ? "all pods have ended" : "the time of the pods that are left is over");
}

static void
say(struct agent *a, const char *message)
{
	log_line("%s", message);
	if (a->hooks.node_event)
		a->hooks.node_event(a->hooks.arg, "Normal", "Shutdown", message);
}

bool
agent_shutdown(struct agent *a, enum shutdown_cause cause, bool on)
{
	unsigned before = a->shutdown.causes;
	unsigned after = on ? before | (unsigned)cause : before & ~(unsigned)cause;

	if (!a->host->o.shutdown.n)
		return false;
	if (after == before)
		return true;
	a->shutdown.causes = after;
	a->host->shutting_down = after != 0;
	record(a);
	a->wake = 0;
	if (after && !before) {
		say(a, "Shutdown manager detected shutdown event");
	} else if (!after) {
		say(a, "Shutdown manager detected shutdown cancellation");
		a->shutdown = (struct shutdown){ 0 };
	}
	return true;
}

bool
agent_shut_down(const struct agent *a)
{
	return a->shutdown.ended;
}
