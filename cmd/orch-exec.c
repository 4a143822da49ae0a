/* orch-exec - run a command in a container: its input, outputs and exit status are ours. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/cli.h"
#include "base/mem.h"
#include "base/terminal.h"
#include "client/options.h"
#include "client/pods.h"
#include "client/remote.h"

static const char *container;
static bool input, tty, prefixed;
static const struct opt opts[] = {
	{ 'c', "container", "NAME", "in this container of the pod", &container, false },
	{ 'i', "stdin", NULL, "standard input is the command's", &input, false },
	{ 't', "tty", NULL, "the command has a terminal; with -i it is this one", &tty, false },
	{ 0, "prefix", NULL, "the pod before each line", &prefixed, false },
	{ 0 },
};
static const struct opt *const shared[] = { scope_opts, client_opts, NULL };
const struct program self = {
	.name = "orch-exec",
	.synopsis = "[-it] [-c CONTAINER] [pod/]NAME [--] COMMAND [WORD]...\n"
		    "[-it] [-c CONTAINER] KIND/NAME [--] COMMAND [WORD]...\n"
		    "[-c CONTAINER] [--prefix] -l LABELS -- COMMAND [WORD]...\n"
		    "[-c CONTAINER] [--prefix] -- COMMAND [WORD]... <PODS",
	.summary = "Run a command in containers.",
	.opts = opts,
	.shared = shared,
	.operands = "objects",
};

/* --- what it writes ---------------------------------------------------------------------- */

struct writing {
	const char *pod;
	bool inside[3]; /* a line has begun, by descriptor */
};

static int
write_all(int fd, const char *data, size_t len, struct err *err)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "cannot write output");
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int
print(void *arg, int fd, const char *data, size_t len, struct err *err)
{
	struct writing *w = arg;
	autobuf struct buf b = BUF_INIT;

	if (!prefixed)
		return write_all(fd, data, len, err);
	while (len > 0) {
		const char *nl = memchr(data, '\n', len);
		size_t part = nl ? (size_t)(nl - data) + 1 : len;

		if (!w->inside[fd])
			buf_printf(&b, "[%s] ", w->pod);
		w->inside[fd] = !nl;
		buf_add(&b, data, part);
		data += part;
		len -= part;
	}
	return write_all(fd, b.data, b.len, err);
}

/* --- running it ------------------------------------------------------------------------------ */

/* The exit status: the command's, or one of ours. */
static int
run(struct client *c, const json_t *pod, char *const command[], int resize)
{
	struct writing w = { .pod = meta_name(pod) };
	struct remote r = { .pod = pod,
		.command = command,
		.tty = tty,
		.in = input ? 0 : -1,
		.resize = resize,
		.size = terminal_size,
		.each = print,
		.arg = &w };
	int status = 0, failed;
	struct err err;

	if ((failed = pod_container(pod, container, &r.container, &err)) >= 0)
		failed = remote_run(c, &r, &status, &err);
	terminal_restore();
	if (failed >= 0)
		return status;
	failed = complain(&err, "cannot run '%s' in pod '%s'", *command, meta_name(pod));
	return status ? status : failed;
}

static void
find(struct pods *p, struct client *c, const char *word)
{
	const char *const from_stdin[] = { "-" };
	const struct list files = { (const char **)from_stdin, 1, 1 };
	struct err err;
	int r;

	if (word)
		r = pods_of_word(p, c, word, &err);
	else if (scope_options.selector || scope_options.field_selector)
		r = pods_of_scope(p, c, &err);
	else
		r = pods_of_files(p, c, &files, &err);
	if (r < 0)
		die(&err, "cannot find pods");
	if (p->n == 0 && word)
		die(NULL, "'%s' has no pods", word);
}

/* Keys go as they are typed, and the terminal's size with them. */
static int
begin_terminal(void)
{
	struct err err;
	int resize;

	if (!tty || !input || !isatty(0))
		return -1;
	if ((resize = terminal_resizes(&err)) < 0 || terminal_raw(0, &err) < 0)
		die(&err, "cannot run a command with a terminal");
	return resize;
}

int
main(int argc, char *argv[])
{
	struct pods pods = { 0 };
	struct client *c;
	struct err err;
	int at, worst = 0;
	bool many;
	const char *word;

	cli_stop_at_operand();
	at = cli_parse(argc, argv);
	many = at == argc || strcmp(argv[at - 1], "--") == 0 || scope_options.selector ||
	       scope_options.field_selector;
	word = many ? NULL : argv[at++];
	if (!many && at < argc && strcmp(argv[at], "--") == 0)
		at++;
	else if (!many && at < argc && *argv[at] == '-')
		die(NULL, "the options come before the pod: '%s' would be the command", argv[at]);
	if (at == argc)
		usage();
	if (many && (input || tty))
		die(NULL, "-i and -t go with one pod, which is named before the command");
	if (client_open(&c, &err) < 0)
		die(&err, "cannot run '%s'", argv[at]);
	find(&pods, c, word);
	if (word) {
		json_t *best = pods_best(&pods);

		worst = run(c, best, argv + at, begin_terminal());
	}
	for (size_t i = 0; !word && i < pods.n; i++) {
		int status = run(c, pods.item[i], argv + at, -1);

		worst = status > worst ? status : worst;
	}
	pods_release(&pods);
	client_close(c);
	return finish(worst);
}
