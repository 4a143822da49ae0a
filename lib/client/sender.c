#include "client/sender.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "client/http.h"

enum { STALL_SECONDS = 60, MAX_REPLY = 64 << 20, MAX_REFUSAL = 65536 };

/* One transfer: a request and its answer, or the stream. */
struct lane {
	CURL *easy;
	bool busy;
	struct curl_slist *headers;
	char said[CURL_ERROR_SIZE];
	char *body;
	struct buf reply;
	long retry_after;
	double begun;
	void (*done)(void *arg, const struct sent *answer);
	void *arg;
};

struct sender {
	struct client *client;
	CURLM *multi;
	unsigned n, busy;
	struct lane *lane; /* n of them, and behind them the stream's */
	struct sender_stream stream;
	int result; /* of stream.each */
	struct err err;
};

int
sender_open(struct sender **ret, const struct client *c, unsigned at_once, struct err *err)
{
	struct sender *s = xcalloc(1, sizeof *s);
	int r = client_clone(&s->client, c, err);

	if (r < 0) {
		free(s);
		return r;
	}
	s->n = at_once;
	s->lane = xcalloc(at_once + 1, sizeof *s->lane);
	s->multi = curl_multi_init();
	for (unsigned i = 0; i <= at_once; i++)
		s->lane[i].easy = curl_easy_init();
	if (!s->multi || !s->lane[at_once].easy) {
		sender_close(s);
		return err_set(err, ERR_INTERNAL, "cannot start libcurl");
	}
	curl_multi_setopt(s->multi, CURLMOPT_MAXCONNECTS, (long)at_once + 1);
	*ret = s;
	return 0;
}

void
sender_close(struct sender *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i <= s->n; i++) {
		struct lane *l = &s->lane[i];

		if (l->busy)
			curl_multi_remove_handle(s->multi, l->easy);
		curl_easy_cleanup(l->easy);
		curl_slist_free_all(l->headers);
		free(l->body);
		buf_release(&l->reply);
	}
	curl_multi_cleanup(s->multi);
	client_close(s->client);
	free(s->lane);
	free(s);
}

unsigned
sender_busy(const struct sender *s)
{
	return s->busy;
}

bool
sender_full(const struct sender *s)
{
	return s->busy == s->n;
}

/* --- a request ----------------------------------------------------------------- */

static size_t
gather(char *data, size_t size, size_t n, void *arg)
{
	struct lane *l = arg;

	if (l->reply.len + size * n > MAX_REPLY)
		return 0;
	buf_add(&l->reply, data, size * n);
	return size * n;
}

static size_t
header(char *line, size_t size, size_t n, void *arg)
{
	struct lane *l = arg;

	if (size * n > 12 && strncasecmp(line, "Retry-After:", 12) == 0)
		l->retry_after = strtol(line + 12, NULL, 10);
	return size * n;
}

static void
start(struct sender *s, struct lane *l, const struct request *rq)
{
	l->busy = true;
	l->retry_after = 0;
	l->begun = clock_monotonic();
	buf_clear(&l->reply);
	l->headers = http_fill(s->client, l->easy, rq, l->said);
	curl_easy_setopt(l->easy, CURLOPT_PRIVATE, l);
	curl_multi_add_handle(s->multi, l->easy);
}

void
sender_send(struct sender *s, const char *method, const char *path, const char *type, char *body,
    void (*done)(void *arg, const struct sent *answer), void *arg)
{
	struct request rq = { .method = method, .path = path, .content_type = body ? type : NULL };
	struct lane *l = s->lane;

	while (l->busy)
		l++;
	rq.body = l->body = body;
	rq.len = body ? strlen(body) : 0;
	l->done = done;
	l->arg = arg;
	s->busy++;
	start(s, l, &rq);
	curl_easy_setopt(l->easy, CURLOPT_WRITEFUNCTION, gather);
	curl_easy_setopt(l->easy, CURLOPT_WRITEDATA, l);
	curl_easy_setopt(l->easy, CURLOPT_HEADERFUNCTION, header);
	curl_easy_setopt(l->easy, CURLOPT_HEADERDATA, l);
	curl_easy_setopt(l->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(l->easy, CURLOPT_LOW_SPEED_TIME, (long)STALL_SECONDS);
}

/* --- the stream ---------------------------------------------------------------- */

static size_t
hand_on(char *data, size_t size, size_t n, void *arg)
{
	struct sender *s = arg;
	struct lane *l = &s->lane[s->n];
	long http = 0;

	curl_easy_getinfo(l->easy, CURLINFO_RESPONSE_CODE, &http);
	if (http != 200) {
		if (l->reply.len < MAX_REFUSAL)
			buf_add(&l->reply, data, size * n);
		return size * n;
	}
	s->result = s->stream.each(s->stream.arg, data, size * n, &s->err);
	return s->result == 0 ? size * n : 0;
}

void
sender_follow(struct sender *s, const char *path, const struct sender_stream *how)
{
	struct request rq = { .method = "GET", .path = path };
	struct lane *l = &s->lane[s->n];

	s->stream = *how;
	s->result = 0;
	start(s, l, &rq);
	curl_easy_setopt(l->easy, CURLOPT_TIMEOUT_MS, 0L); /* it lasts */
	curl_easy_setopt(l->easy, CURLOPT_WRITEFUNCTION, hand_on);
	curl_easy_setopt(l->easy, CURLOPT_WRITEDATA, s);
}

/* --- ends ---------------------------------------------------------------------- */

static void
end_stream(struct sender *s, struct lane *l, CURLcode code, int status)
{
	if (s->result == 0 && status >= 400)
		s->result = client_refusal(status, l->reply.data, l->reply.len, &s->err);
	else if (s->result == 0 && code != CURLE_OK)
		s->result = http_trouble(s->client, l->easy, code, l->said, &s->err);
	s->stream.ended(s->stream.arg, s->result, &s->err);
}

static void
end(struct sender *s, struct lane *l, CURLcode code)
{
	struct sent sent = { .retry_after = l->retry_after };
	struct buf reply = l->reply;
	long http = 0;

	curl_easy_getinfo(l->easy, CURLINFO_RESPONSE_CODE, &http);
	curl_multi_remove_handle(s->multi, l->easy);
	curl_slist_free_all(steal(l->headers));
	free(steal(l->body));
	l->busy = false;
	if (l == &s->lane[s->n]) {
		end_stream(s, l, code, (int)http);
		return;
	}
	s->busy--;
	sent.seconds = clock_monotonic() - l->begun;
	sent.status = (int)http;
	if (code != CURLE_OK)
		sent.r = http_trouble(s->client, l->easy, code, l->said, &sent.err);
	l->reply = (struct buf)BUF_INIT; /* the callback may use the lane again */
	sent.reply = reply.data ? reply.data : "";
	sent.len = reply.len;
	l->done(l->arg, &sent);
	if (l->reply.data)
		buf_release(&reply);
	else
		l->reply = reply;
}

static void
collect(struct sender *s)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(s->multi, &left))) {
		CURLcode code = m->data.result;
		char *lane = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &lane);
		end(s, (struct lane *)lane, code);
	}
}

void
sender_wait(struct sender *s, double seconds, int fd)
{
	struct curl_waitfd w = { .fd = fd, .events = CURL_WAIT_POLLIN };
	int running;

	curl_multi_perform(s->multi, &running);
	if (seconds > 0)
		curl_multi_poll(s->multi, &w, fd >= 0, (int)(seconds * 1000) + 1, NULL);
	curl_multi_perform(s->multi, &running);
	collect(s);
}
