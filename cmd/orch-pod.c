/* orch-pod - run one pod on this machine, without a cluster. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "api/object.h"
#include "base/cli.h"
#include "base/jsonl.h"
#include "base/log.h"
#include "base/mem.h"
#include "kubelet/byhand.h"
#include "kubelet/given.h"
#include "kubelet/workload.h"
#include "node/files.h"
#include "node/honour.h"
#include "node/volume.h"

static const char *root = "/var/lib/orch-pod", *images = "/var/lib/orch", *runtime, *conmon;
static const char *cni_path, *auth_file, *registries, *container;
static struct list handlers;
static bool detach, follow, now, insecure, quiet, verbose;

static const struct opt opts[] = {
	{ 'd', "detach", NULL, "run: in the background; prints the pod's name", &detach, false },
	{ 'c', "container", "NAME", "bundle, logs: this container", &container, false },
	{ 'f', "follow", NULL, "logs: go on until the pod has ended", &follow, false },
	{ 0, "now", NULL, "stop: without the grace period", &now, false },
	{ 0, "images", "DIR", "images are below DIR (default: /var/lib/orch)", &images, false },
	{ 0, "root", "DIR", "pods are below DIR (default: /var/lib/orch-pod)", &root, false },
	{ 0, "runtime", "crun|runc|PATH", "the container runtime (default: what works)", &runtime,
	    false },
	{ 0, "runtime-handler", "NAME=PATH", "another, for RuntimeClasses with that handler",
	    &handlers, true },
	{ 0, "conmon", "PATH", "the container monitor", &conmon, false },
	{ 0, "cni-path", "DIR", "where the CNI plugins are", &cni_path, false },
	{ 0, "insecure", NULL, "pull in plain HTTP from any registry", &insecure, false },
	{ 0, "auth-file", "FILE", "registry logins (~/.docker/config.json)", &auth_file, false },
	{ 0, "registries", "FILE", "mirrors and more (DATA/registries)", &registries, false },
	{ 'q', "quiet", NULL, "do not tell what is not honoured", &quiet, false },
	{ 'v', "verbose", NULL, "say what happens", &verbose, false },
	{ 0 },
};

const struct program self = {
	.name = "orch-pod",
	.synopsis = "[-d] [--images DIR] run [NAME] <MANIFEST\n"
		    "[--images DIR] start [NAME] <MANIFEST\n"
		    "[--images DIR] [-c NAME] bundle [NAME] <MANIFEST\n"
		    "[-f] [-c NAME] logs NAME\n"
		    "[--now] stop NAME...\n"
		    "list",
	.summary = "Run one pod on this machine, without a cluster.",
	.opts = opts,
	.commands = "run start bundle logs stop list",
};

/* --- what is to be run ------------------------------------------------------------------- */

static void
not_honoured(void *arg, const char *path, const char *why)
{
	const char *of = arg;

	if (!quiet)
		warn("%s: %s is not honoured: %s", of, path, why);
}

/* Nobody says "latest" to have a registry asked for what is here: unless said, what is here will
 * do. */
static void
prefer_local(json_t *spec)
{
	static const char *const lists[] = { "initContainers", "containers" };
	json_t *c;
	size_t i;

	for (size_t l = 0; l < COUNT(lists); l++)
		json_array_foreach (get(spec, lists[l]), i, c)
			if (json_is_object(c) && !get(c, "imagePullPolicy"))
				json_object_set_new(
				    c, "imagePullPolicy", json_string("IfNotPresent"));
}

/* Without its RuntimeClass in the input it runs with what there is. */
static void
look_for_class(json_t *pod, const struct world *world, char *label)
{
	const char *class = text(pod, "spec", "runtimeClassName");
	json_auto_t *known = *class ? given_get(world, "RuntimeClass", "", class) : NULL;

	if (!*class || known)
		return;
	not_honoured(label, "spec.runtimeClassName", "there is no such RuntimeClass");
	json_object_del(get(pod, "spec"), "runtimeClassName");
}

static json_t *
complete(json_t *workload, const struct world *world, const char *where)
{
	bool pod = strcmp(text(workload, "kind"), "Pod") == 0;
	autofree char *label = xasprintf("%s '%s'", text(workload, "kind"), meta_name(workload));
	json_t *ret;
	struct err err;

	prefer_local(pod ? get(workload, "spec") : get(workload, "spec", "template", "spec"));
	if (workload_pod(workload, &ret, not_honoured, label, &err) < 0)
		die(&err, "%s: cannot run %s", where, label);
	look_for_class(ret, world, label);
	honour_check(ret, not_honoured, label);
	json_decref(workload);
	return ret;
}

/* The pod of standard input, or of several the one of that name; the rest goes into the world. */
static json_t *
read_pod(const char *name, struct world *world)
{
	struct objects *in = objects_open(stdin, "standard input");
	autofree char *where = NULL;
	json_t *found = NULL, *obj;
	struct err err;
	int r;

	while ((r = objects_read(in, &obj, &err)) > 0) {
		if (!workload_is(obj)) {
			given_put(world, obj);
		} else if (name && strcmp(meta_name(obj), name) != 0) {
			json_decref(obj);
		} else if (found) {
			die(NULL,
			    "%s: the input holds more than one pod or workload: name the one "
			    "to run",
			    objects_where(in));
		} else {
			found = obj;
			where = xstrdup(objects_where(in));
		}
	}
	objects_close(in);
	if (r < 0)
		die(&err, "cannot read the manifest");
	if (!found && name)
		die(NULL, "the input holds no pod or workload '%s'", name);
	if (!found)
		die(NULL, "the input holds no pod, nor a workload that makes one");
	return complete(found, world, where);
}

static void
heard(void *arg, const char *reason, const char *message)
{
	(void)arg;
	warn("%s: %s", reason, message);
}

static struct host_options
host_options(void)
{
	return (struct host_options){ .images = images,
		.runtime = runtime,
		.handlers = handlers,
		.conmon = conmon,
		.cni_path = cni_path,
		.auth_file = auth_file,
		.registries = registries,
		.insecure = insecure,
		.address = "127.0.0.1",
		.pids = 4096,
		.backoff = 10,
		.renew = 86400 };
}

static void
need_root(void)
{
	if (geteuid() != 0)
		die(NULL, "cannot run pods: containers need root");
}

/* --- run, start -------------------------------------------------------------------------- */

/* The folder, with whatever a keeper that was killed has left of an earlier one removed. */
static struct byhand
make_room(const json_t *pod)
{
	struct byhand b;
	struct proc keeper;
	char name[512];
	struct err err;

	byhand_name(pod, name);
	if (byhand_find(&b, root, name, &err) < 0)
		die(&err, "cannot run the pod");
	if (byhand_keeper(&b, &keeper))
		die(NULL, "pod '%s' is running already: orch-pod stop %s", name, name);
	if (byhand_exists(&b) && byhand_remove(&b, &err) < 0)
		die(&err, "cannot remove what is left of pod '%s'", name);
	return b;
}

static int
run_here(const json_t *pod, struct world *world)
{
	struct byhand b = make_room(pod);
	struct keeping k = {
		.host = host_options(), .pod = pod, .world = world, .show = true, .give_up = true
	};
	json_auto_t *status = NULL;
	struct err err, ignored;
	int r = byhand_keep(&b, &k, &status, &err), code;

	byhand_remove(&b, &ignored);
	if (r < 0)
		code = complain(&err, "cannot run pod '%s'", b.name);
	else
		code = byhand_exit(status);
	if (r == 0 && *text(status, "reason"))
		warn("pod '%s': %s: %s", b.name, text(status, "reason"), text(status, "message"));
	byhand_release(&b);
	return code;
}

/* How the one in the background tells the one before it: a line, once. */
static void
tell_parent(void *arg, const json_t *status)
{
	int *fd = arg;
	const char *phase = text(status, "phase");

	if (*fd < 0 || strcmp(phase, "Pending") == 0)
		return;
	if (write(*fd, "\n", 1) < 0)
		log_line("cannot tell that the pod has begun: %s", strerror(errno));
	close(*fd);
	*fd = -1;
}

_Noreturn static void
keep_behind(const struct byhand *b, const json_t *pod, struct world *world, int fd)
{
	struct keeping k = { .host = host_options(),
		.pod = pod,
		.world = world,
		.give_up = true,
		.warning = heard,
		.changed = tell_parent,
		.arg = &fd };
	autofree char *log = xasprintf("%s/keeper.log", b->folder);
	json_auto_t *status = NULL;
	struct err err;
	int out, null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	signal(SIGHUP, SIG_IGN);
	if (mkdir_all(b->folder, 0711, &err) < 0 ||
	    (out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) < 0)
		out = null;
	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	if (byhand_keep(b, &k, &status, &err) < 0 && fd >= 0) {
		autofree char *line = xasprintf("%d %s\n", (int)err.code, err.msg);

		if (write(fd, line, strlen(line)) < 0)
			log_line("%s", err.msg);
	}
	_exit(0);
}

static int
run_behind(const json_t *pod, struct world *world)
{
	struct byhand b = make_room(pod);
	autobuf struct buf said = BUF_INIT;
	struct err err = { 0 };
	int fds[2], code = 0, words = 0;

	if (pipe2(fds, O_CLOEXEC) < 0)
		die(NULL, "cannot make a pipe: %s", strerror(errno));
	switch (fork()) {
	case -1:
		die(NULL, "cannot fork: %s", strerror(errno));
	case 0:
		close(fds[0]);
		keep_behind(&b, pod, world, fds[1]);
	}
	close(fds[1]);
	if (buf_read_fd(&said, fds[0], 1 << 16, &err) < 0)
		die(&err, "cannot start pod '%s'", b.name);
	close(fds[0]);
	if (said.len == 0)
		die(NULL, "cannot start pod '%s': its keeper ended: see %s/keeper.log", b.name,
		    b.folder);
	if (sscanf(said.data, "%d %n", &code, &words) == 1) {
		struct err ignored;

		said.data[strcspn(said.data, "\n")] = '\0';
		err_set(&err, (enum err_code)code, "%s", said.data + words);
		byhand_remove(&b, &ignored);
		die(&err, "cannot start pod '%s'", b.name);
	}
	puts(b.name);
	byhand_release(&b);
	return 0;
}

static int
do_run(char *args[], bool behind)
{
	struct world *world = world_new();
	json_auto_t *pod = NULL;
	int status;

	need_root();
	if (args[0] && args[1])
		usage();
	pod = read_pod(args[0], world);
	status = behind ? run_behind(pod, world) : run_here(pod, world);
	world_free(world);
	return status;
}

/* --- bundle ------------------------------------------------------------------------------- */

static const json_t *
choose_container(const json_t *pod)
{
	static const char *const lists[] = { "initContainers", "containers" };
	json_t *c;
	size_t i;

	if (!container)
		return json_array_get(get(pod, "spec", "containers"), 0);
	for (size_t l = 0; l < COUNT(lists); l++)
		json_array_foreach (get(pod, "spec", lists[l]), i, c)
			if (strcmp(text(c, "name"), container) == 0)
				return c;
	die(NULL, "pod '%s' has no container '%s'", meta_name(pod), container);
}

static int
do_bundle(char *args[])
{
	struct host_options o = host_options();
	struct world *world = world_new();
	json_auto_t *pod = NULL, *config = NULL;
	struct err err;
	int r;

	need_root();
	if (args[0] && args[1])
		usage();
	pod = read_pod(args[0], world);
	if ((r = byhand_bundle(root, &o, pod, world, choose_container(pod), &config, &err)) == 0)
		jsonl_write(stdout, config);
	world_free(world);
	return r < 0 ? complain(&err, "cannot make the bundle of pod '%s'", meta_name(pod)) : 0;
}

/* --- stop, logs, list ----------------------------------------------------------------------- */

static int
do_stop(const char *name)
{
	struct byhand b;
	struct proc keeper;
	struct err err;
	int status = 0;

	if (byhand_find(&b, root, name, &err) < 0)
		return complain(&err, "cannot stop the pod");
	if (!byhand_exists(&b)) {
		err_set(&err, ERR_NOT_FOUND, "there is none of that name");
		status = complain(&err, "cannot stop pod '%s'", name);
	} else {
		if (byhand_keeper(&b, &keeper)) {
			proc_signal(&keeper, SIGTERM, &err);
			if (now) {
				usleep(50000);
				proc_signal(&keeper, SIGTERM, &err);
			}
			proc_wait_gone(&keeper, 1e6);
		}
		if (byhand_remove(&b, &err) < 0)
			status = complain(&err, "cannot remove pod '%s'", name);
	}
	byhand_release(&b);
	return status;
}

static int
do_logs(char *args[])
{
	json_auto_t *pod = NULL;
	struct byhand b;
	struct err err;
	int ret;

	if (!args[0] || args[1])
		usage();
	if (byhand_find(&b, root, args[0], &err) < 0 || byhand_pod(&b, &pod, &err) < 0)
		die(&err, "cannot read the logs of pod '%s'", args[0]);
	if (!container && json_array_size(get(pod, "spec", "containers")) > 1)
		die(NULL, "pod '%s' has several containers: choose one with -c", args[0]);
	if ((ret = byhand_log(&b, pod, text(choose_container(pod), "name"), follow, &err)) < 0)
		ret = complain(&err, "cannot read the logs of pod '%s'", args[0]);
	byhand_release(&b);
	return ret;
}

static int
list_one(void *arg, const struct byhand *b)
{
	json_auto_t *pod = NULL;
	struct err ignored;

	(void)arg;
	if (byhand_pod(b, &pod, &ignored) == 0)
		jsonl_write(stdout, pod);
	return 0;
}

static int
do_list(void)
{
	struct err err;

	if (byhand_each(root, list_one, NULL, &err) < 0)
		return complain(&err, "cannot list the pods");
	return 0;
}

int
main(int argc, char *argv[])
{
	const char *verb;
	int status = 0;

	argv += cli_parse(argc, argv);
	log_open(self.name, verbose ? 1 : -1);
	if (!(verb = *argv++))
		usage();
	if (strcmp(verb, "run") == 0)
		status = do_run(argv, detach);
	else if (strcmp(verb, "start") == 0)
		status = do_run(argv, true);
	else if (strcmp(verb, "bundle") == 0)
		status = do_bundle(argv);
	else if (strcmp(verb, "logs") == 0)
		status = do_logs(argv);
	else if (strcmp(verb, "list") == 0)
		status = do_list();
	else if (strcmp(verb, "stop") != 0)
		die(NULL, "'%s' is none of run, start, bundle, logs, stop, list", verb);
	else if (!*argv)
		usage();
	else
		for (; *argv; argv++) {
			int r = do_stop(*argv);

			status = r > status ? r : status;
		}
	return finish(status);
}
