/* orch-attach - the input and outputs of a container that runs are ours. */
#include <unistd.h>

#include "api/meta.h"
#include "base/cli.h"
#include "base/mem.h"
#include "base/terminal.h"
#include "client/options.h"
#include "client/pods.h"
#include "client/remote.h"

static const char *container;
static bool input;
static const struct opt opts[] = {
	{ 'c', "container", "NAME", "this container of the pod", &container, false },
	{ 'i', "stdin", NULL, "standard input is the container's", &input, false },
	{ 0 },
};
static const struct opt *const shared[] = { scope_opts, client_opts, NULL };
const struct program self = {
	.name = "orch-attach",
	.synopsis = "[-i] [-c CONTAINER] [pod/]NAME\n"
		    "[-i] [-c CONTAINER] KIND/NAME",
	.summary = "See what a container writes from now on, and write to it.",
	.opts = opts,
	.shared = shared,
	.operands = "objects",
};

static int
print(void *arg, int fd, const char *data, size_t len, struct err *err)
{
	FILE *f = fd == 2 ? stderr : stdout;

	(void)arg;
	if (fwrite(data, 1, len, f) == len && fflush(f) == 0)
		return 0;
	return err_set(err, ERR_INTERNAL, "cannot write output");
}

/* Keys go as they are typed, and the terminal's size with them. */
static int
begin_terminal(const struct remote *r)
{
	struct err err;
	int resize;

	if (!r->tty || !input || !isatty(0))
		return -1;
	if ((resize = terminal_resizes(&err)) < 0 || terminal_raw(0, &err) < 0)
		die(&err, "cannot attach a terminal");
	return resize;
}

static int
attach(struct client *c, const json_t *pod)
{
	struct remote r = {
		.pod = pod, .in = -1, .resize = -1, .size = terminal_size, .each = print
	};
	int status = 0, failed;
	struct err err;

	if ((failed = pod_container(pod, container, &r.container, &err)) >= 0) {
		const json_t *spec = pod_container_spec(pod, r.container);

		r.tty = truth(get(spec, "tty"));
		if (input && !truth(get(spec, "stdin")))
			warn("container '%s' has no standard input (stdin: true): nothing is sent",
			    r.container);
		else if (input)
			r.in = 0;
		r.resize = begin_terminal(&r);
		failed = remote_run(c, &r, &status, &err);
		terminal_restore();
	}
	return failed >= 0 ? status : complain(&err, "cannot attach to pod '%s'", meta_name(pod));
}

int
main(int argc, char *argv[])
{
	struct pods pods = { 0 };
	struct client *c;
	struct err err;
	int at = cli_parse(argc, argv), status;

	if (argc - at != 1)
		usage();
	if (client_open(&c, &err) < 0)
		die(&err, "cannot attach");
	if (pods_of_word(&pods, c, argv[at], &err) < 0)
		die(&err, "cannot find pods");
	if (pods.n == 0)
		die(NULL, "'%s' has no pods", argv[at]);
	status = attach(c, pods_best(&pods));
	pods_release(&pods);
	client_close(c);
	return finish(status);
}
