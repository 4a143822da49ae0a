#include "api/drain_budget.h"

#include <string.h>

#include "api/meta.h"
#include "api/pod.h"
#include "api/progress.h"
#include "base/mem.h"

/* --- which budget counts a pod -------------------------------------------------------------- */

static void
tally_init(struct tally *t, const json_t *budget)
{
	struct err err;

	*t = (struct tally){ .budget = budget };
	if (selector_from_json(&t->selector, get(budget, "spec", "selector"), &err) < 0)
		t->selector = NULL;
}

static bool
counts(const struct tally *t, const json_t *pod)
{
	return t->selector && strcmp(meta_namespace(t->budget), meta_namespace(pod)) == 0 &&
	       selector_match(t->selector, meta_labels(pod));
}

void
tallies_init(struct tallies *t, const json_t *budgets)
{
	json_t *b;
	size_t i;

	t->item = xcalloc(json_array_size(budgets) + 1, sizeof *t->item);
	json_array_foreach (budgets, i, b)
		tally_init(&t->item[t->n++], b);
}

void
tallies_release(struct tallies *t)
{
	for (size_t i = 0; i < t->n; i++)
		selector_free(t->item[i].selector);
	free(t->item);
}

const json_t *
drain_budget_of(const json_t *budgets, const json_t *pod)
{
	struct tallies all = { 0 };
	const json_t *found = NULL;

	tallies_init(&all, budgets);
	for (size_t i = 0; i < all.n && !found; i++)
		if (counts(&all.item[i], pod))
			found = all.item[i].budget;
	tallies_release(&all);
	return found;
}

/* --- what it allows ------------------------------------------------------------------------- */

static json_int_t
status_of(const json_t *budget, const char *field)
{
	return num(get(budget, "status", field), 0);
}

static void
say(struct drain_verdict *v, enum drain_action action, int turn, const json_t *budget, char *reason)
{
	*v = (struct drain_verdict){ action, turn, budget, reason };
}

/* Its end disrupts nobody, whatever counts it. */
static bool
free_to_go(struct drain_verdict *v, const json_t *pod)
{
	const char *phase = text(pod, "status", "phase");

	if (meta_deleting(pod))
		say(v, DRAIN_EVICT, 1, NULL, xstrdup("on its end already"));
	else if (pod_finished(pod))
		say(v, DRAIN_EVICT, 1, NULL, xasprintf("finished (%s)", phase));
	else if (strcmp(phase, "Pending") == 0)
		say(v, DRAIN_EVICT, 1, NULL, xstrdup("does not run yet"));
	else
		return false;
	return true;
}

/* A pod that is not ready may go where the others are enough, or where the budget says always; and
 * one that was charged for already. */
static bool
lets_go(struct drain_verdict *v, const json_t *budget, const json_t *pod)
{
	bool always =
	    strcmp(text(budget, "spec", "unhealthyPodEvictionPolicy"), "AlwaysAllow") == 0;
	json_int_t desired = status_of(budget, "desiredHealthy");

	if (get(budget, "status", "disruptedPods", meta_name(pod)))
		say(v, DRAIN_EVICT, 1, budget,
		    xasprintf("budget %s has been charged for it", meta_name(budget)));
	else if (!pod_ready(pod) &&
		 (always || (desired > 0 && status_of(budget, "currentHealthy") >= desired)))
		say(v, DRAIN_EVICT, 1, budget,
		    xasprintf("not ready: budget %s lets it go", meta_name(budget)));
	else
		return false;
	return true;
}

static char *
why_none(const json_t *budget)
{
	json_int_t desired = status_of(budget, "desiredHealthy");
	json_int_t expected = status_of(budget, "expectedPods");

	if (expected <= desired)
		return xasprintf("budget %s never lets one go: all %lld of %lld pods are needed",
		    meta_name(budget), (long long)desired, (long long)expected);
	return xasprintf("budget %s lets none go now: %lld of %lld healthy, %lld needed",
	    meta_name(budget), (long long)status_of(budget, "currentHealthy"), (long long)expected,
	    (long long)desired);
}

/* Take one from the budget: at once, or in a later turn, each as many as it can have missing. */
static void
take(struct drain_verdict *v, struct tally *t)
{
	const char *name = meta_name(t->budget);
	json_int_t allowed = status_of(t->budget, "disruptionsAllowed"), most;

	if (status_of(t->budget, "observedGeneration") < meta_generation(t->budget)) {
		say(v, DRAIN_BLOCK, 0, t->budget,
		    xasprintf("budget %s has no status for what it says now", name));
		return;
	}
	if (allowed <= 0) {
		say(v, DRAIN_BLOCK, 0, t->budget, why_none(t->budget));
		return;
	}
	if (t->taken++ < allowed) {
		say(v, DRAIN_EVICT, 1, t->budget,
		    xasprintf("budget %s lets %lld go: number %lld", name, (long long)allowed,
			(long long)t->taken));
		return;
	}
	most = status_of(t->budget, "expectedPods") - status_of(t->budget, "desiredHealthy");
	most = most > allowed ? most : allowed;
	say(v, DRAIN_WAIT, 2 + (int)((t->taken - 1 - allowed) / most), t->budget,
	    xasprintf("budget %s lets %lld go at once: when others are ready in their place", name,
		(long long)most));
}

void
tallies_decide(struct tallies *t, struct drain_verdict *v, const json_t *pod)
{
	struct tally *by = NULL;

	if (free_to_go(v, pod))
		return;
	for (size_t i = 0; i < t->n; i++) {
		if (!counts(&t->item[i], pod))
			continue;
		if (by) {
			say(v, DRAIN_BLOCK, 0, by->budget,
			    xasprintf("budgets %s and %s both count it: such a pod cannot be "
				      "evicted",
				meta_name(by->budget), meta_name(t->item[i].budget)));
			return;
		}
		by = &t->item[i];
	}
	if (!by)
		say(v, DRAIN_EVICT, 1, NULL, xstrdup("no budget counts it"));
	else if (!lets_go(v, by->budget, pod))
		take(v, by);
}

/* --- for people ----------------------------------------------------------------------------- */

static const char *const numbers[] = { "currentHealthy", "desiredHealthy", "expectedPods",
	"disruptionsAllowed" };

/* "minAvailable" or "maxUnavailable", whichever it has; NULL for neither. */
static const char *
limit_of(const json_t *budget)
{
	return get(budget, "spec", "minAvailable")     ? "minAvailable"
	       : get(budget, "spec", "maxUnavailable") ? "maxUnavailable"
						       : NULL;
}

json_t *
drain_numbers(const json_t *budget)
{
	const char *limit = limit_of(budget);
	json_t *ret =
	    json_pack("{s:s, s:s}", "namespace", meta_namespace(budget), "name", meta_name(budget));

	if (limit)
		json_object_set(ret, limit, get(budget, "spec", limit));
	for (size_t i = 0; i < COUNT(numbers); i++)
		json_object_set_new(ret, numbers[i], json_integer(status_of(budget, numbers[i])));
	return ret;
}

static void
add_unready(struct buf *out, const json_t *pod, size_t n)
{
	const char *message = text(condition_find(pod, "Ready"), "message");

	buf_printf(out, "%s%s on %s: ", n ? "; " : "; not ready: ", meta_name(pod),
	    *text(pod, "spec", "nodeName") ? text(pod, "spec", "nodeName") : "no node");
	if (meta_deleting(pod))
		buf_puts(out, "on its end");
	else if (!progress_trouble(pod, out))
		buf_puts(out, *message ? message : text(pod, "status", "phase"));
}

void
drain_why(struct buf *out, const json_t *budget, const json_t *pods)
{
	const char *limit = limit_of(budget);
	autofree char *value =
	    limit ? json_dumps(get(budget, "spec", limit), JSON_ENCODE_ANY) : NULL;
	struct tally t;
	size_t i, n = 0;
	json_t *pod;

	buf_printf(out, "budget %s/%s", meta_namespace(budget), meta_name(budget));
	if (limit)
		buf_printf(out, " (%s %s)", limit, value);
	buf_printf(out, ": %lld healthy of %lld, %lld needed, %lld may go",
	    (long long)status_of(budget, "currentHealthy"),
	    (long long)status_of(budget, "expectedPods"),
	    (long long)status_of(budget, "desiredHealthy"),
	    (long long)status_of(budget, "disruptionsAllowed"));
	if (status_of(budget, "observedGeneration") < meta_generation(budget))
		buf_puts(out, " (of what it said before: its status is old)");
	tally_init(&t, budget);
	json_array_foreach (pods, i, pod)
		if (counts(&t, pod) && !pod_ready(pod) && !pod_finished(pod))
			add_unready(out, pod, n++);
	selector_free(t.selector);
}
