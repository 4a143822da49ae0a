/* From CustomResourceDefinitions in a program's input to kinds in its registry. */
#include "api/learn.h"

#include <stdlib.h>
#include <string.h>

#include "api/custom.h"
#include "api/meta.h"
#include "api/registry.h"
#include "base/buf.h"
#include "base/mem.h"

/* What is known of one definition. */
struct lesson {
	char *where;
	json_t *spec;
	json_t *names;		       /* that it has */
	char *trouble;		       /* why it makes no kinds; NULL: it does */
	struct definition *definition; /* NULL: none */
};

struct learn {
	struct lesson *lesson;
	size_t n, cap;
	json_t *places; /* of the lessons, by the definitions' names */
	json_t *taken;	/* by group, two sets: whose each name of a resource and of a kind is */
	struct definition **old; /* what was replaced */
	size_t nold, capold;
	bool changed; /* since learn_serve() */
};

struct learn *
learn_new(void)
{
	struct learn *l = xcalloc(1, sizeof *l);

	l->places = json_object();
	l->taken = json_object();
	return l;
}

static void
lesson_clear(struct lesson *s)
{
	free(s->where);
	free(s->trouble);
	json_decref(s->spec);
	json_decref(s->names);
	*s = (struct lesson){ 0 };
}

void
learn_free(struct learn *l)
{
	if (!l)
		return;
	registry_set(NULL, 0);
	(void)registry_reap();
	for (size_t i = 0; i < l->n; i++) {
		definition_free(l->lesson[i].definition);
		lesson_clear(&l->lesson[i]);
	}
	for (size_t i = 0; i < l->nold; i++)
		definition_free(l->old[i]);
	free(l->lesson);
	free(l->old);
	json_decref(l->places);
	json_decref(l->taken);
	free(l);
}

bool
is_definition(const json_t *obj)
{
	return strcmp(text(obj, "kind"), "CustomResourceDefinition") == 0 &&
	       strcmp(text(obj, "apiVersion"), "apiextensions.k8s.io/v1") == 0;
}

/* --- names ------------------------------------------------------------------------------- */

/* Whose the names of a group are: "resources" or "kinds". */
static json_t *
names_of_group(struct learn *l, const char *group, const char *which)
{
	json_t *g = json_object_get(l->taken, group);

	if (!g) {
		g = json_pack("{s:{},s:{}}", "resources", "kinds");
		json_object_set_new(l->taken, group, g);
	}
	return json_object_get(g, which);
}

/* Call `each` for the names of a definition until it says no. */
static bool
each_name(struct learn *l, const char *group, const json_t *names,
    bool (*each)(json_t *set, const char *word, const char *name, struct err *err),
    const char *name, struct err *err)
{
	json_t *resources = names_of_group(l, group, "resources"),
	       *kinds = names_of_group(l, group, "kinds"), *v;
	bool go = each(resources, text(names, "plural"), name, err) &&
		  each(resources, text(names, "singular"), name, err) &&
		  each(kinds, text(names, "kind"), name, err) &&
		  each(kinds, text(names, "listKind"), name, err);
	size_t i;

	json_array_foreach (json_object_get(names, "shortNames"), i, v)
		go = go && each(resources, str(v, ""), name, err);
	return go;
}

static bool
is_free(json_t *set, const char *word, const char *name, struct err *err)
{
	const char *owner = str(json_object_get(set, word), "");

	if (!*owner || strcmp(owner, name) == 0)
		return true;
	err_set(err, ERR_CONFLICT, "the name '%s' is in use by '%s'", word, owner);
	return false;
}

static bool
take_name(json_t *set, const char *word, const char *name, struct err *err)
{
	(void)err;
	if (*word)
		json_object_set_new(set, word, json_string(name));
	return true;
}

static bool
give_name(json_t *set, const char *word, const char *name, struct err *err)
{
	(void)err;
	if (strcmp(str(json_object_get(set, word), ""), name) == 0)
		json_object_del(set, word);
	return true;
}

/* --- one definition ------------------------------------------------------------------------- */

static struct lesson *
lesson_find(const struct learn *l, const char *name)
{
	const json_t *place = json_object_get(l->places, name);

	return place ? &l->lesson[json_integer_value(place)] : NULL;
}

static struct lesson *
lesson_of(struct learn *l, const char *name)
{
	struct lesson *s = lesson_find(l, name);

	if (s)
		return s;
	GROW(l->lesson, l->n, l->cap);
	json_object_set_new(l->places, name, json_integer((json_int_t)l->n));
	l->lesson[l->n] = (struct lesson){ 0 };
	return &l->lesson[l->n++];
}

/* Its kinds are gone; who has looked one up keeps it. */
static void
lesson_forget(struct learn *l, struct lesson *s, const char *name)
{
	if (s->definition) {
		GROW(l->old, l->nold, l->capold);
		l->old[l->nold++] = s->definition;
		s->definition = NULL;
		l->changed = true;
	}
	each_name(l, text(s->spec, "group"), s->names, give_name, name, NULL);
	lesson_clear(s);
}

static void
lesson_note(struct learn *l, struct lesson *s, const json_t *crd, const char *where)
{
	lesson_forget(l, s, meta_name(crd));
	s->where = xstrdup(where);
	s->spec = json_incref(json_object_get(crd, "spec"));
}

void
learn_refused(struct learn *l, const json_t *crd, const char *where, const char *why)
{
	struct lesson *s = lesson_of(l, meta_name(crd));

	lesson_note(l, s, crd, where);
	s->trouble = xstrdup(why);
}

/* As a server makes it complete and checks it. */
static int
check(json_t *crd, struct err *err)
{
	const struct kind *k = kind_of_object(text(crd, "apiVersion"), text(crd, "kind"));
	struct causes causes = CAUSES_INIT;
	int r = validate_types(k, crd, NULL, err);

	if (r < 0)
		return r;
	normalize(k, crd);
	defaults_apply(k, crd);
	validate_create(k, crd, &causes);
	if (causes.n > 0)
		r = causes_err(&causes, k, meta_name(crd), err);
	causes_release(&causes);
	return r;
}

/* Its own copy of crd, with the names that it gets. */
static int
prepare(const json_t *crd, enum learn_how how, json_t **ret, struct err *err)
{
	json_auto_t *copy = json_deep_copy(crd);
	int r = how == LEARN_WRITTEN ? check(copy, err) : 0;

	if (r < 0)
		return r;
	if (how == LEARN_LIVE) {
		if (!condition_true(copy, "Established"))
			return err_set(err, ERR_CONFLICT, "the server has not established it");
	} else {
		put(copy, json_incref(get(copy, "spec", "names")), "status", "acceptedNames");
	}
	*ret = json_incref(copy);
	return 0;
}

static int
make(struct learn *l, struct lesson *s, const json_t *crd, struct err *err)
{
	json_t *names = get(crd, "status", "acceptedNames");
	const char *group = text(crd, "spec", "group");

	if (!each_name(l, group, names, is_free, meta_name(crd), err))
		return -(int)err->code;
	s->definition = definition_new(crd);
	s->names = json_incref(names);
	each_name(l, group, names, take_name, meta_name(crd), NULL);
	l->changed = true;
	return 0;
}

int
learn_crd(struct learn *l, const json_t *crd, const char *where, enum learn_how how, char **before,
    struct err *err)
{
	json_auto_t *whole = NULL;
	struct lesson *s = lesson_of(l, meta_name(crd));
	bool another = s->definition != NULL;
	int r = prepare(crd, how, &whole, err);

	if (before)
		*before = NULL;
	if (r >= 0 && another && json_equal(s->spec, json_object_get(whole, "spec")) &&
	    json_equal(s->names, get(whole, "status", "acceptedNames")))
		return 0;
	if (before && another)
		*before = xstrdup(s->where);
	lesson_note(l, s, r < 0 ? crd : whole, where);
	if (r >= 0)
		r = make(l, s, whole, err);
	if (r < 0)
		s->trouble = xstrdup(err->msg);
	return r < 0 ? r : another;
}

/* --- lookups -----------------------------------------------------------------------------------
 */

static int
by_place(const void *a, const void *b)
{
	const struct kind *k = *(const struct kind *const *)a, *l = *(const struct kind *const *)b;
	int c = strcmp(k->group, l->group);

	c = c ? c : strcmp(k->version, l->version);
	return c ? c : strcmp(k->kind, l->kind);
}

/* What is built in stays what it is. */
static bool
built_in(const struct kind *k)
{
	const struct kind *there = kind_find(k->group, k->version, k->kind);

	return there && !there->custom;
}

void
learn_serve(struct learn *l)
{
	const struct kind **all = NULL;
	size_t n = 0, cap = 0;

	if (!l || !l->changed)
		return;
	for (size_t i = 0; i < l->n; i++) {
		const struct definition *d = l->lesson[i].definition;

		for (size_t v = 0; d && v < d->nserved; v++) {
			if (built_in(d->served[v]))
				continue;
			GROW(all, n, cap);
			all[n++] = d->served[v];
		}
	}
	if (n)
		qsort(all, n, sizeof *all, by_place);
	registry_set(all, n);
	(void)registry_reap(); /* of lists alone: definitions stay */
	free(all);
	l->changed = false;
}

size_t
learn_count(const struct learn *l)
{
	size_t n = 0;

	for (size_t i = 0; l && i < l->n; i++)
		n += l->lesson[i].definition != NULL;
	return n;
}

/* --- why not ------------------------------------------------------------------------------------
 */

static char *
why_no_version(const struct lesson *s, const char *name, const char *version)
{
	struct buf b = BUF_INIT;
	const char *between = "";
	size_t i;
	json_t *v;

	buf_printf(&b, "'%s' (%s) serves no version '%s', only ", name, s->where, version);
	json_array_foreach (json_object_get(s->spec, "versions"), i, v) {
		if (!truth(json_object_get(v, "served")))
			continue;
		buf_printf(&b, "%s%s", between, text(v, "name"));
		between = ", ";
	}
	return buf_detach(&b);
}

char *
learn_why(const struct learn *l, const char *api_version, const char *kind)
{
	const char *slash = strchr(api_version, '/'), *name;
	size_t len = slash ? (size_t)(slash - api_version) : 0;
	json_t *place;

	json_object_foreach (l ? l->places : NULL, name, place) {
		const struct lesson *s = &l->lesson[json_integer_value(place)];
		const char *group = text(s->spec, "group");

		if (strlen(group) != len || strncmp(group, api_version, len) != 0 ||
		    strcmp(text(s->spec, "names", "kind"), kind) != 0)
			continue;
		if (s->trouble)
			return xasprintf("its definition '%s' (%s) makes no kinds: %s", name,
			    s->where, s->trouble);
		return why_no_version(s, name, slash ? slash + 1 : api_version);
	}
	return NULL;
}
