#include "client/bundle.h"

#include <string.h>

#include "api/meta.h"
#include "api/order.h"
#include "base/mem.h"
#include "client/address.h"
#include "client/migrate.h"

const char *
item_name(const struct item *i)
{
	return meta_name(i->obj);
}

const char *
item_namespace(const struct item *i)
{
	return meta_namespace(i->obj);
}

/* --- gathering ------------------------------------------------------------------------ */

static int
note_key(struct bundle *b, const struct item *i, struct err *err)
{
	autofree char *key = apply_key(i->kind, item_namespace(i), item_name(i));
	const char *before;

	if (!b->keys)
		b->keys = json_object();
	before = str(json_object_get(b->keys, key), NULL);
	if (before)
		return err_set(err, ERR_BAD_REQUEST, "the same object stands at %s", before);
	json_object_set_new(b->keys, key, json_string(i->where));
	return 0;
}

int
bundle_prepare(struct bundle *b, struct item *i, struct err *err)
{
	const char *name = meta_name(i->obj), *ns;
	autofree char *copy = NULL;
	int r;

	if (!*name && *text(i->obj, "metadata", "generateName"))
		return err_set(err, ERR_BAD_REQUEST,
		    "metadata.generateName makes a new object each time: orch-create does that");
	if (!*name)
		return err_set(err, ERR_BAD_REQUEST, "metadata.name is missing");
	if (!client_name_fits(name))
		return err_set(err, ERR_BAD_REQUEST, "metadata.name: '%s' cannot be a name", name);
	if ((r = target_namespace(b->client, i->kind, i->obj, &ns, err)) < 0)
		return r;
	copy = xstrdup(ns); /* it may stand in the object that changes */
	apply_prepare(i->obj, i->kind, copy);
	if (b->server_side)
		apply_encode_secret(i->kind, i->obj);
	i->rank = 2 * install_rank(text(i->obj, "apiVersion"), i->kind->kind);
	return note_key(b, i, err);
}

int
bundle_add(struct bundle *b, json_t *obj, const char *where, struct err *err)
{
	struct item i = { .obj = obj, .client_side = !b->server_side };
	struct err why;
	int r = client_kind_of(b->client, obj, &i.kind, &why);

	i.where = xstrdup(where);
	if (r >= 0)
		r = bundle_prepare(b, &i, &why);
	else if (r == -ERR_BAD_REQUEST) /* there is no such kind; not yet, maybe */
		r = 0, i.kind = NULL, i.err = why, i.rank = 2 * install_rank("", "");
	if (r < 0) {
		*err = why;
		free(i.where);
		json_decref(obj);
		return r;
	}
	GROW(b->item, b->n, b->cap);
	b->item[b->n++] = i;
	return 0;
}

static int
by_rank(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x->nth < y->nth ? -1 : 1;
}

void
bundle_sort(struct bundle *b)
{
	bundle_learn(b);
	for (size_t i = 0; i < b->n; i++)
		b->item[i].nth = i;
	if (b->n > 0)
		qsort(b->item, b->n, sizeof *b->item, by_rank);
	bundle_link(b);
}

unsigned
bundle_moments(const struct bundle *b)
{
	double seconds = b->patience > 0 ? b->patience : 30;

	return (unsigned)(seconds * 1000 / BUNDLE_MOMENT);
}

void
bundle_release(struct bundle *b)
{
	for (size_t i = 0; i < b->n; i++) {
		struct item *it = &b->item[i];

		json_decref(it->obj);
		json_decref(it->live);
		json_decref(it->after);
		json_decref(it->migration);
		json_decref(it->conflicts);
		buf_release(&it->warnings);
		free(it->where);
	}
	free(b->item);
	json_decref(b->keys);
	learn_free(b->learn);
	*b = (struct bundle){ 0 };
}

size_t
bundle_failed(const struct bundle *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		n += b->item[i].err.code != ERR_OK;
	return n;
}

/* --- asking ----------------------------------------------------------------------------- */

struct asking {
	struct bundle *bundle;
	struct call *call;
	struct item **item; /* whose each call is */
	void (*end)(struct bundle *b, struct item *i, const struct call *call);
};

static void
answered(void *arg, struct call *call)
{
	struct asking *a = arg;
	struct item *i = a->item[call - a->call];

	if (call->warnings.len > 0 && i->warnings.len == 0)
		buf_add(&i->warnings, call->warnings.data, call->warnings.len);
	a->end(a->bundle, i, call);
	call_release(call);
}

void
bundle_ask(struct bundle *b, size_t from, size_t to,
    bool (*begin)(struct bundle *b, struct item *i, struct call *call),
    void (*end)(struct bundle *b, struct item *i, const struct call *call))
{
	struct asking a = { .bundle = b, .end = end };
	size_t n = 0;

	if (from == to)
		return;
	a.call = xcalloc(to - from, sizeof *a.call);
	a.item = xcalloc(to - from, sizeof(struct item *));
	for (size_t i = from; i < to; i++) {
		if (b->item[i].err.code != ERR_OK || !begin(b, &b->item[i], &a.call[n]))
			continue;
		a.item[n++] = &b->item[i];
	}
	calls_run(b->client, a.call, n, answered, &a);
	free(a.call);
	free(a.item);
}

static const char *
manager_of(const struct bundle *b, const struct item *i)
{
	return i->manager ? i->manager : b->manager;
}

void
bundle_apply_call(
    const struct bundle *b, const struct item *i, bool dry, bool force, struct call *call)
{
	json_auto_t *obj = json_deep_copy(i->obj);
	struct buf path = BUF_INIT;

	call->method = "PATCH";
	call->type = "application/apply-patch+yaml";
	call->path = client_path(i->kind, item_namespace(i), item_name(i), NULL);
	buf_puts(&path, call->path);
	call_query(&path, "fieldManager", manager_of(b, i));
	call_query(&path, "fieldValidation", unknown_validation(b->unknown));
	if (force)
		call_query(&path, "force", "true");
	if (dry)
		call_query(&path, "dryRun", "All");
	free(call->path);
	call->path = buf_detach(&path);
	if (!dry && b->guarded && i->live)
		put(obj, json_string(meta_version(i->live)), "metadata", "resourceVersion");
	call->body = json_dumps(obj, JSON_COMPACT);
}

static json_t *
manager_causes(const struct call *call)
{
	json_auto_t *status = NULL;
	json_t *causes, *cause;
	size_t i;

	if (call->r < 0 || call->status != 409)
		return NULL;
	status = json_loadb(call->reply.data, call->reply.len, 0, NULL);
	causes = get(status, "details", "causes");
	json_array_foreach (causes, i, cause)
		if (strcmp(text(cause, "reason"), "FieldManagerConflict") == 0)
			return json_incref(causes);
	return NULL;
}

void
item_refuse(struct item *i, const struct call *call)
{
	json_t *ignored = NULL;

	call_answer(call, &ignored, &i->err);
	json_decref(ignored);
	json_decref(i->conflicts);
	i->conflicts = manager_causes(call);
	/* what does not fit the schema is an internal error to an API server */
	if (i->err.code == ERR_INTERNAL && strstr(i->err.msg, "failed to create typed patch"))
		i->err.code = ERR_BAD_REQUEST;
}

bool
item_contested(const struct item *i)
{
	return i->conflicts != NULL;
}

void
item_forgive(struct item *i)
{
	i->err = (struct err){ 0 };
	json_decref(i->conflicts);
	i->conflicts = NULL;
}

/* `conflict with "kubectl" using apps/v1`, without its beginning. */
static const char *
owner_in(const char *message)
{
	const char *quote = strchr(message, '"');

	return quote ? quote : message;
}

char *
item_trouble(const struct item *i, const char *verb)
{
	size_t n = json_array_size(i->conflicts), k;
	struct buf b = BUF_INIT;
	json_t *cause;

	buf_printf(
	    &b, "%s: cannot %s %s '%s': ", i->where, verb, text(i->obj, "kind"), item_name(i));
	if (!i->conflicts) {
		buf_puts(&b, i->err.msg);
		return buf_detach(&b);
	}
	buf_printf(&b, "%zu field%s managed by others; --force-conflicts takes %s over", n,
	    n == 1 ? " is" : "s are", n == 1 ? "it" : "them");
	json_array_foreach (i->conflicts, k, cause)
		buf_printf(&b, "\n  %s is managed by %s", text(cause, "field"),
		    owner_in(text(cause, "message")));
	return buf_detach(&b);
}

/* --- looking ---------------------------------------------------------------------------- */

/* Will this namespace be made by the bundle, and is not there yet? */
static bool
made_here(const struct bundle *b, const char *ns)
{
	autofree char *key = xasprintf("Namespace//%s", ns);

	if (!*ns || !json_object_get(b->keys, key))
		return false;
	for (size_t i = 0; i < b->n; i++) {
		const struct item *it = &b->item[i];

		if (it->kind && !it->live && !*it->kind->group &&
		    strcmp(it->kind->kind, "Namespace") == 0 && strcmp(item_name(it), ns) == 0)
			return true;
	}
	return false;
}

static void
set_live(struct bundle *b, struct item *i, json_t *live)
{
	json_decref(i->live);
	json_decref(i->migration);
	i->live = live;
	i->migration = live && !i->client_side
			   ? migrate_patch(live, manager_of(b, i), text(i->obj, "apiVersion"))
			   : NULL;
}

static bool
begin_look(struct bundle *b, struct item *i, struct call *call)
{
	(void)b;
	call->method = "GET";
	call->path = client_path(i->kind, item_namespace(i), item_name(i), NULL);
	return true;
}

static void
end_look(struct bundle *b, struct item *i, const struct call *call)
{
	json_t *live = NULL;
	struct err err;
	int r = call_answer(call, &live, &err);

	if (r < 0 && r != -ERR_NOT_FOUND)
		i->err = err;
	else
		set_live(b, i, live);
}

void
item_look(struct bundle *b, struct item *i)
{
	bundle_ask(b, (size_t)(i - b->item), (size_t)(i - b->item) + 1, begin_look, end_look);
}

void
bundle_look(struct bundle *b)
{
	bundle_ask(b, 0, b->n, begin_look, end_look);
	for (size_t i = 0; i < b->n; i++)
		b->item[i].unseen = b->item[i].later || made_here(b, item_namespace(&b->item[i]));
}
