#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "api/quantity.h"
#include "base/mem.h"
#include "schedule/topology.h"

/* What a Node object says, as numbers and tables. */

static void
read_allocatable(struct scheduler *s, struct node *n)
{
	const json_t *can = get(n->obj, "status", "allocatable");
	const char *name;
	json_t *v;

	if (!can)
		can = get(n->obj, "status", "capacity");
	json_object_foreach ((json_t *)can, name, v)
		resource_number(s, name); /* may move n->can */
	memset(n->can, 0, s->nresources * sizeof *n->can);
	json_object_foreach ((json_t *)can, name, v)
		n->can[resource_number(s, name)] =
		    strcmp(name, "cpu") == 0 ? quantity_milli(v) : quantity_value(v);
}

static void
read_taints(struct scheduler *s, struct node *n)
{
	const json_t *list = get(n->obj, "spec", "taints");
	size_t i;
	json_t *t;

	n->taint = xcalloc(json_array_size(list) + 1, sizeof *n->taint);
	json_array_foreach (list, i, t) {
		struct taint *to = &n->taint[n->ntaints++];
		autofree char *reason = NULL;

		*to = (struct taint){ text(t, "key"), text(t, "value"), text(t, "effect"), 0 };
		reason = xasprintf("node(s) had untolerated taint {%s: %s}", to->key, to->value);
		to->text = text_number(s, reason);
	}
}

/* Images are named with their tag: "web" is "web:latest". */
const char *
image_name(const char *name, char *buf, size_t size)
{
	const char *slash = strrchr(name, '/');

	if (strchr(slash ? slash : name, ':') || strchr(name, '@'))
		return name;
	snprintf(buf, size, "%s:latest", name);
	return buf;
}

static void
count_images(struct scheduler *s, const json_t *obj, int sign)
{
	size_t i, j;
	json_t *image, *name;

	json_array_foreach (get(obj, "status", "images"), i, image)
		json_array_foreach (get(image, "names"), j, name) {
			const char *key = str(name, "");
			struct map_slot *slot = map_at(&s->images, key, strlen(key));
			struct image *of;

			if (!slot->value)
				slot->value = xcalloc(1, sizeof *of);
			of = slot->value;
			of->nodes += (size_t)sign;
			of->size = num(get(image, "sizeBytes"), of->size);
		}
}

void
node_forget(struct scheduler *s, struct node *n)
{
	if (!n->obj)
		return;
	count_images(s, n->obj, -1);
	if (s->images.n) /* they are on fewer nodes, or on more of those that are left */
		everything_changed(s);
	json_decref(n->obj);
	n->obj = NULL;
	free(n->taint);
	n->taint = NULL;
	n->ntaints = 0;
	memset(n->can, 0, s->nresources * sizeof *n->can);
	s->known--;
}

static bool
same(const json_t *a, const json_t *b)
{
	return a == b || json_equal(a, b);
}

bool
node_read(struct scheduler *s, struct node *n, const json_t *obj)
{
	json_t *old = n->obj;
	const json_t *had = get(old, "status", "images"), *has = get(obj, "status", "images");
	bool news = !old || !same(get(old, "spec"), get(obj, "spec")) ||
		    !same(meta_labels(old), meta_labels(obj)) ||
		    !same(get(old, "status", "allocatable"), get(obj, "status", "allocatable")) ||
		    !same(get(old, "status", "capacity"), get(obj, "status", "capacity"));

	n->obj = json_incref((json_t *)obj);
	s->known += !old;
	free(n->taint);
	n->taint = NULL;
	n->ntaints = 0;
	read_taints(s, n);
	read_allocatable(s, n);
	topology_read(s, n);
	n->unschedulable = truth(get(obj, "spec", "unschedulable"));
	n->has_images = json_array_size(has) > 0;
	/* how common an image is counts on every node */
	if (!same(had, has)) {
		count_images(s, old, -1);
		count_images(s, obj, 1);
		everything_changed(s);
	} else if (!old && s->images.n) {
		everything_changed(s);
	}
	json_decref(old);
	return news;
}
