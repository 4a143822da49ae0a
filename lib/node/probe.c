#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "node/files.h"
#include "node/probe.h"
#include "node/probe_net.h"

enum { HOOK_SECONDS = 300 }; /* of a hook that asks somebody */

const char *const probe_fields[PROBES] = { "startupProbe", "livenessProbe", "readinessProbe" };

static int
run(const struct probing *p, double seconds, char **note, struct err *err)
{
	struct reach r = { p->ip, p->container, seconds };
	const json_t *how;

	*note = NULL;
	if ((how = get(p->probe, "httpGet")))
		return reach_http(&r, how, note, err);
	if ((how = get(p->probe, "tcpSocket")))
		return reach_tcp(&r, how, err);
	if ((how = get(p->probe, "grpc")))
		return reach_grpc(&r, how, err);
	if ((how = get(p->probe, "exec")))
		return probe_exec(p, get(how, "command"), seconds, err);
	if ((how = get(p->probe, "sleep"))) {
		sleep((unsigned)num(get(how, "seconds"), 0));
		return 0;
	}
	return err_set(err, ERR_INVALID, "it is none of exec, grpc, httpGet, tcpSocket");
}

int
handler_run(const struct probing *p, struct err *err)
{
	autofree char *ignored = NULL;

	return run(p, get(p->probe, "exec") ? 0 : HOOK_SECONDS, &ignored, err);
}

int
probe_try(void *arg, json_t **result, struct err *err)
{
	const struct probing *p = arg;
	json_int_t seconds = num(get(p->probe, "timeoutSeconds"), 1);
	autofree char *note = NULL;
	int r;

	/* Each keeps time itself, and says what it waited for; this is for what nobody foresaw. */
	alarm((unsigned)seconds + 2);
	r = run(p, (double)seconds, &note, err);
	if (r == -ERR_UNAVAILABLE && get(p->probe, "exec")) { /* nobody could ask it */
		*result = json_pack("{s:s}", "unknown", err->msg);
		return 0;
	}
	if (r == 0 && note)
		*result = json_pack("{s:s}", "note", note); /* none when it is no UTF-8 */
	return r;
}

bool
probe_count(struct probe *p, const json_t *spec, bool success, double now)
{
	json_int_t needed =
	    success ? num(get(spec, "successThreshold"), 1) : num(get(spec, "failureThreshold"), 3);
	bool before = p->good, decided = p->decided;

	p->again = now + (double)num(get(spec, "periodSeconds"), 10);
	if (success)
		p->streak = p->streak > 0 ? p->streak + 1 : 1;
	else
		p->streak = p->streak < 0 ? p->streak - 1 : -1;
	if ((success ? p->streak : -p->streak) < needed)
		return false;
	p->good = success;
	p->decided = true;
	return !decided || before != p->good;
}

void
probe_reset(struct probe *p, const json_t *spec, double now)
{
	job_kill(&p->job);
	free(p->message);
	*p = (struct probe){ .job = { .fd = -1 } };
	p->again = now + (double)num(get(spec, "initialDelaySeconds"), 0);
}
