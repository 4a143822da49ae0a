#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "api/pod.h"
#include "api/resources.h"
#include "base/buf.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "base/text.h"
#include "schedule/relate.h"
#include "schedule/topology.h"

/* Nodes, the pods on them, and the sums of what these ask for. */

enum { MAX_LOG = 1 << 16 };

struct scheduler *
scheduler_new(const char *name, enum scoring scoring)
{
	static const char *const first[] = { "cpu", "memory", "ephemeral-storage", "pods" };
	struct scheduler *s = xcalloc(1, sizeof *s);

	s->name = name;
	s->scoring = scoring;
	for (size_t i = 0; i < COUNT(first); i++)
		resource_number(s, first[i]);
	return s;
}

static struct node *
node_named(const struct scheduler *s, const char *name)
{
	size_t at = (size_t)map_get(&s->by_name, name, strlen(name));

	return at ? &s->node[at - 1] : NULL;
}

size_t
scheduler_nodes(const struct scheduler *s)
{
	return s->known;
}

/* --- numbers for names --------------------------------------------------- */

/* All nodes get a column for a resource that was never heard of before. */
static void
widen(struct scheduler *s, size_t n)
{
	for (size_t i = 0; i < s->nnodes; i++) {
		struct node *node = &s->node[i];

		node->can = xreallocarray(node->can, n, sizeof *node->can);
		node->used = xreallocarray(node->used, n, sizeof *node->used);
		node->can[n - 1] = node->used[n - 1] = 0;
	}
}

unsigned
resource_number(struct scheduler *s, const char *name)
{
	for (unsigned i = 0; i < s->nresources; i++)
		if (strcmp(s->resource[i], name) == 0)
			return i;
	GROW(s->resource, s->nresources, s->resources_cap);
	s->resource[s->nresources++] = xstrdup(name);
	widen(s, s->nresources);
	return (unsigned)s->nresources - 1;
}

unsigned
text_number(struct scheduler *s, const char *text)
{
	for (unsigned i = 0; i < s->ntexts; i++)
		if (strcmp(s->texts[i], text) == 0)
			return i;
	GROW(s->texts, s->ntexts, s->texts_cap);
	s->texts[s->ntexts++] = xstrdup(text);
	return (unsigned)s->ntexts - 1;
}

/* --- changes ------------------------------------------------------------- */

void
everything_changed(struct scheduler *s)
{
	s->epoch++;
	s->nlog = 0;
}

void
node_changed(struct scheduler *s, size_t place_of)
{
	if (s->nlog == MAX_LOG)
		everything_changed(s);
	GROW(s->log, s->nlog, s->log_cap);
	s->log[s->nlog++] = (uint32_t)place_of;
}

/* --- nodes --------------------------------------------------------------- */

static size_t
place_of(struct scheduler *s, const char *name)
{
	struct map_slot *slot = map_at(&s->by_name, name, strlen(name));
	size_t at;

	if (slot->value)
		return (size_t)slot->value - 1;
	if (s->nfreed) {
		at = s->freed[--s->nfreed];
	} else {
		GROW(s->node, s->nnodes, s->nodes_cap);
		at = s->nnodes++;
	}
	s->node[at] = (struct node){ .name = xstrdup(name),
		.hash = text_hash(name, strlen(name), TEXT_HASH_SEED),
		.can = xcalloc(s->nresources, sizeof(int64_t)),
		.used = xcalloc(s->nresources, sizeof(int64_t)),
		.domain = xcalloc(s->ntopologies + 1, sizeof(int32_t)) };
	slot->value = (void *)(at + 1);
	return at;
}

static void
node_release(struct scheduler *s, struct node *n)
{
	node_forget(s, n);
	free(n->name);
	free(n->can);
	free(n->used);
	free(n->members.item);
	free(n->domain);
	memset(n, 0, sizeof *n);
}

/* A place with neither Node nor pods can be used again. */
static void
node_free_unused(struct scheduler *s, size_t at)
{
	struct node *n = &s->node[at];

	if (n->obj || n->members.n)
		return;
	map_take(&s->by_name, n->name, strlen(n->name));
	node_release(s, n);
	GROW(s->freed, s->nfreed, s->freed_cap);
	s->freed[s->nfreed++] = at;
}

bool
scheduler_node(struct scheduler *s, const json_t *node)
{
	size_t at = place_of(s, meta_name(node));

	if (!node_read(s, &s->node[at], node))
		return false;
	node_changed(s, at);
	return true;
}

void
scheduler_node_gone(struct scheduler *s, const char *name)
{
	struct node *n = node_named(s, name);

	if (!n || !n->obj)
		return;
	node_forget(s, n);
	node_changed(s, (size_t)(n - s->node));
	node_free_unused(s, (size_t)(n - s->node));
}

/* --- pods ---------------------------------------------------------------- */

/* "ns/name", which is unambiguous: neither holds a '/'. */
static char *
pod_key(const char *ns, const char *name)
{
	return xasprintf("%s/%s", ns, name);
}

struct placed *
placed_find(const struct scheduler *s, const char *ns, const char *name)
{
	autofree char *key = pod_key(ns, name);

	return map_get(&s->pods, key, strlen(key));
}

static void
count(struct scheduler *s, const struct placed *p, int sign)
{
	struct node *n = &s->node[p->node];
	const struct class *c = p->class;

	for (size_t i = 0; i < c->nrequests; i++)
		n->used[c->request[i].resource] += sign * c->request[i].amount;
	n->guess[0] += sign * c->guess[0];
	n->guess[1] += sign * c->guess[1];
	node_changed(s, p->node);
}

/* --- memberships ---------------------------------------------------------- */

static void
join(struct members *m, struct placed *p, int which)
{
	GROW(m->item, m->n, m->cap);
	p->at[which] = m->n;
	m->item[m->n++] = p;
}

static void
leave(struct members *m, struct placed *p, int which)
{
	struct placed *last = m->item[--m->n];

	m->item[p->at[which]] = last;
	last->at[which] = p->at[which];
}

static struct group *
group_of(struct scheduler *s, const json_t *pod)
{
	autobuf struct buf key = BUF_INIT;
	struct map_slot *slot;
	struct group *g;

	buf_printf(&key, "%s\n%s\n", meta_namespace(pod), text(meta_controller(pod), "uid"));
	if (meta_labels(pod))
		json_add(&key, meta_labels(pod));
	slot = map_at(&s->groups, key.data, key.len);
	if (slot->value)
		return slot->value;
	g = slot->value = xcalloc(1, sizeof *g);
	g->pod = json_incref((json_t *)pod);
	g->keylen = key.len;
	g->key = buf_detach(&key);
	return g;
}

static void
group_leave(struct scheduler *s, struct placed *p)
{
	struct group *g = p->group;

	leave(&g->members, p, OF_GROUP);
	if (g->members.n)
		return;
	map_take(&s->groups, g->key, g->keylen);
	json_decref(g->pod);
	free(g->members.item);
	free(g->key);
	free(g);
}

static void
class_join(struct scheduler *s, struct placed *p)
{
	struct class *c = p->class;

	join(&c->members, p, OF_CLASS);
	if (c->members.n > 1 || !c->related || !c->related->between)
		return;
	GROW(s->guard, s->nguards, s->guards_cap);
	s->guard[s->nguards++] = c;
}

static void
class_leave(struct scheduler *s, struct placed *p)
{
	struct class *c = p->class;

	leave(&c->members, p, OF_CLASS);
	for (size_t i = 0; c->members.n == 0 && i < s->nguards; i++)
		if (s->guard[i] == c)
			s->guard[i--] = s->guard[--s->nguards];
	class_put(s, c);
}

static void
placed_free(struct scheduler *s, struct placed *p)
{
	count(s, p, -1);
	leave(&s->node[p->node].members, p, OF_NODE);
	node_free_unused(s, p->node);
	group_leave(s, p);
	class_leave(s, p);
	json_decref(p->obj);
	free(p);
}

void
place(struct scheduler *s, const json_t *pod, const char *node, bool assumed)
{
	autofree char *key = pod_key(meta_namespace(pod), meta_name(pod));
	struct placed *p = xcalloc(1, sizeof *p), *old;

	p->class = class_of(s, pod);
	p->obj = json_incref((json_t *)pod);
	p->assumed = assumed;
	p->leaving = meta_deleting(pod);
	if ((old = map_take(&s->pods, key, strlen(key))))
		placed_free(s, old);
	map_at(&s->pods, key, strlen(key))->value = p;
	p->node = place_of(s, node);
	p->group = group_of(s, pod);
	join(&s->node[p->node].members, p, OF_NODE);
	join(&p->group->members, p, OF_GROUP);
	class_join(s, p);
	count(s, p, 1);
}

static bool
same(const json_t *a, const json_t *b)
{
	return a == b || json_equal(a, b);
}

/* Would placing it again change nothing that counts? */
static bool
same_placement(const struct scheduler *s, const struct placed *p, const json_t *pod)
{
	return strcmp(s->node[p->node].name, text(pod, "spec", "nodeName")) == 0 &&
	       same(get(p->obj, "spec", "containers"), get(pod, "spec", "containers")) &&
	       same(get(p->obj, "spec", "initContainers"), get(pod, "spec", "initContainers")) &&
	       same(get(p->obj, "spec", "resources"), get(pod, "spec", "resources")) &&
	       same(meta_labels(p->obj), meta_labels(pod)) &&
	       meta_deleting(p->obj) == meta_deleting(pod);
}

bool
scheduler_pod(struct scheduler *s, const json_t *pod)
{
	const char *node = text(pod, "spec", "nodeName");
	struct placed *p = placed_find(s, meta_namespace(pod), meta_name(pod));

	if (*node && !pod_finished(pod)) {
		json_auto_t *held = pod_held(pod);

		if (p && same_placement(s, p, held)) {
			p->assumed = false;
			return false;
		}
		place(s, held, node, false);
		return true;
	}
	/* not bound yet: what we assumed stays, unless this is another pod of that name */
	if (!p || (!*node && p->assumed && strcmp(meta_uid(p->obj), meta_uid(pod)) == 0))
		return false;
	return scheduler_pod_gone(s, meta_namespace(pod), meta_name(pod));
}

bool
scheduler_pod_gone(struct scheduler *s, const char *ns, const char *name)
{
	autofree char *key = pod_key(ns, name);
	struct placed *p = map_take(&s->pods, key, strlen(key));

	if (p)
		placed_free(s, p);
	return p != NULL;
}

void
scheduler_forget(struct scheduler *s, const char *ns, const char *name)
{
	const struct placed *p = placed_find(s, ns, name);

	if (p && p->assumed)
		scheduler_pod_gone(s, ns, name);
}

/* --- the whole ------------------------------------------------------------ */

void
scheduler_namespace(struct scheduler *s, const json_t *ns)
{
	const char *name = meta_name(ns);
	json_t *old = map_get(&s->namespaces, name, strlen(name));

	if (old && json_equal(old, meta_labels(ns)))
		return;
	json_decref(old);
	map_at(&s->namespaces, name, strlen(name))->value =
	    meta_labels(ns) ? json_incref(meta_labels(ns)) : json_object();
}

void
scheduler_read(struct scheduler *s, const struct world *w)
{
	struct walk it = world_each(w, "Namespace", NULL);
	const json_t *obj;

	while ((obj = walk_next(&it)))
		scheduler_namespace(s, obj);
	for (it = world_each(w, "Node", NULL); (obj = walk_next(&it));)
		scheduler_node(s, obj);
	for (it = world_each(w, "Pod", NULL); (obj = walk_next(&it));)
		scheduler_pod(s, obj);
}

static void
free_names(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

static void
labels_free(void *labels)
{
	json_decref(labels);
}

void
scheduler_free(struct scheduler *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->pods.cap; i++)
		if (s->pods.slot[i].key)
			placed_free(s, s->pods.slot[i].value);
	map_release(&s->pods, NULL);
	for (size_t i = 0; i < s->nnodes; i++)
		if (s->node[i].name)
			node_release(s, &s->node[i]);
	map_release(&s->by_name, NULL);
	map_release(&s->groups, NULL); /* each went with its last pod */
	topologies_release(s);
	free(s->guard);
	classes_release(s);
	map_release(&s->images, free);
	map_release(&s->namespaces, labels_free);
	free_names(s->resource, s->nresources);
	free_names(s->texts, s->ntexts);
	free(s->node);
	free(s->freed);
	free(s->log);
	free(s);
}
