#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "client/http.h"
#include "client/watch.h"

enum { MAX_LINE = 16 << 20 };

void
events_init(struct events *e, int (*each)(void *, const char *, json_t *, struct err *), void *arg)
{
	*e = (struct events){ .rest = BUF_INIT, .each = each, .arg = arg };
}

void
events_release(struct events *e)
{
	buf_release(&e->rest);
	free(e->version);
	e->version = NULL;
}

static int
error_event(const json_t *status, struct err *err)
{
	int http = (int)num(get(status, "code"), 500);
	const char *message = text(status, "message");

	return err_set(err, err_from_status(text(status, "reason"), http), "%s",
	    *message ? message : "the watch failed");
}

static int
event(struct events *e, const char *line, size_t len, struct err *err)
{
	json_error_t where;
	json_auto_t *value = json_loadb(line, len, 0, &where);
	const char *type = text(value, "type");
	json_t *obj = get(value, "object");

	if (!*type || !json_is_object(obj))
		return err_set(err, ERR_INTERNAL, "a watch event is not understood: %s",
		    value ? "it needs type and object" : where.text);
	if (strcmp(type, "ERROR") == 0)
		return error_event(obj, err);
	if (*meta_version(obj)) {
		free(e->version);
		e->version = xstrdup(meta_version(obj));
	}
	return e->each(e->arg, type, obj, err);
}

int
events_feed(struct events *e, const char *data, size_t len, struct err *err)
{
	int r = 0;

	while (len > 0 && r == 0) {
		const char *nl = memchr(data, '\n', len);
		size_t part = nl ? (size_t)(nl - data) : len;

		if (e->rest.len + part > MAX_LINE)
			return err_set(
			    err, ERR_TOO_LARGE, "a watch event is longer than %d bytes", MAX_LINE);
		if (!nl) {
			buf_add(&e->rest, data, part);
			return 0;
		}
		if (e->rest.len > 0) { /* the end of a line begun earlier */
			buf_add(&e->rest, data, part);
			r = event(e, e->rest.data, e->rest.len, err);
			buf_clear(&e->rest);
		} else if (part > 0) {
			r = event(e, data, part, err);
		}
		data += part + 1;
		len -= part + 1;
	}
	return r;
}

/* --- a blocking watch ------------------------------------------------------------ */

struct watching {
	struct events events;
	CURL *easy;
	struct buf refusal; /* body of an answer that is not 200 */
	int result;
	struct err *err;
};

static size_t
arrived(char *data, size_t size, size_t n, void *arg)
{
	struct watching *w = arg;
	long http = 0;

	curl_easy_getinfo(w->easy, CURLINFO_RESPONSE_CODE, &http);
	if (http != 200) {
		if (w->refusal.len < 65536)
			buf_add(&w->refusal, data, size * n);
		return size * n;
	}
	w->result = events_feed(&w->events, data, size * n, w->err);
	return w->result == 0 ? size * n : 0;
}

int
client_watch(struct client *c, const struct kind *k, const char *ns, const struct list_options *o,
    const char *version, int timeout,
    int (*each)(void *arg, const char *type, json_t *obj, struct err *err), void *arg,
    struct err *err)
{
	struct watching w = { .easy = curl_easy_init(), .err = err };
	struct curl_slist *headers = NULL;
	autobuf struct buf path = BUF_INIT;
	autofree char *base = client_path(k, ns, NULL, NULL);
	char said[CURL_ERROR_SIZE] = "", seconds[16];
	CURLcode code;
	long http = 0;

	events_init(&w.events, each, arg);
	buf_puts(&path, base);
	buf_puts(&path, "?watch=true&allowWatchBookmarks=true");
	query_select(&path, o);
	if (version && *version)
		query_add(&path, "resourceVersion", version);
	snprintf(seconds, sizeof seconds, "%d", timeout);
	if (timeout > 0)
		query_add(&path, "timeoutSeconds", seconds);
	http_prepare(c, w.easy, path.data, &headers);
	headers = curl_slist_append(headers, "Accept: application/json");
	curl_easy_setopt(w.easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(w.easy, CURLOPT_WRITEFUNCTION, arrived);
	curl_easy_setopt(w.easy, CURLOPT_WRITEDATA, &w);
	curl_easy_setopt(w.easy, CURLOPT_ERRORBUFFER, said);
	if (timeout > 0)
		curl_easy_setopt(w.easy, CURLOPT_TIMEOUT, (long)timeout + 30);
	code = curl_easy_perform(w.easy);
	curl_easy_getinfo(w.easy, CURLINFO_RESPONSE_CODE, &http);
	if (w.result == 0 && http >= 400)
		w.result = client_refusal((int)http, w.refusal.data, w.refusal.len, err);
	else if (w.result == 0 && code != CURLE_OK)
		w.result = http_trouble(c, w.easy, code, said, err);
	curl_slist_free_all(headers);
	curl_easy_cleanup(w.easy);
	buf_release(&w.refusal);
	events_release(&w.events);
	return w.result;
}
