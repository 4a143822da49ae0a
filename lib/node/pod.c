/* The record of a pod: from its object, to and from the disk. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/container.h"
#include "node/files.h"
#include "node/pod.h"
#include "node/qos.h"
#include "node/reference.h"
#include "node/resize.h"

enum { MAX_STATE = 16 << 20 };

static void
replace(char **s, const char *with)
{
	char *copy = with ? xstrdup(with) : NULL;

	free(*s);
	*s = copy;
}

/* In the order of the records. */
static const char *const lists[] = { "initContainers", "containers", "ephemeralContainers" };

static size_t
count(const json_t *object, size_t nlists)
{
	size_t n = 0;

	for (size_t k = 0; k < nlists; k++)
		n += json_array_size(get(object, "spec", lists[k]));
	return n;
}

static enum container_kind
kind_of(const json_t *spec, size_t list)
{
	if (list > 0)
		return list == 1 ? APP : EPHEMERAL;
	return strcmp(text(spec, "restartPolicy"), "Always") == 0 ? SIDECAR : INIT;
}

/* The specs of the object into the records, which stay as they are; those of containers that were
 * not there before are begun. */
static void
bind_specs(struct pod *p)
{
	size_t had = p->n, n = 0, i;
	json_t *spec;

	p->n = count(p->object, COUNT(lists));
	p->c = xrealloc(p->c, p->n * sizeof *p->c);
	for (size_t k = 0; k < COUNT(lists); k++)
		json_array_foreach (get(p->object, "spec", lists[k]), i, spec) {
			struct container *c = &p->c[n];

			if (n++ >= had) {
				*c = (struct container){ .monitor_fd = -1, .hook.fd = -1 };
				for (size_t w = 0; w < PROBES; w++)
					c->probes[w].job.fd = -1;
			}
			c->spec = spec;
			c->name = text(spec, "name");
			c->kind = kind_of(spec, k);
		}
}

static bool
safe_name(const char *s)
{
	return *s && strcmp(s, ".") != 0 && strcmp(s, "..") != 0 && !strchr(s, '/') &&
	       strlen(s) < 254;
}

/* Names become names of files: what no API server lets pass must not pass here. */
static int
check(const json_t *object, struct err *err)
{
	json_t *c;
	size_t i;

	if (!safe_name(meta_uid(object)) || !safe_name(meta_name(object)) ||
	    !safe_name(meta_namespace(object)))
		return err_set(err, ERR_INVALID, "pod '%s/%s': bad name, namespace or uid",
		    meta_namespace(object), meta_name(object));
	if (json_array_size(get(object, "spec", "containers")) == 0)
		return err_set(err, ERR_INVALID, "pod '%s/%s' has no containers",
		    meta_namespace(object), meta_name(object));
	for (size_t k = 0; k < COUNT(lists); k++)
		json_array_foreach (get(object, "spec", lists[k]), i, c)
			if (!safe_name(text(c, "name")))
				return err_set(err, ERR_INVALID, "pod '%s/%s': %s[%zu].name is bad",
				    meta_namespace(object), meta_name(object), lists[k], i);
	return 0;
}

/* Without who wrote which field of it: that is as large as all the rest, and nothing to us. */
static json_t *
own(const json_t *object)
{
	json_t *copy = json_deep_copy(object);

	json_object_del(get(copy, "metadata"), "managedFields");
	return copy;
}

int
pod_new(struct pod **ret, const struct host *h, const json_t *object, struct err *err)
{
	struct pod *p;
	int r;

	if ((r = check(object, err)) < 0)
		return r;
	p = xcalloc(1, sizeof *p);
	p->host = h;
	p->object = own(object);
	p->given = json_incref(p->object);
	p->resize.group = qos_limits(object);
	p->uid = xstrdup(meta_uid(object));
	p->label = xasprintf("%s/%s", meta_namespace(object), meta_name(object));
	p->started = clock_now();
	p->active_since = clock_boot();
	p->job.fd = -1;
	p->status = json_deep_copy(get(object, "status"));
	bind_specs(p);
	p->dirty = true;
	*ret = p;
	return 0;
}

static void
container_release(struct container *c)
{
	if (c->monitor_fd >= 0)
		close(c->monitor_fd);
	for (size_t i = 0; i < PROBES; i++) {
		job_kill(&c->probes[i].job);
		free(c->probes[i].message);
	}
	job_kill(&c->hook);
	free(c->reason);
	free(c->message);
	free(c->image);
	free(c->image_id);
	json_decref(c->last);
	json_decref(c->actuated);
	json_decref(c->user);
}

void
pod_free(struct pod *p)
{
	if (!p)
		return;
	job_kill(&p->job);
	for (size_t i = 0; i < p->n; i++)
		container_release(&p->c[i]);
	free(p->c);
	json_decref(p->object);
	json_decref(p->given);
	json_decref(p->status);
	json_decref(p->resize.doing);
	free(p->resize.why);
	free(p->resize.error);
	free(p->uid);
	free(p->label);
	free(p->ip);
	free(p->fail_reason);
	free(p->fail_message);
	free(p->trouble);
	free(p);
}

void
pod_take(struct pod *p, const json_t *object)
{
	struct err ignored;

	if (count(object, 2) != count(p->object, 2) || count(object, COUNT(lists)) < p->n ||
	    check(object, &ignored) < 0) /* no API server allows it */
		return;
	json_decref(p->given);
	p->given = own(object);
	pod_allocate(p, resize_allocated(p->given, p->object));
}

void
pod_allocate(struct pod *p, json_t *object)
{
	json_decref(p->object);
	p->object = object;
	bind_specs(p);
	p->dirty = true;
}

bool
pod_is_static(const struct pod *p)
{
	const char *source =
	    text(p->object, "metadata", "annotations", "kubernetes.io/config.source");

	return *source && strcmp(source, "api") != 0;
}

void
pod_revive(struct pod *p)
{
	replace(&p->fail_reason, NULL);
	replace(&p->fail_message, NULL);
	replace(&p->ip, NULL);
	p->stopping = false;
	p->stop_by = p->again = 0;
	p->sandbox = NO_SANDBOX;
	p->dirty = true;
	for (size_t i = 0; i < p->n; i++) {
		struct container *c = &p->c[i];

		if (c->state == EXITED) {
			json_decref(c->last);
			c->last = terminated_state(p, c);
			c->restarts++;
		}
		if (c->begun)
			c->attempt++;
		c->state = WAITING;
		c->begun = c->term_sent = c->kill_sent = false;
		c->again = c->kill_by = c->asked_at = c->backoff = 0;
		replace(&c->reason, NULL);
		replace(&c->message, NULL);
	}
}

/* --- the disk ------------------------------------------------------------------ */

/* Which run of the machine this is: what clock_boot() said in another one means nothing. */
static const char *
boot_id(void)
{
	static char id[64];

	if (!*id && !file_line("/proc/sys/kernel/random/boot_id", id, sizeof id))
		snprintf(id, sizeof id, "unknown");
	return id;
}

static json_t *
container_json(const struct container *c)
{
	return json_pack("{s:s, s:i, s:b, s:i, s:i, s:I, s:I, s:i, s:b, s:s?, s:s?, s:O?, s:s?, "
			 "s:s?, s:f, s:f, s:i, s:f, s:O?, s:b, s:O?}",
	    "name", c->name, "state", (int)c->state, "begun", c->begun, "attempt", (int)c->attempt,
	    "restarts", (int)c->restarts, "started", (json_int_t)c->started, "finished",
	    (json_int_t)c->finished, "code", c->code, "oom", c->oom, "reason", c->reason, "message",
	    c->message, "last", c->last, "image", c->image, "imageID", c->image_id, "backoff",
	    c->backoff, "begunAt", c->begun_at, "stopSignal", c->stop_signal, "endedAt",
	    c->ended_at, "actuated", c->actuated, "renewing", c->renewing, "user", c->user);
}

/* *last: a hash of what was written last; the same is not written again. */
static int
save_json(const struct pod *p, const char *name, const json_t *value, uint64_t hash, uint64_t *last,
    struct err *err)
{
	autofree char *path = host_path(p->host, "pods/%s/%s", p->uid, name);
	autobuf struct buf b = BUF_INIT;
	int r;

	jsonl_add(&b, value);
	if (hash == 0)
		hash = text_hash(b.data, b.len, TEXT_HASH_SEED);
	if (hash == *last)
		return 0;
	/* No fsync: it need survive a kill, and after a power cut no container runs anyway. */
	if ((r = file_swap(path, b.data, b.len, 0600, err)) == 0)
		*last = hash;
	return r;
}

/* Of all of an object but its status, which is ours to say and comes back with each word of it. */
static uint64_t
hash_without_status(const json_t *object)
{
	json_auto_t *core = json_copy((json_t *)object), *meta = json_copy(get(object, "metadata"));
	autobuf struct buf b = BUF_INIT;

	json_object_del(core, "status");
	json_object_del(meta, "resourceVersion");
	json_object_set(core, "metadata", meta);
	jsonl_add(&b, core);
	return text_hash(b.data, b.len, TEXT_HASH_SEED);
}

int
pod_save(struct pod *p, struct err *err)
{
	autofree char *folder = host_path(p->host, "pods/%s", p->uid);
	json_auto_t *state = NULL, *containers = json_array();
	int r;

	for (size_t i = 0; i < p->n; i++)
		json_array_append_new(containers, container_json(&p->c[i]));
	state = json_pack("{s:i, s:s?, s:I, s:s?, s:s?, s:b, s:f, s:b, s:O, s:O?, s:o, s:f, s:s}",
	    "sandbox", (int)p->sandbox, "ip", p->ip, "started", (json_int_t)p->started,
	    "failReason", p->fail_reason, "failMessage", p->fail_message, "stopping", p->stopping,
	    "stopBy", p->stop_by, "retired", p->retired, "containers", containers, "status",
	    p->status, "resize", resize_save(&p->resize), "activeSince", p->active_since, "boot",
	    boot_id());
	if ((p->saved[0] == 0 && (r = mkdir_all(folder, 0711, err)) < 0) ||
	    (r = save_json(
		 p, "pod.json", p->object, hash_without_status(p->object), &p->saved[0], err)) < 0)
		return r;
	return save_json(p, "state.json", state, 0, &p->saved[1], err);
}

static char *
copy_text(const json_t *v)
{
	return json_is_string(v) ? xstrdup(json_string_value(v)) : NULL;
}

static void
load_container(struct container *c, const json_t *j)
{
	c->state = (enum container_state)num(get(j, "state"), WAITING);
	c->begun = truth(get(j, "begun"));
	c->attempt = (unsigned)num(get(j, "attempt"), 0);
	c->restarts = (unsigned)num(get(j, "restarts"), 0);
	c->started = num(get(j, "started"), 0);
	c->finished = num(get(j, "finished"), 0);
	c->code = (int)num(get(j, "code"), 0);
	c->oom = truth(get(j, "oom"));
	c->reason = copy_text(get(j, "reason"));
	c->message = copy_text(get(j, "message"));
	c->last = json_is_object(get(j, "last")) ? json_deep_copy(get(j, "last")) : NULL;
	c->image = copy_text(get(j, "image"));
	c->image_id = copy_text(get(j, "imageID"));
	c->user = json_is_object(get(j, "user")) ? json_deep_copy(get(j, "user")) : NULL;
	c->backoff = json_number_value(get(j, "backoff"));
	c->ended_at = json_number_value(get(j, "endedAt"));
	c->begun_at = json_number_value(get(j, "begunAt"));
	c->stop_signal = (int)num(get(j, "stopSignal"), 0);
	c->renewing = truth(get(j, "renewing"));
	c->actuated =
	    json_is_object(get(j, "actuated")) ? json_deep_copy(get(j, "actuated")) : NULL;
}

static int
load_json(const struct host *h, const char *uid, const char *name, json_t **ret, struct err *err)
{
	autofree char *path = host_path(h, "pods/%s/%s", uid, name);
	autobuf struct buf b = BUF_INIT;
	int r;

	if ((r = buf_read_file(&b, path, MAX_STATE, err)) < 0)
		return r;
	if (!(*ret = json_loadb(b.data, b.len, 0, NULL)))
		return err_set(err, ERR_INTERNAL, "'%s' is damaged", path);
	return 0;
}

/* Timers of another run of the machine, by what the clock said. */
static void
restart_timers(struct pod *p)
{
	p->active_since = clock_boot_at((double)p->started);
	if (p->stop_by > 0)
		p->stop_by = clock_boot();
	for (size_t i = 0; i < p->n; i++) {
		struct container *c = &p->c[i];

		c->begun_at = clock_boot_at((double)(c->started ? c->started : p->started));
		c->ended_at = clock_boot_at((double)c->finished);
		if (c->ended_at < c->begun_at)
			c->ended_at = c->begun_at;
	}
}

int
pod_load(struct pod **ret, const struct host *h, const char *uid, struct err *err)
{
	json_auto_t *object = NULL, *state = NULL;
	json_t *one;
	struct pod *p;
	size_t i;
	int r;

	if ((r = load_json(h, uid, "pod.json", &object, err)) < 0 ||
	    (r = load_json(h, uid, "state.json", &state, err)) < 0 ||
	    (r = pod_new(&p, h, object, err)) < 0)
		return r;
	p->sandbox = (enum sandbox_state)num(get(state, "sandbox"), NO_SANDBOX);
	p->started = num(get(state, "started"), p->started);
	p->stopping = truth(get(state, "stopping"));
	p->stop_by = json_number_value(get(state, "stopBy"));
	p->retired = truth(get(state, "retired"));
	p->ip = copy_text(get(state, "ip"));
	p->fail_reason = copy_text(get(state, "failReason"));
	p->fail_message = copy_text(get(state, "failMessage"));
	json_decref(p->status);
	p->status = json_deep_copy(get(state, "status"));
	resize_load(&p->resize, get(state, "resize"));
	json_array_foreach (get(state, "containers"), i, one)
		if (i < p->n)
			load_container(&p->c[i], one);
	for (i = 0; i < p->n; i++)
		if (p->c[i].begun && !p->c[i].actuated) /* of a node that did not resize */
			resize_born(p, &p->c[i]);
	p->active_since = json_number_value(get(state, "activeSince"));
	if (strcmp(text(state, "boot"), boot_id()) != 0)
		restart_timers(p);
	*ret = p;
	return 0;
}

int
pod_forget(const struct pod *p, struct err *err)
{
	autofree char *folder = host_path(p->host, "pods/%s", p->uid);
	autofree char *logs = host_path(
	    p->host, "log/pods/%s_%s_%s", meta_namespace(p->object), meta_name(p->object), p->uid);
	int r;

	if (!p->host->o.keep_logs && (r = tree_remove(logs, err)) < 0)
		return r;
	return tree_remove(folder, err);
}

void
container_ended(struct pod *p, struct container *c, int code, double when)
{
	autofree char *group = container_cgroup(p->host, p->uid, c->name, c->attempt);

	c->state = EXITED;
	c->code = code;
	c->finished = (int64_t)when;
	c->ended_at = clock_boot_at(when);
	if (c->ended_at < c->begun_at) /* the clock was set */
		c->ended_at = c->begun_at;
	c->oom = code != 0 && cgroup_oom_kills(&p->host->cgroups, group) > 0;
	replace(&c->reason, c->oom ? "OOMKilled" : code ? "Error" : "Completed");
	free(c->message);
	c->message =
	    container_message(p->host, p->object, c->spec, c->attempt, c->restarts, code != 0);
	c->init.pid = 0;
	p->dirty = true;
}
