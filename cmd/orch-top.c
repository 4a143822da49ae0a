/* orch-top - what nodes and pods use: a table like top's, or the objects. */
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "api/object.h"
#include "api/usage.h"
#include "base/cli.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/terminal.h"
#include "base/text.h"
#include "client/address.h"
#include "client/calls.h"
#include "client/output.h"

#define METRICS "/apis/metrics.k8s.io/v1beta1"

static const char *format, *sort_by, *interval_arg = "5s";
static bool containers, sum, no_headers, show_capacity, show_swap, again;
static struct list files;
static const struct opt opts[] = {
	{ 0, "containers", NULL, "pods: a row for each container", &containers, false },
	{ 0, "sum", NULL, "pods: a last row for all of them", &sum, false },
	{ 0, "sort-by", "WHAT", "the largest first, by cpu or memory", &sort_by, false },
	{ 0, "show-capacity", NULL, "nodes: shares of capacity, not of what pods may have",
	    &show_capacity, false },
	{ 0, "show-swap", NULL, "swap space too", &show_swap, false },
	{ 'w', "watch", NULL, "look again and again, until told to end", &again, false },
	{ 0, "interval", "TIME", "with -w: so often (5s)", &interval_arg, false },
	{ 'o', "output", "FORMAT", "table (on a terminal), jsonl (in a pipe), yaml, ...", &format,
	    false },
	{ 'f', "filename", "FILE", "NodeMetrics and PodMetrics of a file, folder or -", &files,
	    true },
	{ 0, "no-headers", NULL, "table: no line of titles", &no_headers, false },
	{ 0 },
};
static const struct opt *const shared[] = { scope_opts, client_opts, NULL };
const struct program self = {
	.name = "orch-top",
	.synopsis = "nodes [-l LABELS] [--show-capacity] [NAME...]\npods [-A] [-l LABELS] "
		    "[--containers] [--sum] [NAME...]\n-f FILE [nodes | pods] < objects",
	.summary = "Print what nodes and pods use of processors and memory.",
	.opts = opts,
	.shared = shared,
	.commands = "nodes pods",
};

struct top {
	struct client *client;
	struct usage_options o;
	bool table, people, missing; /* missing: what was asked for has no figures yet */
	json_t **item;
	size_t n, cap;
	json_t *nodes; /* by name, for shares; NULL: none are known */
	int worst;
};

static void
take(struct top *t, json_t *obj)
{
	GROW(t->item, t->n, t->cap);
	t->item[t->n++] = obj;
}

static void
forget(struct top *t)
{
	while (t->n > 0)
		json_decref(t->item[--t->n]);
	json_decref(t->nodes);
	t->nodes = NULL;
	t->missing = false;
}

/* --- from a stream ---------------------------------------------------------------------------- */

static int
take_object(void *arg, struct objects *in, json_t *obj, struct err *err)
{
	const char *kind = text(obj, "kind");
	struct top *t = arg;

	(void)in;
	(void)err;
	if (strcmp(kind, "Node") == 0) {
		if (!t->nodes)
			t->nodes = json_object();
		json_object_set_new(t->nodes, meta_name(obj), obj);
	} else if (strcmp(kind, "NodeMetrics") == 0 || strcmp(kind, "PodMetrics") == 0) {
		take(t, obj);
	} else {
		json_decref(obj);
	}
	return 0;
}

/* --- from the server -------------------------------------------------------------------------- */

/* Is there such an API at all?  What it says when there is none is a 404 like any other. */
static bool
served(struct top *t)
{
	autobuf struct buf reply = BUF_INIT;
	struct err err;
	int status;

	return client_request(t->client, "GET", METRICS, NULL, NULL, 0, &status, &reply, &err) <
		   0 ||
	       status != 404;
}

static int
fetch(struct top *t, const char *path, json_t **ret, struct err *err)
{
	struct call call = { .method = "GET", .path = xstrdup(path) };
	int r;

	calls_run(t->client, &call, 1, NULL, NULL);
	r = call_answer(&call, ret, err);
	call_release(&call);
	if (r == -ERR_NOT_FOUND && !served(t))
		return err_set(err, ERR_NOT_FOUND,
		    "the server has no metrics API (metrics.k8s.io); see orch-metrics(1)");
	return r;
}

static void
start_path(struct buf *b, const struct top *t, const char *root)
{
	buf_puts(b, root);
	if (t->o.pods && !scope_options.all_namespaces) {
		buf_puts(b, "/namespaces/");
		text_percent(b, client_namespace(t->client));
	}
	buf_printf(b, "/%s", t->o.pods ? "pods" : "nodes");
}

static int
fetch_list(struct top *t, struct err *err)
{
	const char *kind = t->o.pods ? "PodMetrics" : "NodeMetrics";
	autobuf struct buf path = BUF_INIT;
	json_auto_t *list = NULL;
	json_t *obj;
	size_t i;
	int r;

	start_path(&path, t, METRICS);
	if (scope_options.selector)
		call_query(&path, "labelSelector", scope_options.selector);
	if (scope_options.field_selector)
		call_query(&path, "fieldSelector", scope_options.field_selector);
	if ((r = fetch(t, path.data, &list, err)) < 0)
		return r;
	json_array_foreach (get(list, "items"), i, obj) {
		json_object_set_new(obj, "kind", json_string(kind));
		json_object_set_new(obj, "apiVersion", json_string("metrics.k8s.io/v1beta1"));
		take(t, json_incref(obj));
	}
	return 0;
}

/* "nodes", "pods/web" and their short forms; false when it is neither. */
static bool
is_word(const char *word, bool *pods)
{
	static const char *const of_nodes[] = { "nodes", "node", "no", NULL };
	static const char *const of_pods[] = { "pods", "pod", "po", NULL };
	autofree char *kind = xstrndup(word, strcspn(word, "/"));

	*pods = text_in(kind, of_pods);
	return *pods || text_in(kind, of_nodes);
}

/* "web", "pods/web" */
static const char *
name_of(const struct top *t, const char *word)
{
	const char *slash = strchr(word, '/');
	bool pods;

	return slash && is_word(word, &pods) && pods == t->o.pods ? slash + 1 : word;
}

static int
fetch_named(struct top *t, char *const names[], struct err *err)
{
	for (int i = 0; names[i]; i++) {
		const char *name = name_of(t, names[i]);
		autobuf struct buf path = BUF_INIT;
		json_t *obj;

		if (!client_name_fits(name))
			return err_set(err, ERR_BAD_REQUEST, "'%s' cannot be a name", names[i]);
		start_path(&path, t, METRICS);
		buf_putc(&path, '/');
		text_percent(&path, name);
		if (fetch(t, path.data, &obj, err) < 0)
			t->worst =
			    complain(err, "cannot top %s '%s'", t->o.pods ? "pod" : "node", name);
		else
			take(t, obj);
	}
	return 0;
}

static int
take_node(void *arg, json_t *obj, struct err *err)
{
	struct top *t = arg;

	(void)err;
	json_object_set_new(t->nodes, meta_name(obj), obj);
	return 0;
}

/* The Nodes whose shares are to be shown, or that have no figures. */
static int
fetch_nodes(struct top *t, struct err *err)
{
	const struct kind *k = kind_find("", "v1", "Node");
	struct list_options o = scope_list_options();

	t->nodes = json_object();
	return client_list(t->client, k, NULL, &o, take_node, t, NULL, err);
}

static int
fetch_named_nodes(struct top *t, struct err *err)
{
	t->nodes = json_object();
	for (size_t i = 0; i < t->n; i++) {
		const char *name = meta_name(t->item[i]);
		json_t *node;
		int r = client_get(t->client, kind_find("", "v1", "Node"), NULL, name, &node, err);

		if (r < 0)
			return r;
		json_object_set_new(t->nodes, name, node);
	}
	return 0;
}

static int
stop_at_one(void *arg, json_t *obj, struct err *err)
{
	(void)arg;
	(void)err;
	json_decref(obj);
	return 1;
}

/* Nothing is known: is it that there is nothing, or that it is too early? */
static int
look_for_any(struct top *t, struct err *err)
{
	const struct kind *k = kind_find("", "v1", t->o.pods ? "Pod" : "Node");
	const char *ns =
	    t->o.pods && !scope_options.all_namespaces ? client_namespace(t->client) : NULL;
	struct list_options o = scope_list_options();
	int r;

	o.limit = 1;
	r = client_list(t->client, k, ns, &o, stop_at_one, NULL, NULL, err);
	t->missing = r == 1;
	return r < 0 ? r : 0;
}

static int
ask(struct top *t, char *const names[], struct err *err)
{
	int r;

	if (names[0]) {
		if ((r = fetch_named(t, names, err)) == 0 && t->table && !t->o.pods)
			r = fetch_named_nodes(t, err);
		return r;
	}
	if ((r = fetch_list(t, err)) < 0)
		return r;
	if (t->n == 0)
		return look_for_any(t, err);
	return t->table && !t->o.pods ? fetch_nodes(t, err) : 0;
}

/* --- printing --------------------------------------------------------------------------------- */

static void
print_table(const struct top *t, size_t from, size_t to, bool pods)
{
	autobuf struct buf out = BUF_INIT;
	struct usage_options o = t->o;
	struct grid g;

	if (from == to)
		return;
	o.pods = pods;
	grid_init(&g);
	usage_columns(&g, &o);
	usage_rows(&g, t->item + from, to - from, t->nodes, &o);
	grid_print(&g, !no_headers, &out);
	fputs(out.data, stdout);
	grid_release(&g);
}

/* They are sorted: one for each kind. */
static void
print_tables(struct top *t)
{
	size_t nodes = 0;

	while (nodes < t->n && strcmp(text(t->item[nodes], "kind"), "NodeMetrics") == 0)
		nodes++;
	print_table(t, 0, nodes, false);
	if (nodes > 0 && nodes < t->n)
		putchar('\n');
	print_table(t, nodes, t->n, true);
}

static void
print_objects(struct top *t)
{
	const struct printer_options options = { .list = PRINTER_LIST_NEVER };
	struct output out;
	struct err err;

	if (output_open(&out, stdout, format, &options, &err) < 0)
		die(&err, "cannot print");
	for (size_t i = 0; i < t->n; i++)
		if (output_add(&out, t->item[i], &err) < 0)
			die(&err, "cannot print");
	if (output_close(&out, &err) < 0)
		die(&err, "cannot print");
}

/* Nodes before pods, each kind in its order. */
static void
sort(struct top *t)
{
	json_t **copy = xcalloc(t->n + 1, sizeof *copy);
	size_t nodes = 0, pods = 0;

	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < t->n; i++)
			if ((strcmp(text(t->item[i], "kind"), "PodMetrics") == 0) == pass)
				copy[pass ? nodes + pods++ : nodes++] = t->item[i];
	free(t->item);
	t->item = copy;
	t->cap = t->n + 1;
	usage_sort(t->item, nodes, &t->o);
	usage_sort(t->item + nodes, pods, &t->o);
}

/* For people: that there is none, where. */
static void
say_nothing(const struct top *t)
{
	if (t->o.pods && !scope_options.all_namespaces)
		fprintf(stderr, "%s: nothing found in namespace '%s'\n", self.name,
		    client_namespace(t->client));
	else
		fprintf(stderr, "%s: nothing found\n", self.name);
}

static void
print(struct top *t)
{
	sort(t);
	if (t->table)
		print_tables(t);
	else
		print_objects(t);
	if (t->missing) {
		warn("no figures yet: a node is asked every 15 seconds, and the first are known "
		     "when it was asked twice");
		t->worst = t->worst > 3 ? t->worst : 3;
	} else if (t->people && t->n == 0 && t->worst == 0) {
		say_nothing(t);
	}
}

/* --- once, or again and again ----------------------------------------------------------------- */

static void
look(struct top *t, char *const names[])
{
	struct err err;

	forget(t);
	t->worst = 0;
	if (ask(t, names, &err) < 0)
		t->worst = complain(&err, "cannot top %s", t->o.pods ? "pods" : "nodes");
	else
		print(t);
}

/* A screenful at a time on a terminal, else one after the other. */
static void
look_again(struct top *t, char *const names[])
{
	double seconds = cli_duration("interval", interval_arg);
	autoclose int gone = output_gone(stdout);
	bool screen = t->table && isatty(STDOUT_FILENO);
	struct pollfd p = { .fd = gone, .events = POLLIN };

	if (seconds < 0.1)
		die(NULL, "--interval: '%s' is less than 100ms", interval_arg);
	while (!output_is_gone(gone)) {
		if (screen)
			fputs("\033[H\033[J", stdout);
		look(t, names);
		if (!flush_output() || (t->worst != 0 && t->worst != 3))
			break; /* what will not get better by itself */
		poll(&p, gone >= 0, (int)(seconds * 1000));
	}
}

/* What is to be shown; returns the names of what, of the operands. */
static char *const *
choose(struct top *t, char *const operand[])
{
	char *const *names = operand;

	if (operand[0] ? !is_word(operand[0], &t->o.pods) : files.n == 0)
		usage();
	if (operand[0] && !strchr(operand[0], '/'))
		names++;
	if ((!t->o.pods && operand[0] && (containers || sum)) || (t->o.pods && show_capacity))
		die(NULL, "--containers and --sum are for pods, --show-capacity is for nodes");
	if (sort_by && strcmp(sort_by, "cpu") != 0 && strcmp(sort_by, "memory") != 0)
		die(NULL, "--sort-by: '%s' is neither cpu nor memory", sort_by);
	if (names[0] && (scope_options.selector || scope_options.field_selector))
		die(NULL, "names and selectors do not go together");
	if (names[0] && t->o.pods && scope_options.all_namespaces)
		die(NULL, "a name is of one namespace: -A does not go with it");
	if (files.n > 0 &&
	    (names[0] || scope_options.selector || scope_options.field_selector || again))
		die(NULL, "-f takes all that a file has: see orch-select(1)");
	t->o = (struct usage_options){ t->o.pods, scope_options.all_namespaces, containers, sum,
		show_capacity, show_swap, sort_by };
	t->people = !format && isatty(STDOUT_FILENO);
	t->table = format ? strcmp(format, "table") == 0 : isatty(STDOUT_FILENO);
	if (!t->table && sum)
		die(NULL, "--sum is for tables");
	return names;
}

/* Only what was asked for. */
static void
read_files(struct top *t, bool all)
{
	const char *kind = t->o.pods ? "PodMetrics" : "NodeMetrics";
	struct err err;
	size_t kept = 0;

	if (objects_each(
		(char *const *)files.item, (int)files.n, ACCEPT_OBJECTS, take_object, t, &err) < 0)
		die(&err, "cannot read");
	for (size_t i = 0; i < t->n; i++)
		if (all || strcmp(text(t->item[i], "kind"), kind) == 0)
			t->item[kept++] = t->item[i];
		else
			json_decref(t->item[i]);
	t->n = kept;
	t->o.namespaces = true; /* of whichever they are */
	sort(t);
	if (t->table)
		print_tables(t);
	else
		print_objects(t);
}

int
main(int argc, char *argv[])
{
	struct top t = { 0 };
	char *const *names;
	struct err err;

	argv += cli_parse(argc, argv);
	names = choose(&t, argv);
	log_open(self.name, 0);
	if (files.n > 0) {
		read_files(&t, !argv[0]);
	} else {
		if (client_open(&t.client, &err) < 0)
			die(&err, "cannot top");
		if (again)
			look_again(&t, names);
		else
			look(&t, names);
	}
	forget(&t);
	free(t.item);
	client_close(t.client);
	return finish(t.worst);
}
