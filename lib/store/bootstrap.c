/* Making the objects that an API server makes by itself, and keeping them right. */
#include "store/bootstrap.h"

#include <string.h>

#include "api/apply.h"
#include "api/meta.h"
#include "api/rules.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/yaml.h"
#include "store/aggregation.h"
#include "store/bootstrap_private.h"
#include "store/service.h"

extern const char bootstrap_yaml[]; /* made of bootstrap.yaml */

static const char autoupdate[] = "apf.kubernetes.io/autoupdate-spec";

void
server_object(const struct kind *k, const char *by, const json_t *old, json_t *obj)
{
	struct apply req = { .kind = k, .subresource = "", .manager = by };
	char uid[37], now[40];

	req.now = call_now(now);
	if (!old) {
		new_uid(uid);
		put(obj, json_string(uid), "metadata", "uid");
		put(obj, json_string(now), "metadata", "creationTimestamp");
		if (kind_strategy(k) & HAS_GENERATION)
			put(obj, json_integer(1), "metadata", "generation");
		if (kind_has_status(k) && !json_object_get(obj, "status"))
			json_object_set_new(obj, "status", json_object());
		strategy_enter(k, obj);
	}
	defaults_apply(k, obj);
	apply_track(&req, old, obj);
	if (!old)
		strategy_create(k, obj);
	else if (strategy_counts(k, old, obj))
		put(obj, json_integer(meta_generation(old) + 1), "metadata", "generation");
}

/* --- what is wanted ----------------------------------------------------------------------------
 */

void
bootstrap_want(struct bootstrap *b, json_t *obj, enum care care, const char *by)
{
	const char *version = text(obj, "apiVersion"), *slash = strchr(version, '/');
	autofree char *group = xstrndup(version, slash ? (size_t)(slash - version) : 0);
	const struct kind *k = kind_find(group, slash ? slash + 1 : version, text(obj, "kind"));

	defaults_apply(k, obj);
	GROW(b->want, b->n, b->cap);
	b->want[b->n++] = (struct wanted){ cache_table(b->server->cache, k), obj, care, by };
}

/* What the consumer of flow-control objects says of one whose level exists. */
static void
flow_schema_status(json_t *obj)
{
	const char *level = text(obj, "spec", "priorityLevelConfiguration", "name");
	autofree char *words = xasprintf(
	    "This FlowSchema references the PriorityLevelConfiguration object named \"%s\" and it "
	    "exists",
	    level);
	char now[40];

	condition_set(obj, "Dangling", "False", "Found", words, call_now(now));
}

static void
want_from_file(struct bootstrap *b, json_t *obj)
{
	static const char *const mandatory[] = { "exempt", "catch-all", NULL };
	bool flow = strncmp(text(obj, "apiVersion"), "flowcontrol.", 12) == 0;

	if (!flow) {
		bootstrap_want(b, obj, CARE_EXISTS, "kube-apiserver");
		return;
	}
	put(obj, json_string("true"), "metadata", "annotations", autoupdate);
	if (strcmp(text(obj, "kind"), "FlowSchema") == 0)
		flow_schema_status(obj);
	bootstrap_want(b, obj, text_in(meta_name(obj), mandatory) ? CARE_MANDATORY : CARE_SUGGESTED,
	    "api-priority-and-fairness-config-producer-v1");
}

static int
want_all(struct bootstrap *b, const struct bootstrap_facts *f, struct err *err)
{
	struct yaml *y = yaml_open(bootstrap_yaml, strlen(bootstrap_yaml), NULL);
	unsigned long line;
	json_t *obj;
	int r;

	while ((r = yaml_read(y, &obj, &line, err)) > 0)
		want_from_file(b, obj);
	yaml_close(y);
	if (r < 0)
		return err_wrap(err, "cannot read the bootstrap objects");
	bootstrap_api(b);
	bootstrap_own(b, f);
	return 0;
}

/* --- putting right -----------------------------------------------------------------------------
 */

/* Every field of want in obj; lists as a whole. */
static void
merge(json_t *obj, const json_t *want)
{
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)want, key, v) {
		json_t *there = json_object_get(obj, key);

		if (json_is_object(v) && json_is_object(there))
			merge(there, v);
		else
			json_object_set_new(obj, key, json_deep_copy(v));
	}
}

static void
merge_fields(json_t *obj, const json_t *want)
{
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)want, key, v) {
		if (strcmp(key, "metadata") == 0) {
			json_auto_t *part = json_object();

			if (json_object_get(v, "labels"))
				json_object_set(part, "labels", json_object_get(v, "labels"));
			merge(json_object_get(obj, key), part);
		} else if (strcmp(key, "status") != 0) {
			json_auto_t *one = json_pack("{s:O}", key, v);

			merge(obj, one);
		}
	}
}

/* Without an annotation that says so, who never changed it leaves it to the server. */
static bool
leaves_spec(const json_t *old)
{
	const char *says = meta_annotation(old, autoupdate);

	if (says && strcmp(says, "true") == 0)
		return true;
	return (!says || strcmp(says, "false") != 0) && meta_generation(old) == 1;
}

/* Is it still the server's? */
static bool
is_managed(const json_t *old)
{
	return meta_label(old, "kube-aggregator.kubernetes.io/automanaged") != NULL;
}

/* old as it should be; new.  NULL: it may be as it likes. */
static json_t *
put_right(const struct wanted *w, const json_t *old, bool running)
{
	bool ours = w->care == CARE_MANDATORY || leaves_spec(old);
	json_t *obj;

	if (w->care == CARE_EXISTS || meta_deleting(old) ||
	    (w->care == CARE_MANAGED && (running || !is_managed(old))))
		return NULL;
	obj = json_deep_copy(old);
	if (w->care == CARE_MANAGED) {
		json_object_set_new(obj, "spec", json_deep_copy(json_object_get(w->obj, "spec")));
		return obj;
	}
	if (w->care == CARE_FIELDS) {
		merge_fields(obj, w->obj);
		return obj;
	}
	put(obj, json_string(ours ? "true" : "false"), "metadata", "annotations", autoupdate);
	if (ours)
		put(obj, json_deep_copy(json_object_get(w->obj, "spec")), "spec");
	return obj;
}

/* One write under way, and who waits for all of them. */
struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t over;
	size_t pending;
	struct err err;
	bool failed;
};
struct making {
	struct write write;
	struct services *services;
	struct number ip; /* reserved for the Service kubernetes */
	bool has_ip;
	struct waiter *waiter;
};

static void
making_done(struct write *w)
{
	struct making *m = w->arg;
	struct waiter *x = m->waiter;

	if (m->has_ip)
		services_unreserve(m->services, &m->ip);
	if (w->result < 0 && w->result != -ERR_CONFLICT)
		log_line("cannot make '%s': %s",
		    w->draft.text.data + strlen(w->draft.text.data) + 1, w->err.msg);
	if (x) {
		pthread_mutex_lock(&x->lock);
		if (w->result < 0 && !x->failed) {
			x->failed = true;
			x->err = w->err;
		}
		if (--x->pending == 0)
			pthread_cond_signal(&x->over);
		pthread_mutex_unlock(&x->lock);
	}
	write_release(w);
	free(m);
}

/* Its address must not be another Service's. */
static bool
reserve_address(struct making *m, struct server *s, const json_t *old, const json_t *obj)
{
	const char *ip = text(obj, "spec", "clusterIP");

	if (strcmp(text(obj, "kind"), "Service") != 0 ||
	    (old && strcmp(text(old, "spec", "clusterIP"), ip) == 0))
		return true;
	m->services = s->services;
	m->has_ip = number_of_ip(&m->ip, ip) && services_hold_back(s->services, &m->ip);
	if (!m->has_ip)
		log_line("cannot give Service 'kubernetes' its address %s: another one has it", ip);
	return m->has_ip;
}

/* The write that makes or mends it; NULL when there is nothing to do. */
static struct making *
plan(struct bootstrap *b, const struct wanted *want)
{
	const struct kind *k = want->table->kind;
	struct object *o = cache_get(
	    b->server->cache, want->table, meta_namespace(want->obj), meta_name(want->obj));
	json_auto_t *old = o ? object_json(o, k) : NULL;
	json_auto_t *obj = old ? put_right(want, old, b->running) : json_deep_copy(want->obj);
	struct making *m = NULL;

	if (obj) {
		m = xcalloc(1, sizeof *m);
		m->write = (struct write){ .table = want->table,
			.draft = DRAFT_INIT,
			.expect = o ? o->revision : 0,
			.done = making_done,
			.arg = m };
		server_object(k, want->by, old, obj);
		apply_keep_times(old, obj);
		draft_encode(&m->write.draft, k, obj);
		if ((o && draft_same(&m->write.draft, o)) ||
		    !reserve_address(m, b->server, old, obj)) {
			write_release(&m->write);
			free(m);
			m = NULL;
		}
	}
	object_unref(o);
	return m;
}

/* All that is missing or wrong, in one go, so that it is one commit. */
static int
make_all(struct bootstrap *b, struct err *err)
{
	struct waiter x = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 };
	struct making **list = xcalloc(b->n, sizeof *list);

	for (size_t i = 0; i < b->n; i++) {
		list[i] = plan(b, &b->want[i]);
		x.pending += list[i] != NULL;
	}
	pthread_mutex_lock(&x.lock);
	for (size_t i = 0; i < b->n; i++) {
		if (list[i]) {
			list[i]->waiter = &x;
			commit_queue(b->server->commit, &list[i]->write);
		}
	}
	while (x.pending > 0)
		pthread_cond_wait(&x.over, &x.lock);
	pthread_mutex_unlock(&x.lock);
	free(list);
	/* a full disk must not keep a store down that has been up before */
	if (!x.failed || cache_exists(b->server->cache, b->server->namespaces, "", "default"))
		return 0;
	*err = x.err;
	return err_wrap(err, "cannot make the objects of an empty store");
}

/* --- start and end ------------------------------------------------------------------------------
 */

int
bootstrap_start(struct server *s, const struct bootstrap_facts *f, struct err *err)
{
	struct bootstrap *b = xcalloc(1, sizeof *b);
	int r;

	b->server = s;
	if ((r = want_all(b, f, err)) < 0) {
		bootstrap_free(b);
		return r;
	}
	s->bootstrap = b;
	r = make_all(b, err);
	b->running = true;
	return r;
}

void
bootstrap_free(struct bootstrap *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->n; i++)
		json_decref(b->want[i].obj);
	free(b->want);
	free(b);
}

/* Somebody has changed or deleted one of ours. */
void
bootstrap_after(struct bootstrap *b, const struct write *w)
{
	const char *namespace = object_namespace(w->object), *name = object_name(w->object);

	if (w->done == making_done)
		return;
	for (size_t i = 0; i < b->n; i++) {
		const struct wanted *want = &b->want[i];
		struct making *m;

		if (want->table == w->table && strcmp(meta_name(want->obj), name) == 0 &&
		    strcmp(meta_namespace(want->obj), namespace) == 0 && (m = plan(b, want)))
			commit_queue(b->server->commit, &m->write);
	}
}

/* --- what follows every write ------------------------------------------------------------------
 */

static struct write *
before_write(void *arg, struct write *w)
{
	struct server *s = arg;

	return services_before(s->services, w);
}

static void
after_write(void *arg, struct write *w, bool kept)
{
	struct server *s = arg;

	services_after(s->services, w, kept);
	if (kept)
		aggregation_after(s->aggregation, w);
	if (kept && s->bootstrap)
		bootstrap_after(s->bootstrap, w);
}

int
server_services(struct server *s, const char *ranges, const char *ports, struct err *err)
{
	struct follower f = { before_write, after_write, s };
	int r = services_new(&s->services, s->cache, s->commit, ranges, ports, err);

	if (r < 0)
		return r;
	services_load(s->services);
	commit_follow(s->commit, &f);
	services_repair(s->services);
	return 0;
}
