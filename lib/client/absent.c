#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "client/absent.h"
#include "client/calls.h"
#include "control/served.h"
#include "control/world.h"

/* --- one object ------------------------------------------------------------------------ */

/* The kind of a reference, in another version if that one is not served; 1: there is none. */
static int
kind_of(struct client *c, const json_t *ref, const struct kind **k, struct err *err)
{
	char group_kind[128];
	int r = client_kind_of(c, ref, k, err);

	if (r != -ERR_BAD_REQUEST || !*text(ref, "apiVersion") || !*text(ref, "kind"))
		return r;
	r = client_kind(c, meta_group_kind(ref, group_kind), k, err);
	return r == -ERR_BAD_REQUEST ? 1 : r;
}

int
act_still_absent(struct client *c, const json_t *refs, struct err *err)
{
	size_t i;
	json_t *ref;

	json_array_foreach (refs, i, ref) {
		json_auto_t *there = NULL;
		const struct kind *k;
		int r = kind_of(c, ref, &k, err);

		if (r < 0)
			return r;
		if (r == 0)
			r = client_get(
			    c, k, text(ref, "namespace"), text(ref, "name"), &there, err);
		if (r < 0 && r != -ERR_NOT_FOUND)
			return r;
		if (r == 0 &&
		    (!*text(ref, "uid") || strcmp(meta_uid(there), text(ref, "uid")) == 0))
			return err_set(err, ERR_CONFLICT, "%s '%s' is still there",
			    text(ref, "kind"), text(ref, "name"));
	}
	return 0;
}

/* --- a namespace ----------------------------------------------------------------------- */

struct asking {
	struct call *call;
	size_t n, cap;
};

/* One object of each kind is enough. */
static void
ask_for(struct asking *a, const struct served *s, const char *ns)
{
	const struct kind k = { .group = s->group,
		.version = s->version,
		.plural = s->plural,
		.namespaced = s->namespaced };
	autofree char *path = client_path(&k, ns, NULL, NULL);

	GROW(a->call, a->n, a->cap);
	a->call[a->n++] = (struct call){ .method = "GET", .path = xasprintf("%s?limit=1", path) };
}

/* Nobody answers for these groups: there could be anything. */
static int
nobody_answers(const struct world *w, const char *ns, struct err *err)
{
	return err_set(err, ERR_UNAVAILABLE,
	    "cannot tell whether namespace '%s' is empty: the server of %s does not answer", ns,
	    world_failing(w, 0));
}

static int
answers_empty(const struct call *call, const char *ns, struct err *err)
{
	json_auto_t *list = NULL;
	int r = call_answer(call, &list, err);

	/* a kind that has gone meanwhile, or that is listed by nobody */
	if (r == -ERR_NOT_FOUND || r == -ERR_METHOD)
		return 0;
	if (r < 0)
		return err_wrap(err, "cannot tell whether namespace '%s' is empty", ns);
	if (json_array_size(get(list, "items")) > 0)
		return err_set(err, ERR_CONFLICT, "namespace '%s' is not empty: %s", ns,
		    meta_name(json_array_get(get(list, "items"), 0)));
	return 0;
}

/* The kinds, by a world that has nothing else in it. */
static int
world_of_kinds(struct client *c, struct world **ret, struct err *err)
{
	json_auto_t *groups = NULL;
	json_t *group;
	size_t i;
	int r;

	if ((r = client_groups(c, &groups, err)) < 0)
		return r;
	*ret = world_new();
	json_array_foreach (groups, i, group)
		world_put(*ret, json_incref(group));
	return 0;
}

int
act_still_empty(struct client *c, const char *ns, struct err *err)
{
	struct asking a = { 0 };
	const struct served *s;
	struct world *w;
	int r;

	if (!*ns)
		return 0;
	if ((r = world_of_kinds(c, &w, err)) < 0)
		return r;
	if (world_failing(w, 0)) {
		r = nobody_answers(w, ns, err);
		world_free(w);
		return r;
	}
	for (size_t i = 0; (s = world_served_at(w, i)); i++)
		if (served_is_content(s))
			ask_for(&a, s, ns);
	world_free(w);
	calls_run(c, a.call, a.n, NULL, NULL);
	for (size_t i = 0; i < a.n; i++) {
		if (r >= 0)
			r = answers_empty(&a.call[i], ns, err);
		call_release(&a.call[i]);
	}
	free(a.call);
	return r;
}
