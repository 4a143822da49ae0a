/* The plugins that Kubernetes too has off until they are asked for. */
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/admission.h"

/* --- AlwaysPullImages --- */

static const char *const lists[] = { "initContainers", "containers", "ephemeralContainers" };

static bool
has_image(const json_t *pod, const char *image)
{
	json_t *c;
	size_t i;

	for (size_t k = 0; k < COUNT(lists); k++)
		json_array_foreach (get(pod, "spec", lists[k]), i, c)
			if (strcmp(text(c, "image"), image) == 0)
				return true;
	return false;
}

static bool
has_new_image(const struct admission *a)
{
	json_t *c;
	size_t i;

	for (size_t k = 0; k < COUNT(lists); k++)
		json_array_foreach (get(a->obj, "spec", lists[k]), i, c)
			if (!has_image(a->old, text(c, "image")))
				return true;
	return false;
}

int
always_pull_images(struct admission *a)
{
	json_t *v;
	size_t i;

	if (a->op == OP_UPDATE && !has_new_image(a))
		return 0;
	for (size_t k = 0; k < COUNT(lists); k++)
		json_array_foreach (get(a->obj, "spec", lists[k]), i, v)
			put(v, json_string("Always"), "imagePullPolicy");
	json_array_foreach (get(a->obj, "spec", "volumes"), i, v)
		if (get(v, "image"))
			put(v, json_string("Always"), "image", "pullPolicy");
	return 0;
}

/* --- DenyServiceExternalIPs --- */

static bool
lists_text(const json_t *array, const char *text)
{
	json_t *v;
	size_t i;

	json_array_foreach (array, i, v)
		if (strcmp(str(v, ""), text) == 0)
			return true;
	return false;
}

int
deny_service_external_ips(struct admission *a)
{
	json_t *had = get(a->old, "spec", "externalIPs"), *v;
	size_t i;

	json_array_foreach (get(a->obj, "spec", "externalIPs"), i, v)
		if (!lists_text(had, str(v, "")))
			return admission_forbid(
			    a, "Use of external IPs is denied by admission control");
	return 0;
}

/* --- ExtendedResourceToleration --- */

/* A name with a domain that is not Kubernetes' own, and no quota's "requests.". */
static bool
extended(const char *resource)
{
	return strchr(resource, '/') && !text_starts(resource, "requests.") &&
	       !strstr(resource, "kubernetes.io/");
}

/* In the place of one with the same key and effect, or as the last. */
static void
tolerate(json_t *tolerations, const char *key)
{
	json_t *new =
	    json_pack("{s:s, s:s, s:s}", "key", key, "operator", "Exists", "effect", "NoSchedule");
	json_t *t;
	size_t i;

	json_array_foreach (tolerations, i, t)
		if (strcmp(text(t, "key"), key) == 0 &&
		    strcmp(text(t, "effect"), "NoSchedule") == 0 &&
		    strcmp(text(t, "operator"), "Exists") == 0 && !*text(t, "value")) {
			json_array_set_new(tolerations, i, new);
			return;
		}
	json_array_append_new(tolerations, new);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int
extended_resource_toleration(struct admission *a)
{
	json_t *c, *amount, *all = json_array();
	const char **names = NULL, *name;
	size_t i, n = 0, cap = 0;

	if (get(a->obj, "spec", "tolerations"))
		json_array_extend(all, get(a->obj, "spec", "tolerations"));
	for (size_t k = 0; k < 2; k++) /* ephemeral ones ask for nothing */
		json_array_foreach (get(a->obj, "spec", lists[k]), i, c)
			json_object_foreach (get(c, "resources", "requests"), name, amount)
				if (extended(name)) {
					GROW(names, n, cap);
					names[n++] = name;
				}
	if (n)
		qsort(names, n, sizeof *names, by_name);
	for (i = 0; i < n; i++)
		tolerate(all, names[i]);
	if (n)
		put(a->obj, json_incref(all), "spec", "tolerations");
	json_decref(all);
	free(names);
	return 0;
}

/* --- LimitPodHardAntiAffinityTopology --- */

int
limit_anti_affinity(struct admission *a)
{
	static const char host[] = "kubernetes.io/hostname";
	json_t *term;
	size_t i;

	json_array_foreach (get(a->obj, "spec", "affinity", "podAntiAffinity",
				"requiredDuringSchedulingIgnoredDuringExecution"),
	    i, term)
		if (strcmp(text(term, "topologyKey"), host) != 0)
			return admission_forbid(a,
			    "affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey %s "
			    "but only key %s is allowed",
			    text(term, "topologyKey"), host);
	return 0;
}

/* --- PodNodeSelector --- */

#define NODE_SELECTOR "scheduler.alpha.kubernetes.io/node-selector"

static char *
trimmed(const char *s, size_t len)
{
	for (; len && *s == ' '; len--)
		s++;
	while (len && s[len - 1] == ' ')
		len--;
	return xstrndup(s, len);
}

/* "a=b, c=d" into labels; false when it is none of that: then bad is the part that is not. */
static bool
read_labels(const char *s, json_t *labels, struct buf *bad)
{
	while (*s) {
		size_t len = strcspn(s, ","), key = strcspn(s, "=");
		autofree char *k = NULL, *v = NULL;

		if (key >= len || memchr(s + key + 1, '=', len - key - 1)) {
			for (; len; len--, s++)
				buf_putc(bad, *s == '=' ? ' ' : *s);
			return false;
		}
		k = trimmed(s, key);
		v = trimmed(s + key + 1, len - key - 1);
		json_object_set_new(labels, k, json_string(v));
		s += len + (s[len] == ',');
	}
	return true;
}

int
pod_node_selector(struct admission *a)
{
	json_auto_t *ns = admission_get(a, "", "Namespace", "", a->c->target.namespace);
	json_auto_t *labels = json_object();
	const char *said = ns ? meta_annotation(ns, NODE_SELECTOR) : NULL, *key;
	autobuf struct buf bad = BUF_INIT;
	json_t *v;

	if (said && !read_labels(said, labels, &bad)) {
		autofree char *msg = xasprintf("invalid selector: [%s]", bad.data);

		reply_status(a->c, 500, NULL, msg, NULL);
		return -1;
	}
	json_object_foreach (labels, key, v) {
		json_t *own = get(a->obj, "spec", "nodeSelector", key);

		if (own && !json_equal(own, v))
			return admission_forbid(a,
			    "pod node label selector conflicts with its namespace node label "
			    "selector");
	}
	json_object_foreach (labels, key, v)
		put(a->obj, json_incref(v), "spec", "nodeSelector", key);
	return 0;
}
