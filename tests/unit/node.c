/* What a node decides, without containers: image references, the next step of a pod, its phase. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/crilog.h"
#include "base/mem.h"
#include "node/digest.h"
#include "node/files.h"
#include "node/names.h"
#include "node/pod.h"
#include "node/reference.h"
#include "node/spec.h"

static int failed;

static void
same(const char *what, const char *got, const char *want)
{
	if (strcmp(got, want) == 0)
		return;
	printf("node: %s: got '%s', want '%s'\n", what, got, want);
	failed = 1;
}

static void
check(const char *what, bool ok)
{
	same(what, ok ? "true" : "false", "true");
}

#define HEX "0123456789012345678901234567890123456789012345678901234567890123"

static void
references(void)
{
	static const char *const t[][2] = {
		{ "busybox", "docker.io/library/busybox:latest" },
		{ "web:1", "docker.io/library/web:1" },
		{ "team/web", "docker.io/team/web:latest" },
		{ "docker.io/web:1", "docker.io/library/web:1" },
		{ "index.docker.io/web:1", "docker.io/library/web:1" },
		{ "localhost/web", "localhost/web:latest" },
		{ "localhost:5000/web", "localhost:5000/web:latest" },
		{ "host:5000/a/b/c:v1.2_x-y", "host:5000/a/b/c:v1.2_x-y" },
		{ "registry.k8s.io/pause:3.9", "registry.k8s.io/pause:3.9" },
		{ "web@sha256:" HEX, "docker.io/library/web@sha256:" HEX },
		{ "web:1@sha256:" HEX, "docker.io/library/web@sha256:" HEX },
	};
	static const char *const bad[] = { "", ":", "UPPER", "a//b", "a/", "-a", "a:b:c",
		"a:", "a@sha256:1", "web:1:2:3", "a b", "web@md5:1", "../x", "a/../b", "host.x/",
		"web:" HEX HEX "x" };
	struct err err;

	for (size_t i = 0; i < COUNT(t); i++) {
		autofree char *got = NULL;

		if (reference_complete(&got, t[i][0], &err) < 0)
			same(t[i][0], err.msg, t[i][1]);
		else
			same(t[i][0], got, t[i][1]);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		autofree char *got = NULL;

		check(bad[i], reference_complete(&got, bad[i], &err) == -ERR_INVALID);
	}
}

static void
small_things(void)
{
	json_auto_t *env = json_pack("[s, s]", "A=1", "LONG=a b");
	autofree char *x = environment_expand("$(A)-$(LONG)-$(NO)-$$(A)-$-$(", env);
	char digest[DIGEST_TEXT];

	same("expand", x, "1-a b-$(NO)-$(A)-$-$(");
	same("digest", digest_of("abc", 3, digest),
	    "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	check("below", name_is_below("a/b..c/..d") && !name_is_below("a/../b") &&
			   !name_is_below("..") && !name_is_below("/a") && !name_is_below("") &&
			   !name_is_below("a/.."));
}

/* --- a pod through its life, by hand ----------------------------------------------------- */

static struct host host = { .key = "n-1",
	.o = { .name = "n", .data = "/nonexistent", .backoff = 10 } };

static struct pod *
make(const char *text_of_spec)
{
	json_auto_t *spec = json_loads(text_of_spec, 0, NULL), *object = NULL;
	struct pod *p = NULL;
	struct err err;

	object = json_pack("{s:s, s:s, s:{s:s, s:s, s:s}, s:O}", "apiVersion", "v1", "kind", "Pod",
	    "metadata", "name", "p", "namespace", "default", "uid", "u", "spec", spec);
	if (pod_new(&p, &host, object, &err) < 0) {
		printf("node: %s\n", err.msg);
		exit(1);
	}
	p->wanted = true;
	return p;
}

static const char *
next(const struct pod *p, double now)
{
	static const char *const names[] = { "none", "sandbox", "start", "term", "kill", "teardown",
		"gone", "renew", "measure", "resize", "again" };
	static char said[32];
	double wake = INFINITY;
	size_t which = 99;
	enum step step = pod_next(p, now, &which, &wake);

	if (step == STEP_START || step == STEP_TERM || step == STEP_KILL || step == STEP_AGAIN)
		snprintf(said, sizeof said, "%s %zu", names[step], which);
	else if (step == STEP_NONE && !isinf(wake))
		snprintf(said, sizeof said, "none until %.0f", wake);
	else
		snprintf(said, sizeof said, "%s", names[step]);
	return said;
}

static void
ended(struct container *c, int code, double when)
{
	c->state = EXITED;
	c->code = code;
	c->ended_at = when;
}

/* Asked to end for another image by a node that was killed: the next one asks again. */
static void
begun_again(void)
{
	struct pod *p = make("{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}");

	p->sandbox = SANDBOX;
	p->c[0].state = p->c[1].state = RUNNING;
	p->c[1].renewing = true;
	same("another image", next(p, 100), "again 1");
	p->c[1].term_sent = true;
	p->c[1].kill_by = 130;
	same("asked", next(p, 100), "none until 130");
	same("deaf", next(p, 130), "kill 1");
	ended(&p->c[1], 0, 131);
	same("at once", next(p, 131), "start 1");
	p->resize.again = 150; /* no process was to be had */
	p->resize.group.memory = 1;
	p->c[1].state = RUNNING;
	p->c[1].renewing = false;
	p->c[1].kill_by = 0;
	same("not for ever at it", next(p, 132), "none until 150");
	same("and then", next(p, 150), "resize");
	pod_free(p);
}

static void
simple_life(void)
{
	struct pod *p = make("{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}");

	same("new", next(p, 100), "sandbox");
	same("new", pod_phase(p), "Pending");
	p->sandbox = SANDBOX;
	same("first", next(p, 100), "start 0");
	p->c[0].state = RUNNING;
	same("second", next(p, 100), "start 1");
	same("half", pod_phase(p), "Pending");
	p->c[1].state = RUNNING;
	same("all", next(p, 100), "none");
	same("all", pod_phase(p), "Running");
	ended(&p->c[1], 1, 200);
	same("restart at once", next(p, 200), "start 1");
	p->c[1].backoff = 10;
	same("back-off", next(p, 201), "none until 210");
	same("back-off over", next(p, 210), "start 1");
	same("crashing", pod_phase(p), "Running");
	p->stopping = true;
	p->stop_by = 230;
	same("end", next(p, 211), "term 0");
	p->c[0].term_sent = true;
	same("wait", next(p, 212), "none until 230");
	same("late", next(p, 230), "kill 0");
	p->c[0].kill_sent = true;
	same("killed", next(p, 231), "none");
	ended(&p->c[0], 137, 232);
	same("down", next(p, 232), "teardown");
	p->sandbox = SANDBOX_DOWN;
	same("still wanted", next(p, 233), "none");
	p->wanted = false;
	same("gone", next(p, 233), "gone");
	pod_free(p);
}

static void
init_containers(void)
{
	struct pod *p = make("{\"restartPolicy\":\"Never\",\"initContainers\":[{\"name\":\"i\"},"
			     "{\"name\":\"s\",\"restartPolicy\":\"Always\"},{\"name\":\"j\"}],"
			     "\"containers\":[{\"name\":\"a\"}]}");

	p->sandbox = SANDBOX;
	same("init first", next(p, 1), "start 0");
	p->c[0].state = RUNNING;
	same("init runs", next(p, 1), "none");
	ended(&p->c[0], 0, 2);
	same("sidecar", next(p, 2), "start 1");
	p->c[1].state = RUNNING;
	same("init behind a sidecar", next(p, 2), "start 2");
	ended(&p->c[2], 0, 3);
	same("app", next(p, 3), "start 3");
	p->c[3].state = RUNNING;
	same("running", pod_phase(p), "Running");
	ended(&p->c[1], 1, 4);
	same("a sidecar is always started again", next(p, 4), "start 1");
	p->c[1].state = RUNNING;
	ended(&p->c[3], 0, 5);
	p->stop_by = 35;
	same("sidecars end last", next(p, 5), "term 1");
	ended(&p->c[1], 143, 6);
	same("phase", pod_phase(p), "Succeeded");
	same("over", next(p, 6), "teardown");
	pod_free(p);
}

static void
ephemeral_containers(void)
{
	struct pod *p = make("{\"restartPolicy\":\"Never\",\"initContainers\":[{\"name\":\"i\"}],"
			     "\"containers\":[{\"name\":\"a\"}]}");
	json_auto_t *more = json_deep_copy(p->object), *less = json_deep_copy(p->object);
	json_auto_t *s = NULL;

	put(more, json_pack("[{s:s}, {s:s}]", "name", "e", "name", "f"), "spec",
	    "ephemeralContainers");
	p->sandbox = SANDBOX;
	ended(&p->c[0], 1, 1);
	p->c[0].code = 0;
	p->c[1].state = RUNNING;
	pod_take(p, more);
	check("they came", p->n == 4 && p->c[1].state == RUNNING && p->c[2].kind == EPHEMERAL);
	pod_take(p, less);
	check("they do not go", p->n == 4 && get(p->object, "spec", "ephemeralContainers"));
	same("started", next(p, 2), "start 2");
	p->c[2].state = p->c[3].state = RUNNING;
	s = pod_status(p, 5);
	check("listed", json_array_size(get(s, "ephemeralContainerStatuses")) == 2 &&
			    json_array_size(get(s, "containerStatuses")) == 1);
	ended(&p->c[3], 1, 2);
	same("never again", next(p, 3), "none");
	same("phase", pod_phase(p), "Running");
	ended(&p->c[1], 0, 4);
	p->stop_by = 35;
	same("phase at the end", pod_phase(p), "Succeeded");
	same("does not hold up the end", next(p, 5), "term 2");
	pod_free(p);

	p = make("{\"initContainers\":[{\"name\":\"i\"}],\"containers\":[{\"name\":\"a\"}],"
		 "\"ephemeralContainers\":[{\"name\":\"e\"}]}");
	p->sandbox = SANDBOX;
	same("before init containers", next(p, 1), "start 2");
	pod_free(p);
}

/* Container-level policies and rules (KEP 5307), and back-off. */
static void
restart_rules(void)
{
	static const struct {
		const char *pod, *own;
		int code;
		bool again;
	} t[] = {
		{ "Never", "{}", 1, false },
		{ "Never", "{\"restartPolicy\":\"Always\"}", 0, true },
		{ "Never", "{\"restartPolicy\":\"OnFailure\"}", 1, true },
		{ "Never", "{\"restartPolicy\":\"OnFailure\"}", 0, false },
		{ "Always", "{\"restartPolicy\":\"Never\"}", 1, false },
		{ "Never",
		    "{\"restartPolicy\":\"Never\",\"restartPolicyRules\":[{\"action\":\"Restart\","
		    "\"exitCodes\":{\"operator\":\"In\",\"values\":[42,43]}}]}",
		    42, true },
		{ "Never",
		    "{\"restartPolicy\":\"Never\",\"restartPolicyRules\":[{\"action\":\"Restart\","
		    "\"exitCodes\":{\"operator\":\"In\",\"values\":[42,43]}}]}",
		    41, false },
		{ "Always",
		    "{\"restartPolicy\":\"Never\",\"restartPolicyRules\":[{\"action\":\"Restart\","
		    "\"exitCodes\":{\"operator\":\"NotIn\",\"values\":[0]}}]}",
		    7, true },
		{ "Always",
		    "{\"restartPolicy\":\"Never\",\"restartPolicyRules\":[{\"action\":\"Restart\","
		    "\"exitCodes\":{\"operator\":\"NotIn\",\"values\":[0]}}]}",
		    0, false },
	};

	for (size_t i = 0; i < COUNT(t); i++) {
		autofree char *spec = xasprintf(
		    "{\"restartPolicy\":\"%s\",\"containers\":[{\"name\":\"a\"}]}", t[i].pod);
		json_auto_t *own = json_loads(t[i].own, 0, NULL);
		struct pod *p = make(spec);

		json_object_update(p->c[0].spec, own);
		p->sandbox = SANDBOX;
		ended(&p->c[0], t[i].code, 1);
		same(t[i].own, next(p, 2), t[i].again ? "start 0" : "teardown");
		same(t[i].own, pod_phase(p),
		    t[i].again	     ? "Running"
		    : t[i].code == 0 ? "Succeeded"
				     : "Failed");
		pod_free(p);
	}
}

static void
backing_off(void)
{
	struct pod *p = make("{\"containers\":[{\"name\":\"a\"}]}");
	struct container *c = &p->c[0];
	const int want[] = { 10, 20, 40, 80, 160, 300, 300 };

	p->sandbox = SANDBOX;
	for (size_t i = 0; i < COUNT(want); i++) {
		c->begun_at = 1000;
		ended(c, 1, 1001);
		c->backoff = container_next_backoff(c, 10);
		check("doubles", (int)c->backoff == want[i] && container_due(c) == 1001 + want[i]);
	}
	ended(c, 1, 1601); /* it ran for more than ten minutes */
	check("forgotten", container_due(c) == 1601 && container_next_backoff(c, 10) == 10);
	pod_free(p);
}

/* Sidecars go in the reverse order, after the others; with a moment of their own when it is late.
 */
static void
sidecars_end(void)
{
	struct pod *p = make("{\"initContainers\":[{\"name\":\"s\",\"restartPolicy\":\"Always\"},"
			     "{\"name\":\"t\",\"restartPolicy\":\"Always\"}],"
			     "\"containers\":[{\"name\":\"a\"}]}");

	p->sandbox = SANDBOX;
	for (size_t i = 0; i < p->n; i++)
		p->c[i].state = RUNNING;
	p->stopping = true;
	p->stop_by = 100;
	same("apps first", next(p, 70), "term 2");
	p->c[2].term_sent = true;
	same("sidecars wait", next(p, 71), "none until 100");
	ended(&p->c[2], 0, 80);
	same("the last first", next(p, 80), "term 1");
	p->c[1].term_sent = true;
	p->c[1].asked_at = 80;
	same("the first waits", next(p, 81), "none until 100");
	same("not for ever", next(p, 100), "term 0");
	p->c[0].term_sent = true;
	p->c[0].asked_at = 100;
	same("who has had his time", next(p, 100), "kill 1");
	p->c[1].kill_sent = true;
	same("who has not", next(p, 101), "none until 102");
	same("now", next(p, 102), "kill 0");
	pod_free(p);
}

static void
resolvers(void)
{
	static const struct {
		const char *spec, *want;
	} t[] = {
		{ "{}", "search default.svc.c.local svc.c.local c.local corp lan\n"
			"nameserver 10.96.0.10\nnameserver 10.96.0.11\noptions ndots:5\n" },
		{ "{\"hostNetwork\":true,\"dnsPolicy\":\"ClusterFirst\"}",
		    "search corp lan\nnameserver 192.0.2.1\noptions timeout:1 rotate\n" },
		{ "{\"hostNetwork\":true,\"dnsPolicy\":\"ClusterFirstWithHostNet\",\"dnsConfig\":"
		  "{\"searches\":[\"x\",\"lan\"],\"options\":[{\"name\":\"ndots\",\"value\":\"2\"},"
		  "{\"name\":\"edns0\"}]}}",
		    "search default.svc.c.local svc.c.local c.local corp lan x\n"
		    "nameserver 10.96.0.10\nnameserver 10.96.0.11\noptions ndots:2 edns0\n" },
		{ "{\"dnsPolicy\":\"Default\",\"dnsConfig\":{\"nameservers\":[\"192.0.2.1\",\"::"
		  "1\"]}}",
		    "search corp lan\nnameserver 192.0.2.1\nnameserver ::1\n"
		    "options timeout:1 rotate\n" },
		{ "{\"dnsPolicy\":\"None\",\"dnsConfig\":{\"nameservers\":[\"1.1.1.1\",\"1.1.1.2\","
		  "\"1.1.1.3\",\"1.1.1.4\"]}}",
		    "nameserver 1.1.1.1\nnameserver 1.1.1.2\nnameserver 1.1.1.3\n" },
	};
	static const char node[] = "# x\nnameserver 192.0.2.1 # ours\nsearch old\n"
				   "search corp lan.\noptions debug\noptions timeout:1 rotate\n";

	host.o.cluster_dns = "10.96.0.10,10.96.0.11";
	host.o.cluster_domain = "c.local";
	for (size_t i = 0; i < COUNT(t); i++) {
		json_auto_t *spec = json_loads(t[i].spec, 0, NULL);
		json_auto_t *pod =
		    json_pack("{s:{s:s}, s:O}", "metadata", "namespace", "default", "spec", spec);
		autofree char *exceeded = NULL, *got = pod_resolver(&host, pod, node, &exceeded);

		same(t[i].spec, got, t[i].want);
		check("what is left out is said", !exceeded == (i < 4));
	}
	host.o.cluster_dns = NULL;
}

static void
hostnames(void)
{
	static const struct {
		const char *spec, *kernel, *hosts;
	} t[] = {
		{ "{}", "p", "\n10.0.0.9\tp\n" },
		{ "{\"hostname\":\"h\",\"subdomain\":\"s\"}", "h",
		    "\n10.0.0.9\th.s.default.svc.c.local\th\n" },
		{ "{\"subdomain\":\"s\",\"setHostnameAsFQDN\":true}", "p.s.default.svc.c.local",
		    "\n10.0.0.9\tp.s.default.svc.c.local\tp\n" },
		{ "{\"setHostnameAsFQDN\":true}", "p", "\n10.0.0.9\tp\n" },
		{ "{\"hostname\":\"h\",\"subdomain\":\"s\",\"hostnameOverride\":\"a.b\"}", "a.b",
		    "\n10.0.0.9\ta.b\n" },
		{ "{\"setHostnameAsFQDN\":true,\"subdomain\":"
		  "\"a-name-that-is-long-enough-to-be-too-long-for-the-kernel\"}",
		    "too long", "" },
	};

	for (size_t i = 0; i < COUNT(t); i++) {
		json_auto_t *spec = json_loads(t[i].spec, 0, NULL);
		json_auto_t *pod = json_pack("{s:{s:s, s:s}, s:O}", "metadata", "name", "p",
		    "namespace", "default", "spec", spec);
		autofree char *hosts = pod_hosts(&host, pod, "10.0.0.9");
		char name[HOSTNAME_TEXT];
		struct err err;

		if (pod_kernel_name(&host, pod, name, &err) < 0)
			snprintf(name, sizeof name, "too long");
		same(t[i].spec, name, t[i].kernel);
		check(t[i].spec, strstr(hosts, t[i].hosts) != NULL);
	}
}

static const char *
variable(const json_t *env, const char *name)
{
	json_t *one;
	size_t i;

	json_array_foreach (env, i, one)
		if (strncmp(str(one, ""), name, strlen(name)) == 0 &&
		    str(one, "")[strlen(name)] == '=')
			return str(one, "") + strlen(name) + 1;
	return "-";
}

static void
service_links(void)
{
	static const char services[] =
	    "[{\"metadata\":{\"name\":\"kubernetes\",\"namespace\":\"default\"},"
	    "\"spec\":{\"clusterIP\":\"10.96.0.1\",\"ports\":[{\"name\":\"https\",\"port\":443}]}},"
	    "{\"metadata\":{\"name\":\"my-db\",\"namespace\":\"a\"},\"spec\":{\"clusterIP\":\"fd00:"
	    ":1\","
	    "\"ports\":[{\"port\":53,\"protocol\":\"UDP\"},{\"name\":\"m-x\",\"port\":80}]}},"
	    "{\"metadata\":{\"name\":\"none\",\"namespace\":\"a\"},\"spec\":{\"clusterIP\":"
	    "\"None\"}}]";
	static const char *const want[][2] = { { "KUBERNETES_SERVICE_HOST", "10.96.0.1" },
		{ "KUBERNETES_SERVICE_PORT_HTTPS", "443" },
		{ "KUBERNETES_PORT", "tcp://10.96.0.1:443" },
		{ "KUBERNETES_PORT_443_TCP_ADDR", "10.96.0.1" },
		{ "MY_DB_SERVICE_HOST", "fd00::1" }, { "MY_DB_SERVICE_PORT", "53" },
		{ "MY_DB_SERVICE_PORT_M_X", "80" }, { "MY_DB_PORT", "udp://[fd00::1]:53" },
		{ "MY_DB_PORT_53_UDP_PROTO", "udp" }, { "MY_DB_PORT_80_TCP", "tcp://[fd00::1]:80" },
		{ "NONE_SERVICE_HOST", "-" } };
	json_auto_t *list = json_loads(services, 0, NULL);
	json_auto_t *pod = json_pack("{s:{s:s}, s:{}}", "metadata", "namespace", "a", "spec");
	json_auto_t *env = json_array(), *without = json_array();

	environment_links(env, pod, list);
	for (size_t i = 0; i < COUNT(want); i++)
		same(want[i][0], variable(env, want[i][0]), want[i][1]);
	put(pod, json_false(), "spec", "enableServiceLinks");
	environment_links(without, pod, list);
	same("without links", variable(without, "MY_DB_PORT"), "-");
	same("but the server's", variable(without, "KUBERNETES_SERVICE_PORT"), "443");
}

static void
append(const char *path, const char *line)
{
	FILE *f = fopen(path, "ae");

	fprintf(f, "2026-01-02T03:04:05Z stdout F %s\n", line);
	fclose(f);
}

/* Who reads a log goes on in the file that takes its place, and misses nothing of the old one. */
static void
turned_logs(void)
{
	char folder[] = "/tmp/orch-log-XXXXXX";
	autofree char *path = NULL, *aside = NULL, *said = NULL;
	struct log_options o = { .tail = -1 };
	struct crilog log;
	struct err err;
	size_t size;
	FILE *out = open_memstream(&said, &size);

	if (!mkdtemp(folder))
		exit(1);
	path = xasprintf("%s/0.log", folder);
	aside = xasprintf("%s/0.log.1", folder);
	append(path, "a");
	check("opens", crilog_open(&log, path, &o, &err) == 0);
	check("prints", crilog_print(&log, out, &err) == 0);
	rename(path, aside);
	append(aside, "b"); /* the monitor has not heard of it yet */
	check("no new one yet", crilog_print(&log, out, &err) == 0);
	append(aside, "c");
	append(path, "d");
	check("both", crilog_print(&log, out, &err) == 0);
	append(path, "e");
	check("goes on", crilog_print(&log, out, &err) == 0);
	crilog_close(&log);
	fclose(out);
	same("lines", said, "a\nb\nc\nd\ne\n");
	unlink(path);
	unlink(aside);
	rmdir(folder);
}

/* A time that has passed must not be waited for again and again. */
static void
deadline(void)
{
	struct pod *p = make("{\"activeDeadlineSeconds\":5,\"containers\":[{\"name\":\"a\"}]}");

	p->active_since = 100;
	p->sandbox = SANDBOX;
	p->c[0].state = RUNNING;
	same("before", next(p, 101), "none until 105");
	p->fail_reason = xstrdup("DeadlineExceeded");
	ended(&p->c[0], 137, 106);
	p->sandbox = SANDBOX_DOWN;
	same("after", next(p, 107), "none");
	pod_free(p);
}

static void
outcomes(void)
{
	static const struct {
		const char *policy;
		int a, b;
		const char *phase, *next;
	} t[] = { { "Never", 0, 0, "Succeeded", "teardown" },
		{ "Never", 0, 3, "Failed", "teardown" },
		{ "OnFailure", 0, 0, "Succeeded", "teardown" },
		{ "OnFailure", 0, 3, "Running", "start 1" },
		{ "Always", 0, 0, "Running", "start 0" } };

	for (size_t i = 0; i < COUNT(t); i++) {
		autofree char *spec = xasprintf(
		    "{\"restartPolicy\":\"%s\",\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}",
		    t[i].policy);
		struct pod *p = make(spec);

		p->sandbox = SANDBOX;
		ended(&p->c[0], t[i].a, 1);
		ended(&p->c[1], t[i].b, 1);
		same(t[i].policy, pod_phase(p), t[i].phase);
		same(t[i].policy, next(p, 2), t[i].next);
		pod_free(p);
	}
}

static void
statuses(void)
{
	struct pod *p = make("{\"containers\":[{\"name\":\"a\",\"resources\":{\"limits\":{\"cpu\":"
			     "\"1\",\"memory\":\"1Gi\"}}}]}");
	json_auto_t *s = pod_status(p, 1000), *later = NULL;
	json_t *c = json_array_get(get(s, "containerStatuses"), 0);

	same("qos", text(s, "qosClass"), "Guaranteed");
	same("waiting", text(c, "state", "waiting", "reason"), "ContainerCreating");
	p->sandbox = SANDBOX;
	p->c[0].begun = true;
	ended(&p->c[0], 1, 1);
	p->c[0].reason = xstrdup("Error");
	p->c[0].backoff = 20;
	later = pod_status(p, 2000);
	c = json_array_get(get(later, "containerStatuses"), 0);
	same("crash loop", text(c, "state", "waiting", "reason"), "CrashLoopBackOff");
	same("last", text(c, "lastState", "terminated", "reason"), "Error");
	pod_free(p);
}

int
main(void)
{
	references();
	small_things();
	simple_life();
	begun_again();
	init_containers();
	ephemeral_containers();
	restart_rules();
	backing_off();
	sidecars_end();
	resolvers();
	hostnames();
	service_links();
	turned_logs();
	deadline();
	outcomes();
	statuses();
	return failed;
}
