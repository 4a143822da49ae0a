/* What is known of a pod goes to the disk, and to who wants it to run. */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "node/agent_state.h"

enum { SAVE_RETRY = 5 };

int
pod_record(struct agent *a, struct pod *p, double now, struct err *err)
{
	int r = pod_save(p, err);

	if (r == 0) {
		if (p->unsaved > 0)
			log_line("pod %s: it is recorded again", p->label);
		p->unsaved = 0;
		return 0;
	}
	if (p->unsaved == 0) /* once, however often it is tried */
		tell(a, p, "Warning", "FailedRecord", "Cannot record the state of the pod: %s",
		    err->msg);
	p->unsaved = now + SAVE_RETRY;
	return r;
}

void
pod_report(struct agent *a, struct pod *p, double now)
{
	bool late = p->unsaved > 0 && now >= p->unsaved;
	json_auto_t *status = NULL;
	struct err ignored;

	if (p->retired || (!p->dirty && !late)) {
		if (p->unsaved > 0 && p->unsaved < a->wake)
			a->wake = p->unsaved;
		return;
	}
	status = pod_status(p, clock_now());
	if (json_equal(status, p->status)) {
		p->dirty = false;
	} else if (!p->wanted || a->hooks.status(a->hooks.arg, p->object, status)) {
		json_decref(p->status);
		p->status = json_incref(status);
		p->dirty = false;
	} else if (a->wake > now + 1) {
		a->wake = now + 1; /* not passed on: again in a moment */
	}
	pod_record(a, p, now, &ignored);
	if (p->unsaved > 0 && p->unsaved < a->wake)
		a->wake = p->unsaved;
}
