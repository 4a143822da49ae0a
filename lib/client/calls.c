#include "client/calls.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "client/http.h"

enum { TRIES = 5, LONGEST_PAUSE = 30, STALL_SECONDS = 60, MAX_REPLY = 64 << 20 };

/* One connection and what goes over it now. */
struct lane {
	CURL *easy;
	struct call *call; /* NULL: idle */
	struct curl_slist *headers;
	char said[CURL_ERROR_SIZE];
	long pause; /* Retry-After */
	int try;
};

/* Kept by the client, so that connections stay open from one batch to the next. */
struct lanes {
	CURLM *multi;
	struct lane lane[CALLS_AT_ONCE];
};

struct sending {
	struct client *client;
	struct lanes *lanes;
	int busy;
	void (*done)(void *arg, struct call *call);
	void *arg;
};

static size_t
gather(char *data, size_t size, size_t n, void *arg)
{
	struct buf *reply = arg;

	if (reply->len + size * n > MAX_REPLY)
		return 0;
	buf_add(reply, data, size * n);
	return size * n;
}

/* `299 - "unknown field \"spec.x\""`: the text between the quotes, as RFC 7234 section 5.5 has it.
 */
static void
note_warning(struct buf *out, const char *p, const char *end)
{
	const char *quote = memchr(p, '"', (size_t)(end - p));

	if (!quote)
		return;
	for (p = quote + 1; p < end && *p != '"'; p++) {
		if (*p == '\\' && p + 1 < end)
			p++;
		buf_putc(out, *p);
	}
	buf_putc(out, '\n');
}

static size_t
header(char *line, size_t size, size_t n, void *arg)
{
	struct lane *l = arg;
	size_t len = size * n;

	if (len > 12 && strncasecmp(line, "Retry-After:", 12) == 0)
		l->pause = strtol(line + 12, NULL, 10);
	if (len > 8 && strncasecmp(line, "Warning:", 8) == 0)
		note_warning(&l->call->warnings, line + 8, line + len);
	return len;
}

static void
start(struct sending *s, struct lane *l, struct call *call)
{
	struct request rq = { .method = call->method,
		.path = call->path,
		.content_type = call->body ? call->type : NULL,
		.body = call->body,
		.len = call->body ? strlen(call->body) : 0,
		.headers = call->headers };

	l->call = call;
	l->pause = 0;
	l->headers = http_fill(s->client, l->easy, &rq, l->said);
	curl_easy_setopt(l->easy, CURLOPT_WRITEFUNCTION, gather);
	curl_easy_setopt(l->easy, CURLOPT_WRITEDATA, &call->reply);
	curl_easy_setopt(l->easy, CURLOPT_HEADERFUNCTION, header);
	curl_easy_setopt(l->easy, CURLOPT_HEADERDATA, l);
	curl_easy_setopt(l->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(l->easy, CURLOPT_LOW_SPEED_TIME, (long)STALL_SECONDS);
	curl_easy_setopt(l->easy, CURLOPT_PRIVATE, l);
	curl_multi_add_handle(s->lanes->multi, l->easy);
	s->busy++;
}

static void
end(struct sending *s, struct lane *l, CURLcode code)
{
	struct call *call = l->call;
	long http = 0;

	curl_easy_getinfo(l->easy, CURLINFO_RESPONSE_CODE, &http);
	call->status = (int)http;
	curl_multi_remove_handle(s->lanes->multi, l->easy);
	curl_slist_free_all(l->headers);
	l->call = NULL;
	s->busy--;
	/* "Too many requests" with a Retry-After was not carried out (flow control): all wait */
	if (!call->once && code == CURLE_OK && http == 429 && l->pause > 0 &&
	    l->pause <= LONGEST_PAUSE && ++l->try < TRIES) {
		sleep((unsigned)l->pause);
		buf_clear(&call->reply);
		buf_clear(&call->warnings);
		start(s, l, call);
		return;
	}
	l->try = 0;
	call->r =
	    code == CURLE_OK ? 0 : http_trouble(s->client, l->easy, code, l->said, &call->err);
	if (s->done)
		s->done(s->arg, call);
}

static void
collect(struct sending *s)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(s->lanes->multi, &left))) {
		CURL *easy = m->easy_handle;
		CURLcode code = m->data.result;
		char *lane = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, &lane);
		end(s, (struct lane *)lane, code);
	}
}

static void
send_all(struct sending *s, struct call *calls, size_t n)
{
	size_t next = 0;
	int running;

	while (next < n || s->busy > 0) {
		for (int i = 0; i < CALLS_AT_ONCE && next < n; i++)
			if (s->lanes->lane[i].easy && !s->lanes->lane[i].call)
				start(s, &s->lanes->lane[i], &calls[next++]);
		curl_multi_perform(s->lanes->multi, &running);
		collect(s);
		if (s->busy > 0 && running == s->busy)
			curl_multi_poll(s->lanes->multi, NULL, 0, 1000, NULL);
	}
}

static struct lanes *
lanes_of(struct client *c)
{
	if (!c->lanes) {
		c->lanes = xcalloc(1, sizeof *c->lanes);
		c->lanes->multi = curl_multi_init();
		for (int i = 0; i < CALLS_AT_ONCE; i++)
			c->lanes->lane[i].easy = curl_easy_init();
	}
	return c->lanes;
}

void
lanes_free(struct lanes *l)
{
	if (!l)
		return;
	for (int i = 0; i < CALLS_AT_ONCE; i++)
		curl_easy_cleanup(l->lane[i].easy);
	curl_multi_cleanup(l->multi);
	free(l);
}

void
calls_run(struct client *c, struct call *calls, size_t n,
    void (*done)(void *arg, struct call *call), void *arg)
{
	struct sending s = { .client = c, .lanes = lanes_of(c), .done = done, .arg = arg };

	if (s.lanes->multi && s.lanes->lane[0].easy) {
		send_all(&s, calls, n);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		calls[i].r = err_set(&calls[i].err, ERR_INTERNAL, "cannot start libcurl");
		if (done)
			done(arg, &calls[i]);
	}
}

void
call_release(struct call *call)
{
	free(call->path);
	free(call->body);
	buf_release(&call->reply);
	buf_release(&call->warnings);
	*call = (struct call){ 0 };
}

int
call_answer(const struct call *call, json_t **ret, struct err *err)
{
	if (call->r < 0) {
		*err = call->err;
		return call->r;
	}
	if (call->status >= 400)
		return client_refusal(call->status, call->reply.data, call->reply.len, err);
	return http_parse(call->reply.data, call->reply.len, ret, err);
}

void
call_query(struct buf *path, const char *key, const char *value)
{
	query_add(path, key, value);
}
