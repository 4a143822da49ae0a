#include "client/crds.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/meta.h"
#include "api/object.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/proc.h"
#include "client/options.h"

struct crds_options crds_options;

const struct opt crds_opts[] = {
	{ 0, "crds", "FILE", "learn custom kinds from this file or folder", &crds_options.files,
	    true },
	{ 0, "from-server", NULL, "learn the custom kinds that the server has",
	    &crds_options.server, false },
	{ 0 },
};

struct learning {
	struct learn *learn;
	enum learn_how how;
	char *const *words; /* NULL: all */
	void (*say)(const char *fmt, ...) PRINTF(1, 2);
};

/* Is one of the words, up to its first dot, a name of its kind? */
static bool
meant(char *const words[], const json_t *crd)
{
	const json_t *names = get(crd, "spec", "names");
	size_t i;
	json_t *v;

	for (char *const *w = words; w && *w; w++) {
		autofree char *word = xstrndup(*w, strcspn(*w, "."));

		if (strcasecmp(word, text(names, "plural")) == 0 ||
		    strcasecmp(word, text(names, "kind")) == 0 ||
		    strcasecmp(word, text(names, "singular")) == 0)
			return true;
		json_array_foreach (json_object_get(names, "shortNames"), i, v)
			if (strcasecmp(word, str(v, "")) == 0)
				return true;
	}
	return !words;
}

static void
learn_one(const struct learning *l, const json_t *obj, const char *where)
{
	autofree char *before = NULL;
	struct err err;
	int r = learn_crd(l->learn, obj, where, l->how, &before, &err);

	if (r < 0)
		l->say("%s: cannot learn from '%s': %s", where, meta_name(obj), err.msg);
	else if (r > 0 && l->how == LEARN_WRITTEN)
		l->say("%s: '%s' is another one than at %s, and counts from here on", where,
		    meta_name(obj), before);
}

void
crds_take(struct learn *l, const json_t *obj, const char *where,
    void (*say)(const char *fmt, ...) PRINTF(1, 2))
{
	const struct learning how = { l, LEARN_WRITTEN, NULL, say };

	if (is_definition(obj))
		learn_one(&how, obj, where);
	learn_serve(l);
}

static int
take(void *arg, struct objects *in, json_t *obj, struct err *err)
{
	const struct learning *l = arg;

	(void)err;
	if (is_definition(obj) && meant(l->words, obj))
		learn_one(l, obj, objects_where(in));
	json_decref(obj);
	return 0;
}

/* --- the server's, by orch-get ------------------------------------------------------------- */

static size_t
add_option(const char **argv, size_t n, const char *name, const char *value)
{
	if (value) {
		argv[n++] = name;
		argv[n++] = value;
	}
	return n;
}

static int
ask(struct buf *out, struct err *err)
{
	autofree char *get = proc_sibling("orch-get");
	const char *argv[16] = { get, "-o", "jsonl",
		"customresourcedefinitions.apiextensions.k8s.io" };
	size_t n = 4;

	n = add_option(argv, n, "--server", client_options.server);
	n = add_option(argv, n, "--kubeconfig", client_options.kubeconfig);
	n = add_option(argv, n, "--context", client_options.context);
	n = add_option(argv, n, "--request-timeout", client_options.timeout);
	argv[n] = NULL;
	return proc_run(argv, NULL, out, err);
}

static int
learn_server(struct learning *l, struct err *err)
{
	autobuf struct buf out = BUF_INIT;
	autofclose FILE *f = NULL;
	struct objects *in;
	json_t *obj;
	int r = ask(&out, err);

	if (r < 0)
		return err_wrap(err, "cannot ask the server for its definitions");
	if (out.len == 0)
		return 0;
	if (!(f = fmemopen(out.data, out.len, "r")))
		return err_sys(err, errno, "cannot read the server's definitions");
	in = objects_open(f, "the server");
	while ((r = objects_read(in, &obj, err)) > 0)
		take(l, in, obj, err);
	objects_close(in);
	return r;
}

int
crds_learn(struct learn *l, char *const words[], void (*say)(const char *fmt, ...) PRINTF(1, 2),
    struct err *err)
{
	const struct list *files = &crds_options.files;
	struct learning from = { l, LEARN_LIVE, words, say };
	int r = crds_options.server ? learn_server(&from, err) : 0;

	from.how = LEARN_WRITTEN;
	if (r >= 0 && files->n > 0)
		r = objects_each(
		    (char *const *)files->item, (int)files->n, ACCEPT_OBJECTS, take, &from, err);
	learn_serve(l);
	return r;
}
