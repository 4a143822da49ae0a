/*
 * The layers of an image: three downloads at a time by one curl, while what is there already is
 * checked and unpacked by up to two processes.  What breaks off goes on where it stopped; what was
 * got before this program was ended is kept in DATA/images/partial.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/digest.h"
#include "node/image_store.h"
#include "node/job.h"
#include "node/registry_session.h"

/* LEAST: a try that brought fewer bytes than this brought nothing, or a registry that sends byte by
 * byte would keep a pod waiting forever without a word. */
enum { AT_ONCE = 3, UNPACKERS = 2, ATTEMPTS = 5, MAX_WAIT = 60, LEAST = 64 << 10 };

struct layer {
	const char *digest, *diff_id;
	const json_t *descriptor;
	int64_t size; /* -1: not said */
	int64_t have; /* of it, in the file */
	int64_t from; /* where this try begins */
	int64_t most; /* what any try had */
	enum { WANTED, COMING, HERE, UNPACKING, READY } state;
	char *path;
	int fd; /* of the file, locked */
	CURL *curl;
	struct curl_slist *headers;
	struct answer answer;
	char problem[CURL_ERROR_SIZE];
	unsigned attempts; /* in a row that brought nothing */
	unsigned logins;   /* of the session when it was asked */
	bool challenged, too_long;
	int broken; /* errno of a write that failed */
	double again;
	struct images *store;
	struct job job;
};

struct work {
	struct downloads *d;
	CURLM *multi;
	struct layer *layer;
	size_t n;
	double shown, began;
	int64_t had; /* what was there when we began */
};

/* --- the file of a download ------------------------------------------------------------ */

/* A file that outlives us, if nobody else is busy with it; else one of our own. */
static int
open_partial(struct layer *l, const char *tmp, struct err *err)
{
	struct stat st = { 0 };

	l->path = xasprintf("%s/partial/%s", l->store->root, digest_hex(l->digest));
	for (;;) {
		l->fd = open(l->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		if (l->fd < 0 || flock(l->fd, LOCK_EX | LOCK_NB) < 0)
			break;
		if (fstat(l->fd, &st) == 0 && st.st_nlink > 0) {
			l->have = st.st_size;
			return 0;
		}
		close(l->fd); /* its last user has just removed it */
	}
	if (l->fd >= 0)
		close(l->fd);
	free(l->path);
	l->path = xasprintf("%s/%s", tmp, layer_name(l->diff_id, (char[LAYER_NAME]){ 0 }));
	l->fd = open(l->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	return l->fd < 0 ? err_sys(err, errno, "cannot write '%s'", l->path) : 0;
}

/* Of a layer that is there: who unpacked it was ended before this could go. */
static void
drop_partial(const struct images *s, const char *digest)
{
	autofree char *path = xasprintf("%s/partial/%s", s->root, digest_hex(digest));
	autoclose int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		unlink(path);
}

static size_t
take_data(char *data, size_t size, size_t n, void *arg)
{
	struct layer *l = arg;

	n *= size;
	if (l->answer.status / 100 != 2) {
		answer_take_body(&l->answer, data, n);
		return l->answer.too_large ? 0 : n;
	}
	if (l->from > 0 && l->answer.status == 200) { /* it cannot resume: all of it again */
		if (ftruncate(l->fd, 0) < 0)
			l->broken = errno;
		l->from = l->have = 0;
	}
	l->too_long = l->size >= 0 && l->have + (int64_t)n > l->size;
	if (l->broken || l->too_long)
		return 0;
	errno = 0;
	if (write(l->fd, data, n) != (ssize_t)n) {
		l->broken = errno ? errno : ENOSPC;
		return 0;
	}
	l->have += (int64_t)n;
	return n;
}

/* --- one download ---------------------------------------------------------------------- */

static void
begin_download(struct work *w, struct layer *l)
{
	struct session *s = w->d->session;
	autofree char *url = xasprintf("%s/blobs/%s", s->base, l->digest);
	char range[32];

	if (l->have > 0 && l->have == l->size) {
		l->state = HERE;
		return;
	}
	l->curl = curl_easy_init();
	if (!l->curl)
		abort();
	l->headers = session_headers(s->authorization);
	l->logins = s->logins;
	l->from = l->have;
	session_prepare(s, l->curl, url, l->headers, &l->answer, l->problem);
	curl_easy_setopt(l->curl, CURLOPT_WRITEFUNCTION, take_data);
	curl_easy_setopt(l->curl, CURLOPT_WRITEDATA, l);
	curl_easy_setopt(l->curl, CURLOPT_PRIVATE, l);
	snprintf(range, sizeof range, "%lld-", (long long)l->from);
	if (l->from > 0)
		curl_easy_setopt(l->curl, CURLOPT_RANGE, range);
	curl_multi_add_handle(w->multi, l->curl);
	l->state = COMING;
}

static void
end_download(struct work *w, struct layer *l)
{
	if (!l->curl)
		return;
	curl_multi_remove_handle(w->multi, l->curl);
	curl_easy_cleanup(l->curl);
	curl_slist_free_all(l->headers);
	l->curl = NULL;
	l->headers = NULL;
}

/* Another try, later each time and when the registry says; or that was the last. */
static int
try_again(struct layer *l, long after, struct err *err)
{
	double wait = 0.25 * (1u << l->attempts); /* a container is tried again later anyway */

	l->attempts = l->have >= l->most + LEAST ? 1 : l->attempts + 1;
	l->most = l->have > l->most ? l->have : l->most;
	if (l->attempts >= ATTEMPTS)
		return -(int)err->code;
	if (after > wait)
		wait = after < MAX_WAIT ? (double)after : MAX_WAIT;
	l->again = clock_monotonic() + wait;
	l->state = WANTED;
	return 0;
}

/* What came of a 401. */
static int
challenged(struct work *w, struct layer *l, struct err *err)
{
	struct session *s = w->d->session;
	int r = 0;

	if (l->challenged && l->have == l->from)
		return session_refused(s, "such blob", &l->answer, err);
	l->challenged = true;
	l->state = WANTED;
	if (l->logins == s->logins) /* nobody got a new token since */
		r = session_authorize(s, l->answer.challenge, err);
	return r;
}

static int
downloaded(struct work *w, struct layer *l, CURLcode code, struct err *err)
{
	long status = l->answer.status;
	curl_off_t after = 0, length = -1;

	curl_easy_getinfo(l->curl, CURLINFO_RETRY_AFTER, &after);
	curl_easy_getinfo(l->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	end_download(w, l);
	if (l->broken)
		return err_sys(err, l->broken, "cannot write '%s'", l->path);
	if (l->too_long)
		return err_set(err, ERR_INVALID,
		    "blob %.19s is damaged: it has more than its descriptor's %lld bytes",
		    l->digest, (long long)l->size);
	if (code != CURLE_OK) {
		err_set(err, ERR_UNAVAILABLE, "cannot get blob %.19s from '%s': %s", l->digest,
		    w->d->session->at->domain, *l->problem ? l->problem : curl_easy_strerror(code));
		return try_again(l, 0, err);
	}
	if (status == 401)
		return challenged(w, l, err);
	if (status == 416 && l->from > 0 && ftruncate(l->fd, 0) == 0) { /* more than there is */
		l->have = l->from = 0;
		err_set(err, ERR_UNAVAILABLE, "cannot resume blob %.19s", l->digest);
		return try_again(l, 0, err);
	}
	if (status >= 500 || status == 429) {
		session_refused(w->d->session, "such blob", &l->answer, err);
		return try_again(l, (long)after, err);
	}
	if (status / 100 != 2)
		return session_refused(w->d->session, "such blob", &l->answer, err);
	if (l->have < l->size && length >= 0) /* it sent all that it has */
		return err_set(err, ERR_INVALID,
		    "blob %.19s is damaged: it has %lld bytes, its descriptor says %lld", l->digest,
		    (long long)l->have, (long long)l->size);
	if (l->have < l->size) {
		err_set(err, ERR_UNAVAILABLE, "blob %.19s broke off at byte %lld of %lld",
		    l->digest, (long long)l->have, (long long)l->size);
		return try_again(l, 0, err);
	}
	l->state = HERE;
	return 0;
}

/* --- unpacking ------------------------------------------------------------------------- */

static int
unpack(void *arg, json_t **result, struct err *err)
{
	struct layer *l = arg;
	int r;

	(void)result;
	if ((r = blob_verify(l->path, l->descriptor, err)) < 0)
		return r;
	return layer_add(l->store, l->path, l->diff_id, err);
}

/* What failed for want of the network is worth keeping, nothing else. */
static void
close_file(struct layer *l, bool keep)
{
	if (l->fd < 0)
		return;
	if (!keep)
		unlink(l->path);
	close(l->fd);
	l->fd = -1;
}

static int
unpacked(struct layer *l, struct err *err)
{
	int r = job_end(&l->job, NULL, err);

	close_file(l, false);
	l->state = READY;
	return r;
}

/* --- all of them ----------------------------------------------------------------------- */

static size_t
count(const struct work *w, int state)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++)
		n += (int)w->layer[i].state == state;
	return n;
}

/* Begin what may begin; until when nothing else will. */
static int
begin(struct work *w, double *until, struct err *err)
{
	double now = clock_monotonic();
	int r;

	for (size_t i = 0; i < w->n; i++) {
		struct layer *l = &w->layer[i];

		if (l->state == WANTED && l->again > now) {
			*until = l->again < *until ? l->again : *until;
		} else if (l->state == WANTED && count(w, COMING) < AT_ONCE) {
			answer_release(&l->answer);
			begin_download(w, l);
		}
		if (l->state == HERE && count(w, UNPACKING) < UNPACKERS) {
			if ((r = job_start(&l->job, unpack, l, err)) < 0)
				return r;
			l->state = UNPACKING;
		}
	}
	return 0;
}

static void
show(struct work *w, bool last)
{
	const struct pull_options *o = w->d->options;
	struct pull_progress p = { .layers = w->n, .ready = count(w, READY) };
	double now = clock_monotonic();

	if (!o->progress || (!last && now - w->shown < 0.1))
		return;
	w->shown = now;
	for (size_t i = 0; i < w->n; i++) {
		p.bytes += w->layer[i].have;
		p.total += w->layer[i].size > 0 ? w->layer[i].size : w->layer[i].have;
	}
	if (now > w->began)
		p.speed = (double)(p.bytes - w->had) / (now - w->began);
	o->progress(o->arg, &p);
}

static int
take_finished(struct work *w, struct err *err)
{
	CURLMsg *m;
	int left, r = 0;

	while (r == 0 && (m = curl_multi_info_read(w->multi, &left))) {
		struct layer *l = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&l);
		r = downloaded(w, l, m->data.result, err);
	}
	return r;
}

/* Wait for data, for an unpacker to end, or for the time of a next try. */
static int
turn(struct work *w, double until, struct err *err)
{
	struct curl_waitfd fds[UNPACKERS];
	struct layer *whose[UNPACKERS];
	double wait = until - clock_monotonic();
	unsigned n = 0;
	int running, r;

	for (size_t i = 0; i < w->n; i++)
		if (w->layer[i].state == UNPACKING && n < UNPACKERS) {
			fds[n] = (struct curl_waitfd){ w->layer[i].job.fd, CURL_WAIT_POLLIN, 0 };
			whose[n++] = &w->layer[i];
		}
	curl_multi_poll(w->multi, fds, n, wait > 0 ? (int)(wait * 1000) + 1 : 0, NULL);
	curl_multi_perform(w->multi, &running);
	for (unsigned i = 0; i < n; i++)
		if (fds[i].revents && job_read(&whose[i]->job) && (r = unpacked(whose[i], err)) < 0)
			return r;
	return take_finished(w, err);
}

/* Those of the layers that are not here, each once. */
static int
collect(
    struct work *w, struct images *s, const json_t *layers, const json_t *diff_ids, struct err *err)
{
	json_t *d;
	size_t i;
	int r;

	w->layer = xcalloc(json_array_size(layers) + 1, sizeof *w->layer);
	json_array_foreach (layers, i, d) {
		struct layer *l = &w->layer[w->n];
		bool known;

		l->diff_id = str(json_array_get(diff_ids, i), "");
		known = layer_present(s, l->diff_id);
		if (known && digest_valid(text(d, "digest")))
			drop_partial(s, text(d, "digest"));
		for (size_t j = 0; j < w->n; j++)
			known |= strcmp(w->layer[j].diff_id, l->diff_id) == 0;
		if (known)
			continue;
		l->descriptor = d;
		l->digest = text(d, "digest");
		l->size = num(get(d, "size"), -1);
		l->store = s;
		l->fd = -1;
		l->answer.body = (struct buf)BUF_INIT;
		w->n++;
		if ((r = layer_allowed(d, l->diff_id, err)) < 0 ||
		    (r = open_partial(l, w->d->tmp, err)) < 0)
			return r;
		w->had += l->have;
	}
	return 0;
}

/* Unpackers that are at it come to their end: what they make is of use to the next try. */
static void
finish(struct work *w, int r, const struct err *err)
{
	struct err ignored;

	for (size_t i = 0; i < w->n; i++) {
		struct layer *l = &w->layer[i];

		end_download(w, l);
		if (l->state == UNPACKING) {
			while (!job_read(&l->job))
				;
			unpacked(l, &ignored);
		}
		close_file(l, r < 0 && err->code == ERR_UNAVAILABLE);
		answer_release(&l->answer);
		free(l->path);
	}
	free(w->layer);
	curl_multi_cleanup(w->multi);
}

int
download_layers(
    void *arg, struct images *s, const json_t *layers, const json_t *diff_ids, struct err *err)
{
	struct work w = { .d = arg, .multi = curl_multi_init(), .began = clock_monotonic() };
	int r = collect(&w, s, layers, diff_ids, err);

	while (r == 0 && count(&w, READY) < w.n) {
		double until = clock_monotonic() + (w.d->options->progress ? 0.2 : 60);

		if ((r = begin(&w, &until, err)) == 0)
			r = turn(&w, until, err);
		show(&w, false);
	}
	if (w.n > 0)
		show(&w, true);
	finish(&w, r, err);
	return r;
}
