/*
 * One watch of all bound pods.  It begins with those that are there (sendInitialEvents), so that no
 * list is ever held; when it breaks it goes on from where it was, and from the beginning when the
 * server has forgotten that.
 */
#include "api/meta.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "simnode/private.h"

enum { MAX_LINE = 16 << 20, LONGEST_PAUSE = 8 };

#define PODS "/api/v1/pods?watch=true&allowWatchBookmarks=true&fieldSelector=spec.nodeName%21%3D"
#define FROM_THE_BEGINNING "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"

/*
 * Can this line be about a pod of ours?  Its text tells for nearly all of others' without being
 * parsed: a name of a node stands nowhere else but as the value of a key.
 */
static bool
may_be_ours(const struct sim *s, const char *line, size_t len)
{
	static const char key[] = "\"nodeName\":\"";
	const char *end = line + len, *at = line;
	bool any = false;

	while ((at = memmem(at, (size_t)(end - at), key, sizeof key - 1))) {
		const char *quote;

		at += sizeof key - 1;
		quote = memchr(at, '"', (size_t)(end - at));
		if (!quote || sim_node_index(s, at, (size_t)(quote - at)) >= 0)
			return true;
		any = true;
	}
	return !any; /* a bookmark, an error, or written in another way */
}

static void
note_version(struct sim *s, const json_t *obj)
{
	if (!*meta_version(obj) || !s->listed)
		return; /* what comes at the beginning is in no order */
	free(s->version);
	s->version = xstrdup(meta_version(obj));
}

static void
bookmark(struct sim *s, const json_t *obj)
{
	if (!s->listed && strcmp(text(obj, "metadata", "annotations", "k8s.io/initial-events-end"),
			      "true") == 0) {
		s->listed = true;
		pods_sweep(s);
		log_more("%zu pods", s->pods.n);
	}
	note_version(s, obj);
}

static int
event(struct sim *s, const char *line, size_t len, struct err *err)
{
	json_auto_t *value = NULL;
	const char *type;
	json_t *obj;

	if (!may_be_ours(s, line, len))
		return 0;
	value = json_loadb(line, len, 0, NULL);
	type = text(value, "type");
	obj = get(value, "object");
	if (!*type || !json_is_object(obj))
		return err_set(err, ERR_INTERNAL, "a watch event is not understood");
	metric_add(s->m.events, 1);
	if (strcmp(type, "ERROR") == 0)
		return err_set(err,
		    err_from_status(text(obj, "reason"), (int)num(get(obj, "code"), 500)), "%s",
		    text(obj, "message"));
	if (strcmp(type, "BOOKMARK") == 0) {
		bookmark(s, obj);
		return 0;
	}
	if (strcmp(type, "DELETED") == 0)
		pod_vanished(s, meta_uid(obj));
	else
		pod_seen(s, obj, clock_monotonic());
	note_version(s, obj);
	return 0;
}

static int
feed(void *arg, const char *data, size_t len, struct err *err)
{
	struct sim *s = arg;
	int r = 0;

	s->watch_failures = 0;
	while (len > 0 && r == 0) {
		const char *nl = memchr(data, '\n', len);
		size_t part = nl ? (size_t)(nl - data) : len;

		if (s->line.len + part > MAX_LINE)
			return err_set(
			    err, ERR_TOO_LARGE, "a watch event is longer than %d bytes", MAX_LINE);
		if (!nl) {
			buf_add(&s->line, data, part);
			return 0;
		}
		if (s->line.len > 0) { /* the end of a line begun earlier */
			buf_add(&s->line, data, part);
			r = event(s, s->line.data, s->line.len, err);
			buf_clear(&s->line);
		} else if (part > 0) {
			r = event(s, data, part, err);
		}
		data += part + 1;
		len -= part + 1;
	}
	return r;
}

/* The pause doubles, and differs a little between programs that lost the same server. */
static void
ended(void *arg, int r, const struct err *err)
{
	struct sim *s = arg;
	double pause = 0.1 * (double)(1U << (s->watch_failures < 7 ? s->watch_failures : 7));

	s->watching = false;
	buf_clear(&s->line);
	if (r == 0) {
		s->watch_due = clock_monotonic() + 0.1;
		return;
	}
	if (err->code == ERR_EXPIRED || !s->listed)
		free(steal(s->version));
	if (s->watch_failures++ == 1)
		log_line("cannot watch pods: %s", err->msg);
	metric_add(s->m.errors, 1);
	pause = pause < LONGEST_PAUSE ? pause : LONGEST_PAUSE;
	s->watch_due = clock_monotonic() +
		       pause * (0.75 + sim_chance(s, "watch", "", "", s->watch_failures) / 2);
}

void
watch_start(struct sim *s)
{
	static const struct sender_stream how = { .each = feed, .ended = ended };
	struct sender_stream mine = how;
	autofree char *path = NULL;

	if (s->version) {
		path = xasprintf("%s&resourceVersion=%s", PODS, s->version);
	} else {
		path = xstrdup(PODS FROM_THE_BEGINNING);
		s->listed = false;
		s->pass++;
	}
	mine.arg = s;
	s->watching = true;
	metric_add(s->m.watches, 1);
	sender_follow(s->sender, path, &mine);
}
