/* What is told of pods and containers, in the kubelet's words; the container is in the event's
 * fieldPath, not in its message. */
#include <stdarg.h>
#include <string.h>

#include "api/meta.h"
#include "base/log.h"
#include "base/mem.h"
#include "node/agent_state.h"

static void
say(struct agent *a, const struct pod *p, const char *field, const char *type, const char *reason,
    const char *message)
{
	if (strcmp(type, "Normal") != 0)
		log_line(
		    "pod %s: %s%s%s", p->label, field ? field : "", field ? ": " : "", message);
	if (a->hooks.event)
		a->hooks.event(a->hooks.arg, p->object, field, type, reason, message);
}

void
tell(struct agent *a, const struct pod *p, const char *type, const char *reason, const char *fmt,
    ...)
{
	autofree char *message = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&message, fmt, ap) < 0)
		abort();
	va_end(ap);
	say(a, p, NULL, type, reason, message);
}

void
tell_of(struct agent *a, const struct pod *p, const struct container *c, const char *type,
    const char *reason, const char *fmt, ...)
{
	static const char *const lists[] = { [INIT] = "initContainers",
		[SIDECAR] = "initContainers",
		[APP] = "containers",
		[EPHEMERAL] = "ephemeralContainers" };
	autofree char *message = NULL, *field = xasprintf("spec.%s{%s}", lists[c->kind], c->name);
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&message, fmt, ap) < 0)
		abort();
	va_end(ap);
	say(a, p, field, type, reason, message);
}

/* As Go prints a duration in milliseconds: "345ms", "1.234s", "1m2.5s". */
static const char *
go_duration(double seconds, char buf[static 32])
{
	int whole = (int)(seconds / 60);

	if (seconds < 1)
		snprintf(buf, 32, "%.0fms", seconds * 1000);
	else if (whole > 0)
		snprintf(
		    buf, 32, "%dm%gs", whole, (double)(int)((seconds - whole * 60) * 1000) / 1000);
	else
		snprintf(buf, 32, "%gs", (double)(int)(seconds * 1000) / 1000);
	return buf;
}

void
tell_pulling(struct agent *a, const struct pod *p, struct container *c)
{
	const char *policy = text(c->spec, "imagePullPolicy"), *name = text(c->spec, "image");
	struct image image;
	struct err ignored;
	bool there = image_find(a->host->images, name, &image, &ignored) == 0;

	if (there) {
		there = image_whole(a->host->images, &image, &ignored) == 0;
		image_release(&image);
	}
	c->pulling = strcmp(policy, "Never") != 0 && (!there || strcmp(policy, "Always") == 0);
	if (c->pulling)
		tell_of(a, p, c, "Normal", "Pulling", "Pulling image \"%s\"", name);
}

void
tell_pulled(struct agent *a, const struct pod *p, const struct container *c, const json_t *result)
{
	const char *name = text(c->spec, "image");
	double took = json_number_value(get(result, "pullSeconds"));
	char buf[32];

	if (!get(result, "imageSize")) /* there was none to be had */
		return;
	if (!c->pulling) {
		tell_of(a, p, c, "Normal", "Pulled",
		    "Container image \"%s\" already present on machine and can be accessed by the "
		    "pod",
		    name);
		return;
	}
	go_duration(took, buf);
	tell_of(a, p, c, "Normal", "Pulled",
	    "Successfully pulled image \"%s\" in %s (%s including waiting). Image size: %lld "
	    "bytes.",
	    name, buf, buf, (long long)num(get(result, "imageSize"), 0));
}
