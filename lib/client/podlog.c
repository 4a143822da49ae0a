#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/time.h"
#include "client/cache.h"
#include "client/http.h"
#include "client/podlog.h"

#define LOG_DIR "orch.io/log-dir"

/* --- from the API ---------------------------------------------------------------------- */

struct lines {
	FILE *out;
	const char *prefix;
	bool inside; /* a line has begun */
	struct buf refusal;
};

static int
pass_on(void *arg, int status, const char *data, size_t len, struct err *err)
{
	struct lines *l = arg;

	if (status >= 400) {
		if (l->refusal.len < 65536)
			buf_add(&l->refusal, data, len);
		return 0;
	}
	while (len > 0) {
		const char *nl = memchr(data, '\n', len);
		size_t part = nl ? (size_t)(nl - data) + 1 : len;

		if (!l->inside && l->prefix)
			fputs(l->prefix, l->out);
		fwrite(data, 1, part, l->out);
		l->inside = !nl;
		data += part;
		len -= part;
	}
	if (fflush(l->out) != 0)
		return err_sys(err, errno, "cannot write output");
	return 0;
}

static char *
log_path(const struct podlog *l)
{
	autofree char *base = client_path(
	    kind_find("", "v1", "Pod"), meta_namespace(l->pod), meta_name(l->pod), "log");
	struct buf path = BUF_INIT;
	char number[TIME_TEXT];

	buf_puts(&path, base);
	query_add(&path, "container", l->container);
	if (l->follow)
		query_add(&path, "follow", "true");
	if (l->previous)
		query_add(&path, "previous", "true");
	if (l->options.timestamps)
		query_add(&path, "timestamps", "true");
	if (l->options.tail >= 0) {
		snprintf(number, sizeof number, "%lld", l->options.tail);
		query_add(&path, "tailLines", number);
	}
	if (l->options.since_us)
		query_add(&path, "sinceTime", time_print(l->options.since_us / 1000000, number));
	return buf_detach(&path);
}

/* *status gets the HTTP status, also with an error. */
static int
from_api(struct client *c, const struct podlog *l, FILE *out, int *status, struct err *err)
{
	autofree char *path = log_path(l);
	const char *const headers[] = { "Accept: text/plain, */*", NULL };
	struct request rq = { .method = "GET", .path = path, .headers = headers };
	struct lines lines = { .out = out, .prefix = l->options.prefix };
	int r;

	*status = 0;
	r = client_stream(c, &rq, status, pass_on, &lines, err);
	if (r == 0 && *status >= 400)
		r = client_refusal(*status, lines.refusal.data, lines.refusal.len, err);
	buf_release(&lines.refusal);
	return r;
}

/* --- from the node's files ------------------------------------------------------------- */

static const json_t *
container_status(const json_t *pod, const char *container)
{
	static const char *const lists[] = { "containerStatuses", "initContainerStatuses",
		"ephemeralContainerStatuses" };
	json_t *c;
	size_t i;

	for (size_t k = 0; k < COUNT(lists); k++)
		json_array_foreach (get(pod, "status", lists[k]), i, c)
			if (strcmp(text(c, "name"), container) == 0)
				return c;
	return NULL;
}

static int
local_folder(struct client *c, const struct podlog *l, char **ret, struct err *err)
{
	const char *node_name = text(l->pod, "spec", "nodeName"), *dir;
	/* a static pod goes by another uid on its node than its mirror here */
	const char *own = meta_annotation(l->pod, "kubernetes.io/config.mirror");
	json_auto_t *node = NULL;
	int r;

	if (!*node_name)
		return err_set(err, ERR_NOT_FOUND, "the pod is on no node yet");
	if ((r = client_get(c, kind_find("", "v1", "Node"), "", node_name, &node, err)) < 0)
		return r;
	dir = meta_annotation(node, LOG_DIR);
	if (!dir || *dir != '/' || strchr(l->container, '/'))
		return err_set(
		    err, ERR_NOT_FOUND, "node '%s' does not say where its logs are", node_name);
	*ret = xasprintf("%s/%s_%s_%s/%s", dir, meta_namespace(l->pod), meta_name(l->pod),
	    own ? own : meta_uid(l->pod), l->container);
	return 0;
}

/* Has this run of the container ended (or made room for the next)? */
static bool
ended(const json_t *pod, const struct podlog *l, json_int_t run)
{
	const json_t *status = container_status(pod, l->container);

	return !pod || strcmp(meta_uid(pod), meta_uid(l->pod)) != 0 || !status ||
	       num(get(status, "restartCount"), 0) > run || get(status, "state", "terminated");
}

/* Print as the file grows, until the container ends: both are events, nothing polls. */
static int
follow(struct client *c, struct crilog *log, const struct podlog *l, const char *folder,
    json_int_t run, FILE *out, struct err *err)
{
	autoclose int notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	autofree char *field = xasprintf("metadata.name=%s", meta_name(l->pod));
	struct list_options o = { .fields = field };
	struct cache *cache = NULL;
	char events[4096];
	int r;

	if (notify >= 0 && inotify_add_watch(notify, folder, IN_MODIFY) < 0) {
		close(notify);
		notify = -1; /* containers may have taken all that there are: look now and then */
	}
	if ((r = cache_open(&cache, c, err)) < 0)
		return r;
	r = cache_add(cache, kind_find("", "v1", "Pod"), meta_namespace(l->pod), &o, err);
	while (r >= 0) {
		const json_t *pod =
		    world_get(cache_world(cache), "Pod", meta_namespace(l->pod), meta_name(l->pod));
		bool last = cache_synced(cache) && ended(pod, l, run);

		while (notify >= 0 && read(notify, events, sizeof events) > 0)
			;
		r = crilog_print(log, out, err);
		if (last || r < 0)
			break;
		r = cache_wait(cache, notify < 0 ? 0.5 : -1, notify, err);
	}
	cache_close(cache);
	return r < 0 ? r : 0;
}

static int
from_files(struct client *c, const struct podlog *l, FILE *out, struct err *err)
{
	json_int_t run = num(get(container_status(l->pod, l->container), "restartCount"), 0);
	autofree char *folder = NULL, *path = NULL;
	struct crilog log;
	int r;

	if ((r = local_folder(c, l, &folder, err)) < 0)
		return r;
	if (l->previous && run == 0)
		return err_set(
		    err, ERR_NOT_FOUND, "container '%s' has not run before", l->container);
	run -= l->previous;
	path = xasprintf("%s/%lld.log", folder, (long long)run);
	if ((r = crilog_open(&log, path, &l->options, err)) < 0) {
		crilog_close(&log);
		return r;
	}
	r = crilog_print(&log, out, err);
	if (r == 0 && l->follow && !l->previous)
		r = follow(c, &log, l, folder, run, out, err);
	crilog_close(&log);
	return r;
}

int
podlog_print(struct client *c, const struct podlog *l, FILE *out, struct err *err)
{
	struct err local;
	int status, r = from_api(c, l, out, &status, err);

	/* a server that cannot reach the node's logs: perhaps we can */
	if (r < 0 && (status == 404 || status == 405 || status >= 500)) {
		if (from_files(c, l, out, &local) == 0)
			return 0;
		err_set(err, err->code, "%s; nor is it on this machine: %s", err->msg, local.msg);
	}
	return r < 0 ? -(int)err->code : 0;
}
