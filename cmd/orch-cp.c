/* orch-cp - copy files into a container or out of it, by the tar that it has. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/cli.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/tree.h"
#include "client/options.h"
#include "client/pods.h"
#include "client/remote.h"

static const char *container;
static const struct opt opts[] = {
	{ 'c', "container", "NAME", "of this container of the pod", &container, false },
	{ 'n', "namespace", "NAME", "look in this namespace", &scope_options.namespace, false },
	{ 0 },
};
static const struct opt *const shared[] = { client_opts, NULL };
const struct program self = {
	.name = "orch-cp",
	.synopsis = "[-c CONTAINER] POD:PATH FILE\n[-c CONTAINER] FILE POD:PATH\n"
		    "[-c CONTAINER] POD:PATH - >TAR\n[-c CONTAINER] - POD:PATH <TAR",
	.summary = "Copy files into a container or out of it.",
	.opts = opts,
	.shared = shared,
	.operands = "files",
};

/* --- tar over there -----------------------------------------------------------------------------
 */

/* A command in the container with ends of pipes; on a thread of its own while files are made. */
struct tar {
	struct client *client;
	struct remote remote;
	int out; /* -1: what it prints is dropped */
	struct buf said;
	int failed, status;
	struct err err;
	pthread_t thread;
};

static int
take(void *arg, int fd, const char *data, size_t len, struct err *err)
{
	struct tar *t = arg;

	if (fd == 2 && t->said.len < 4096)
		buf_add(&t->said, data, len);
	while (fd == 1 && t->out >= 0 && len > 0) {
		ssize_t n = write(t->out, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "cannot write output");
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static void *
run(void *arg)
{
	struct tar *t = arg;

	t->failed = remote_run(t->client, &t->remote, &t->status, &t->err);
	if (t->out > 2)
		close(t->out);
	if (t->remote.in > 2)
		close(t->remote.in);
	return NULL;
}

static void
begin(struct tar *t, char *const command[], int in, int out)
{
	int fault;

	t->status = 0;
	buf_release(&t->said);
	t->remote.command = command;
	t->remote.in = in;
	t->remote.each = take;
	t->remote.arg = t;
	t->out = out;
	if ((fault = pthread_create(&t->thread, NULL, run, t)))
		die(NULL, "cannot begin a thread: %s", strerror(fault));
}

/* What went wrong with it: 0, or the exit status, and people have been told. */
static int
end(struct tar *t)
{
	const char *pod = meta_name(t->remote.pod), *in = t->remote.container;

	pthread_join(t->thread, NULL);
	if (t->failed < 0 && t->status == REMOTE_NOT_STARTED)
		err_wrap(&t->err, "it has no tar that could be started");
	if (t->failed >= 0 && t->status != 0) {
		while (t->said.len > 0 && t->said.data[t->said.len - 1] == '\n')
			t->said.data[--t->said.len] = '\0';
		t->failed = err_set(&t->err, ERR_NOT_FOUND, "tar ended with %d%s%s", t->status,
		    t->said.len ? ": " : "", t->said.len ? t->said.data : "");
	}
	return t->failed < 0
		   ? complain(&t->err, "cannot copy with pod '%s', container '%s'", pod, in)
		   : 0;
}

/* --- paths
 * -------------------------------------------------------------------------------------------- */

/* "a/b/c/" is dir "a/b" and base "c"; both new.  What has no name ("/", "..") is all of itself. */
static void
split(const char *path, char **dir, char **base)
{
	autofree char *p = xstrdup(*path ? path : ".");
	char *slash;
	size_t n = strlen(p);

	while (n > 1 && p[n - 1] == '/')
		p[--n] = '\0';
	slash = strrchr(p, '/');
	if (strcmp(p, "/") == 0 || strcmp(p, ".") == 0 ||
	    strcmp(slash ? slash + 1 : p, "..") == 0) {
		*dir = xstrdup(p);
		*base = xstrdup(".");
		return;
	}
	*base = xstrdup(slash ? slash + 1 : p);
	if (slash)
		slash[slash == p] = '\0';
	*dir = xstrdup(slash ? p : ".");
}

/* --- out of the container
 * ------------------------------------------------------------------------------ */

static void
skip(const char *path, const char *why)
{
	warn("'%s' is not copied: %s", path, why);
}

static int
to_stdout(struct tar *t, const char *path)
{
	autofree char *dir = NULL, *base = NULL;

	split(path, &dir, &base);
	signal(SIGPIPE, SIG_DFL); /* who reads us needs no more */
	begin(t, (char *[]){ "tar", "cf", "-", "-C", dir, "--", base, NULL }, -1, 1);
	return end(t);
}

static int
copy_out(struct tar *t, const char *path, const char *local)
{
	autofree char *dir = NULL, *base = NULL, *here = NULL, *as = NULL;
	struct tree_reader reader = { .skip = skip };
	struct stat st;
	struct err err;
	int ends[2], r, status;

	split(path, &dir, &base);
	if (stat(local, &st) == 0 && S_ISDIR(st.st_mode)) {
		here = xstrdup(local);
		as = xstrdup(base);
	} else {
		split(local, &here, &as);
	}
	if (chdir(here) < 0)
		die(NULL, "cannot copy to '%s': %s", local, strerror(errno));
	if (pipe2(ends, O_CLOEXEC) < 0)
		die(NULL, "cannot make a pipe: %s", strerror(errno));
	reader.from = base;
	reader.as = as;
	begin(t, (char *[]){ "tar", "cf", "-", "-C", dir, "--", base, NULL }, -1, ends[1]);
	r = tree_unpack(&reader, ends[0], &err);
	close(ends[0]); /* when we gave up, so does it */
	if (r < 0) {
		status = complain(&err, "cannot copy '%s' to '%s'", path, local);
		pthread_join(t->thread, NULL);
		return status;
	}
	status = end(t);
	if (status == 0 && reader.made + reader.skipped == 0) {
		err_set(&err, ERR_INVALID, "nothing came");
		return complain(&err, "cannot copy '%s' to '%s'", path, local);
	}
	return status == 0 && reader.skipped ? 1 : status;
}

/* --- into the container
 * ---------------------------------------------------------------------------------- */

/* Is there such a folder?  A container without test(1) is asked by the slash at the end alone. */
static bool
is_folder(struct tar *t, const char *path)
{
	if (text_ends(path, "/"))
		return true;
	begin(t, (char *[]){ "test", "-d", (char *)path, NULL }, -1, -1);
	pthread_join(t->thread, NULL);
	if (t->failed < 0 && t->status != REMOTE_NOT_STARTED)
		die(&t->err, "cannot copy to pod '%s'", meta_name(t->remote.pod));
	return t->failed >= 0 && t->status == 0;
}

static int
from_stdin(struct tar *t, const char *path)
{
	begin(t, (char *[]){ "tar", "xpof", "-", "-C", (char *)path, NULL }, 0, -1);
	return end(t);
}

static int
copy_in(struct tar *t, const char *local, const char *path)
{
	autofree char *dir = NULL, *base = NULL, *whole = NULL, *full = NULL;
	struct stat st;
	struct err err;
	int ends[2], r, status;

	if (lstat(local, &st) < 0)
		die(NULL, "cannot copy '%s': %s", local, strerror(errno));
	if (is_folder(t, path)) {
		if (!(full = realpath(local, NULL)))
			die(NULL, "cannot copy '%s': %s", local, strerror(errno));
		split(S_ISLNK(st.st_mode) ? local : full, &whole, &base);
		dir = xstrdup(path);
	} else {
		split(path, &dir, &base);
	}
	if (pipe2(ends, O_CLOEXEC) < 0)
		die(NULL, "cannot make a pipe: %s", strerror(errno));
	begin(t, (char *[]){ "tar", "xpof", "-", "-C", dir, NULL }, ends[0], -1);
	r = tree_pack(local, base, ends[1], &err);
	close(ends[1]);
	status = end(t);
	/* that tar went away is no news behind what it said */
	if (r < 0 && (status == 0 || err.code != ERR_UNAVAILABLE))
		return complain(&err, "cannot copy '%s'", local);
	return status;
}

/* --- which way
 * ------------------------------------------------------------------------------------------- */

/* "POD:PATH": the path; a file here whose name has a ':' is written ./NAME. */
static const char *
remote_path(const char *operand)
{
	const char *colon = strchr(operand, ':');

	if (*operand == '.' || *operand == '/' || !colon || colon == operand)
		return NULL;
	return colon + 1;
}

int
main(int argc, char *argv[])
{
	int at = cli_parse(argc, argv), status;
	const char *from, *to, *path;
	autofree char *word = NULL;
	struct pods pods = { 0 };
	struct tar t = { .remote = { .resize = -1 } };
	struct err err;

	if (argc - at != 2)
		usage();
	from = remote_path(argv[at]);
	to = remote_path(argv[at + 1]);
	if (!from == !to)
		die(NULL, "one of '%s' and '%s' must be POD:PATH", argv[at], argv[at + 1]);
	path = from ? from : to;
	if (!*path)
		die(NULL, "'%s' has no path", from ? argv[at] : argv[at + 1]);
	word = xstrndup(argv[from ? at : at + 1], (size_t)(path - 1 - argv[from ? at : at + 1]));
	signal(SIGPIPE, SIG_IGN);
	if (client_open(&t.client, &err) < 0 || pods_of_word(&pods, t.client, word, &err) < 0)
		die(&err, "cannot copy");
	t.remote.pod = pods_best(&pods);
	if (pod_container(t.remote.pod, container, &t.remote.container, &err) < 0)
		die(&err, "cannot copy");
	if (from && strcmp(argv[at + 1], "-") == 0)
		status = to_stdout(&t, from);
	else if (from)
		status = copy_out(&t, from, argv[at + 1]);
	else if (strcmp(argv[at], "-") == 0)
		status = from_stdin(&t, to);
	else
		status = copy_in(&t, argv[at], to);
	buf_release(&t.said);
	pods_release(&pods);
	client_close(t.client);
	return finish(status);
}
