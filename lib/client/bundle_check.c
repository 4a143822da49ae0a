/* What would become of a bundle: by a dry run at the server, or by the schema here. */
#include <string.h>

#include "api/apply.h"
#include "api/meta.h"
#include "api/patch.h"
#include "api/validate.h"
#include "base/mem.h"
#include "client/bundle.h"
#include "client/learned.h"
#include "client/migrate.h"

/* --- by the schema ----------------------------------------------------------------------- */

static json_t *
causes_json(const struct conflicts *c)
{
	json_t *out = json_array();

	for (size_t i = 0; i < c->causes.n; i++)
		json_array_append_new(
		    out, json_pack("{s:s, s:s, s:s}", "reason", c->causes.item[i].reason, "message",
			     c->causes.item[i].message, "field", c->causes.item[i].field));
	return out;
}

static bool
merge_here(struct bundle *b, struct item *i, json_t **ret)
{
	struct apply how = { .kind = i->kind,
		.subresource = "",
		.manager = b->manager,
		.now = "",
		.force = b->force || i->migration };
	struct conflicts conflicts = { 0 };
	int r = apply_patch(&how, i->live, i->obj, ret, &conflicts, &i->err);

	if (r < 0 && conflicts.message)
		i->conflicts = causes_json(&conflicts);
	conflicts_release(&conflicts);
	return r >= 0;
}

/* What a manager owns by applying, without the time. */
static json_t *
share_of(const json_t *obj, const char *manager)
{
	json_t *entry;
	size_t i;

	json_array_foreach (get(obj, "metadata", "managedFields"), i, entry)
		if (strcmp(text(entry, "manager"), manager) == 0 &&
		    strcmp(text(entry, "operation"), "Apply") == 0 && !get(entry, "subresource"))
			return get(entry, "fieldsV1");
	return NULL;
}

/* Neither the object nor what we own of it.  (Entries of others may be different: an object without
 * managers gets one on its first apply.  And a status moves by itself.) */
bool
bundle_same(const struct bundle *b, const struct item *i, const json_t *after)
{
	static const char *const ignored[] = { "resourceVersion", "managedFields" };
	json_auto_t *x = json_deep_copy(i->live), *y = json_deep_copy(after);
	const char *manager = i->manager ? i->manager : b->manager;
	const json_t *mine = share_of(i->live, manager), *then = share_of(after, manager);

	for (size_t n = 0; n < COUNT(ignored); n++) {
		json_object_del(get(x, "metadata"), ignored[n]);
		json_object_del(get(y, "metadata"), ignored[n]);
	}
	json_object_del(x, "status");
	json_object_del(y, "status");
	return json_equal(x, y) && (mine == then || json_equal(mine, then));
}

static void
settle(const struct bundle *b, struct item *i, json_t *after)
{
	json_decref(i->after);
	i->after = after;
	if (!i->live)
		i->result = APPLY_CREATED;
	else if (i->migration || !after || !bundle_same(b, i, after))
		i->result = APPLY_CONFIGURED;
	else
		i->result = APPLY_UNCHANGED;
}

static void
check_here(struct bundle *b, struct item *i)
{
	json_t *after = NULL;

	client_learn_kind(b->client, b->learn, &i->kind);
	if (!kind_of_object(text(i->obj, "apiVersion"), text(i->obj, "kind"))) {
		/* no schema: merged as JSON */
		after = i->live ? json_deep_copy(i->live) : json_object();
		settle(b, i, merge_patch(after, i->obj));
		return;
	}
	if (manifest_fits(i->kind, i->obj, b->unknown, &i->warnings, &i->err) < 0 ||
	    !merge_here(b, i, &after))
		return;
	if (manifest_complete(i->kind, after, i->live, &i->err) >= 0)
		settle(b, i, after);
	else
		json_decref(after);
}

/* --- by the server ------------------------------------------------------------------------ */

static bool
at_server(const struct bundle *b, const struct item *i)
{
	return !i->client_side && !i->unseen && !b->offline;
}

/* First what is no object of a kind that the bundle itself defines, then the others. */
static bool
asked_now(const struct bundle *b, const struct item *i)
{
	return (i->definition != NULL) == b->dependent;
}

static bool
begin_check(struct bundle *b, struct item *i, struct call *call)
{
	if (!at_server(b, i) || !asked_now(b, i))
		return false;
	bundle_apply_call(b, i, true, b->force || i->hidden, call);
	return true;
}

/* All conflicts are with those whose fields migrate? */
static bool
solved_by_migration(const struct item *i)
{
	json_t *cause;
	size_t n;

	json_array_foreach (i->conflicts, n, cause) {
		const char *quote = strchr(text(cause, "message"), '"');
		autofree char *who = quote ? xstrndup(quote + 1, strcspn(quote + 1, "\"")) : NULL;

		if (!who || !migrate_takes(i->live, who))
			return false;
	}
	return i->migration && i->conflicts;
}

static bool
in_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.';
}

static bool
names(const char *message, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = message; (p = strstr(p, name)); p++)
		if ((p == message || !in_word(p[-1])) && !in_word(p[len]))
			return true;
	return false;
}

/*
 * Is it refused because something is not there yet that this bundle makes first (a Pod's service
 * account, priority class or runtime class)?  The refusal names it, behind
 * `pods "web" is forbidden: `.
 */
static bool
waits_for_another(const struct bundle *b, const struct item *i, const struct err *err)
{
	const char *why = strstr(err->msg, "is forbidden: ");

	if (err->code != ERR_FORBIDDEN && err->code != ERR_NOT_FOUND)
		return false;
	why = why ? why + strlen("is forbidden: ") : err->msg;
	for (size_t n = 0; n < b->n; n++) {
		const struct item *other = &b->item[n];

		if (other->rank < i->rank && !other->live && !other->hidden && other->kind &&
		    names(why, item_name(other)))
			return true;
	}
	return false;
}

/* Not every server, and not for every kind, has server-side apply; and an admission webhook with
 * side effects does not take part in a dry run. */
static void
end_check(struct bundle *b, struct item *i, const struct call *call)
{
	json_t *after = NULL;
	struct err err;
	int r = call_answer(call, &after, &err);

	if (r >= 0)
		settle(b, i, after);
	else if (r == -ERR_MEDIA_TYPE)
		i->client_side = true;
	else if (waits_for_another(b, i, &err))
		i->unseen = true;
	else if (r == -ERR_BAD_REQUEST && strstr(err.msg, "does not support dry run"))
		i->unchecked = true, settle(b, i, NULL);
	else
		item_refuse(i, call);
}

static bool
begin_forced(struct bundle *b, struct item *i, struct call *call)
{
	if (!at_server(b, i) || !asked_now(b, i) || i->after || i->unchecked || i->client_side)
		return false;
	bundle_apply_call(b, i, true, true, call);
	return true;
}

/* Merged here as kubectl apply does it: one after the other, as they are few. */
static void
check_client_side(struct bundle *b, struct item *i)
{
	struct writer how = { .dry = b->offline || i->unseen ? DRY_CLIENT : DRY_SERVER };
	autofree char *query = xasprintf("dryRun=All&fieldManager=%s", b->manager);

	struct err err;

	how.query = query;
	if (i->unseen) {
		check_here(b, i);
		return;
	}
	if (manifest_fits(i->kind, i->obj, b->unknown, &i->warnings, &i->err) >= 0 &&
	    apply_object(b->client, i->kind, i->obj, &how, &i->result, &i->after, &err) < 0)
		i->err = err;
}

static void
check_some(struct bundle *b, bool dependent)
{
	b->dependent = dependent;
	bundle_ask(b, 0, b->n, begin_check, end_check);
	for (size_t n = 0; n < b->n; n++)
		if (b->item[n].err.code != ERR_OK && solved_by_migration(&b->item[n]))
			item_forgive(&b->item[n]);
	bundle_ask(b, 0, b->n, begin_forced, end_check);
	for (size_t n = 0; n < b->n; n++) {
		struct item *i = &b->item[n];

		if (i->err.code != ERR_OK || at_server(b, i) || !asked_now(b, i))
			continue;
		if (i->client_side)
			check_client_side(b, i);
		else
			check_here(b, i);
	}
}

void
bundle_check(struct bundle *b)
{
	/* server-side apply knows no fields but the schema's, whatever is asked for */
	for (size_t n = 0; n < b->n && b->unknown != UNKNOWN_ERROR; n++)
		manifest_drop_unknown(
		    b->item[n].kind, b->item[n].obj, b->unknown, &b->item[n].warnings);
	check_some(b, false);
	bundle_renew(b);
	check_some(b, true);
}
