#include <ctype.h>
#include <string.h>

#include "api/meta.h"
#include "api/object.h"
#include "base/mem.h"
#include "base/text.h"
#include "client/address.h"

void
targets_release(struct targets *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->item[i].ns);
		free(t->item[i].name);
		free(t->item[i].where);
		json_decref(t->item[i].obj);
	}
	free(t->item);
	*t = (struct targets){ 0 };
}

static void
add(struct targets *t, const struct kind *k, const char *ns, const char *name, json_t *obj,
    const char *where)
{
	GROW(t->item, t->n, t->cap);
	t->item[t->n++] = (struct target){ k, xstrdup(ns), xstrdup(name), obj, xstrdup(where) };
}

char *
target_name(const struct kind *k, const char *name)
{
	struct buf b = BUF_INIT;

	for (const char *p = k->kind; *p; p++)
		buf_putc(&b, (char)tolower((unsigned char)*p));
	buf_printf(&b, "%s%s%s%s", *k->group ? "." : "", k->group, *name ? "/" : "", name);
	return buf_detach(&b);
}

struct list_options
scope_list_options(void)
{
	return (struct list_options){ scope_options.selector, scope_options.field_selector, 0 };
}

int
target_namespace(const struct client *c, const struct kind *k, const json_t *obj, const char **ret,
    struct err *err)
{
	const char *own = meta_namespace(obj), *asked = scope_options.namespace;

	if (!k->namespaced) {
		*ret = "";
		return 0;
	}
	if (asked && *own && strcmp(own, asked) != 0)
		return err_set(
		    err, ERR_BAD_REQUEST, "its namespace is '%s', but -n says '%s'", own, asked);
	*ret = *own ? own : client_namespace(c);
	return 0;
}

/* --- operands ------------------------------------------------------------------------ */

/* Is the word exactly the plural name of a built-in kind, so that it reads as a kind
 * and not as the name of an object ("nodes pods")? */
static bool
plural(const char *word)
{
	const struct kind *k = kind_of_word(word);

	return k && strcmp(k->plural, word) == 0;
}

static bool
scoped(void)
{
	return scope_options.selector || scope_options.field_selector;
}

static int
add_named(struct targets *t, const struct client *c, const struct kind *k, const char *name,
    const char *where, struct err *err)
{
	const char *ns = client_namespace(c);

	if (!*name)
		return err_set(err, ERR_BAD_REQUEST, "'%s' has an empty name", where);
	if (!client_name_fits(name))
		return err_set(err, ERR_BAD_REQUEST, "'%s' cannot be a name", name);
	if (scoped())
		return err_set(
		    err, ERR_BAD_REQUEST, "a name ('%s') and a selector do not go together", where);
	if (scope_options.all_namespaces && k->namespaced)
		return err_set(
		    err, ERR_BAD_REQUEST, "a name ('%s') and -A do not go together", where);
	add(t, k, k->namespaced ? ns : "", name, NULL, where);
	return 0;
}

static int
add_all(struct targets *t, const struct client *c, const struct kind *k, const char *where)
{
	const char *ns = client_namespace(c);

	add(t, k, k->namespaced && !scope_options.all_namespaces ? ns : "", "", NULL, where);
	return 0;
}

/* One kind of a list: a kind's name, or a category such as "all", which no object's name goes with.
 */
static int
add_kind(struct targets *t, struct client *c, const char *word, const char *name, const char *where,
    struct err *err)
{
	autofree const struct kind **members = NULL;
	const struct kind *k;
	struct err other;
	int r = client_kind(c, word, &k, err);

	if (r >= 0)
		return name ? add_named(t, c, k, name, where, err) : add_all(t, c, k, where);
	if (err->code != ERR_BAD_REQUEST || client_category(c, word, &members, &other) < 0 ||
	    !members[0])
		return r;
	if (name)
		return err_set(err, ERR_BAD_REQUEST,
		    "'%s' is a category of kinds: a name ('%s') does not go with it", word, where);
	for (const struct kind **m = members; *m; m++) {
		autofree char *kind = target_name(*m, "");
		autofree char *which = xasprintf("%s (%s)", where, kind);

		add_all(t, c, *m, which);
	}
	return 0;
}

/* "pods,deployments": its kinds with one name, or with all of each when name is NULL. */
static int
add_kinds(struct targets *t, struct client *c, const char *kinds, const char *name,
    const char *where, struct err *err)
{
	autofree char *copy = xstrdup(kinds);
	char *rest = copy, *word;

	while ((word = strsep(&rest, ","))) {
		int r;

		if (!*word)
			return err_set(err, ERR_BAD_REQUEST, "'%s' has an empty kind", where);
		if ((r = add_kind(t, c, word, name, where, err)) < 0)
			return r;
	}
	return 0;
}

int
targets_of_words(struct targets *t, struct client *c, int n, char *const words[], struct err *err)
{
	const char *kinds = NULL; /* the last kind word, still without a name */
	bool named = false;
	int r = 0;

	for (int i = 0; i < n && r >= 0; i++) {
		const char *word = words[i], *slash = strchr(word, '/');
		bool begins = !kinds || plural(word) || strchr(word, ',');

		if ((slash || begins) && kinds && !named)
			r = add_kinds(t, c, kinds, NULL, kinds, err);
		if (slash && r >= 0) {
			autofree char *kind = xstrndup(word, (size_t)(slash - word));

			r = add_kinds(t, c, kind, slash + 1, word, err);
			kinds = NULL;
		} else if (begins) {
			kinds = word;
			named = false;
		} else if (r >= 0) {
			r = add_kinds(t, c, kinds, word, word, err);
			named = true;
		}
	}
	if (r >= 0 && kinds && !named)
		r = add_kinds(t, c, kinds, NULL, kinds, err);
	return r;
}

/* --- files --------------------------------------------------------------------------- */

struct gathering {
	struct targets *targets;
	struct client *client;
};

static int
take(void *arg, struct objects *in, json_t *obj, struct err *err)
{
	struct gathering *g = arg;
	const char *where = objects_where(in);
	const struct kind *k;
	const char *ns;
	int r;

	if ((r = client_kind_of(g->client, obj, &k, err)) >= 0)
		r = target_namespace(g->client, k, obj, &ns, err);
	if (r >= 0 && !*meta_name(obj))
		r = err_set(err, ERR_BAD_REQUEST, "metadata.name is missing");
	if (r >= 0 && !client_name_fits(meta_name(obj)))
		r = err_set(
		    err, ERR_BAD_REQUEST, "metadata.name: '%s' cannot be a name", meta_name(obj));
	if (r < 0) {
		json_decref(obj);
		return err_wrap(err, "%s", where);
	}
	add(g->targets, k, ns, meta_name(obj), obj, where);
	return 0;
}

int
targets_of_files(struct targets *t, struct client *c, const struct list *files, struct err *err)
{
	struct gathering g = { t, c };

	return objects_each(
	    (char *const *)files->item, (int)files->n, ACCEPT_OBJECTS, take, &g, err);
}

int
targets_gather(struct targets *t, struct client *c, int n, char *const words[],
    const struct list *files, struct err *err)
{
	if (n > 0 && files->n > 0)
		return err_set(err, ERR_BAD_REQUEST, "operands and -f do not go together");
	if (n > 0)
		return targets_of_words(t, c, n, words, err);
	if (scoped() || scope_options.all_namespaces)
		return err_set(
		    err, ERR_BAD_REQUEST, "a selector or -A needs a kind to select from");
	return targets_of_files(t, c, files, err);
}

int
target_each(struct client *c, const struct target *t,
    int (*each)(void *arg, json_t *obj, struct err *err), void *arg, struct err *err)
{
	struct list_options o = scope_list_options();
	json_t *obj;
	int r;

	if (!*t->name)
		return client_list(c, t->kind, t->ns, &o, each, arg, NULL, err);
	r = client_get(c, t->kind, t->ns, t->name, &obj, err);
	return r < 0 ? r : each(arg, obj, err);
}
