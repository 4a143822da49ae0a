#include <string.h>
#include <strings.h>

#include "api/meta.h"
#include "api/printer.h"
#include "base/mem.h"
#include "base/text.h"
#include "client/want.h"

void
want_release(struct want *w)
{
	free(w->what);
	free(w->value);
	w->what = w->value = NULL;
}

/* "{.status.phase}=Running": the '=' behind the braces parts them. */
static int
parse_jsonpath(struct want *w, const char *text, struct err *err)
{
	const char *brace = strrchr(text, '}'), *eq = strchr(brace ? brace : text, '=');
	size_t len = eq ? (size_t)(eq - text) : strlen(text);
	bool bare = text[0] != '{';
	const struct printer_options options = { .list = PRINTER_LIST_NEVER };
	struct printer *p;
	int r;

	if (len == 0)
		return err_set(err, ERR_BAD_REQUEST,
		    "jsonpath needs an expression, as in jsonpath={.status.phase}=Running");
	w->what = xasprintf("jsonpath=%s%s%.*s%s", bare ? "{" : "",
	    bare && text[0] != '.' ? "." : "", (int)len, text, bare ? "}" : "");
	w->value = eq ? xstrdup(eq + 1) : NULL;
	if ((r = printer_new(&p, w->what, &options, err)) >= 0)
		printer_free(p);
	return r;
}

int
want_parse(struct want *w, const char *text, struct err *err)
{
	static const struct {
		const char *name;
		enum want_kind kind;
	} words[] = { { "rollout", WANT_ROLLOUT }, { "create", WANT_CREATE },
		{ "delete", WANT_DELETE } };
	const char *eq;

	*w = (struct want){ 0 };
	for (size_t i = 0; i < COUNT(words); i++)
		if (strcmp(text, words[i].name) == 0) {
			w->kind = words[i].kind;
			return 0;
		}
	if (text_starts(text, "jsonpath=")) {
		w->kind = WANT_JSONPATH;
		return parse_jsonpath(w, text + strlen("jsonpath="), err);
	}
	if (text_starts(text, "condition=") && text[strlen("condition=")]) {
		text += strlen("condition=");
		eq = strchr(text, '=');
		w->kind = WANT_CONDITION;
		w->what = eq ? xstrndup(text, (size_t)(eq - text)) : xstrdup(text);
		w->value = xstrdup(eq ? eq + 1 : "True");
		return 0;
	}
	return err_set(err, ERR_BAD_REQUEST,
	    "'%s' is none of condition=TYPE[=VALUE], jsonpath=EXPR[=VALUE], rollout, create, "
	    "delete",
	    text);
}

/* --- conditions and expressions ------------------------------------------------------- */

/* What a Pod that is not ready says of itself, beyond its conditions. */
static void
pod_trouble(const json_t *pod, struct buf *why)
{
	static const char *const lists[] = { "initContainerStatuses", "containerStatuses" };
	json_t *c;
	size_t i;

	for (size_t k = 0; k < COUNT(lists); k++)
		json_array_foreach (get(pod, "status", lists[k]), i, c) {
			const json_t *waiting = get(c, "state", "waiting");
			const char *message = text(waiting, "message");

			if (waiting && *text(waiting, "reason"))
				buf_printf(why, "; container '%s' waits: %s%s%s", text(c, "name"),
				    text(waiting, "reason"), *message ? ": " : "", message);
		}
}

static void
say_condition(const json_t *c, struct buf *why)
{
	const char *reason = text(c, "reason"), *message = text(c, "message");

	buf_printf(why, "condition %s is %s", text(c, "type"), text(c, "status"));
	if (*reason)
		buf_printf(why, " (%s)", reason);
	if (*message)
		buf_printf(why, ": %s", message);
}

static int
condition_met(const struct want *w, const json_t *obj, struct buf *why)
{
	json_t *found = NULL, *c;
	size_t i;

	json_array_foreach (get(obj, "status", "conditions"), i, c)
		if (strcasecmp(text(c, "type"), w->what) == 0)
			found = c;
	if (found && strcasecmp(text(found, "status"), w->value) == 0)
		return 1;
	if (found)
		say_condition(found, why);
	else
		buf_printf(why, "it has no condition %s", w->what);
	if (strcmp(text(obj, "kind"), "Pod") == 0) {
		if (*text(obj, "status", "phase"))
			buf_printf(why, "; phase %s", text(obj, "status", "phase"));
		c = condition_find(obj, "PodScheduled");
		if (c && strcmp(text(c, "status"), "True") != 0 && c != found) {
			buf_puts(why, "; ");
			say_condition(c, why);
		}
		pod_trouble(obj, why);
	}
	return 0;
}

static int
jsonpath_met(const struct want *w, json_t *obj, struct buf *why, struct err *err)
{
	const struct printer_options options = { .list = PRINTER_LIST_NEVER };
	autobuf struct buf out = BUF_INIT;
	struct printer *p;
	int r;

	if ((r = printer_new(&p, w->what, &options, err)) < 0)
		return r;
	if ((r = printer_add(p, obj, &out, err)) >= 0)
		r = printer_end(p, &out, err);
	printer_free(p);
	if (r < 0)
		return r;
	while (out.len > 0 && out.data[out.len - 1] == '\n')
		out.data[--out.len] = '\0';
	if (w->value ? out.data && strcmp(out.data, w->value) == 0 : out.len > 0)
		return 1;
	buf_printf(why, "%s is '%s'%s%s%s", w->what + strlen("jsonpath="), out.data ? out.data : "",
	    w->value ? ", not '" : "", w->value ? w->value : "", w->value ? "'" : "");
	return 0;
}

/* --- rollouts --------------------------------------------------------------------------- */

/* One row a kind: which numbers of status must reach how many. */
struct rollout {
	const char *kind;
	const char *wanted; /* in spec, or in status when spec has none */
	const char *updated, *available;
	const char
	    *total; /* more than the updated are old ones that must go; NULL: does not apply */
};

static const struct rollout rollouts[] = {
	{ "Deployment", "replicas", "updatedReplicas", "availableReplicas", "replicas" },
	{ "StatefulSet", "replicas", "updatedReplicas", "availableReplicas", "replicas" },
	{ "DaemonSet", "desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable",
	    NULL },
	{ "ReplicaSet", "replicas", "replicas", "availableReplicas", "replicas" },
};

static bool
behind(json_int_t have, json_int_t want, const char *verb, struct buf *why)
{
	if (have >= want)
		return false;
	buf_printf(why, "%lld of %lld replicas are %s", (long long)have, (long long)want, verb);
	return true;
}

static int
rollout_met(json_t *obj, struct buf *why, struct err *err)
{
	const struct rollout *row = NULL;
	const json_t *status = get(obj, "status"), *progress = condition_find(obj, "Progressing");
	json_int_t want, updated;

	for (size_t i = 0; i < COUNT(rollouts); i++)
		if (strcmp(rollouts[i].kind, text(obj, "kind")) == 0)
			row = &rollouts[i];
	if (!row)
		return err_set(err, ERR_BAD_REQUEST, "a %s has no rollout", text(obj, "kind"));
	if (num(get(status, "observedGeneration"), 0) < meta_generation(obj)) {
		buf_puts(why, "its controller has not looked at it yet");
		return 0;
	}
	if (strcmp(text(progress, "reason"), "ProgressDeadlineExceeded") == 0)
		return err_set(
		    err, ERR_DIFFERS, "the rollout has failed: %s", text(progress, "message"));
	want = num(get(obj, "spec", row->wanted), num(get(status, row->wanted), 1));
	updated = num(get(status, row->updated), 0);
	if (behind(updated, want, "updated", why))
		return 0;
	if (row->total && num(get(status, row->total), 0) > updated) {
		buf_printf(why, "%lld old replicas are still there",
		    (long long)(num(get(status, row->total), 0) - updated));
		return 0;
	}
	return !behind(num(get(status, row->available), 0), want, "available", why);
}

int
want_met(const struct want *w, json_t *obj, struct buf *why, struct err *err)
{
	switch (w->kind) {
	case WANT_CONDITION:
		return condition_met(w, obj, why);
	case WANT_JSONPATH:
		return jsonpath_met(w, obj, why, err);
	case WANT_ROLLOUT:
		return rollout_met(obj, why, err);
	default:
		return 1;
	}
}
