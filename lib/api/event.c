#include <string.h>

#include "api/event.h"
#include "api/meta.h"
#include "base/time.h"

bool
event_is(const json_t *obj)
{
	char group_kind[128];

	meta_group_kind(obj, group_kind);
	return strcmp(group_kind, "Event") == 0 || strcmp(group_kind, "Event.events.k8s.io") == 0;
}

/* The first of these that is a time. */
static int64_t
time_of(const json_t *a, const json_t *b, const json_t *c)
{
	const json_t *const all[] = { a, b, c };
	int64_t us;

	for (int i = 0; i < 3; i++)
		if (time_parse_micro(str(all[i], ""), &us))
			return us;
	return 0;
}

void
event_view(struct event_view *e, const json_t *obj)
{
	bool old = strcmp(text(obj, "apiVersion"), "v1") == 0;
	const json_t *series = get(obj, "series");
	const json_t *first = get(obj, old ? "firstTimestamp" : "deprecatedFirstTimestamp");
	const json_t *last = get(obj, old ? "lastTimestamp" : "deprecatedLastTimestamp");
	const json_t *count = get(obj, old ? "count" : "deprecatedCount");

	*e = (struct event_view){
		.type = text(obj, "type"),
		.reason = text(obj, "reason"),
		.message = text(obj, old ? "message" : "note"),
		.about = get(obj, old ? "involvedObject" : "regarding"),
		.first_us = time_of(first, get(obj, "eventTime"), last),
		.last_us = time_of(get(series, "lastObservedTime"), last, get(obj, "eventTime")),
		.count = num(get(series, "count"), num(count, 1)),
	};
	if (series)
		e->first_us = time_of(get(obj, "eventTime"), first, last);
	if (!e->last_us)
		e->last_us = time_of(first, get(obj, "metadata", "creationTimestamp"), NULL);
	if (e->count < 1)
		e->count = 1;
}

/* "apps" of "apps/v1", "" of "v1". */
static bool
same_group(const char *api_version, const char *group)
{
	const char *slash = strchr(api_version, '/');
	size_t len = slash ? (size_t)(slash - api_version) : 0;

	return strlen(group) == len && strncmp(api_version, group, len) == 0;
}

bool
event_about(const struct event_view *e, const char *group, const char *kind, const char *ns,
    const char *name, const char *uid)
{
	const char *theirs = text(e->about, "uid"), *version = text(e->about, "apiVersion");

	if (strcmp(text(e->about, "kind"), kind) != 0 ||
	    (*version && !same_group(version, group)) ||
	    (*ns && strcmp(text(e->about, "namespace"), ns) != 0))
		return false;
	if (!*name)
		return true;
	/* of a Node, the kubelet says its name for its uid */
	return strcmp(text(e->about, "name"), name) == 0 &&
	       (!*uid || !*theirs || strcmp(theirs, uid) == 0 || strcmp(theirs, name) == 0);
}

static void
add_age(struct buf *out, int64_t us, int64_t now)
{
	char age[TIME_TEXT];

	buf_puts(out, us ? duration_print(now - us / 1000000, age) : "<unknown>");
}

void
event_seen(const struct event_view *e, int64_t now, struct buf *out)
{
	add_age(out, e->last_us, now);
	if (e->count > 1) {
		buf_printf(out, " (x%lld over ", e->count);
		add_age(out, e->first_us, now);
		buf_putc(out, ')');
	}
}

int
event_cmp(const json_t *a, const json_t *b)
{
	const char *va = meta_version(a), *vb = meta_version(b);
	struct event_view x, y;

	event_view(&x, a);
	event_view(&y, b);
	if (x.last_us != y.last_us)
		return x.last_us < y.last_us ? -1 : 1;
	if (strlen(va) != strlen(vb))
		return strlen(va) < strlen(vb) ? -1 : 1;
	return strcmp(va, vb);
}
