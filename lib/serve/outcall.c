#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/outcall.h"
#include "serve/outcall_private.h"

enum {
	KEPT = 64,	   /* idle handles, each with its connection */
	KEPT_SECONDS = 60, /* what is idle for longer is closed */
	TIMEOUT = 30000,
	MOST = 16 << 20,
	MOST_HEAD = 256 << 10
};

/*
 * A libcurl handle with its connection, for calls that agree on everything that makes a connection
 * ours: libcurl itself compares the names of files only, and ours all are called /proc/self/fd/N.
 */
struct handle {
	struct handle *next;
	char *key;
	CURL *easy;
	int ca, cert, private; /* memory with PEM in it, as files; -1: none */
	double idle;	       /* since when */
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct handle *kept; /* the last used first */

static void
start(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* --- handles ------------------------------------------------------------------ */

static void
handle_free(struct handle *h)
{
	if (!h)
		return;
	if (h->easy)
		curl_easy_cleanup(h->easy);
	if (h->ca >= 0)
		close(h->ca);
	if (h->cert >= 0)
		close(h->cert);
	if (h->private >= 0)
		close(h->private);
	free(h->key);
	free(h);
}

static void
handles_free(struct handle *list)
{
	while (list) {
		struct handle *h = list;

		list = h->next;
		handle_free(h);
	}
}

/* GnuTLS' libcurl takes authorities from files only. */
static int
memory_file(const char *pem, int *fd, struct err *err)
{
	size_t len = strlen(pem), done = 0;

	if ((*fd = memfd_create("pem", MFD_CLOEXEC)) < 0)
		return err_sys(err, errno, "cannot keep a certificate");
	while (done < len) {
		ssize_t n = write(*fd, pem + done, len - done);

		if (n < 0)
			return err_sys(err, errno, "cannot keep a certificate");
		done += (size_t)n;
	}
	return 0;
}

static int
handle_new(struct handle **ret, const struct outcall *o, char *key, struct err *err)
{
	struct handle *h = xcalloc(1, sizeof *h);
	int r = 0;

	*h = (struct handle){ .key = key, .ca = -1, .cert = -1, .private = -1 };
	if (!(h->easy = curl_easy_init()))
		r = err_set(err, ERR_INTERNAL, "cannot start libcurl");
	if (r == 0 && o->ca)
		r = memory_file(o->ca, &h->ca, err);
	if (r == 0 && o->cert)
		r = memory_file(o->cert, &h->cert, err);
	if (r == 0 && o->key)
		r = memory_file(o->key, &h->private, err);
	if (r < 0)
		handle_free(h);
	else
		*ret = h;
	return r;
}

/* What two calls must have in common to share a connection. */
static char *
key_of(const struct outcall *o)
{
	const char *host = strstr(o->url, "://");
	size_t len = host ? 3 + strcspn(host + 3, "/?#") + (size_t)(host - o->url) : 0;

	return xasprintf("%.*s\n%s\n%d\n%s\n%s\n%s", (int)len, o->url, o->connect ? o->connect : "",
	    o->insecure, o->ca ? o->ca : "", o->cert ? o->cert : "", o->key ? o->key : "");
}

/* Take one that fits from those that are kept; what has been idle for too long goes. */
static int
handle_get(struct handle **ret, const struct outcall *o, struct err *err)
{
	char *key = key_of(o);
	double old = clock_monotonic() - KEPT_SECONDS;
	struct handle *found = NULL, *gone = NULL;

	pthread_mutex_lock(&lock);
	for (struct handle **p = &kept, *h; (h = *p);) {
		bool fits = !found && strcmp(h->key, key) == 0;

		if (h->idle >= old && !fits) {
			p = &h->next;
			continue;
		}
		*p = h->next;
		if (h->idle >= old) {
			found = h;
		} else {
			h->next = gone;
			gone = h;
		}
	}
	pthread_mutex_unlock(&lock);
	handles_free(gone);
	if (!found)
		return handle_new(ret, o, key, err);
	free(key);
	*ret = found;
	return 0;
}

static void
handle_put(struct handle *h)
{
	struct handle *gone = NULL;
	size_t n = 0;

	h->idle = clock_monotonic();
	pthread_mutex_lock(&lock);
	h->next = kept;
	kept = h;
	for (struct handle **p = &kept; *p; p = &(*p)->next)
		if (++n > KEPT) {
			gone = *p;
			*p = NULL;
			break;
		}
	pthread_mutex_unlock(&lock);
	handles_free(gone);
}

void
outcall_forget(void)
{
	struct handle *all;

	pthread_mutex_lock(&lock);
	all = kept;
	kept = NULL;
	pthread_mutex_unlock(&lock);
	handles_free(all);
}

/* --- one request --------------------------------------------------------------- */

static size_t
gather(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;

	(void)size; /* is 1 */
	if (n > t->most - t->got) {
		t->too_long = true;
		return 0;
	}
	t->got += n;
	buf_add(t->reply, data, n);
	return n;
}

static size_t
head_line(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;

	(void)data, (void)size;
	if (n > MOST_HEAD - t->head) {
		t->too_long = true;
		return 0;
	}
	t->head += n;
	return n;
}

/* libcurl asks about once a second, also when nothing moves. */
static int
stopped(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct transfer *t = arg;

	(void)a, (void)b, (void)c, (void)d;
	return t->o->stop && *t->o->stop;
}

static struct curl_slist *
headers_of(const struct outcall *o)
{
	struct curl_slist *list = curl_slist_append(NULL, "Expect:"); /* no round trip for it */
	autofree char *accept = xasprintf("Accept: %s", o->accept ? o->accept : "*/*");

	list = curl_slist_append(list, accept);
	if (o->content_type) {
		autofree char *type = xasprintf("Content-Type: %s", o->content_type);

		list = curl_slist_append(list, type);
	} else if (o->body) {
		list = curl_slist_append(list, "Content-Type:");
	}
	for (const char *const *h = o->headers; h && *h; h++)
		list = curl_slist_append(list, *h);
	return list;
}

static void
set_file(CURL *easy, CURLoption option, int fd)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	curl_easy_setopt(easy, option, path);
}

static void
set_trust(const struct outcall *o, const struct handle *h)
{
	CURL *e = h->easy;

	if (h->ca >= 0) {
		set_file(e, CURLOPT_CAINFO, h->ca);
		curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	}
	if (o->insecure) {
		curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (h->cert >= 0) {
		set_file(e, CURLOPT_SSLCERT, h->cert);
		curl_easy_setopt(e, CURLOPT_SSLCERTTYPE, "PEM");
		set_file(e, CURLOPT_SSLKEY, h->private >= 0 ? h->private : h->cert);
	}
	curl_easy_setopt(e, CURLOPT_CERTINFO, 1L); /* names, for the message */
}

/* Where it is dialled; the list is the caller's to free. */
static struct curl_slist *
set_address(const struct outcall *o, CURL *e)
{
	struct curl_slist *list = NULL;
	const char *host = strstr(o->url, "://");

	curl_easy_setopt(e, CURLOPT_URL, o->url);
	curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	if (o->connect) {
		autofree char *rule = xasprintf("::%s", o->connect);

		list = curl_slist_append(NULL, rule);
		curl_easy_setopt(e, CURLOPT_CONNECT_TO, list);
	}
	/* a proxy knows neither our services nor our loopback */
	if (o->connect || (host && (text_starts(host, "://127.") || text_starts(host, "://[::1]") ||
				       text_starts(host, "://localhost"))))
		curl_easy_setopt(e, CURLOPT_PROXY, "");
	return list;
}

static void
set_request(const struct outcall *o, CURL *e, struct transfer *t)
{
	long ms = o->timeout_ms > 0 ? o->timeout_ms : TIMEOUT;

	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "orch-store/" ORCH_VERSION);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, ms);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, ms);
	curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, o->method);
	if (strcmp(o->method, "HEAD") == 0)
		curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
	if (o->body) {
		curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)o->len);
		curl_easy_setopt(e, CURLOPT_POSTFIELDS, o->body);
	}
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->said);
	curl_easy_setopt(e, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)t->most);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, gather);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, head_line);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, stopped);
	curl_easy_setopt(e, CURLOPT_XFERINFODATA, t);
}

int
outcall(const struct outcall *o, int *status, struct buf *reply, struct err *err)
{
	struct transfer t = { .o = o, .reply = reply, .most = o->most ? o->most : MOST };
	struct curl_slist *headers, *address;
	size_t before = reply->len;
	struct handle *h;
	CURLcode code;
	long http = 0;
	int r = 0;

	pthread_once(&once, start);
	if ((r = handle_get(&h, o, err)) < 0)
		return outcall_named(o, err);
	curl_easy_reset(h->easy); /* keeps the connection */
	address = set_address(o, h->easy);
	set_trust(o, h);
	set_request(o, h->easy, &t);
	headers = headers_of(o);
	curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, headers);
	code = curl_easy_perform(h->easy);
	curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &http);
	if (code != CURLE_OK) {
		reply->len = before;
		r = outcall_trouble(&t, h->easy, code, err);
		handle_free(h);
	} else {
		*status = (int)http;
		handle_put(h);
	}
	buf_puts(reply, ""); /* ends it */
	curl_slist_free_all(headers);
	curl_slist_free_all(address);
	return r;
}
