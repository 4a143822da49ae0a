/* Kinds that are not built in (custom resources, newer servers), as the server lists them. */
#include <stdatomic.h>
#include <string.h>
#include <strings.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"
#include "client/http.h"

struct extra_kind {
	struct kind kind; /* first: what is handed out */
	struct extra_kind *next;
	bool preferred; /* in this version, when none is said */
	bool gone;	/* not served any more */
};

static const struct type any_type = { .name = "object", .class = CLASS_STRUCT, .summary = "" };

static const char *const *
words_of(const json_t *array)
{
	const char **words = xcalloc(json_array_size(array) + 1, sizeof *words);
	size_t i;
	json_t *word;

	json_array_foreach (array, i, word)
		words[i] = xstrdup(str(word, ""));
	return words;
}

static unsigned
verbs_of(const json_t *array)
{
	static const struct {
		const char *name;
		unsigned bit;
	} verbs[] = { { "get", VERB_GET }, { "list", VERB_LIST }, { "watch", VERB_WATCH },
		{ "create", VERB_CREATE }, { "update", VERB_UPDATE }, { "patch", VERB_PATCH },
		{ "delete", VERB_DELETE }, { "deletecollection", VERB_DELETECOLLECTION } };
	unsigned bits = 0;
	size_t i;
	json_t *verb;

	json_array_foreach (array, i, verb)
		for (size_t k = 0; k < COUNT(verbs); k++)
			if (strcmp(str(verb, ""), verbs[k].name) == 0)
				bits |= verbs[k].bit;
	return bits;
}

/* A kind and its texts live for ever, as built-in ones do: pointers to it are handed around. */
static struct extra_kind *
extra_new(const char *group, const char *version, const json_t *resource)
{
	struct extra_kind *e = xcalloc(1, sizeof *e);

	e->kind = (struct kind){
		.group = xstrdup(group),
		.version = xstrdup(version),
		.kind = xstrdup(text(resource, "kind")),
		.plural = xstrdup(text(resource, "name")),
		.singular = xstrdup(text(resource, "singularName")),
		.short_names = words_of(get(resource, "shortNames")),
		.categories = words_of(get(resource, "categories")),
		.namespaced = truth(get(resource, "namespaced")),
		.verbs = verbs_of(get(resource, "verbs")),
		.type = &any_type,
		.summary = "",
	};
	return e;
}

const struct kind *
client_kind_known(
    const struct client *c, const char *group, const char *version, const char *plural)
{
	for (const struct extra_kind *e = c->kinds; e; e = e->next)
		if (!e->gone && strcmp(e->kind.plural, plural) == 0 &&
		    strcmp(e->kind.version, version) == 0 && strcmp(e->kind.group, group) == 0)
			return &e->kind;
	return kind_of_resource(group, version, plural);
}

/* Does it say the same as the resource?  (Short names and categories may change: nobody keeps
 * them.) */
static bool
same(const struct extra_kind *e, const char *group, const char *version, const json_t *resource)
{
	return strcmp(e->kind.plural, text(resource, "name")) == 0 &&
	       strcmp(e->kind.version, version) == 0 && strcmp(e->kind.group, group) == 0 &&
	       strcmp(e->kind.kind, text(resource, "kind")) == 0 &&
	       e->kind.namespaced == truth(get(resource, "namespaced")) &&
	       e->kind.verbs == verbs_of(get(resource, "verbs"));
}

/* Take a resource into the client's list, unless it is built in; the kind that was there when it is
 * still the same one. */
static void
take(struct client *c, const char *group, const char *version, const json_t *resource,
    bool preferred)
{
	struct extra_kind **end = &c->kinds, *e;

	if (strchr(text(resource, "name"), '/') ||
	    kind_of_resource(group, version, text(resource, "name")))
		return;
	for (; (e = *end) && !same(e, group, version, resource); end = &e->next)
		;
	if (!e)
		e = *end = extra_new(group, version, resource);
	e->preferred = e->preferred || preferred;
	e->gone = false;
}

/* An APIResource of what aggregated discovery says. */
static json_t *
old_form(const json_t *r)
{
	return json_pack("{s:s, s:s, s:s, s:b, s:O*, s:O*, s:O*}", "name", text(r, "resource"),
	    "singularName", text(r, "singularResource"), "kind", text(r, "responseKind", "kind"),
	    "namespaced", strcmp(text(r, "scope"), "Namespaced") == 0, "verbs", get(r, "verbs"),
	    "shortNames", get(r, "shortNames"), "categories", get(r, "categories"));
}

static void
learn_group(struct client *c, const json_t *group)
{
	json_auto_t *seen = json_object();
	json_t *version, *resource;
	size_t i, k;

	json_array_foreach (get(group, "versions"), i, version) {
		json_array_foreach (get(version, "resources"), k, resource) {
			json_auto_t *old = old_form(resource);
			const char *plural = text(resource, "resource");

			if (!*plural || !*text(old, "kind"))
				continue;
			take(c, meta_name(group), text(version, "version"), old,
			    !json_object_get(seen, plural));
			json_object_set_new(seen, plural, json_true());
		}
	}
}

void
client_learn(struct client *c, const json_t *groups)
{
	json_t *group;
	size_t i;

	for (struct extra_kind *e = c->kinds; e; e = e->next)
		e->gone = true, e->preferred = false;
	json_array_foreach (groups, i, group)
		learn_group(c, group);
}

/* Read one group version's resources into the client's list. */
static int
read_group(struct client *c, const char *group_version, struct err *err)
{
	const char *slash = strchr(group_version, '/');
	autofree char *group =
	    slash ? xstrndup(group_version, (size_t)(slash - group_version)) : xstrdup("");
	const char *version = slash ? slash + 1 : group_version;
	autofree char *path = xasprintf(slash ? "/apis/%s" : "/api/%s", group_version);
	json_auto_t *list = NULL;
	json_t *resource;
	size_t i;
	int r;

	if ((r = client_fetch(c, path, &list, err)) < 0)
		return r;
	json_array_foreach (get(list, "resources"), i, resource)
		take(c, group, version, resource, false);
	return 0;
}

static int
read_all(struct client *c, struct err *err)
{
	json_auto_t *groups = NULL;
	int r = client_groups(c, &groups, err);

	if (r >= 0)
		client_learn(c, groups);
	return r;
}

/* Is `rest` the group of a kind, or its version and group? */
static bool
is_of(const struct kind *k, const char *rest)
{
	size_t len = strlen(k->version);

	return strcasecmp(rest, k->group) == 0 ||
	       (strncasecmp(rest, k->version, len) == 0 && rest[len] == '.' &&
		   strcasecmp(rest + len + 1, k->group) == 0);
}

/* "widgets", "widget", "wd", "Widget", each also with ".group" or ".version.group" behind it. */
static bool
answers_to(const struct kind *k, const char *word)
{
	const char *dot = strchr(word, '.');
	size_t len = dot ? (size_t)(dot - word) : strlen(word);
	const char *names[] = { k->plural, k->singular, k->kind };

	if (dot && !is_of(k, dot + 1))
		return false;
	for (size_t i = 0; i < COUNT(names); i++)
		if (strlen(names[i]) == len && strncasecmp(names[i], word, len) == 0)
			return true;
	for (const char *const *s = k->short_names; *s; s++)
		if (strlen(*s) == len && strncasecmp(*s, word, len) == 0)
			return true;
	return false;
}

static const struct kind *
find_word(const struct client *c, const char *word)
{
	const struct kind *other = NULL;

	for (const struct extra_kind *e = c->kinds; e; e = e->next) {
		if (e->gone || !answers_to(&e->kind, word))
			continue;
		if (e->preferred)
			return &e->kind;
		other = other ? other : &e->kind;
	}
	return other;
}

int
client_kind(struct client *c, const char *word, const struct kind **ret, struct err *err)
{
	const struct kind *k = kind_of_word(word);
	int r;

	if (!k && !(k = find_word(c, word))) {
		if ((r = read_all(c, err)) < 0)
			return err_wrap(err, "cannot look up kind '%s'", word);
		k = find_word(c, word);
	}
	if (!k)
		return err_set(err, ERR_BAD_REQUEST, "the server has no kind '%s'", word);
	*ret = k;
	return 0;
}

struct kinds {
	const struct kind **item;
	size_t n, cap;
};

static void
add_kind(struct kinds *all, const struct kind *k)
{
	GROW(all->item, all->n, all->cap);
	all->item[all->n++] = k;
}

/* category NULL: any kind. */
static bool
listed_in(const struct kind *k, const char *category)
{
	return (k->verbs & VERB_LIST) &&
	       (!category || (k->categories && text_in(category, k->categories)));
}

/* Of a kind in several versions only the one that its name alone stands for. */
static void
add_built_in(struct kinds *all, const char *category)
{
	size_t n;
	const struct kind *const *kinds = schema_kinds(&n);
	char name[128];

	for (size_t i = 0; i < n; i++)
		if (listed_in(kinds[i], category) &&
		    kind_of_word(kind_group_kind(kinds[i], name)) == kinds[i])
			add_kind(all, kinds[i]);
}

static void
add_extra(struct kinds *all, const struct client *c, const char *category)
{
	for (const struct extra_kind *e = c->kinds; e; e = e->next)
		if (e->preferred && !e->gone && listed_in(&e->kind, category))
			add_kind(all, &e->kind);
}

static int
collect(struct client *c, const char *category, const struct kind ***ret, struct err *err)
{
	struct kinds all = { 0 };
	int r = read_all(c, err);

	*ret = NULL;
	if (r < 0 && err->code != ERR_NOT_FOUND)
		return r;
	add_built_in(&all, category);
	add_extra(&all, c, category);
	add_kind(&all, NULL);
	*ret = all.item;
	return 0;
}

int
client_category(struct client *c, const char *word, const struct kind ***ret, struct err *err)
{
	int r = collect(c, word, ret, err);

	return r < 0 ? err_wrap(err, "cannot look up kind '%s'", word) : 0;
}

int
client_kinds(struct client *c, const struct kind ***ret, struct err *err)
{
	int r = collect(c, NULL, ret, err);

	return r < 0 ? err_wrap(err, "cannot look up the kinds") : 0;
}

static const struct kind *
find_object(const struct client *c, const char *api_version, const char *kind)
{
	char version[128];

	for (const struct extra_kind *e = c->kinds; e; e = e->next)
		if (!e->gone && strcmp(e->kind.kind, kind) == 0 &&
		    strcmp(kind_api_version(&e->kind, version), api_version) == 0)
			return &e->kind;
	return NULL;
}

int
client_kind_of(struct client *c, const json_t *obj, const struct kind **ret, struct err *err)
{
	const char *api_version = text(obj, "apiVersion"), *kind = text(obj, "kind");
	const struct kind *k = kind_of_object(api_version, kind);
	int r;

	if (!*api_version || !*kind)
		return err_set(err, ERR_BAD_REQUEST, "apiVersion or kind is missing");
	if (!k && !(k = find_object(c, api_version, kind))) {
		r = read_group(c, api_version, err);
		if (r < 0 && err->code != ERR_NOT_FOUND)
			return err_wrap(err, "cannot look up kind '%s'", kind);
		k = find_object(c, api_version, kind);
	}
	if (!k)
		return err_set(
		    err, ERR_BAD_REQUEST, "the server has no kind '%s' in '%s'", kind, api_version);
	*ret = k;
	return 0;
}

/* The list's nodes are its kinds and stay (see extra_new); the client only forgets them, and what
 * looks for leaks finds them here. */
void
discovery_free(struct client *c)
{
	static struct extra_kind *_Atomic forgotten;
	struct extra_kind *first = c->kinds, *last = first, *before = forgotten;

	c->kinds = NULL;
	if (!first)
		return;
	while (last->next)
		last = last->next;
	do
		last->next = before;
	while (!atomic_compare_exchange_weak(&forgotten, &before, first));
}
