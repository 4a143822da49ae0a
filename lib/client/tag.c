#include <string.h>

#include "api/meta.h"
#include "api/object.h"
#include "api/selector.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "client/tag.h"

enum { TRIES = 8 };

struct tag_options tag_options;

const struct opt tag_opts[] = {
	{ 0, "overwrite", NULL, "change also what has another value", &tag_options.overwrite,
	    false },
	{ 0, "list", NULL, "print what there is, a KEY=VALUE a line", &tag_options.list, false },
	{ 0, "resource-version", "VERSION", "only if the object has this version",
	    &tag_options.version, false },
	{ 0, "local", NULL, "a filter: no server, change the objects of the input",
	    &tag_options.local, false },
	{ 0 },
};

int
tag_split(char *words[], int n)
{
	autofree char **edits = xcalloc((size_t)n + 1, sizeof *edits);
	int objects = 0, nedits = 0;

	for (int i = 0; i < n; i++) {
		if (tag_word(words[i]))
			edits[nedits++] = words[i];
		else
			words[objects++] = words[i];
	}
	for (int i = 0; i < nedits; i++)
		words[objects + i] = edits[i];
	return objects;
}

/* --- on the server ------------------------------------------------------------------------ */

/* A value that is no single line stands there as a JSON string. */
static void
print_pair(FILE *f, const char *of, const char *key, const char *value)
{
	autobuf struct buf b = BUF_INIT;
	bool plain = true;

	for (const char *p = value; *p && plain; p++)
		plain = (unsigned char)*p >= ' ' && *p != 0x7f;
	if (plain)
		buf_puts(&b, value);
	else
		json_add_string(&b, value, strlen(value));
	fprintf(f, "%s%s%s=%s\n", of, *of ? " " : "", key, b.data);
}

static int
list(struct verb *v, const struct subject *s, const struct tagging *t, struct err *err)
{
	json_auto_t *read = NULL;
	autofree char *shown = target_name(s->kind, s->name);
	autofree const char **keys = NULL;
	const json_t *map;
	size_t n = 0;
	int r;

	if (!s->live && (r = verb_read(v, s, &read, err)) < 0)
		return r;
	map = get(s->live ? s->obj : read, "metadata", t->field->name);
	keys = map ? json_sorted_keys(map, &n) : NULL;
	for (size_t i = 0; i < n; i++)
		print_pair(v->writer.f, t->named ? shown : "", keys[i], text(map, keys[i]));
	return 0;
}

static json_t *
patch_for(const struct tagging *t, const struct subject *s, const json_t *obj, json_t *missing)
{
	json_t *patch = json_object();

	put(patch, json_incref(missing), "metadata", t->field->name);
	if (s->obj && *meta_uid(s->obj))
		put(patch, json_string(meta_uid(s->obj)), "metadata", "uid");
	/* what was looked at is what is changed: nobody's new value is overwritten unseen */
	if (t->version || !t->overwrite)
		put(patch, json_string(t->version ? t->version : meta_version(obj)), "metadata",
		    "resourceVersion");
	return patch;
}

/* 1 when changed, 0 when it was so already; *obj is replaced by what it then is. */
static int
change(
    struct verb *v, const struct subject *s, const struct tagging *t, json_t **obj, struct err *err)
{
	json_auto_t *missing = NULL, *patch = NULL, *reply = NULL;
	int r;

	if (t->version && strcmp(t->version, meta_version(*obj)) != 0)
		return err_set(err, ERR_CONFLICT, "its resourceVersion is %s, not %s",
		    meta_version(*obj), t->version);
	if ((r = tags_missing(&missing, t->field, t->edits, *obj, t->overwrite, err)) < 0)
		return r;
	if (json_object_size(missing) == 0)
		return 0;
	if (v->writer.dry == DRY_CLIENT) {
		reply = json_deep_copy(*obj);
		tags_apply(t->field, missing, reply);
	} else {
		patch = patch_for(t, s, *obj, missing);
		r = client_patch(v->client, s->kind, s->ns, s->name, NULL,
		    "application/merge-patch+json", patch, v->writer.query, &reply, err);
	}
	if (r < 0)
		return r;
	json_decref(*obj);
	*obj = steal(reply);
	return 1;
}

int
tag_object(struct verb *v, const struct subject *s, void *arg, struct err *err)
{
	const struct tagging *t = arg;
	json_auto_t *obj = s->live ? json_incref(s->obj) : NULL;
	int r = 0;

	if (t->list)
		return list(v, s, t, err);
	for (int try = 0; try < TRIES; try++) {
		if (!obj && (r = verb_read(v, s, &obj, err)) < 0)
			return r;
		r = change(v, s, t, &obj, err);
		if (r != -ERR_CONFLICT || t->version)
			break;
		json_decref(obj);
		obj = NULL;
	}
	return r < 0 ? r : verb_report(v, s, obj, r ? t->done : "unchanged", err);
}

/* --- as a filter -------------------------------------------------------------------------- */

struct stream_state {
	const struct tagging *t;
	struct selector *labels;
	struct output output;
	bool lines;
};

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
edit(void *arg, struct objects *in, json_t *taken, struct err *err)
{
	struct stream_state *st = arg;
	json_auto_t *value = taken, *missing = NULL;
	json_t *obj = object_of(value);
	int r = 0;

	if (selector_match(st->labels, meta_labels(obj))) {
		r = tags_missing(&missing, st->t->field, st->t->edits, obj, st->t->overwrite, err);
		if (r < 0) {
			autofree char *ref = meta_ref(obj);

			return err_wrap(err, "%s: %s", objects_where(in), ref);
		}
		tags_apply(st->t->field, missing, obj);
	}
	if (st->lines)
		pass_on(st, in, value, missing && json_object_size(missing) > 0);
	else
		r = output_add(&st->output, obj, err);
	return r < 0 ? r : ferror(stdout);
}

int
tag_stream(const struct tagging *t, struct err *err)
{
	const struct printer_options options = { .list = PRINTER_LIST_NEVER };
	const char *format = write_options.format ? write_options.format : "jsonl";
	struct stream_state st = { .t = t, .lines = strcmp(format, "jsonl") == 0 };
	int r;

	if ((r = selector_parse(
		 &st.labels, scope_options.selector ? scope_options.selector : "", err)) < 0)
		return r;
	st.output.f = stdout;
	if (!st.lines && (r = output_open(&st.output, stdout, format, &options, err)) < 0)
		return r;
	r = objects_each((char *const *)verb_options.files.item, (int)verb_options.files.n,
	    ACCEPT_EVENTS, edit, &st, err);
	if (r >= 0 && !st.lines)
		r = output_close(&st.output, err);
	selector_free(st.labels);
	return r < 0 ? r : 0;
}
