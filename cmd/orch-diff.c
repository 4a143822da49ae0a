/* orch-diff - what orch-apply would change: the live objects against a dry run, line by line. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/cli.h"
#include "base/linediff.h"
#include "base/mem.h"
#include "base/proc.h"
#include "client/address.h"
#include "client/intake.h"
#include "client/states.h"

enum { LONGEST_NAME = 200 };

static const char *context_arg = "3", *external, *format, *manager = "orch-apply";
static const struct opt opts[] = {
	{ 'o', "output", "FORMAT", "instead of lines the objects that differ: name, jsonl, ...",
	    &format, false },
	{ 'U', "unified", "N", "lines of context (3)", &context_arg, false },
	{ 0, "external", "COMMAND", "compare with this, given two folders: \"diff -ru\"", &external,
	    false },
	{ 0, "field-manager", "NAME", "in whose name it would be applied (orch-apply)", &manager,
	    false },
	{ 0 },
};
static const struct opt *const shared[] = { intake_opts, scope_opts, client_opts, NULL };
const struct program self = {
	.name = "orch-diff",
	.synopsis = "[-n NAMESPACE] [-U N] [-o FORMAT] [-f FILE]... < objects\n--applyset NAME "
		    "[--prune] [-f FILE]... < objects\n--external COMMAND [-f FILE]... < objects",
	.summary = "Show what orch-apply would change.",
	.opts = opts,
	.shared = shared,
	.operands = "files",
};

struct run {
	struct intake in;
	struct output output; /* with -o */
	struct buf text;
	unsigned context;
	size_t n;	 /* objects compared */
	char folder[64]; /* with --external: holds live and wanted */
	bool differs;
};

/* --- with another program ----------------------------------------------------------------------
 */

static const char *const sides[] = { "live", "wanted" };

static void
open_folders(struct run *run)
{
	const char *tmp = getenv("TMPDIR");

	if (snprintf(run->folder, sizeof run->folder, "%s/orch-diff-XXXXXX",
		tmp && *tmp && strlen(tmp) < 40 ? tmp : "/tmp") < 0 ||
	    !mkdtemp(run->folder))
		die(NULL, "cannot make a temporary folder: %s", strerror(errno));
	for (size_t i = 0; i < COUNT(sides); i++) {
		autofree char *path = xasprintf("%s/%s", run->folder, sides[i]);

		if (mkdir(path, 0700) < 0)
			die(NULL, "cannot make folder '%s': %s", path, strerror(errno));
	}
}

static void
remove_folders(struct run *run)
{
	const char *const argv[] = { "rm", "-rf", "--", run->folder, NULL };
	struct err err;

	if (*run->folder && proc_run(argv, NULL, NULL, &err) < 0)
		complain(&err, "cannot remove '%s'", run->folder);
}

/* "apps.v1.Deployment.default.web", as kubectl names them, if a file can be called that; absent
 * objects have no file. */
static void
keep_file(
    struct run *run, const char *side, const struct kind *k, const json_t *obj, const char *content)
{
	autofree char *name = xasprintf("%s%s%s.%s.%s.%s", k->group, *k->group ? "." : "",
	    k->version, k->kind, meta_namespace(obj), meta_name(obj));
	autofree char *path =
	    strlen(name) <= LONGEST_NAME
		? xasprintf("%s/%s/%s", run->folder, side, name)
		: xasprintf("%s/%s/%.*s~%zu", run->folder, side, LONGEST_NAME, name, run->n);
	autofclose FILE *f = content ? fopen(path, "we") : NULL;

	if (content && (!f || fputs(content, f) < 0 || fflush(f) != 0))
		die(NULL, "cannot write '%s': %s", path, strerror(errno));
}

/* diff's exit status: 1 when they differ, more when it failed. */
static void
run_external(struct run *run)
{
	autofree char *command =
	    xasprintf("%s \"$ORCH_DIFF_DIR/live\" \"$ORCH_DIFF_DIR/wanted\"", external);
	int status;

	flush_output();
	setenv("ORCH_DIFF_DIR", run->folder, 1);
	status = system(command);
	if (WIFEXITED(status) && WEXITSTATUS(status) <= 1)
		run->differs = WEXITSTATUS(status) == 1;
	else
		intake_failed(&run->in, complain(NULL, "'%s' has failed", external));
}

/* --- comparing ------------------------------------------------------------------------------ */

static void
print_header(struct run *run, const char *mark, const char *side, const struct kind *k,
    const json_t *obj, bool there)
{
	autofree char *name = target_name(k, meta_name(obj));
	const char *ns = meta_namespace(obj);

	if (there)
		buf_printf(&run->text, "%s %s/%s%s%s\n", mark, side, ns, *ns ? "/" : "", name);
	else
		buf_printf(&run->text, "%s /dev/null\n", mark);
}

/* One object as it is and as it would be; NULL: is not there. */
static void
compare(struct run *run, const struct kind *k, const json_t *live, const json_t *wanted)
{
	const json_t *named = wanted ? wanted : live;
	autofree char *from = NULL, *to = NULL;
	struct err err;

	run->n++;
	states_shown(live, wanted, &from, &to);
	if (*run->folder) {
		keep_file(run, "live", k, named, from);
		keep_file(run, "wanted", k, named, to);
		return;
	}
	if (from && to && strcmp(from, to) == 0)
		return;
	run->differs = true;
	if (format) {
		if (output_add(&run->output, (json_t *)named, &err) < 0)
			die(&err, "cannot print");
		return;
	}
	buf_clear(&run->text);
	print_header(run, "---", "live", k, named, from);
	print_header(run, "+++", "wanted", k, named, to);
	linediff(&run->text, from ? from : "", to ? to : "", run->context);
	fwrite(run->text.data, 1, run->text.len, stdout);
}

static void
compare_item(struct run *run, const struct item *i)
{
	if (i->err.code != ERR_OK) {
		autofree char *why = item_trouble(i, "apply");

		complain(NULL, "%s", why);
		intake_failed(&run->in, err_exit(i->err.code));
		return;
	}
	compare(run, i->kind, i->live, i->after ? i->after : i->obj);
}

static void
pruned(void *arg, const struct kind *k, const json_t *obj, int r, const struct err *err)
{
	(void)r, (void)err; /* nothing is asked of the server */
	compare(arg, k, obj, NULL);
}

static void
compare_all(struct run *run)
{
	struct prune p = { .dry = DRY_CLIENT, .said = pruned, .arg = run };
	struct err err;

	intake_check(&run->in, false);
	for (size_t n = 0; n < run->in.bundle.n; n++)
		compare_item(run, &run->in.bundle.item[n]);
	if (intake_options.prune && intake_prune(&run->in, &p, &err) < 0)
		intake_failed(&run->in, complain(&err, "cannot look for what would be pruned"));
}

static void
setup(struct run *run)
{
	const struct printer_options options = { .list = PRINTER_LIST_NEVER };
	struct err err;

	if (!external)
		external = getenv("ORCH_DIFF");
	if (external && (!*external || format))
		external = NULL; /* an empty one is none, and -o prints by itself */
	run->context = (unsigned)cli_number("unified", context_arg, 0, 1000000);
	if (format && output_open(&run->output, stdout, format, &options, &err) < 0)
		die(&err, "cannot print");
	run->in.manager = manager;
	if (intake_open(&run->in, &err) < 0)
		die(&err, "nothing is compared");
	if (external)
		open_folders(run);
}

int
main(int argc, char *argv[])
{
	struct run run = { .in = { .complain = complain } };
	struct err err;

	if (cli_parse(argc, argv) != argc || (intake_options.files.n == 0 && isatty(STDIN_FILENO)))
		usage();
	setup(&run);
	compare_all(&run);
	if (external)
		run_external(&run);
	remove_folders(&run);
	if (format && output_close(&run.output, &err) < 0)
		intake_failed(&run.in, complain(&err, "cannot print"));
	buf_release(&run.text);
	intake_close(&run.in);
	return finish(run.in.worst ? run.in.worst : run.differs ? 1 : 0);
}
