#include <string.h>

#include "api/meta.h"
#include "api/object.h"
#include "api/selector.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "client/node_edit.h"

enum { TRIES = 8 };

/* --- which ---------------------------------------------------------------------------------- */

char **
node_words(int *n, char *const words[])
{
	bool scoped = scope_options.selector || scope_options.field_selector || verb_options.all;
	char **out = xcalloc((size_t)*n + 2, sizeof *out);

	for (int i = 0; i < *n; i++)
		out[i] =
		    strchr(words[i], '/') ? xstrdup(words[i]) : xasprintf("nodes/%s", words[i]);
	if (*n == 0 && scoped && verb_options.files.n == 0)
		out[(*n)++] = xstrdup("nodes");
	return out;
}

void
node_words_free(char **words)
{
	for (char **w = words; w && *w; w++)
		free(*w);
	free(words);
}

static bool
is_node(const struct kind *k)
{
	return !*k->group && strcmp(k->kind, "Node") == 0;
}

int
node_targets(const struct targets *t, struct err *err)
{
	for (size_t i = 0; i < t->n; i++)
		if (!is_node(t->item[i].kind))
			return err_set(err, ERR_BAD_REQUEST, "'%s' is a %s, not a node",
			    t->item[i].where, t->item[i].kind->kind);
	return 0;
}

/* --- on the server -------------------------------------------------------------------------- */

/* An empty list and a null are nothing in an object. */
static void
assign(json_t *obj, const char *field, json_t *value)
{
	if (json_is_null(value) || (json_is_array(value) && json_array_size(value) == 0))
		json_object_del(get(obj, "spec"), field);
	else
		put(obj, json_incref(value), "spec", field);
}

/* 1 when changed, 0 when it was so already; *obj is replaced by what it then is. */
static int
change(struct verb *v, const struct subject *s, const struct node_edit *e, json_t **obj,
    const char **what, struct err *err)
{
	json_auto_t *value = NULL, *patch = json_object(), *reply = NULL;
	int r;

	if (e->version && strcmp(e->version, meta_version(*obj)) != 0)
		return err_set(err, ERR_CONFLICT, "its resourceVersion is %s, not %s",
		    meta_version(*obj), e->version);
	if ((r = e->edit(e, *obj, &value, what, err)) < 0 || !value)
		return r;
	put(patch, json_incref(value), "spec", e->field);
	if (*meta_uid(*obj))
		put(patch, json_string(meta_uid(*obj)), "metadata", "uid");
	if (e->whole || e->version)
		put(patch, json_string(meta_version(*obj)), "metadata", "resourceVersion");
	if (v->writer.dry == DRY_CLIENT) {
		reply = json_deep_copy(*obj);
		assign(reply, e->field, value);
	} else if ((r = client_patch(v->client, s->kind, "", s->name, NULL,
			"application/merge-patch+json", patch, v->writer.query, &reply, err)) < 0) {
		return r;
	}
	json_decref(*obj);
	*obj = steal(reply);
	return 1;
}

int
node_change(struct verb *v, const struct subject *s, void *arg, struct err *err)
{
	const struct node_edit *e = arg;
	json_auto_t *obj = s->live ? json_incref(s->obj) : NULL;
	const char *what = "unchanged";
	int r = 0;

	for (int try = 0; try < TRIES; try++) {
		if (!obj && (r = verb_read(v, s, &obj, err)) < 0)
			return r;
		r = change(v, s, e, &obj, &what, err);
		if (r != -ERR_CONFLICT || e->version)
			break;
		json_decref(obj);
		obj = NULL;
	}
	return r < 0 ? r : verb_report(v, s, obj, what, err);
}

/* --- cordoning ------------------------------------------------------------------------------ */

static int
cordon(
    const struct node_edit *e, const json_t *node, json_t **ret, const char **what, struct err *err)
{
	bool undo = e->arg != NULL, is = truth(get(node, "spec", "unschedulable"));

	(void)err;
	if (is == !undo) {
		*what = undo ? "already uncordoned" : "already cordoned";
		return 0;
	}
	*what = undo ? "uncordoned" : "cordoned";
	*ret = undo ? json_null() : json_true();
	return 0;
}

struct node_edit
node_cordon(bool undo)
{
	static const char yes[] = "undo";

	return (
	    struct node_edit){ .field = "unschedulable", .edit = cordon, .arg = undo ? yes : NULL };
}

/* --- as a filter ---------------------------------------------------------------------------- */

struct stream_state {
	const struct node_edit *e;
	struct selector *labels;
	struct output output;
	bool lines;
};

static bool
is_ours(const struct stream_state *st, const json_t *obj)
{
	char group_kind[128];

	return strcmp(meta_group_kind(obj, group_kind), "Node") == 0 &&
	       selector_match(st->labels, meta_labels(obj));
}

static void
pass_on(const struct stream_state *st, struct objects *in, const json_t *value, bool changed)
{
	size_t len;
	const char *raw = changed ? NULL : objects_raw(in, &len);

	if (raw) {
		fwrite(raw, 1, len, stdout);
		fputc('\n', stdout);
	} else {
		jsonl_write(st->output.f, value);
	}
}

static int
edit_one(void *arg, struct objects *in, json_t *taken, struct err *err)
{
	struct stream_state *st = arg;
	json_auto_t *value = taken, *then = NULL;
	json_t *obj = object_of(value);
	const char *what;
	int r = 0;

	if (is_ours(st, obj)) {
		if (st->e->edit(st->e, obj, &then, &what, err) < 0) {
			autofree char *ref = meta_ref(obj);

			return err_wrap(err, "%s: %s", objects_where(in), ref);
		}
		if (then)
			assign(obj, st->e->field, then);
	}
	if (st->lines)
		pass_on(st, in, value, then != NULL);
	else
		r = output_add(&st->output, obj, err);
	return r < 0 ? r : ferror(stdout);
}

int
node_stream(const struct node_edit *e, struct err *err)
{
	const struct printer_options options = { .list = PRINTER_LIST_NEVER };
	const char *format = write_options.format ? write_options.format : "jsonl";
	struct stream_state st = { .e = e, .lines = strcmp(format, "jsonl") == 0 };
	int r;

	if ((r = selector_parse(
		 &st.labels, scope_options.selector ? scope_options.selector : "", err)) < 0)
		return r;
	st.output.f = stdout;
	if (!st.lines && (r = output_open(&st.output, stdout, format, &options, err)) < 0) {
		selector_free(st.labels);
		return r;
	}
	r = objects_each((char *const *)verb_options.files.item, (int)verb_options.files.n,
	    ACCEPT_EVENTS, edit_one, &st, err);
	if (r >= 0 && !st.lines)
		r = output_close(&st.output, err);
	selector_free(st.labels);
	return r < 0 ? r : 0;
}
