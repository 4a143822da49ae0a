/* orch-probe - try health checks by hand: those of pods, or of an address. */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "api/object.h"
#include "base/cli.h"
#include "base/clock.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/container.h"
#include "node/pod.h"

enum { AT_ONCE = 64 };

static const char *data = "/var/lib/orch", *runtime, *container, *kinds, *timeout_arg;
static bool watch;

static const struct opt opts[] = {
	{ 'c', "container", "NAME", "only this container's probes", &container, false },
	{ 0, "probe", "KIND,...", "only startup, liveness, readiness", &kinds, false },
	{ 't', "timeout", "DURATION", "a try's time (the probe's, 1s for a URL)", &timeout_arg,
	    false },
	{ 'w', "watch", NULL, "go on as the probes say, with verdicts", &watch, false },
	{ 0, "data", "DIR", "exec: the node's data folder (/var/lib/orch)", &data, false },
	{ 0, "runtime", "crun|runc|PATH", "exec: the node's container runtime", &runtime, false },
	{ 0 },
};

const struct program self = {
	.name = "orch-probe",
	.synopsis = "[-w] [-t DURATION] [-c NAME] [--probe KIND,...]\n"
		    "[-w] [-t DURATION] URL...",
	.summary = "Try health checks by hand: those of pods, or of an address.",
	.opts = opts,
};

/* One probe of one container, or one URL. */
struct check {
	json_t *name;  /* what its lines begin with */
	json_t *probe; /* a Probe */
	const json_t *container;
	char *ip, *id, *bundle;
	struct probe state;
	double begun;
	bool done, good;
};

static struct check **checks;
static size_t n, cap;
static struct host *host;
static json_t *pods; /* what checks point into */

static struct check *
add(json_t *name, const json_t *probe)
{
	struct check *c = xcalloc(1, sizeof *c);

	c->name = name;
	c->probe = json_deep_copy(probe);
	c->state.job.fd = -1;
	if (timeout_arg)
		put(c->probe, json_integer((json_int_t)ceil(cli_duration("timeout", timeout_arg))),
		    "timeoutSeconds");
	if (n == cap)
		checks = xreallocarray(checks, cap = cap ? cap * 2 : 16, sizeof *checks);
	checks[n++] = c;
	return c;
}

/* --- a URL: the same as a probe's handler ----------------------------------------------- */

static json_t *
handler(const char *scheme, const char *host_name, int port, const char *rest)
{
	json_t *how = json_pack("{s:s, s:i}", "host", host_name, "port", port), *probe;
	const char *field = strcmp(scheme, "tcp") == 0	  ? "tcpSocket"
			    : strcmp(scheme, "grpc") == 0 ? "grpc"
							  : "httpGet";

	if (!how)
		return NULL;
	if (strcmp(field, "grpc") == 0) {
		json_object_set_new(how, "service", json_string(*rest ? rest + 1 : ""));
	} else if (strcmp(field, "httpGet") == 0) {
		json_object_set_new(
		    how, "scheme", json_string(strcmp(scheme, "https") == 0 ? "HTTPS" : "HTTP"));
		json_object_set_new(how, "path", json_string(*rest ? rest : "/"));
	}
	probe = json_pack("{s:o}", field, how);
	return probe;
}

static void
add_url(const char *url)
{
	static const struct {
		const char *scheme;
		int port;
	} schemes[] = { { "http", 80 }, { "https", 443 }, { "tcp", 0 }, { "grpc", 0 } };
	const char *colon = strstr(url, "://"), *start = colon ? colon + 3 : url;
	autofree char *scheme = xstrndup(url, colon ? (size_t)(colon - url) : 0);
	autofree char *where = xstrndup(start, strcspn(start, "/"));
	char *port = strrchr(where, ':'), *name = where;
	json_auto_t *probe = NULL;
	long long number = -1;

	for (size_t i = 0; i < COUNT(schemes); i++)
		if (strcmp(scheme, schemes[i].scheme) == 0)
			number = schemes[i].port;
	if (number < 0)
		die(NULL, "cannot try '%s': it begins with none of http:// https:// tcp:// grpc://",
		    url);
	if (*name == '[' && (port = strchr(name, ']'))) { /* RFC 3986 section 3.2.2 */
		*port++ = '\0';
		name++;
	}
	if (port && *port == ':') {
		*port++ = '\0';
		if (!text_int(port, &number))
			number = 0;
	}
	if (number < 1 || number > 65535)
		die(NULL, "cannot try '%s': it has no port from 1 to 65535", url);
	probe = handler(scheme, name, (int)number, start + strcspn(start, "/"));
	if (!*name || !probe)
		die(NULL, "cannot try '%s': it has no host", url);
	add(json_pack("{s:s}", "url", url), probe)->ip = xstrdup("");
}

/* --- pods ------------------------------------------------------------------------------- */

/* What an exec probe needs: the container as the node has it. */
static int
find_container(struct check *c, const json_t *pod, struct err *err)
{
	const char *name = text(c->container, "name"), *uid = meta_uid(pod);
	struct pod *record;
	char id[40];
	int r;

	if (!host && (r = host_peek(&host, data, runtime, err)) < 0)
		return r;
	if ((r = pod_load(&record, host, uid, err)) < 0)
		return r;
	for (size_t i = 0; i < record->n; i++)
		if (strcmp(record->c[i].name, name) == 0) {
			unsigned attempt = record->c[i].attempt;

			c->id = xstrdup(container_id(uid, name, attempt, id));
			c->bundle = host_path(host, "pods/%s/containers/%s-%u", uid, name, attempt);
		}
	pod_free(record);
	return c->id ? 0 : err_set(err, ERR_NOT_FOUND, "the node knows no such container");
}

static bool
wanted(const char *kind)
{
	autofree char *copy = xstrdup(kinds ? kinds : "");

	for (char *rest = copy, *word; (word = strsep(&rest, ","));)
		if (strcmp(word, kind) == 0)
			return true;
	return !kinds;
}

static int
add_probe(const json_t *pod, const json_t *one, int which)
{
	static const char *const words[PROBES] = { "startup", "liveness", "readiness" };
	const json_t *probe = get(one, probe_fields[which]);
	autofree char *label = xasprintf(
	    "%s/%s", *meta_namespace(pod) ? meta_namespace(pod) : "default", meta_name(pod));
	struct check *c;
	struct err err;

	if (!probe || !wanted(words[which]))
		return 0;
	c = add(json_pack("{s:s, s:s, s:s}", "pod", label, "container", text(one, "name"), "probe",
		    words[which]),
	    probe);
	c->container = one;
	c->ip = xstrdup(text(pod, "status", "podIP"));
	if (get(probe, "exec") ? find_container(c, pod, &err) < 0 : !*c->ip) {
		if (!get(probe, "exec"))
			err_set(&err, ERR_UNAVAILABLE, "it has no address yet");
		c->done = true;
		complain(&err, "cannot try the %s probe of pod '%s', container '%s'", words[which],
		    label, text(one, "name"));
		return 3;
	}
	return 0;
}

static int
add_pod(json_t *pod)
{
	static const char *const lists[] = { "initContainers", "containers" };
	int status = 0;
	json_t *one;
	size_t i;

	json_array_append_new(pods, pod);
	for (size_t l = 0; l < COUNT(lists); l++)
		json_array_foreach (get(pod, "spec", lists[l]), i, one)
			for (int w = 0; w < PROBES; w++)
				if (!container || strcmp(container, text(one, "name")) == 0)
					status |= add_probe(pod, one, w);
	return status;
}

static int
read_pods(void)
{
	struct objects *in = objects_open(stdin, "standard input");
	int status = 0, r;
	struct err err;
	json_t *obj;

	while ((r = objects_read(in, &obj, &err)) > 0) {
		if (strcmp(text(obj, "kind"), "Pod") == 0) {
			status |= add_pod(obj);
			continue;
		}
		warn("%s: a %s has no probes: left out", objects_where(in), text(obj, "kind"));
		json_decref(obj);
	}
	objects_close(in);
	if (r < 0)
		die(&err, "cannot read the pods");
	return status;
}

/* --- trying ------------------------------------------------------------------------------ */

static void
begin(struct check *c, double now)
{
	struct probing in = { host, c->probe, c->container, c->ip, c->id, c->bundle };
	struct err err;

	c->begun = now;
	if (job_start(&c->state.job, probe_try, &in, &err) < 0)
		die(&err, "cannot try a probe");
}

static void
end(struct check *c, double now)
{
	json_auto_t *line = json_deep_copy(c->name), *result = NULL;
	double took = now - c->begun;
	struct err err;

	c->good = job_end(&c->state.job, &result, &err) == 0;
	probe_count(&c->state, c->probe, c->good, now);
	json_object_set_new(line, "ok", json_boolean(c->good));
	json_object_set_new(line, "seconds", json_real(round(took * 1e6) / 1e6));
	if (!c->good)
		json_object_set_new(line, "message", json_string(err.msg));
	else if (*text(result, "note"))
		json_object_set_new(line, "message", json_string(text(result, "note")));
	if (watch)
		json_object_set_new(line, "verdict",
		    json_string(!c->state.decided ? "none yet"
				: c->state.good	  ? "good"
						  : "bad"));
	jsonl_write(stdout, line);
	if (!flush_output())
		exit(finish(0));
	c->done = !watch;
}

/* Begin what is due, wait for what runs.  False when nothing is left to do. */
static bool
turn(void)
{
	struct pollfd fds[AT_ONCE];
	struct check *of[AT_ONCE];
	double now = clock_monotonic(), wake = INFINITY;
	size_t running = 0;

	for (size_t i = 0; i < n; i++)
		if (checks[i]->state.job.pid)
			running++;
	for (size_t i = 0; i < n && running < AT_ONCE; i++) {
		struct check *c = checks[i];

		if (c->done || c->state.job.pid)
			continue;
		if (c->state.again <= now) {
			begin(c, now);
			running++;
		} else {
			wake = fmin(wake, c->state.again);
		}
	}
	if (running == 0 && isinf(wake))
		return false;
	running = 0;
	for (size_t i = 0; i < n; i++)
		if (checks[i]->state.job.pid) {
			of[running] = checks[i];
			fds[running++] =
			    (struct pollfd){ .fd = checks[i]->state.job.fd, .events = POLLIN };
		}
	poll(fds, running, isinf(wake) ? -1 : (int)ceil(fmax(wake - now, 0) * 1000));
	for (size_t i = 0; i < running; i++)
		if (fds[i].revents && job_read(&of[i]->state.job))
			end(of[i], clock_monotonic());
	return true;
}

static void
release(void)
{
	for (size_t i = 0; i < n; i++) {
		struct check *c = checks[i];

		json_decref(c->name);
		json_decref(c->probe);
		free(c->ip);
		free(c->id);
		free(c->bundle);
		free(c->state.message);
		free(c);
	}
	free(checks);
	json_decref(pods);
	host_close(host);
}

static void
check_kinds(void)
{
	static const char *const known[] = { "startup", "liveness", "readiness", NULL };
	autofree char *copy = xstrdup(kinds ? kinds : "liveness");

	for (char *rest = copy, *word; (word = strsep(&rest, ","));)
		if (!text_in(word, known))
			die(NULL,
			    "cannot use --probe=%s: '%s' is none of startup, liveness, "
			    "readiness",
			    kinds, word);
}

int
main(int argc, char *argv[])
{
	int first = cli_parse(argc, argv), status = 0;

	check_kinds();
	signal(SIGPIPE, SIG_IGN);
	pods = json_array();
	for (char **url = argv + first; *url; url++)
		add_url(*url);
	if (!argv[first])
		status = read_pods();
	while (turn())
		;
	for (size_t i = 0; i < n && !status; i++)
		status = !checks[i]->good;
	release();
	return finish(status);
}
