/* orch-history - the states an object has been in: list them, show, compare and bring back. */
#include <string.h>
#include <unistd.h>

#include "api/changes.h"
#include "api/grid.h"
#include "api/line_diff.h"
#include "api/meta.h"
#include "base/cli.h"
#include "base/clock.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "base/time.h"
#include "client/past.h"
#include "client/revert.h"
#include "client/states.h"
#include "client/verb.h"

enum { VALUE_WIDTH = 40, SUMMARY = 3, AROUND = 3 };

static bool exit_code;
static const struct opt opts[] = {
	{ 0, "exit-code", NULL, "diff: exit 1 when they differ", &exit_code, false },
	{ 0 },
};
static const struct opt *const shared[] = { verb_opts, write_opts, scope_opts, client_opts, NULL };
const struct program self = {
	.name = "orch-history",
	.synopsis =
	    "[log] KIND/NAME...\nshow KIND/NAME [VERSION]\ndiff KIND/NAME [VERSION "
	    "[VERSION]]\nrevert KIND/NAME VERSION\nCOMMAND [-f FILE] [VERSION...] < objects",
	.summary = "The states an object has been in: list, show, compare, bring back.",
	.opts = opts,
	.shared = shared,
	.operands = "objects",
	.commands = "log show diff revert",
};

struct run {
	char **versions; /* of the operands, as typed */
	int nversions;
	int64_t now;
	bool several; /* of more than one object: say of which */
	bool differs;
};

/* What is remembered of one object; nothing is NOT_FOUND. */
static int
read_past(struct verb *v, const struct subject *s, struct past *p, struct err *err)
{
	int r = past_read(p, v->client, s->kind, s->ns, s->name, err);

	if (r < 0)
		return r;
	if (p->n > 0)
		return 0;
	if (p->begin <= 1)
		return err_set(err, ERR_NOT_FOUND, "it has never existed");
	return err_set(err, ERR_NOT_FOUND,
	    "nothing is remembered of it; the history begins at revision %llu", p->begin);
}

static const char *
type_word(enum version_type type)
{
	return type == VERSION_CREATED ? "ADDED" : type == VERSION_DELETED ? "DELETED" : "MODIFIED";
}

/* --- log ------------------------------------------------------------------------------------ */

/* What this version changed, in short. */
static void
describe(const struct past *p, size_t i, struct buf *out)
{
	const struct version *v = &p->item[i];
	struct changes c = { 0 };

	if (v->type == VERSION_DELETED) {
		buf_puts(out, "deleted");
	} else if (v->type == VERSION_CREATED) {
		buf_puts(out, "created");
	} else if (i == 0) {
		buf_puts(out, "(what was before is forgotten)");
	} else {
		changes_between(&c, p->item[i - 1].obj, v->obj, VALUE_WIDTH);
		changes_summary(&c, SUMMARY, out);
		if (c.n == 0)
			buf_puts(out, "no field of its own");
		changes_release(&c);
	}
}

static void
print_log(
    const struct verb *v, const struct subject *s, const struct run *run, const struct past *p)
{
	static const char *const columns[] = { "version", "time", "who", "change" };
	autofree char *shown = target_name(s->kind, s->name);
	autobuf struct buf out = BUF_INIT;
	struct grid g;

	(void)v;
	grid_init(&g);
	for (size_t i = 0; i < COUNT(columns); i++)
		grid_column(&g, columns[i]);
	for (size_t i = 0; i < p->n; i++) {
		const struct version *one = &p->item[i];
		autobuf struct buf change = BUF_INIT;
		char number[24], at[TIME_TEXT];

		describe(p, i, &change);
		snprintf(number, sizeof number, "%llu", one->number);
		grid_cell(&g, number);
		grid_cell(&g, one->time ? time_print(one->time, at) : "-");
		grid_cell(&g, *one->who ? one->who : "-");
		grid_cell(&g, change.data);
	}
	grid_print(&g, true, &out);
	grid_release(&g);
	printf("%s%s%s%s", run->several ? shown : "", run->several ? "\n" : "", out.data,
	    run->several ? "\n" : "");
}

static int
log_one(struct verb *v, const struct subject *s, void *arg, struct err *err)
{
	const char *format = write_options.format;
	bool lines = format ? strcmp(format, "jsonl") == 0 : !isatty(STDOUT_FILENO);
	bool table = format ? strcmp(format, "table") == 0 : !lines;
	struct past p;
	int r = read_past(v, s, &p, err);

	if (r < 0)
		return r;
	if (table)
		print_log(v, s, arg, &p);
	for (size_t i = 0; i < p.n && !table && r >= 0; i++) {
		json_auto_t *event = json_pack(
		    "{s:s, s:O}", "type", type_word(p.item[i].type), "object", p.item[i].obj);

		if (lines)
			jsonl_write(stdout, event);
		else
			r = output_add(&v->writer.output, p.item[i].obj, err);
	}
	past_release(&p);
	return r;
}

/* --- show ----------------------------------------------------------------------------------- */

/* The version that an operand says, or that stands for none. */
static int
find(const struct past *p, const struct run *run, int i, const char *dflt,
    const struct version **ret, struct err *err)
{
	return past_find(p, i < run->nversions ? run->versions[i] : dflt, run->now, ret, err);
}

static int
show_one(struct verb *v, const struct subject *s, void *arg, struct err *err)
{
	const struct version *one;
	struct past p;
	int r = read_past(v, s, &p, err);

	if (r < 0)
		return r;
	if ((r = find(&p, arg, 0, "~0", &one, err)) >= 0) {
		autofree char *shown = target_name(s->kind, s->name);

		if (one->type == VERSION_DELETED)
			warn("%s was deleted at revision %llu: this is its last state", shown,
			    one->number);
		r = output_add(&v->writer.output, one->obj, err);
	}
	past_release(&p);
	return r;
}

/* --- diff ----------------------------------------------------------------------------------- */

static void
print_diff(const struct subject *s, const struct version *a, const struct version *b)
{
	autofree char *shown = target_name(s->kind, s->name);
	autofree char *before = NULL, *after = NULL, *hunks = NULL;

	states_told(a->obj, b->obj, &before, &after);
	hunks = line_diff(before, after, AROUND);
	printf("--- %s %llu\n+++ %s %llu\n%s", shown, a->number, shown, b->number, hunks);
	if (*hunks && hunks[strlen(hunks) - 1] != '\n')
		putchar('\n');
}

static int
diff_one(struct verb *v, const struct subject *s, void *arg, struct err *err)
{
	struct run *run = arg;
	const struct version *a, *b;
	struct past p;
	int r = read_past(v, s, &p, err);

	if (r < 0)
		return r;
	if ((r = find(&p, run, 0, "~1", &a, err)) >= 0 &&
	    (r = find(&p, run, 1, "~0", &b, err)) >= 0 && a != b) {
		run->differs = true;
		print_diff(s, a, b);
	}
	past_release(&p);
	return r;
}

/* --- revert --------------------------------------------------------------------------------- */

static int
revert_one(struct verb *v, const struct subject *s, void *arg, struct err *err)
{
	json_auto_t *obj = NULL;
	const struct version *one;
	struct past p;
	char what[64];
	int r = read_past(v, s, &p, err);

	if (r < 0)
		return r;
	if ((r = find(&p, arg, 0, "~1", &one, err)) >= 0)
		r = revert_object(v->client, one->obj, past_current(&p), v->writer.query,
		    v->writer.dry == DRY_CLIENT, &obj, err);
	if (r >= 0) {
		snprintf(what, sizeof what, "%s revision %llu",
		    past_current(&p) ? "reverted to" : "recreated as of", one->number);
		r = verb_report(v, s, obj, r ? what : "unchanged", err);
	}
	past_release(&p);
	return r;
}

/* --- main ----------------------------------------------------------------------------------- */

static const struct command {
	const char *name;
	int (*one)(struct verb *v, const struct subject *s, void *arg, struct err *err);
	int least, most; /* versions */
} commands[] = {
	{ "log", log_one, 0, 0 },
	{ "show", show_one, 0, 1 },
	{ "diff", diff_one, 0, 2 },
	{ "revert", revert_one, 1, 1 },
};

/* The first word, when it is none of an object. */
static const struct command *
command_of(const char *word)
{
	for (size_t i = 0; i < COUNT(commands); i++)
		if (strcmp(word, commands[i].name) == 0)
			return &commands[i];
	return NULL;
}

/* Versions have no slash, objects have one: move the versions behind; how many objects. */
static int
part(struct run *run, char *words[], int n)
{
	int objects = 0;

	run->versions = xcalloc((size_t)n + 1, sizeof *run->versions);
	for (int i = 0; i < n; i++) {
		if (strchr(words[i], '/'))
			words[objects++] = words[i];
		else
			run->versions[run->nversions++] = words[i];
	}
	return objects;
}

static void
check(const struct command *cmd, const struct run *run, int objects)
{
	if (run->nversions > cmd->most)
		die(NULL, "'%s' is no KIND/NAME, and %s takes %s", run->versions[cmd->most],
		    cmd->name,
		    cmd->most == 0   ? "no version"
		    : cmd->most == 1 ? "one version"
				     : "two versions");
	if (run->nversions < cmd->least)
		die(NULL, "%s needs to know to which version", cmd->name);
	if (objects == 0 && verb_options.files.n == 0 && isatty(STDIN_FILENO))
		usage();
	if (scope_options.all_namespaces || scope_options.selector || scope_options.field_selector)
		die(NULL, "history is of objects by name: no -A, -l or --field-selector");
	if (exit_code && strcmp(cmd->name, "diff") != 0)
		die(NULL, "--exit-code is for diff");
}

int
main(int argc, char *argv[])
{
	struct verb v = { .name = "history", .complain = complain, .flush = flush_output };
	struct run run = { .now = clock_now() };
	const struct command *cmd;
	struct err err;
	int at = cli_parse(argc, argv), objects, status;

	cmd = at < argc ? command_of(argv[at]) : NULL;
	at += cmd ? 1 : 0;
	cmd = cmd ? cmd : &commands[0];
	objects = part(&run, argv + at, argc - at);
	check(cmd, &run, objects);
	if (strcmp(cmd->name, "show") == 0 && !write_options.format)
		write_options.format = isatty(STDOUT_FILENO) ? "yaml" : "jsonl";
	if (verb_open(&v, objects, argv + at, &err) < 0)
		die(&err, "cannot %s", cmd->name);
	v.name = cmd->one == log_one ? "tell the history of" : cmd->name;
	run.several = v.targets.n > 1;
	verb_each(&v, cmd->one, &run);
	status = verb_close(&v);
	free(run.versions);
	return finish(status ? status : exit_code && run.differs ? 1 : 0);
}
