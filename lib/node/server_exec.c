/* /exec: a command in a container, /attach: the container's own process; with or without a
 * terminal. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "node/container.h"
#include "node/files.h"
#include "node/huge.h"
#include "node/runtime.h"
#include "node/server_carry.h"
#include "node/server_private.h"
#include "node/server_terminal.h"
#include "serve/streams.h"

enum { HEAD_SECONDS = 30, START_SECONDS = 30 };

/* A session: what is asked for, and the near end of it. */
struct session {
	const struct host *host;
	struct streams_plan plan;
	char *head, *id, *bundle, *name; /* of the container */
	json_t *command;		 /* NULL: attach */
	bool tty, has_stdin;
	bool terminal; /* the container's own process has one */
};

static void
session_free(struct session *s)
{
	free(s->head);
	free(s->id);
	free(s->bundle);
	free(s->name);
	json_decref(s->command);
	free(s);
}

/* --- exec ------------------------------------------------------------------------------------- */

/* The process as the runtime wants it: the container's own, with another command. */
static int
write_process(const struct session *s, const char *file, struct err *err)
{
	autofree char *config = xasprintf("%s/config.json", s->bundle);
	autobuf struct buf b = BUF_INIT;
	json_auto_t *whole = NULL;
	json_t *process;
	int r;

	if ((r = buf_read_file(&b, config, 4 << 20, err)) < 0)
		return r;
	whole = json_loadb(b.data, b.len, 0, NULL);
	if (!(process = get(whole, "process")))
		return err_set(err, ERR_INTERNAL, "'%s' is damaged", config);
	json_object_set(process, "args", s->command);
	json_object_set_new(process, "terminal", json_boolean(s->tty));
	json_object_del(process, "consoleSize");
	if (s->tty)
		json_array_append_new(get(process, "env"), json_string("TERM=xterm"));
	buf_clear(&b);
	json_add(&b, process);
	return file_write(file, b.data, b.len, 0600, err);
}

/* What is made for one exec, and undone behind it. */
struct execution {
	struct proc runtime;
	char *process, *pid_file, *console;
	int console_fd;
	int child[3]; /* the runtime's ends of the pipes */
	struct ends ends;
};

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int
make_pipe(int *near, int *far, bool reads, struct err *err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	fchmod(fds[0], 0666); /* whoever runs there may open it again, as /dev/stdout */
	*near = fds[!reads];
	*far = fds[reads];
	fcntl(*near, F_SETFL, O_NONBLOCK);
	return 0;
}

static int
start(const struct session *s, struct execution *x, struct err *err)
{
	autofree char *runtime = runtime_of_bundle(s->host, s->bundle);
	autofree char *state = runtime_state(s->host, s->bundle),
		      *root = xasprintf("--root=%s", state);
	const char *argv[16] = { runtime, root, "exec", "--process", x->process, "--pid-file",
		x->pid_file };
	size_t n = 7;
	int r, back;

	if (s->tty) {
		argv[n++] = "--console-socket";
		argv[n++] = x->console;
	}
	argv[n++] = s->id;
	if ((r = write_process(s, x->process, err)) < 0 ||
	    (s->tty && (r = terminal_listen(x->console, &x->console_fd, err)) < 0) ||
	    (r = make_pipe(&x->ends.err, &x->child[2], true, err)) < 0)
		return r;
	if (!s->tty &&
	    ((r = make_pipe(&x->ends.out, &x->child[1], true, err)) < 0 ||
		(s->has_stdin && (r = make_pipe(&x->ends.in, &x->child[0], false, err)) < 0)))
		return r;
	if (x->child[0] < 0)
		x->child[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (x->child[1] < 0)
		x->child[1] = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if ((r = huge_visit(s->host, s->bundle, &back, err)) == 0)
		r = proc_start(&x->runtime, argv, x->child[0], x->child[1], x->child[2], err);
	huge_return(&back);
	for (int i = 0; i < 3; i++)
		close_fd(&x->child[i]);
	return r;
}

/* The terminal that the runtime made.  Without one there are the runtime's own last words. */
static int
take_terminal(struct execution *x, struct err *err)
{
	int fd = terminal_accept(x->console_fd, x->ends.err, START_SECONDS);
	char words[600];
	ssize_t n;

	if (fd >= 0) {
		fcntl(fd, F_SETFL, O_NONBLOCK);
		x->ends.in = x->ends.out = x->ends.control = fd;
		return 0;
	}
	n = read(x->ends.err, words, sizeof words - 1);
	while (n > 0 && words[n - 1] == '\n')
		n--;
	return err_set(err, ERR_INTERNAL, "%.*s", n > 0 ? (int)n : 29,
	    n > 0 ? words : "the runtime gave no terminal");
}

/* The process inside, by the runtime's pid file; 0: it was never there. */
static pid_t
inside(const struct execution *x)
{
	char line[32];

	return file_line(x->pid_file, line, sizeof line) ? (pid_t)strtol(line, NULL, 10) : 0;
}

static void
finish_exec(struct streams *s, struct execution *x, bool heard)
{
	int status = 0;

	if (!heard) { /* nobody waits for it any more */
		pid_t pid = inside(x);
		struct err ignored;

		if (pid > 1)
			kill(pid, SIGKILL);
		else
			proc_signal(&x->runtime, SIGKILL, &ignored);
	}
	while (waitpid(x->runtime.pid, &status, 0) < 0 && errno == EINTR)
		;
	if (heard && !inside(x)) /* the runtime has told why on standard error */
		say_failure(s, "error executing command in container: it could not be started");
	else if (heard)
		say_exit(s, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static void
release(struct execution *x)
{
	struct ends *e = &x->ends;

	if (e->in == e->out)
		e->in = -1;
	close_fd(&e->in);
	close_fd(&e->out);
	close_fd(&e->err);
	close_fd(&x->console_fd);
	for (int i = 0; i < 3; i++)
		close_fd(&x->child[i]);
	buf_release(&e->waiting);
	unlink(x->process);
	unlink(x->pid_file);
	unlink(x->console);
	free(x->process);
	free(x->pid_file);
	free(x->console);
}

static void
exec(const struct session *s, struct streams *streams)
{
	static _Atomic unsigned counter;
	unsigned number = counter++;
	struct execution x = { .console_fd = -1,
		.child = { -1, -1, -1 },
		.ends = { .in = -1, .out = -1, .err = -1, .control = -1 } };
	struct err err, ignored;
	int r;

	x.process = host_path(s->host, "run/exec/session.%d.%u", (int)getpid(), number);
	x.pid_file = xasprintf("%s.pid", x.process);
	x.console = host_path(
	    s->host, "run/tty.%d.%u", (int)getpid(), number); /* a socket's path is short */
	r = start(s, &x, &err);
	if (r == 0 && s->tty && (r = take_terminal(&x, &err)) < 0) {
		proc_signal(&x.runtime, SIGKILL, &ignored); /* it may hang */
		while (waitpid(x.runtime.pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (r < 0) {
		autofree char *message =
		    xasprintf("error executing command in container: %s", err.msg);

		say_failure(streams, message);
	} else {
		finish_exec(streams, &x, carry(streams, &x.ends));
	}
	release(&x);
}

/* --- attach ------------------------------------------------------------------------------------
 */

static void
attach(const struct session *s, struct streams *streams)
{
	autofree char *socket = host_path(s->host, "run/attach/%s/attach", s->id);
	autofree char *ctl = xasprintf("%s/ctl", s->bundle);
	autofree char *winsz = xasprintf("%s/winsz", s->bundle);
	struct ends e = { .in = -1, .err = -1, .control = -1, .resizes = -1, .seqpacket = true };
	double when;
	struct err err;
	int code;

	e.out = terminal_attach(socket, &err);
	if (e.out < 0) {
		say_failure(streams, err.msg);
		return;
	}
	if (s->has_stdin)
		e.in = e.out;
	if (s->terminal) {
		e.control = open(ctl, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
		e.resizes = open(winsz, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	}
	if (carry(streams, &e)) {
		/* conmon closes the socket a moment before it writes the exit file */
		for (int i = 0; i < 200 && !container_exit(s->host, s->id, &code, &when); i++)
			usleep(10000);
		if (container_exit(s->host, s->id, &code, &when))
			say_exit(streams, code);
		else
			say_exit(streams, 0);
	}
	close_fd(&e.out);
	close_fd(&e.control);
	close_fd(&e.resizes);
	buf_release(&e.waiting);
}

/* --- the request
 * ----------------------------------------------------------------------------------- */

static void
run(struct duplex *d, void *arg)
{
	struct session *s = arg;
	struct streams *streams;

	if (d && duplex_write_all(d, s->head, strlen(s->head), HEAD_SECONDS) == 0 &&
	    (streams = streams_open(d, &s->plan))) {
		if (s->command)
			exec(s, streams);
		else
			attach(s, streams);
		streams_close(streams);
	}
	duplex_close(d);
	session_free(s);
}

static bool
flag(const struct http_exchange *x, const char *name)
{
	autofree char *v = http_query(x, name);

	return v && (strcmp(v, "1") == 0 || strcmp(v, "true") == 0);
}

static json_t *
read_command(const struct http_exchange *x)
{
	json_t *command = json_array();
	char *word;

	for (size_t i = 0; (word = http_query_nth(x, "command", i)); i++) {
		json_t *text = json_string(word);

		if (text)
			json_array_append_new(command, text);
		free(word);
	}
	return command;
}

/* Which streams there will be. */
static unsigned
wanted(const struct http_exchange *x, bool tty)
{
	unsigned bits = 0;

	if (flag(x, "input"))
		bits |= 1u << STREAM_IN;
	if (flag(x, "output"))
		bits |= 1u << STREAM_OUT;
	if (flag(x, "error") && !tty) /* a terminal has one output */
		bits |= 1u << STREAM_ERR;
	return bits;
}

static void
begin(struct server *sv, struct http_exchange *x, const char *ns, const char *name,
    const char *container, bool attaching)
{
	struct session *s = xcalloc(1, sizeof *s);
	bool asked_tty = flag(x, "tty");
	unsigned bits = wanted(x, asked_tty);
	struct container *c = NULL;
	struct pod *p = server_pod(sv, ns, name, container, &c);
	const char *why;
	char id[40];
	int status;

	s->host = sv->host;
	s->command = attaching ? NULL : read_command(x);
	if (!p)
		server_refuse(x, 404, "pod \"%s\" with container \"%s\" is not on this node", name,
		    container);
	else if (c->state != RUNNING)
		server_refuse(
		    x, 400, "container \"%s\" in pod \"%s\" is not running", container, name);
	else if (!bits)
		server_refuse(x, 400, "you must specify at least 1 of stdin, stdout, stderr");
	else if (s->command && json_array_size(s->command) == 0)
		server_refuse(x, 400, "you must specify a command");
	else if (!streams_agree(x, bits | (asked_tty ? 1u << STREAM_RESIZE : 0), &s->plan, &s->head,
		     &status, &why))
		server_refuse(x, status, "%s", why);
	else {
		s->id = xstrdup(container_id(p->uid, container, c->attempt, id));
		s->bundle =
		    host_path(s->host, "pods/%s/containers/%s-%u", p->uid, container, c->attempt);
		s->name = xstrdup(container);
		s->tty = asked_tty;
		s->terminal = truth(get(c->spec, "tty"));
		s->has_stdin = bits & 1u << STREAM_IN;
		http_take(x, run, s);
		s = NULL;
	}
	if (s)
		session_free(s);
	if (p)
		pod_free(p);
}

void
server_exec(struct server *s, struct http_exchange *x, const char *ns, const char *name,
    const char *container)
{
	begin(s, x, ns, name, container, false);
}

void
server_attach(struct server *s, struct http_exchange *x, const char *ns, const char *name,
    const char *container)
{
	begin(s, x, ns, name, container, true);
}
