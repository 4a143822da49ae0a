/* orch-tree - who owns whom: a picture of objects by their ownerReferences. */
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "api/object.h"
#include "api/tree.h"
#include "base/cli.h"
#include "base/mem.h"
#include "client/address.h"
#include "client/output.h"

enum { HIGHEST = 100 };

static const char *format;
static bool ascii, no_headers, up;
static struct list files;
static const struct opt opts[] = {
	{ 'u', "up", NULL, "begin with the owner's owner, as far up as it goes", &up, false },
	{ 'o', "output", "FORMAT", "the objects from the top down, in this format", &format,
	    false },
	{ 'f', "filename", "FILE", "a file, a folder, or - for stdin (the default)", &files, true },
	{ 0, "ascii", NULL, "lines of - and |", &ascii, false },
	{ 0, "no-headers", NULL, "no line of titles", &no_headers, false },
	{ 0 },
};
static const struct opt *const shared[] = { scope_opts, client_opts, NULL };
const struct program self = {
	.name = "orch-tree",
	.synopsis = "[-u] KIND[/NAME]...\n[-f FILE] < objects",
	.summary = "Draw which objects own which.",
	.opts = opts,
	.shared = shared,
	.operands = "objects",
};

struct run {
	struct client *client;
	struct tree *tree;
	json_t *roots;	/* the objects asked for */
	json_t *listed; /* "group-kind ns": true */
	struct output output;
	int worst;
};

static void
failed(struct run *run, int status)
{
	run->worst = status > run->worst ? status : run->worst;
}

/* --- a stream ----------------------------------------------------------------------------- */

static int
take(void *arg, struct objects *in, json_t *obj, struct err *err)
{
	struct run *run = arg;

	(void)in;
	(void)err;
	tree_add(run->tree, object_of(obj));
	json_decref(obj);
	return 0;
}

/* --- the server --------------------------------------------------------------------------- */

/* The owner of an object, its controller first; 1, 0 when it has none or it is not there. */
static int
owner_of(struct run *run, const json_t *obj, json_t **ret, struct err *err)
{
	json_t *ref = meta_controller(obj);
	json_auto_t *like = NULL, *owner = NULL;
	const struct kind *k;
	int r;

	ref = ref ? ref : json_array_get(get(obj, "metadata", "ownerReferences"), 0);
	if (!ref)
		return 0;
	like = json_pack(
	    "{s:s, s:s}", "apiVersion", text(ref, "apiVersion"), "kind", text(ref, "kind"));
	if ((r = client_kind_of(run->client, like, &k, err)) < 0)
		return r;
	r = client_get(run->client, k, meta_namespace(obj), text(ref, "name"), &owner, err);
	if (r == -ERR_NOT_FOUND || (r >= 0 && strcmp(meta_uid(owner), text(ref, "uid")) != 0))
		return 0;
	if (r >= 0)
		*ret = steal(owner);
	return r < 0 ? r : 1;
}

static int
add_root(void *arg, json_t *taken, struct err *err)
{
	struct run *run = arg;
	json_auto_t *obj = taken;
	int r = 0;

	for (int i = 0; up && i < HIGHEST; i++) {
		json_auto_t *owner = NULL;

		if ((r = owner_of(run, obj, &owner, err)) <= 0)
			break;
		json_decref(obj);
		obj = steal(owner);
	}
	if (r >= 0)
		json_array_append(run->roots, obj);
	return r < 0 ? r : 0;
}

static int
add_found(void *arg, json_t *obj, struct err *err)
{
	struct run *run = arg;

	(void)err;
	/* what has no owner is nobody's */
	if (json_array_size(get(obj, "metadata", "ownerReferences")) > 0)
		tree_add(run->tree, obj);
	json_decref(obj);
	return 0;
}

/* Everything that could be owned by something in a namespace ("": by something in none). */
static void
list_kinds(struct run *run, const struct kind *const *kinds, const char *ns)
{
	struct err err;

	if (json_object_get(run->listed, ns))
		return;
	json_object_set_new(run->listed, ns, json_true());
	for (; *kinds; kinds++) {
		const struct kind *k = *kinds;
		int r;

		/* Events name objects and are nobody's; there are many */
		if (strcmp(k->kind, "Event") == 0 || (*ns && !k->namespaced))
			continue;
		r = client_list(run->client, k, ns, NULL, add_found, run, NULL, &err);
		if (r < 0 && r != -ERR_NOT_FOUND && r != -ERR_METHOD)
			failed(run, complain(&err, "cannot list %s", k->plural));
	}
}

static void
gather(struct run *run, const struct targets *t)
{
	autofree const struct kind **kinds = NULL;
	struct err err;
	json_t *root;
	size_t i;

	for (i = 0; i < t->n; i++)
		if (target_each(run->client, &t->item[i], add_root, run, &err) < 0)
			failed(run, complain(&err, "cannot get %s", t->item[i].where));
	if (json_array_size(run->roots) == 0)
		return;
	if (client_kinds(run->client, &kinds, &err) < 0)
		die(&err, "cannot look for what they own");
	json_array_foreach (run->roots, i, root)
		tree_add(run->tree, root);
	json_array_foreach (run->roots, i, root)
		list_kinds(run, kinds, meta_namespace(root));
	json_array_foreach (run->roots, i, root)
		tree_mark(run->tree, meta_uid(root));
}

/* --- main --------------------------------------------------------------------------------- */

static void
print_object(void *arg, json_t *obj)
{
	struct run *run = arg;
	struct err err;

	if (output_add(&run->output, obj, &err) < 0)
		die(&err, "cannot print");
}

static void
print(struct run *run)
{
	struct tree_look look = { ascii, no_headers, scope_options.all_namespaces };
	autobuf struct buf out = BUF_INIT;
	struct err err;

	if (format) {
		tree_each(run->tree, print_object, run);
		if (output_close(&run->output, &err) < 0)
			die(&err, "cannot print");
		return;
	}
	tree_print(run->tree, &look, &out);
	fputs(out.data ? out.data : "", stdout);
}

int
main(int argc, char *argv[])
{
	const struct printer_options options = { .list = PRINTER_LIST_NEVER };
	struct run run = { 0 };
	struct targets targets = { 0 };
	struct err err;
	int at = cli_parse(argc, argv);

	if (at == argc && files.n == 0 && isatty(STDIN_FILENO))
		usage();
	if (at < argc && files.n > 0)
		die(NULL, "operands and -f do not go together");
	if (at == argc && (up || scope_options.all_namespaces || scope_options.selector ||
			      scope_options.field_selector || scope_options.namespace))
		die(NULL, "-u, -n, -A, -l and --field-selector are for objects of the server");
	if (format && output_open(&run.output, stdout, format, &options, &err) < 0)
		die(&err, "cannot print");
	run.tree = tree_new();
	run.roots = json_array();
	run.listed = json_object();
	if (at < argc) {
		if (client_open(&run.client, &err) < 0 ||
		    targets_of_words(&targets, run.client, argc - at, argv + at, &err) < 0)
			die(&err, "cannot draw");
		gather(&run, &targets);
	} else if (objects_each((char *const *)files.item, (int)files.n, ACCEPT_EVENTS, take, &run,
		       &err) < 0) {
		failed(&run, complain(&err, "cannot draw all of it"));
	}
	print(&run);
	tree_free(run.tree);
	json_decref(run.roots);
	json_decref(run.listed);
	targets_release(&targets);
	client_close(run.client);
	return finish(run.worst);
}
