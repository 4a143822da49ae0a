/* The images of a node are collected every now and then, by a process of its own. */

#include <unistd.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/log.h"
#include "node/agent_state.h"
#include "node/image_collect.h"

enum { SWEEP_TRIES = 120 };

static int
do_collect(void *arg, json_t **result, struct err *err)
{
	const struct agent *a = arg;
	struct collected did;
	int r =
	    images_collect(a->host->images, &a->host->o.collect, (double)clock_now(), &did, err);

	if (did.images > 0 && r == 0)
		*result = json_pack(
		    "{s:I, s:I}", "images", (json_int_t)did.images, "bytes", (json_int_t)did.bytes);
	return r;
}

static int
do_sweep(void *arg, json_t **result, struct err *err)
{
	int r;

	(void)result;
	for (int tries = 0; (r = images_sweep(arg, err)) == 1 && tries < SWEEP_TRIES; tries++)
		sleep(1);
	return r < 0 ? r : 0; /* else the next collection does it */
}

/* What a pull of the node before us has left. */
void
collect_begin(struct agent *a)
{
	struct err err;

	if (!images_left(a->host->images))
		return;
	if (job_start(&a->collecting, do_sweep, a->host->images, &err) < 0)
		log_line("cannot remove what is left of a pull: %s", err.msg);
	else
		watch(a, a->collecting.fd);
}

static void
node_event(struct agent *a, const char *reason, const char *message)
{
	log_line("%s: %s", reason, message);
	if (a->hooks.node_event)
		a->hooks.node_event(a->hooks.arg, "Warning", reason, message);
}

/* As the kubelet: too little to remove is told at once, failing at all when it is twice in a row.
 */
void
collect_done(struct agent *a)
{
	json_auto_t *did = NULL;
	struct err err;
	int r;

	unwatch(a, a->collecting.fd);
	r = job_end(&a->collecting, &did, &err);
	if (did)
		log_line("removed %lld unused images, %lld bytes",
		    (long long)num(get(did, "images"), 0), (long long)num(get(did, "bytes"), 0));
	if (r == -ERR_UNAVAILABLE)
		node_event(a, "FreeDiskSpaceFailed", err.msg);
	if (r < 0 && a->collect_failed)
		node_event(a, "ImageGCFailed", err.msg);
	a->collect_failed = r < 0;
}

void
collect_step(struct agent *a, double now)
{
	double every = a->host->o.collect_every;
	struct err err;

	if (every <= 0)
		return;
	if (a->collect_at == 0 || a->collect_at > now + every) /* the clock was set back */
		a->collect_at = now + every;
	if (now >= a->collect_at) {
		a->collect_at = now + every;
		if (a->collecting.pid) /* it waits for a pull to end */
			;
		else if (job_start(&a->collecting, do_collect, a, &err) < 0)
			log_line("cannot collect images: %s", err.msg);
		else
			watch(a, a->collecting.fd);
	}
	if (a->collect_at < a->wake)
		a->wake = a->collect_at;
}
