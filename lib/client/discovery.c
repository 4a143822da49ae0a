/* Kinds that are not built in (custom resources, newer servers), as the server lists them. */
#include <string.h>
#include <strings.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"
#include "client/http.h"

struct extra_kind {
	struct kind kind; /* first: what is handed out */
	struct extra_kind *next;
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
kind_of_crd(const json_t *crd, const char *api_version, const char *kind)
{
	const json_t *spec = get(crd, "spec"), *names = get(spec, "names");
	const char *group = text(spec, "group"), *slash = strchr(api_version, '/');
	struct extra_kind *e;
	json_t *version;
	size_t i;

	if (!slash || strlen(group) != (size_t)(slash - api_version) ||
	    strncmp(group, api_version, strlen(group)) != 0 ||
	    strcmp(text(names, "kind"), kind) != 0 || !client_name_fits(text(names, "plural")))
		return NULL;
	json_array_foreach (get(spec, "versions"), i, version) {
		if (strcmp(text(version, "name"), slash + 1) != 0 || !truth(get(version, "served")))
			continue;
		e = extra_new(group, slash + 1, names);
		e->kind.plural = xstrdup(text(names, "plural"));
		e->kind.singular = xstrdup(text(names, "singular"));
		e->kind.namespaced = strcmp(text(spec, "scope"), "Namespaced") == 0;
		return &e->kind;
	}
	return NULL;
}

static const struct kind *
known(const struct client *c, const char *group, const char *version, const char *plural)
{
	for (const struct extra_kind *e = c->kinds; e; e = e->next)
		if (strcmp(e->kind.group, group) == 0 && strcmp(e->kind.version, version) == 0 &&
		    strcmp(e->kind.plural, plural) == 0)
			return &e->kind;
	return kind_of_resource(group, version, plural);
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
	json_array_foreach (get(list, "resources"), i, resource) {
		struct extra_kind *e;

		if (strchr(text(resource, "name"), '/') ||
		    known(c, group, version, text(resource, "name")))
			continue;
		e = extra_new(group, version, resource);
		e->next = c->kinds;
		c->kinds = e;
	}
	return 0;
}

static int
read_all(struct client *c, struct err *err)
{
	json_auto_t *groups = NULL;
	json_t *group;
	size_t i;
	int r;

	if ((r = client_fetch(c, "/apis", &groups, err)) < 0)
		return r;
	json_array_foreach (get(groups, "groups"), i, group)
		/* a group whose server is down must not hide the others */
		if (read_group(c, text(group, "preferredVersion", "groupVersion"), err) < 0 &&
		    (err->code == ERR_UNAVAILABLE || err->code == ERR_TIMEOUT) && i == 0)
			return -(int)err->code;
	return 0;
}

/* "widgets", "widget", "wd", "Widget", each also with ".group" behind it. */
static bool
answers_to(const struct kind *k, const char *word)
{
	const char *dot = strchr(word, '.');
	size_t len = dot ? (size_t)(dot - word) : strlen(word);
	const char *names[] = { k->plural, k->singular, k->kind };

	if (dot && strcasecmp(dot + 1, k->group) != 0)
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
	for (const struct extra_kind *e = c->kinds; e; e = e->next)
		if (answers_to(&e->kind, word))
			return &e->kind;
	return NULL;
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
		if (listed_in(&e->kind, category))
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
		if (strcmp(e->kind.kind, kind) == 0 &&
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

/* The list's nodes are its kinds and stay (see extra_new); the client only forgets them. */
void
discovery_free(struct client *c)
{
	c->kinds = NULL;
}
