#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/meta.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "client/http.h"

enum {
	CONNECT_SECONDS = 10,
	STALL_SECONDS = 60,
	TOKEN_SECONDS = 60,
	TRIES = 5,
	MAX_REPLY = 1 << 30
};

/* --- preparing a transfer ---------------------------------------------------- */

static void
read_token(struct client *c)
{
	const struct endpoint *e = c->endpoint;
	autobuf struct buf b = BUF_INIT;
	struct err ignored; /* without a token the server says unauthorized, which tells more */

	if (c->auth && (!e->token_file || clock_monotonic() - c->auth_read < TOKEN_SECONDS))
		return;
	c->auth_read = clock_monotonic();
	if (e->token_file && buf_read_file(&b, e->token_file, 1 << 20, &ignored) == 0 &&
	    b.len > 0) {
		b.data[strcspn(b.data, "\r\n")] = '\0';
		free(c->auth);
		c->auth = xasprintf("Authorization: Bearer %s", b.data);
	} else if (!c->auth && e->token) {
		c->auth = xasprintf("Authorization: Bearer %s", e->token);
	} else if (!c->auth && e->username) {
		autofree char *pair =
		    xasprintf("%s:%s", e->username, e->password ? e->password : "");
		autofree char *basic = bytes_encode(pair, strlen(pair));

		c->auth = xasprintf("Authorization: Basic %s", basic);
	}
}

static void
prepare_tls(const struct endpoint *e, CURL *easy)
{
	if (e->ca.path) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, e->ca.path);
		/* that one alone: not also the machine's, which cost megabytes a connection besides
		 */
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	if (e->insecure) {
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (e->cert.path) {
		curl_easy_setopt(easy, CURLOPT_SSLCERT, e->cert.path);
		curl_easy_setopt(easy, CURLOPT_SSLCERTTYPE, "PEM");
		curl_easy_setopt(easy, CURLOPT_SSLKEY, e->key.path ? e->key.path : e->cert.path);
	}
}

/*
 * tls-server-name: connect to the server's address, but speak to (and verify) that
 * name.  curl has the pieces the other way round: the URL holds the name and CONNECT_TO the
 * address.
 */
static void
name_server(struct client *c)
{
	const struct endpoint *e = c->endpoint;
	const char *host = e->server + strlen("https://");
	size_t len = strcspn(host, "/");
	const char *colon = memrchr(host, ':', len), *bracket = memrchr(host, ']', len);
	autofree char *rule = NULL;

	if (colon && bracket && bracket > colon)
		colon = NULL; /* that ':' stands inside an IPv6 address */
	rule = xasprintf("::%.*s%s", (int)len, host, colon ? "" : ":443");
	c->connect_to = curl_slist_append(NULL, rule);
	c->base = xasprintf("https://%s%s", e->tls_name, colon ? colon : host + len);
}

static void
prepare_address(struct client *c, CURL *easy, const char *path)
{
	const struct endpoint *e = c->endpoint;
	autofree char *url = NULL;

	if (!c->base && e->tls_name && text_starts(e->server, "https://"))
		name_server(c);
	if (c->connect_to)
		curl_easy_setopt(easy, CURLOPT_CONNECT_TO, c->connect_to);
	url = xasprintf("%s%s", c->base ? c->base : e->server, path);
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L); /* "pods/.." is no namespace */
	if (e->unix_path)
		curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, e->unix_path);
	if (e->proxy)
		curl_easy_setopt(easy, CURLOPT_PROXY, e->proxy);
	else if (strstr(e->server, "://127.") || strstr(e->server, "://localhost") ||
		 strstr(e->server, "://[::1]"))
		curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* a proxy cannot know our loopback */
}

void
http_prepare(struct client *c, CURL *easy, const char *path, struct curl_slist **headers)
{
	const char *agent = client_options.user_agent;

	curl_easy_reset(easy);
	prepare_address(c, easy, path);
	prepare_tls(c->endpoint, easy);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 30L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 15L);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 131072L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, agent ? agent : "orch/" ORCH_VERSION);
	read_token(c);
	if (c->auth)
		*headers = curl_slist_append(*headers, c->auth);
	if (c->endpoint->impersonate) {
		autofree char *as = xasprintf("Impersonate-User: %s", c->endpoint->impersonate);

		*headers = curl_slist_append(*headers, as);
	}
	*headers = curl_slist_append(
	    *headers, "Expect:"); /* no 100-continue round trip for large bodies */
}

/* --- errors -------------------------------------------------------------------- */

int
http_trouble(const struct client *c, CURL *easy, CURLcode code, const char *said, struct err *err)
{
	const char *server = c->endpoint->shown;
	const char *why = said && *said ? said : curl_easy_strerror(code);
	long errnum = 0;

	/* "Connection refused" says more than curl's own words, which call a socket "localhost port
	 * 80" */
	if (code == CURLE_COULDNT_CONNECT &&
	    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &errnum) == CURLE_OK && errnum)
		why = strerror((int)errnum);

	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_ISSUER_ERROR:
		return err_set(err, ERR_UNAUTHORIZED, "cannot trust server '%s': %s", server, why);
	case CURLE_OPERATION_TIMEDOUT:
		return err_set(
		    err, ERR_TIMEOUT, "server '%s' did not answer in time: %s", server, why);
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
		return err_set(err, ERR_BAD_REQUEST, "cannot use server '%s': %s", server, why);
	default:
		return err_set(err, ERR_UNAVAILABLE, "cannot reach server '%s': %s", server, why);
	}
}

int
client_refusal(int status, const char *body, size_t len, struct err *err)
{
	json_auto_t *reply = json_loadb(body, len, 0, NULL);
	bool is_status = strcmp(text(reply, "kind"), "Status") == 0;
	const char *message = text(reply, "message");
	enum err_code code = err_from_status(is_status ? text(reply, "reason") : NULL, status);

	if (is_status && *message)
		return err_set(err, code, "%s", message);
	len = len ? strcspn(body, "\r\n") : 0;
	if (is_status || len == 0)
		return err_set(err, code, "the server answered %d %s", status, err_reason(code));
	return err_set(
	    err, code, "the server answered %d: %.*s", status, len > 300 ? 300 : (int)len, body);
}

int
http_parse(const char *body, size_t len, json_t **ret, struct err *err)
{
	json_error_t where;
	json_t *value = json_loadb(body ? body : "", len, 0, &where);

	if (!json_is_object(value)) {
		json_decref(value);
		return err_set(err, ERR_INTERNAL, "the server's answer is not a JSON object%s%s",
		    value ? "" : ": ", value ? "" : where.text);
	}
	*ret = value;
	return 0;
}

/* --- one request ------------------------------------------------------------------ */

static size_t
gather(char *data, size_t size, size_t n, void *arg)
{
	struct buf *reply = arg;

	if (reply->len + size * n > MAX_REPLY)
		return 0;
	buf_add(reply, data, size * n);
	return size * n;
}

static size_t
retry_after(char *line, size_t size, size_t n, void *arg)
{
	long *seconds = arg;

	if (size * n > 12 && strncasecmp(line, "Retry-After:", 12) == 0)
		*seconds = strtol(line + 12, NULL, 10);
	return size * n;
}

/* curl asks about once a second, also when nothing moves. */
static int
stopped(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct pollfd p = { .fd = *(int *)arg, .events = POLLIN };

	(void)a, (void)b, (void)c, (void)d;
	return poll(&p, 1, 0) > 0;
}

/* Says the request itself what it takes? */
static bool
says_accept(const struct request *rq)
{
	for (const char *const *h = rq->headers; h && *h; h++)
		if (strncasecmp(*h, "Accept:", 7) == 0)
			return true;
	return false;
}

struct curl_slist *
http_fill(struct client *c, CURL *easy, const struct request *rq, char said[static CURL_ERROR_SIZE])
{
	struct curl_slist *headers = NULL;

	http_prepare(c, easy, rq->path, &headers);
	if (!says_accept(rq))
		headers = curl_slist_append(headers, "Accept: application/json");
	if (rq->content_type) {
		autofree char *type = xasprintf("Content-Type: %s", rq->content_type);

		headers = curl_slist_append(headers, type);
	}
	for (const char *const *h = rq->headers; h && *h; h++)
		headers = curl_slist_append(headers, *h);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, rq->method);
	if (strcmp(rq->method, "HEAD") == 0)
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	if (rq->body) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)rq->len);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, rq->body);
	}
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, said);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, c->timeout_ms);
	if (c->stop_fd >= 0) {
		curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
		curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, stopped);
		curl_easy_setopt(easy, CURLOPT_XFERINFODATA, &c->stop_fd);
	}
	said[0] = '\0';
	return headers;
}

static CURLcode
perform(struct client *c, struct curl_slist *headers, int *status)
{
	CURLcode code = curl_easy_perform(c->easy);
	long http = 0;

	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &http);
	*status = (int)http;
	curl_slist_free_all(headers);
	return code;
}

void
client_hurry(struct client *c, double seconds)
{
	c->hurry = seconds;
}

bool
client_resting(const struct client *c)
{
	return c->resting;
}

void
client_wake(struct client *c)
{
	c->resting = false;
}

int
client_request(struct client *c, const char *method, const char *path, const char *content_type,
    const void *body, size_t len, int *status, struct buf *reply, struct err *err)
{
	struct request rq = { method, path, content_type, body, len, NULL };
	char said[CURL_ERROR_SIZE];
	size_t start = reply->len;
	CURLcode code;

	if (c->resting)
		return err_set(
		    err, ERR_UNAVAILABLE, "server '%s' does not answer", c->endpoint->shown);
	for (int try = 1;; try++) {
		struct curl_slist *headers = http_fill(c, c->easy, &rq, said);
		long pause = 0;

		curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, gather);
		curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, reply);
		curl_easy_setopt(c->easy, CURLOPT_HEADERFUNCTION, retry_after);
		curl_easy_setopt(c->easy, CURLOPT_HEADERDATA, &pause);
		curl_easy_setopt(c->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
		curl_easy_setopt(c->easy, CURLOPT_LOW_SPEED_TIME, (long)STALL_SECONDS);
		if (c->hurry > 0)
			curl_easy_setopt(c->easy, CURLOPT_TIMEOUT_MS, (long)(c->hurry * 1000));
		code = perform(c, headers, status);
		c->resting = c->hurry > 0 && (code != CURLE_OK || *status == 429);
		/* "Too many requests" with a Retry-After was not carried out (flow control) */
		if (code != CURLE_OK || *status != 429 || c->hurry > 0 || pause < 1 || pause > 30 ||
		    try == TRIES)
			break;
		sleep((unsigned)pause);
		reply->len = start;
	}
	return code == CURLE_OK ? 0 : http_trouble(c, c->easy, code, said, err);
}

struct streaming {
	CURL *easy;
	int (*each)(void *arg, int status, const char *data, size_t len, struct err *err);
	void *arg;
	int result;
	struct err *err;
};

static size_t
hand_on(char *data, size_t size, size_t n, void *arg)
{
	struct streaming *s = arg;
	long http = 0;

	curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &http);
	s->result = s->each(s->arg, (int)http, data, size * n, s->err);
	return s->result == 0 ? size * n : 0;
}

int
client_stream(struct client *c, const struct request *rq, int *status,
    int (*each)(void *arg, int status, const char *data, size_t len, struct err *err), void *arg,
    struct err *err)
{
	struct streaming s = { c->easy, each, arg, 0, err };
	char said[CURL_ERROR_SIZE];
	struct curl_slist *headers = http_fill(c, c->easy, rq, said);
	CURLcode code;

	curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, hand_on);
	curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, &s);
	code = perform(c, headers, status);
	if (s.result != 0)
		return s.result;
	return code == CURLE_OK ? 0 : http_trouble(c, c->easy, code, said, err);
}

/* --- paths -------------------------------------------------------------------------- */

void
query_add(struct buf *path, const char *key, const char *value)
{
	buf_printf(path, "%c%s=", strchr(path->data, '?') ? '&' : '?', key);
	text_percent(path, value);
}

void
query_select(struct buf *path, const struct list_options *o)
{
	if (o && o->selector && *o->selector)
		query_add(path, "labelSelector", o->selector);
	if (o && o->fields && *o->fields)
		query_add(path, "fieldSelector", o->fields);
}

char *
client_path(const struct kind *k, const char *ns, const char *name, const char *sub)
{
	struct buf b = BUF_INIT;

	if (*k->group)
		buf_printf(&b, "/apis/%s/%s", k->group, k->version);
	else
		buf_printf(&b, "/api/%s", k->version);
	if (k->namespaced && ns && *ns) {
		buf_puts(&b, "/namespaces/");
		text_percent(&b, ns);
	}
	buf_printf(&b, "/%s", k->plural);
	if (name && *name) {
		buf_putc(&b, '/');
		text_percent(&b, name);
	}
	if (sub && *sub)
		buf_printf(&b, "/%s", sub);
	return buf_detach(&b);
}
