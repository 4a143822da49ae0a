/* The keeper of a pod that is run by hand. */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/jsonl.h"
#include "base/log.h"
#include "base/mem.h"
#include "kubelet/byhand.h"
#include "kubelet/given.h"
#include "kubelet/shown.h"
#include "node/agent.h"
#include "node/files.h"
#include "node/objects.h"
#include "node/subnet.h"

struct keeper {
	const struct byhand *b;
	const struct keeping *k;
	struct host *host;
	struct agent *agent;
	struct shown *shown;
	json_t *pod, *status;
	int signals;
	unsigned told;	/* how often we were told to end */
	bool begun;	/* a container has run */
	struct err why; /* it cannot be begun: code is not OK */
};

static int
record(const struct byhand *b, const char *file, const json_t *value, struct err *err)
{
	autofree char *path = xasprintf("%s/%s", b->folder, file);
	autofree char *fresh = xasprintf("%s.new", path);
	autobuf struct buf line = BUF_INIT;
	int r;

	jsonl_add(&line, value);
	if ((r = file_write(fresh, line.data, line.len, 0600, err)) < 0)
		return r;
	return rename(fresh, path) < 0 ? err_sys(err, errno, "cannot write '%s'", path) : 0;
}

static int
record_pod(struct keeper *r, struct err *err)
{
	json_auto_t *whole = json_copy(r->pod);

	if (r->status)
		json_object_set(whole, "status", r->status);
	return record(r->b, "pod.json", whole, err);
}

/* --- what the agent says ---------------------------------------------------------------- */

/* Some container waits for what will not come by waiting; its reason and message. */
static void
look_for_trouble(struct keeper *r, const json_t *statuses)
{
	static const struct {
		const char *reason;
		enum err_code code;
	} hopeless[] = { { "ErrImagePull", ERR_UNAVAILABLE },
		{ "ImagePullBackOff", ERR_UNAVAILABLE }, { "ErrImageNeverPull", ERR_INVALID },
		{ "InvalidImageName", ERR_INVALID }, { "ImageInspectError", ERR_INVALID },
		{ "CreateContainerConfigError", ERR_INVALID },
		{ "CreateContainerError", ERR_INVALID } };
	json_t *one;
	size_t i;

	json_array_foreach (statuses, i, one) {
		const json_t *w = get(one, "state", "waiting");

		r->begun = r->begun || !w || get(one, "lastState", "terminated");
		for (size_t k = 0; k < COUNT(hopeless) && !r->why.code; k++)
			if (strcmp(text(w, "reason"), hopeless[k].reason) == 0)
				err_set(&r->why, hopeless[k].code, "container '%s': %s",
				    text(one, "name"), text(w, "message"));
	}
}

static bool
status_changed(void *arg, const json_t *pod, const json_t *status)
{
	struct keeper *r = arg;
	struct err err;

	(void)pod;
	json_decref(r->status);
	r->status = json_incref((json_t *)status);
	if (record_pod(r, &err) < 0)
		log_line("%s", err.msg);
	look_for_trouble(r, get(status, "initContainerStatuses"));
	look_for_trouble(r, get(status, "containerStatuses"));
	if (r->k->changed)
		r->k->changed(r->k->arg, status);
	return true;
}

static void
heard(void *arg, const json_t *pod, const char *field, const char *type, const char *reason,
    const char *message)
{
	struct keeper *r = arg;

	(void)pod;
	if (r->k->warning && strcmp(type, "Normal") != 0) {
		autofree char *said =
		    xasprintf("%s%s%s", field ? field : "", field ? ": " : "", message);

		r->k->warning(r->k->arg, reason, said);
	}
	if ((strcmp(reason, "FailedCreatePodSandBox") == 0 || strcmp(reason, "FailedMount") == 0) &&
	    !r->why.code)
		err_set(&r->why, ERR_UNAVAILABLE, "%s", message);
}

static bool
let_go(void *arg, const json_t *pod)
{
	(void)arg;
	(void)pod;
	return true;
}

static json_t *
look_up(void *arg, const char *kind, const char *ns, const char *name)
{
	struct keeper *r = arg;

	return given_get(r->k->world, kind, ns, name);
}

/* --- the loop ------------------------------------------------------------------------------ */

static void
take_signals(struct keeper *r)
{
	struct signalfd_siginfo info;

	while (read(r->signals, &info, sizeof info) == (ssize_t)sizeof info)
		agent_stop_all(r->agent, r->told++ ? 0 : -1);
}

static void
loop(struct keeper *r)
{
	bool ending = false;

	for (;;) {
		struct pollfd fds[] = { { .fd = agent_fd(r->agent), .events = POLLIN },
			{ .fd = r->signals, .events = POLLIN },
			{ .fd = r->shown ? shown_fd(r->shown) : -1, .events = POLLIN } };
		bool hopeless, over;
		double wait;

		agent_step(r->agent);
		if (r->shown)
			shown_print(r->shown);
		hopeless = r->why.code && !r->begun && r->k->give_up;
		over = agent_idle(r->agent);
		if (!ending && (hopeless || over)) {
			ending = true;
			agent_stop_all(r->agent, hopeless ? 0 : -1);
			continue;
		}
		if (agent_pods(r->agent) == 0)
			return;
		wait = agent_wait(r->agent);
		poll(fds, COUNT(fds), wait < 0 ? 60000 : (int)ceil(wait * 1000));
		take_signals(r);
	}
}

static int
open_signals(struct keeper *r, struct err *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	r->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return r->signals < 0 ? err_sys(err, errno, "cannot watch for signals") : 0;
}

static int
begin(struct keeper *r, const char *cidr, struct err *err)
{
	struct agent_hooks hooks = { .arg = r,
		.status = status_changed,
		.gone = let_go,
		.lookup = look_up,
		.event = heard };
	struct host_options o = r->k->host;
	struct proc self;
	json_auto_t *keeper = NULL;
	int e;

	o.name = meta_name(r->pod);
	o.data = r->b->folder;
	o.pod_cidr = cidr;
	o.keep_logs = true;
	if ((e = mkdir_all(r->b->folder, 0711, err)) < 0)
		return e;
	proc_identify(getpid(), &self);
	keeper = json_pack("{s:i, s:I}", "pid", (int)self.pid, "start", (json_int_t)self.start);
	if ((e = record(r->b, "keeper.json", keeper, err)) < 0 || (e = record_pod(r, err)) < 0 ||
	    (e = host_open(&r->host, &o, err)) < 0 || (e = host_set_cidr(r->host, cidr, err)) < 0 ||
	    (e = agent_open(&r->agent, r->host, &hooks, err)) < 0 ||
	    (r->k->show && (e = shown_open(&r->shown, r->host, r->pod, err)) < 0) ||
	    (e = agent_set(r->agent, r->pod, err)) < 0)
		return e;
	agent_settle(r->agent);
	return open_signals(r, err);
}

int
byhand_keep(const struct byhand *b, const struct keeping *k, json_t **status, struct err *err)
{
	struct keeper r = { .b = b, .k = k, .signals = -1 };
	autofree char *cidr = NULL;
	int lock = -1, e;

	r.pod = json_deep_copy(k->pod);
	pod_complete(r.pod, meta_name(r.pod));
	given_bind(k->world, r.pod);
	if ((e = subnet_take(&cidr, &lock, err)) == 0 && (e = begin(&r, cidr, err)) == 0)
		loop(&r);
	shown_close(r.shown);
	agent_close(r.agent);
	if (r.host)
		agent_clean(r.host, &(struct err){ 0 });
	host_close(r.host);
	if (r.signals >= 0)
		close(r.signals);
	if (lock >= 0)
		close(lock);
	json_decref(r.pod);
	if (e == 0 && r.why.code && !r.begun) {
		*err = r.why;
		e = -(int)r.why.code;
	}
	if (e == 0)
		*status = r.status;
	else
		json_decref(r.status);
	return e;
}
