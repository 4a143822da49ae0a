/*
 * What is said of a pod: strategic merge patches, as a kubelet sends them, with the conditions that
 * change and no others.  The uid goes along, so that no other pod of the name is meant.
 */
#include <string.h>

#include "base/jsonl.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "simnode/private.h"

/* How all containers of a kind are. */
enum look { LOOK_CREATING, LOOK_INITIALIZING, LOOK_RUNNING, LOOK_ENDED, LOOK_WELL, LOOK_BACKOFF };

static const struct {
	const char *reason;
	int code;
} ends[] = {
	[END_NONE] = { "Completed", 0 },
	[END_DONE] = { "Completed", 0 },
	[END_FAILED] = { "Error", 1 },
	[END_STOPPED] = { "Error", 143 }, /* SIGTERM */
	[END_UNKNOWN] = { "ContainerStatusUnknown", 137 },
};

static void
add_text(struct buf *b, const char *key, const char *value)
{
	buf_printf(b, "\"%s\":", key);
	json_add_string(b, value, strlen(value));
}

/* ID of a container's nth run: made of what it is. */
static void
add_id(struct buf *b, const struct pod *p, const char *name, unsigned run)
{
	uint64_t h = text_hash(pod_uid(p), strlen(pod_uid(p)), TEXT_HASH_SEED);

	h = text_hash(name, strlen(name), h);
	h = text_hash(&run, sizeof run, h);
	buf_printf(b, "\"containerID\":\"orch://simulated-%016llx\"", (unsigned long long)h);
}

static void
add_terminated(struct buf *b, const struct pod *p, const char *name, unsigned nth, enum pod_end end,
    int64_t started, int64_t ended)
{
	char begun[TIME_TEXT], over[TIME_TEXT];

	buf_printf(b, "{\"terminated\":{\"exitCode\":%d,\"reason\":\"%s\"", ends[end].code,
	    ends[end].reason);
	if (started)
		buf_printf(b, ",\"startedAt\":\"%s\"", time_print(started, begun));
	buf_printf(b, ",\"finishedAt\":\"%s\",", time_print(ended, over));
	add_id(b, p, name, nth);
	buf_puts(b, "}}");
}

static void
add_state(struct buf *b, const struct pod *p, char kind, const char *name, enum look look,
    int64_t now, const char *why)
{
	char when[TIME_TEXT];

	buf_puts(b, "\"state\":");
	switch (look) {
	case LOOK_CREATING:
		buf_puts(b, "{\"waiting\":{\"reason\":\"ContainerCreating\"}}");
		break;
	case LOOK_INITIALIZING:
		buf_puts(b, "{\"waiting\":{\"reason\":\"PodInitializing\"}}");
		break;
	case LOOK_RUNNING:
		buf_printf(b, "{\"running\":{\"startedAt\":\"%s\"}}", time_print(now, when));
		break;
	case LOOK_ENDED:
		add_terminated(b, p, name, p->restarts, p->end, p->started, now);
		break;
	case LOOK_WELL: /* an init container, before the others began */
		add_terminated(b, p, name, 0, END_DONE, 0, p->started ? p->started : now);
		break;
	case LOOK_BACKOFF:
		buf_puts(b, "{\"waiting\":{\"reason\":\"CrashLoopBackOff\",");
		add_text(b, "message", why);
		buf_puts(b, "}},\"lastState\":");
		add_terminated(b, p, name, p->restarts, p->end, p->started, now);
		return;
	}
	if (kind == C_APP && p->restarts > 0 && p->last_ended) {
		buf_puts(b, ",\"lastState\":");
		add_terminated(
		    b, p, name, p->restarts - 1U, END_FAILED, p->last_started, p->last_ended);
	}
}

static void
add_container(struct buf *b, const struct pod *p, char kind, const char *name, const char *image,
    enum look look, int64_t now, const char *why)
{
	bool ready = look == LOOK_RUNNING || (kind == C_INIT && look == LOOK_WELL);
	unsigned restarts = kind == C_APP ? p->restarts : 0;

	buf_putc(b, '{');
	add_text(b, "name", name);
	buf_putc(b, ',');
	add_text(b, "image", image);
	buf_printf(b, ",\"imageID\":\"%s\",\"restartCount\":%u,\"ready\":%s,\"started\":%s,",
	    look == LOOK_CREATING || look == LOOK_INITIALIZING ? "" : "simulated", restarts,
	    ready ? "true" : "false", look == LOOK_RUNNING ? "true" : "false");
	if (look != LOOK_CREATING && look != LOOK_INITIALIZING) {
		add_id(b, p, name, p->restarts);
		buf_putc(b, ',');
	}
	add_state(b, p, kind, name, look, now, why);
	buf_putc(b, '}');
}

/* Init containers have done what they do when the others begin. */
static enum look
look_of(const struct pod *p, char kind, enum look apps, bool init)
{
	if (apps == LOOK_CREATING)
		return !init ? LOOK_CREATING : kind == C_APP ? LOOK_INITIALIZING : LOOK_CREATING;
	if (kind == C_INIT)
		return apps == LOOK_ENDED && p->end == END_UNKNOWN ? LOOK_ENDED : LOOK_WELL;
	if (kind == C_SIDECAR && apps == LOOK_BACKOFF)
		return LOOK_RUNNING;
	return apps;
}

static void
add_containers(
    struct buf *b, const struct pod *p, bool apps, enum look look, int64_t now, const char *why)
{
	const char *at = p->text + p->containers_at;
	bool init = p->containers > 0 && *at != C_APP; /* they come first */
	bool any = false;

	for (unsigned i = 0; i < p->containers; i++) {
		char kind = *at;
		const char *name = at + 1, *image = name + strlen(name) + 1;

		at = image + strlen(image) + 1;
		if ((kind == C_APP) != apps)
			continue;
		buf_puts(b, any	   ? ","
			    : apps ? ",\"containerStatuses\":["
				   : ",\"initContainerStatuses\":[");
		any = true;
		add_container(b, p, kind, name, image, look_of(p, kind, look, init), now, why);
	}
	if (any)
		buf_putc(b, ']');
}

/* reason NULL: it is True; "": False without one. */
static void
add_condition(struct buf *b, const char *type, const char *reason, const char *now)
{
	buf_printf(b,
	    "{\"type\":\"%s\",\"status\":\"%s\",\"lastTransitionTime\":\"%s\",\"reason\":", type,
	    reason ? "False" : "True", now);
	if (reason && *reason)
		buf_printf(b, "\"%s\"}", reason);
	else
		buf_puts(b, "null,\"message\":null}");
}

static void
begin(struct buf *b, const struct pod *p, const char *phase)
{
	buf_puts(b, "{\"metadata\":{");
	add_text(b, "uid", pod_uid(p));
	buf_printf(b, "},\"status\":{\"phase\":\"%s\",\"conditions\":[", phase);
}

/* What a node says of a pod at first: where it is, and since when. */
static void
add_place(struct buf *b, const struct pod *p, const char *now)
{
	unsigned hi = 128 + p->node / 256, lo = p->node % 256;

	if (!p->begun)
		buf_printf(b,
		    ",\"startTime\":\"%s\",\"hostIP\":\"10.%u.%u.1\",\"hostIPs\":[{\"ip\":"
		    "\"10.%u.%u.1\"}]",
		    now, hi, lo, hi, lo);
}

static char *
finish_body(struct buf *b, const struct pod *p, enum look look, int64_t now, const char *why)
{
	add_containers(b, p, false, look, now, why);
	add_containers(b, p, true, look, now, why);
	buf_puts(b, "}}");
	return buf_detach(b);
}

char *
status_creating(const struct pod *p, int64_t now)
{
	struct buf b = BUF_INIT;
	char when[TIME_TEXT];
	bool init = p->containers > 0 && p->text[p->containers_at] != C_APP;

	time_print(now, when);
	begin(&b, p, "Pending");
	add_condition(&b, "Initialized", init ? "ContainersNotInitialized" : NULL, when);
	buf_putc(&b, ',');
	add_condition(&b, "Ready", "ContainersNotReady", when);
	buf_putc(&b, ',');
	add_condition(&b, "ContainersReady", "ContainersNotReady", when);
	buf_putc(&b, ']');
	add_place(&b, p, when);
	return finish_body(&b, p, LOOK_CREATING, now, NULL);
}

char *
status_running(const struct pod *p, int64_t now)
{
	struct buf b = BUF_INIT;
	char when[TIME_TEXT];
	unsigned last = p->host_network ? 1 : p->host;

	time_print(now, when);
	begin(&b, p, "Running");
	if (!p->ran) {
		add_condition(&b, "PodReadyToStartContainers", NULL, when);
		buf_putc(&b, ',');
		add_condition(&b, "Initialized", NULL, when);
		buf_putc(&b, ',');
	}
	add_condition(&b, "Ready", NULL, when);
	buf_putc(&b, ',');
	add_condition(&b, "ContainersReady", NULL, when);
	buf_putc(&b, ']');
	add_place(&b, p, when);
	if (last)
		buf_printf(&b, ",\"podIP\":\"10.%u.%u.%u\",\"podIPs\":[{\"ip\":\"10.%u.%u.%u\"}]",
		    128 + p->node / 256, p->node % 256, last, 128 + p->node / 256, p->node % 256,
		    last);
	return finish_body(&b, p, LOOK_RUNNING, now, NULL);
}

char *
status_backoff(const struct pod *p, int64_t now, double wait)
{
	struct buf b = BUF_INIT;
	char when[TIME_TEXT];
	autofree char *why =
	    xasprintf("back-off %.0fs restarting failed containers of pod %s_%s(%s)", wait,
		pod_named(p), pod_ns(p), pod_uid(p));

	time_print(now, when);
	begin(&b, p, "Running");
	add_condition(&b, "Ready", "ContainersNotReady", when);
	buf_putc(&b, ',');
	add_condition(&b, "ContainersReady", "ContainersNotReady", when);
	buf_putc(&b, ']');
	return finish_body(&b, p, LOOK_BACKOFF, now, why);
}

char *
status_ended(const struct pod *p, int64_t now)
{
	bool well = ends[p->end].code == 0;
	const char *reason = well ? "PodCompleted" : "PodFailed";
	struct buf b = BUF_INIT;
	char when[TIME_TEXT];

	time_print(now, when);
	begin(&b, p, well ? "Succeeded" : "Failed");
	add_condition(&b, "Ready", reason, when);
	buf_putc(&b, ',');
	add_condition(&b, "ContainersReady", reason, when);
	buf_putc(&b, ',');
	add_condition(&b, "PodReadyToStartContainers", "", when);
	buf_putc(&b, ']');
	add_place(&b, p, when);
	return finish_body(&b, p, LOOK_ENDED, now, NULL);
}
