/* Definitions of custom kinds in a bundle, and the objects beside them that are of these kinds. */
#include <string.h>
#include <time.h>

#include "api/meta.h"
#include "base/mem.h"
#include "client/bundle.h"

static bool
defines(const struct item *i)
{
	return i->kind && is_definition(i->obj);
}

/* --- before the server is asked --------------------------------------------------------------- */

/* Whether it is valid the check says; that a name is taken no dry run does. */
static void
learn_one(struct bundle *b, struct item *i)
{
	struct err err;
	int r = learn_crd(b->learn, i->obj, i->where, LEARN_WRITTEN, NULL, &err);

	if (r == -ERR_CONFLICT) {
		i->err = err;
		i->err.code = ERR_INVALID;
	}
	if (r < 0)
		learn_refused(b->learn, i->obj, i->where, "it cannot be applied");
}

static void
learn_all(struct bundle *b)
{
	for (size_t n = 0; n < b->n; n++)
		if (defines(&b->item[n]))
			learn_one(b, &b->item[n]);
	learn_serve(b->learn);
}

/* Its kind, by what was learned. */
static void
find_kind(struct bundle *b, struct item *i)
{
	const char *version = text(i->obj, "apiVersion"), *kind = text(i->obj, "kind");
	const struct kind *k = kind_of_object(version, kind);
	autofree char *why = NULL;
	struct err err;

	if (k && k->custom && i->kind) {
		i->kind = k;
	} else if (k && k->custom) {
		i->kind = k;
		i->later = true;
		item_forgive(i);
		if (bundle_prepare(b, i, &err) < 0)
			i->err = err;
	} else if (!i->kind && (why = learn_why(b->learn, version, kind))) {
		err = i->err;
		err_set(&i->err, err.code, "%s: %s", err.msg, why);
	}
}

void
bundle_learn(struct bundle *b)
{
	b->learn = b->learn ? b->learn : learn_new();
	learn_all(b);
	for (size_t n = 0; n < b->n; n++)
		find_kind(b, &b->item[n]);
}

void
bundle_link(struct bundle *b)
{
	json_auto_t *places = json_object();

	for (size_t n = 0; n < b->n; n++)
		if (defines(&b->item[n]))
			json_object_set_new(
			    places, item_name(&b->item[n]), json_integer((json_int_t)n));
	for (size_t n = 0; n < b->n; n++) {
		struct item *i = &b->item[n];
		json_t *place;
		char name[128];

		if (!i->kind || !i->kind->custom ||
		    !(place = json_object_get(places, kind_resource(i->kind, name))))
			continue;
		i->definition = &b->item[json_integer_value(place)];
		i->definition->awaited = true;
	}
}

/* --- when the definitions are checked ------------------------------------------------------ */

static bool
new_spec(const struct item *d)
{
	return d->result == APPLY_CONFIGURED &&
	       !json_equal(get(d->live, "spec"), get(d->after, "spec"));
}

/* The whole definition may say more than the manifest: what others have written into it. */
static void
learn_checked(struct bundle *b, const struct item *d)
{
	struct err err;

	if (d->err.code == ERR_OK && d->after && d->result != APPLY_UNCHANGED)
		(void)learn_crd(b->learn, d->after, d->where, LEARN_CHECKED, NULL, &err);
}

void
bundle_renew(struct bundle *b)
{
	for (size_t n = 0; n < b->n; n++)
		if (b->item[n].awaited)
			learn_checked(b, &b->item[n]);
	learn_serve(b->learn);
	for (size_t n = 0; n < b->n; n++) {
		struct item *i = &b->item[n];
		const struct item *d = i->definition;
		const struct kind *k;

		if (!d)
			continue;
		k = kind_of_object(text(i->obj, "apiVersion"), text(i->obj, "kind"));
		i->kind = k ? k : i->kind;
		i->renewed = d->live && new_spec(d);
		i->unseen =
		    i->unseen || i->renewed || d->err.code != ERR_OK || d->result == APPLY_CREATED;
	}
}

/* --- when they are written ------------------------------------------------------------------ */

static void
fail_all(struct bundle *b, const struct item *d, const struct err *err)
{
	for (size_t n = 0; n < b->n; n++)
		if (b->item[n].definition == d && b->item[n].err.code == ERR_OK)
			b->item[n].err = *err;
}

/* 1: its kinds are served; 0: not yet. */
static int
established(struct bundle *b, const struct item *d, struct err *err)
{
	json_t *crd;
	int r = client_get(b->client, d->kind, NULL, item_name(d), &crd, err);

	if (r < 0)
		return r;
	if (condition_true(crd, "Established"))
		r = 1;
	else if (strcmp(text(condition_find(crd, "NamesAccepted"), "status"), "False") == 0)
		r = err_set(err, ERR_INVALID, "its definition '%s' is not accepted: %s",
		    item_name(d), text(condition_find(crd, "NamesAccepted"), "message"));
	json_decref(crd);
	return r;
}

static int
await_one(struct bundle *b, const struct item *d, struct err *err)
{
	const struct timespec moment = { .tv_nsec = 1000L * 1000 * BUNDLE_MOMENT };
	unsigned most = bundle_moments(b);

	for (unsigned wait = 0;; wait++) {
		int r = established(b, d, err);

		if (r != 0)
			return r;
		if (b->stop && *b->stop)
			return 0;
		if (wait >= most)
			return err_set(err, ERR_TIMEOUT,
			    "its definition '%s' was not established within %gs", item_name(d),
			    most * BUNDLE_MOMENT / 1000.0);
		nanosleep(&moment, NULL);
	}
}

void
bundle_await(struct bundle *b, size_t from, size_t to)
{
	for (size_t n = from; n < to; n++) {
		const struct item *d = &b->item[n];
		struct err err;

		if (d->awaited && d->err.code == ERR_OK && await_one(b, d, &err) < 0)
			fail_all(b, d, &err);
	}
}
