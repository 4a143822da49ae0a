#include "client/pods.h"

#include <string.h>

#include "api/meta.h"
#include "api/selector.h"
#include "base/mem.h"
#include "client/address.h"

void
pods_release(struct pods *p)
{
	for (size_t i = 0; i < p->n; i++)
		json_decref(p->item[i]);
	free(p->item);
	*p = (struct pods){ 0 };
}

static int
add(void *arg, json_t *pod, struct err *err)
{
	struct pods *p = arg;

	(void)err;
	GROW(p->item, p->n, p->cap);
	p->item[p->n++] = pod;
	return 0;
}

/* Those that an object like a Deployment or a Service selects. */
static int
add_selected(
    struct pods *p, struct client *c, const struct kind *k, const json_t *owner, struct err *err)
{
	const json_t *wanted = get(owner, "spec", "selector");
	struct selector *labels = NULL;
	struct list_options o = { 0 };
	size_t before = p->n;
	int r = 0;

	if (!json_is_object(wanted))
		return err_set(
		    err, ERR_BAD_REQUEST, "%s '%s' selects no pods", k->singular, meta_name(owner));
	if (get(wanted, "matchLabels") || get(wanted, "matchExpressions"))
		r = selector_from_json(&labels, wanted, err);
	else
		labels = selector_from_map(wanted);
	if (r >= 0) {
		autofree char *text = selector_print(labels);

		o.selector = text;
		r = client_list(
		    c, kind_find("", "v1", "Pod"), meta_namespace(owner), &o, add, p, NULL, err);
	}
	selector_free(labels);
	if (r >= 0 && p->n == before)
		return err_set(
		    err, ERR_NOT_FOUND, "%s '%s' has no pods", k->singular, meta_name(owner));
	return r;
}

/* Takes obj. */
static int
add_object(struct pods *p, struct client *c, const struct kind *k, json_t *obj, struct err *err)
{
	int r;

	if (strcmp(k->kind, "Pod") == 0 && !*k->group)
		return add(p, obj, err);
	r = add_selected(p, c, k, obj, err);
	json_decref(obj);
	return r;
}

int
pods_of_word(struct pods *p, struct client *c, const char *word, struct err *err)
{
	const char *slash = strchr(word, '/'), *name = slash ? slash + 1 : word;
	autofree char *type = slash ? xstrndup(word, (size_t)(slash - word)) : NULL;
	const struct kind *k = kind_find("", "v1", "Pod");
	json_t *obj;
	int r;

	if (type && (r = client_kind(c, type, &k, err)) < 0)
		return r;
	if (!client_name_fits(name))
		return err_set(err, ERR_BAD_REQUEST, "'%s' is neither a pod nor KIND/NAME", word);
	if ((r = client_get(c, k, client_namespace(c), name, &obj, err)) < 0)
		return r;
	return add_object(p, c, k, obj, err);
}

int
pods_of_scope(struct pods *p, struct client *c, struct err *err)
{
	char *all[] = { "pods" };
	struct targets t = { 0 };
	int r = targets_of_words(&t, c, 1, all, err);

	if (r >= 0)
		r = target_each(c, &t.item[0], add, p, err);
	targets_release(&t);
	return r;
}

struct reading {
	struct pods *pods;
	struct client *client;
	const struct kind *kind;
};

static int
add_read(void *arg, json_t *obj, struct err *err)
{
	struct reading *r = arg;

	return add_object(r->pods, r->client, r->kind, obj, err);
}

/* They are read again: what the stream shows may be long past. */
int
pods_of_files(struct pods *p, struct client *c, const struct list *files, struct err *err)
{
	struct targets t = { 0 };
	int r = targets_of_files(&t, c, files, err);

	for (size_t i = 0; i < t.n && r >= 0; i++) {
		struct reading reading = { p, c, t.item[i].kind };

		if ((r = target_each(c, &t.item[i], add_read, &reading, err)) < 0)
			err_wrap(err, "%s", t.item[i].where);
	}
	targets_release(&t);
	return r;
}

static int
rank(const json_t *pod)
{
	json_t *condition;
	size_t i;

	if (get(pod, "metadata", "deletionTimestamp") ||
	    strcmp(text(get(pod, "status"), "phase"), "Running") != 0)
		return 0;
	json_array_foreach (get(pod, "status", "conditions"), i, condition)
		if (strcmp(text(condition, "type"), "Ready") == 0 &&
		    strcmp(text(condition, "status"), "True") == 0)
			return 2;
	return 1;
}

json_t *
pods_best(const struct pods *p)
{
	json_t *best = p->n ? p->item[0] : NULL;

	for (size_t i = 1; i < p->n; i++)
		if (rank(p->item[i]) > rank(best))
			best = p->item[i];
	return best;
}

const json_t *
pod_container_spec(const json_t *pod, const char *name)
{
	static const char *const lists[] = { "containers", "initContainers",
		"ephemeralContainers" };
	json_t *c;
	size_t i;

	for (size_t k = 0; k < COUNT(lists); k++)
		json_array_foreach (get(pod, "spec", lists[k]), i, c)
			if (strcmp(text(c, "name"), name) == 0)
				return c;
	return NULL;
}

int
pod_container(const json_t *pod, const char *name, const char **ret, struct err *err)
{
	const char *said = meta_annotation(pod, "kubectl.kubernetes.io/default-container");

	if (name && !pod_container_spec(pod, name))
		return err_set(
		    err, ERR_NOT_FOUND, "pod '%s' has no container '%s'", meta_name(pod), name);
	if (name)
		*ret = name;
	else if (said && pod_container_spec(pod, said))
		*ret = said;
	else
		*ret = text(json_array_get(get(pod, "spec", "containers"), 0), "name");
	return 0;
}
