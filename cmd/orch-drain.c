/* orch-drain - empty nodes: cordon them, evict their pods as budgets allow, wait until they are
 * gone. */
#include <string.h>
#include <unistd.h>

#include "api/grid.h"
#include "api/meta.h"
#include "base/cli.h"
#include "base/clock.h"
#include "base/jsonl.h"
#include "base/log.h"
#include "base/mem.h"
#include "client/drain.h"
#include "client/node_edit.h"
#include "client/outside.h"

static bool force, ignore_daemonsets, delete_emptydir, disable_eviction;
static const char *grace, *timeout, *pod_selector, *skip_after;
static const struct opt opts[] = {
	{ 0, "force", NULL, "evict also pods that no controller would make again", &force, false },
	{ 0, "ignore-daemonsets", NULL, "leave the pods of DaemonSets alone", &ignore_daemonsets,
	    false },
	{ 0, "delete-emptydir-data", NULL, "evict also pods with emptyDir volumes",
	    &delete_emptydir, false },
	{ 0, "pod-selector", "LABELS", "only pods with these labels", &pod_selector, false },
	{ 0, "grace-period", "SECONDS", "for each pod to end, instead of its own", &grace, false },
	{ 0, "timeout", "TIME", "give up after this long; 0, the default: never", &timeout, false },
	{ 0, "skip-wait-for-delete-timeout", "SECONDS", "no waiting for pods longer on their end",
	    &skip_after, false },
	{ 0, "disable-eviction", NULL, "delete, and ask no budget", &disable_eviction, false },
	{ 0 },
};
static const struct opt *const shared[] = { verb_opts, all_opts, write_opts, scope_opts,
	client_opts, NULL };
const struct program self = {
	.name = "orch-drain",
	.synopsis = "[OPTION...] NODE...\n[OPTION...] (-l LABELS|--all)\n[OPTION...] < nodes\n"
		    "--dry-run[=client|server] [-o table|jsonl] NODE...",
	.summary = "Empty nodes, as the budgets of their pods allow.",
	.opts = opts,
	.shared = shared,
	.operands = "objects",
};

struct run {
	struct drain d;
	struct list nodes;
	struct outside outside;
	struct grid grid;
	bool lines; /* a dry run prints JSON Lines */
	int worst;
};

static void
failed(struct run *run, int status)
{
	run->worst = status > run->worst ? status : run->worst;
}

/* --- a dry run ------------------------------------------------------------------------------ */

static const char *const columns[] = { "node", "namespace", "pod", "action", "turn", "budget",
	"reason" };

static void
print_row(struct run *run, json_t *row)
{
	bool pod = strcmp(text(row, "object", "kind"), "Pod") == 0;
	json_auto_t *none = json_null();
	const json_t *turn = get(row, "turn");

	if (run->lines) {
		jsonl_write(stdout, row);
		return;
	}
	grid_cell(&run->grid, pod ? text(row, "node") : text(row, "object", "metadata", "name"));
	grid_cell(&run->grid, text(row, "object", "metadata", "namespace"));
	grid_cell(&run->grid, pod ? text(row, "object", "metadata", "name") : "");
	grid_cell(&run->grid,
	    pod || strcmp(text(row, "action"), "patch") ? text(row, "action") : "cordon");
	grid_value(&run->grid, turn ? turn : none);
	grid_cell(&run->grid, text(row, "budget", "name"));
	grid_cell(&run->grid, text(row, "reason"));
}

static json_t *
object_row(const json_t *obj, const char *kind, const char *action, const char *reason)
{
	return json_pack("{s:s, s:{s:s, s:s, s:{s:s, s:s*, s:s}}, s:s}", "action", action, "object",
	    "apiVersion", "v1", "kind", kind, "metadata", "name", meta_name(obj), "namespace",
	    *meta_namespace(obj) ? meta_namespace(obj) : NULL, "uid", meta_uid(obj), "reason",
	    reason);
}

/* The node as it is, and what cordoning would do. */
static int
show_cordon(struct verb *v, const struct subject *s, struct run *run, struct err *err)
{
	json_auto_t *node = NULL, *row = NULL, *patch = NULL;
	int r = verb_read(v, s, &node, err);

	if (r < 0)
		return r;
	patch = json_pack(
	    "{s:{s:s}, s:{s:b}}", "metadata", "uid", meta_uid(node), "spec", "unschedulable", true);
	if (v->writer.dry == DRY_SERVER &&
	    (r = client_patch(v->client, s->kind, "", s->name, NULL, "application/merge-patch+json",
		 patch, v->writer.query, NULL, err)) < 0)
		return r;
	if (truth(get(node, "spec", "unschedulable"))) {
		row = object_row(node, "Node", "skip", "cordoned already");
	} else {
		row = object_row(node, "Node", "patch", "no new pods are placed there");
		put(row, json_true(), "object", "spec", "unschedulable");
	}
	print_row(run, row);
	return 0;
}

static json_t *
pod_row(const struct run *run, const struct drain_pod *p, bool asked)
{
	const struct drain_verdict *v = p->verdict;
	bool no = asked && p->state == DRAIN_DUE && p->said.code != ERR_OK;
	bool deletes = run->d.how.deletes && v->action == DRAIN_EVICT;
	autofree char *reason =
	    no ? xasprintf("%s; the server: %s", v->reason, p->said.msg) : xstrdup(v->reason);
	json_t *row = object_row(p->pod, "Pod", deletes ? "delete" : drain_word(v->action), reason);

	json_object_set_new(row, "node", json_string(p->node));
	if (v->turn > 0)
		json_object_set_new(row, "turn", json_integer(v->turn));
	if (v->budget)
		json_object_set_new(row, "budget", drain_numbers(v->budget));
	if (asked && p->state == DRAIN_DUE)
		json_object_set_new(row, "allowed", json_boolean(!no));
	if (run->d.grace >= 0 && v->action == DRAIN_EVICT)
		put(row, json_integer(run->d.grace), "options", "gracePeriodSeconds");
	return row;
}

/* Would it end, with what status? */
static int
foreseen(const struct drain_pod *p, bool asked)
{
	if (p->verdict->action == DRAIN_REFUSE)
		return 2;
	if (p->verdict->action == DRAIN_BLOCK)
		return 1;
	if (!asked || p->state != DRAIN_DUE || p->said.code == ERR_OK)
		return 0;
	return p->said.code == ERR_TOO_MANY ? 1 : err_exit(p->said.code);
}

static void
show(struct run *run, bool asked)
{
	autobuf struct buf out = BUF_INIT;

	if (asked)
		drain_try(&run->d);
	for (size_t i = 0; i < run->d.n; i++) {
		json_auto_t *row = pod_row(run, &run->d.item[i], asked);

		print_row(run, row);
		failed(run, foreseen(&run->d.item[i], asked));
	}
	if (!run->lines) {
		grid_print(&run->grid, true, &out);
		fwrite(out.data, 1, out.len, stdout);
	}
}

/* --- for real ------------------------------------------------------------------------------- */

static void
tell(void *arg, const struct drain_pod *p, const char *why)
{
	const char *ns = meta_namespace(p->pod), *name = meta_name(p->pod);
	struct run *run = arg;

	if (p->state == DRAIN_GONE)
		printf("pod %s/%s %s\n", ns, name, run->d.how.deletes ? "deleted" : "evicted");
	else if (p->state == DRAIN_LEFT)
		printf("pod %s/%s left: %s\n", ns, name, why);
	else if (p->state == DRAIN_FAILED)
		failed(run, complain(&p->said, "cannot evict pod %s/%s", ns, name));
	else
		warn("pod %s/%s has to wait: %s", ns, name, why);
	flush_output();
}

static bool
ends(void *arg)
{
	struct run *run = arg;

	return outside_ends(&run->outside);
}

static void
tell_kept(struct run *run)
{
	for (size_t i = 0; i < run->d.n; i++) {
		const struct drain_pod *p = &run->d.item[i];
		const char *ns = meta_namespace(p->pod), *name = meta_name(p->pod);

		if (p->verdict->action == DRAIN_SKIP)
			warn("pod %s/%s stays: %s", ns, name, p->verdict->reason);
		else if (p->verdict->action == DRAIN_REFUSE)
			failed(run, complain(NULL, "cannot drain node/%s: pod %s/%s: %s", p->node,
					ns, name, p->verdict->reason));
	}
}

/* What is left when it ends before its time, so that people know what another run will do. */
static void
tell_rest(const struct run *run)
{
	static const char *const words[] = { [DRAIN_DUE] = "not evicted yet",
		[DRAIN_BUDGET] = "held by its budget",
		[DRAIN_ENDING] = "evicted, has not ended yet" };
	size_t gone = 0, all = 0;

	for (size_t i = 0; i < run->d.n; i++) {
		const struct drain_pod *p = &run->d.item[i];

		all += p->state != DRAIN_STAYS;
		gone += p->state == DRAIN_GONE || p->state == DRAIN_LEFT;
		if (p->state >= DRAIN_DUE && p->state <= DRAIN_ENDING)
			warn("left: pod %s/%s: %s%s%s", meta_namespace(p->pod), meta_name(p->pod),
			    words[p->state], p->said.code ? ": " : "",
			    p->said.code ? p->said.msg : "");
	}
	warn("%zu of %zu pods are gone; the nodes stay cordoned, and another run goes on from here",
	    gone, all);
}

static bool
drained(const struct run *run, const char *node)
{
	if (drain_refused(&run->d, node))
		return false;
	for (size_t i = 0; i < run->d.n; i++) {
		const struct drain_pod *p = &run->d.item[i];

		if (strcmp(p->node, node) == 0 && p->state != DRAIN_STAYS &&
		    p->state != DRAIN_GONE && p->state != DRAIN_LEFT)
			return false;
	}
	return true;
}

static void
drain(struct run *run)
{
	struct err err;

	tell_kept(run);
	if (drain_run(&run->d, &err) < 0) {
		tell_rest(run);
		failed(run, complain(&err, "cannot drain"));
	}
	for (size_t i = 0; i < run->nodes.n; i++)
		if (drained(run, run->nodes.item[i]))
			printf("node/%s drained\n", run->nodes.item[i]);
}

/* --- both ----------------------------------------------------------------------------------- */

static int
take(struct verb *v, const struct subject *s, void *arg, struct err *err)
{
	struct node_edit cordon = node_cordon(false);
	struct run *run = arg;
	int r = v->writer.dry ? show_cordon(v, s, run, err) : node_change(v, s, &cordon, err);

	if (r < 0)
		return r;
	GROW(run->nodes.item, run->nodes.n, run->nodes.cap);
	run->nodes.item[run->nodes.n++] = xstrdup(s->name);
	return 0;
}

static void
options(struct run *run, const struct verb *v)
{
	const char *format = write_options.format;

	if (format && strcmp(format, "table") != 0 && strcmp(format, "jsonl") != 0)
		die(NULL, "-o is table or jsonl, not '%s'", format);
	if (format && !v->writer.dry)
		die(NULL, "-o goes with --dry-run");
	run->lines = format ? strcmp(format, "jsonl") == 0 : !isatty(STDOUT_FILENO);
	grid_init(&run->grid);
	for (size_t i = 0; i < COUNT(columns); i++)
		grid_column(&run->grid, columns[i]);
	run->d = (struct drain){ .client = v->client,
		.how = { .force = force,
		    .ignore_daemonsets = ignore_daemonsets,
		    .delete_emptydir = delete_emptydir,
		    .deletes = disable_eviction,
		    .skip_after = skip_after ? cli_number("skip-wait-for-delete-timeout",
						   skip_after, 0, INT32_MAX)
					     : 0,
		    .now = clock_now() },
		.pod_selector = pod_selector,
		.grace = grace ? cli_number("grace-period", grace, -1, INT32_MAX) : -1,
		.timeout = timeout ? cli_duration("timeout", timeout) : 0,
		.ends = ends,
		.tell = tell,
		.arg = run };
}

static void
release(struct run *run)
{
	drain_close(&run->d);
	grid_release(&run->grid);
	for (size_t i = 0; i < run->nodes.n; i++)
		free((char *)run->nodes.item[i]);
	free(run->nodes.item);
}

int
main(int argc, char *argv[])
{
	struct verb v = { .name = "drain", .complain = complain, .flush = flush_output };
	struct run run = { .outside = OUTSIDE_INIT };
	struct err err;
	int at = cli_parse(argc, argv), n = argc - at;
	char **words = node_words(&n, argv + at);

	if (n == 0 && verb_options.files.n == 0 && isatty(STDIN_FILENO))
		usage();
	log_open(self.name, 0);
	if (verb_open(&v, n, words, &err) < 0 || node_targets(&v.targets, &err) < 0 ||
	    verb_needs_names(&v, &err) < 0)
		die(&err, "cannot drain");
	options(&run, &v);
	verb_each(&v, take, &run);
	flush_output();
	if (outside_open(&run.outside, v.client, NULL, &err) < 0 ||
	    (run.nodes.n > 0 && drain_gather(&run.d, &run.nodes, &err) < 0))
		failed(&run, complain(&err, "cannot drain"));
	else if (v.writer.dry)
		show(&run, v.writer.dry == DRY_SERVER);
	else if (run.nodes.n > 0) {
		run.d.fd = run.outside.fd;
		drain(&run);
	}
	outside_close(&run.outside, v.client);
	release(&run);
	node_words_free(words);
	verb_failed(&v, run.worst);
	return finish(verb_close(&v));
}
