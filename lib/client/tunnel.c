/* A WebSocket to the API: libcurl connects, the handshake and the frames are ours. */
#include "client/tunnel.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "client/http.h"

enum { ANSWER_SECONDS = 30, REFUSAL_SECONDS = 5, MAX_HEAD = 65536, MAX_REFUSAL = 1 << 20 };

struct tunnel {
	CURL *easy;
	curl_socket_t fd;
	const char *protocol; /* one of those offered */
	char *key;
	struct websocket ws;
	struct buf out; /* not sent yet, from `sent` on */
	size_t sent;
	bool goodbye; /* a close frame went */
};

/* --- bytes ------------------------------------------------------------------------------ */

/* How many; 0: none now; -1: the connection has ended. */
static ssize_t
receive(struct tunnel *t, void *data, size_t len)
{
	size_t n = 0;
	CURLcode code = curl_easy_recv(t->easy, data, len, &n);

	if (code == CURLE_AGAIN)
		return 0;
	return code == CURLE_OK && n > 0 ? (ssize_t)n : -1;
}

int
tunnel_flush(struct tunnel *t, struct err *err)
{
	while (t->sent < t->out.len) {
		size_t n = 0;
		CURLcode code =
		    curl_easy_send(t->easy, t->out.data + t->sent, t->out.len - t->sent, &n);

		if (code == CURLE_AGAIN)
			return 0;
		if (code != CURLE_OK)
			return err_set(err, ERR_UNAVAILABLE, "the connection broke: %s",
			    curl_easy_strerror(code));
		t->sent += n;
	}
	buf_clear(&t->out);
	t->sent = 0;
	return 0;
}

/* Until something can be read (or written, while something waits); false when it is too late. */
static bool
wait_until(struct tunnel *t, double end)
{
	struct pollfd p = { .fd = t->fd, .events = tunnel_events(t) };
	double left = end - clock_monotonic();
	int r = left > 0 ? poll(&p, 1, (int)(left * 1000) + 1) : 0;

	return r > 0 || (r < 0 && errno == EINTR);
}

/* --- the handshake ------------------------------------------------------------------------- */

static void
ask(struct tunnel *t, struct client *c, const char *path, const char *const *protocols,
    const struct curl_slist *headers)
{
	const char *base = c->base ? c->base : c->endpoint->server;
	const char *host = strstr(base, "://") ? strstr(base, "://") + 3 : base;
	size_t len = strcspn(host, "/"); /* behind it: a server may be below a path */
	const char *agent = client_options.user_agent;
	unsigned char random[16];

	if (getrandom(random, sizeof random, 0) != sizeof random)
		abort();
	t->key = bytes_encode(random, sizeof random);
	buf_printf(&t->out,
	    "GET %s%s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: %s\r\n"
	    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Protocol: ",
	    host + len, path, (int)len, host, agent ? agent : "orch/" ORCH_VERSION, t->key);
	for (size_t i = 0; protocols[i]; i++)
		buf_printf(&t->out, "%s%s", i ? ", " : "", protocols[i]);
	buf_puts(&t->out, "\r\n");
	for (; headers; headers = headers->next)
		if (!text_ends(headers->data, ":")) /* that is how curl leaves a header out */
			buf_printf(&t->out, "%s\r\n", headers->data);
	buf_puts(&t->out, "\r\n");
}

/* The value of a header in an answer's head; new, NULL: it has none such. */
static char *
header(const char *head, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = strstr(head, "\r\n"); p; p = strstr(p, "\r\n")) {
		p += 2;
		if (strncasecmp(p, name, n) != 0 || p[n] != ':')
			continue;
		p += n + 1;
		p += strspn(p, " \t");
		n = strcspn(p, "\r\n");
		while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
			n--;
		return xstrndup(p, n);
	}
	return NULL;
}

/* The server's head into *b, and how long it is; what stands behind it is there, too. */
static int
read_head(struct tunnel *t, struct buf *b, size_t *len, double end, struct err *err)
{
	char part[4096];
	const char *stop;

	do {
		ssize_t n;

		if (tunnel_flush(t, err) < 0)
			return -(int)err->code;
		n = receive(t, part, sizeof part);
		if (n < 0 || b->len > MAX_HEAD)
			return err_set(err, ERR_UNAVAILABLE, "the server gave no HTTP answer");
		if (n == 0 && !wait_until(t, end))
			return err_set(err, ERR_TIMEOUT, "the server did not answer in time");
		buf_add(b, part, (size_t)n);
		stop = memmem(b->data, b->len, "\r\n\r\n", 4);
	} while (!stop);
	*len = (size_t)(stop - b->data) + 4;
	return 0;
}

/* Any answer but 101, as an error. */
static int
refused(struct tunnel *t, const char *head, int status, struct buf *body, struct err *err)
{
	autofree char *length = header(head, "Content-Length");
	double end = clock_monotonic() + REFUSAL_SECONDS;
	long long want = MAX_REFUSAL;
	char part[4096];

	if (length && !text_int(length, &want))
		want = MAX_REFUSAL;
	while ((long long)body->len < want && body->len < MAX_REFUSAL) {
		ssize_t n = receive(t, part, sizeof part);

		if (n < 0 || (n == 0 && !wait_until(t, end)))
			break;
		buf_add(body, part, (size_t)n);
	}
	if (status < 400)
		return err_set(err, ERR_UNAVAILABLE,
		    "the server answered %d instead of opening a WebSocket", status);
	return client_refusal(status, body->data, body->len, err);
}

/* RFC 6455, section 4.1: is the 101 an answer to what was asked? */
static int
check(struct tunnel *t, const char *head, const char *const *protocols, struct err *err)
{
	autofree char *upgrade = header(head, "Upgrade"),
		      *accept = header(head, "Sec-WebSocket-Accept"),
		      *protocol = header(head, "Sec-WebSocket-Protocol"),
		      *want = websocket_answer(t->key);

	if (!upgrade || strcasecmp(upgrade, "websocket") != 0 || !accept ||
	    strcmp(accept, want) != 0)
		return err_set(err, ERR_UNAVAILABLE, "the server's answer is no WebSocket");
	for (; protocol && *protocols; protocols++)
		if (strcmp(protocol, *protocols) == 0)
			t->protocol = *protocols;
	if (!t->protocol)
		return err_set(err, ERR_UNAVAILABLE, "the server chose the protocol '%s'",
		    protocol ? protocol : "");
	return 0;
}

static int
shake_hands(struct tunnel *t, double seconds, const char *const *protocols, struct err *err)
{
	autobuf struct buf in = BUF_INIT, body = BUF_INIT;
	autofree char *head = NULL;
	int status = 0, r;
	size_t len;

	if ((r = read_head(t, &in, &len, clock_monotonic() + seconds, err)) < 0)
		return r;
	head = xstrndup(in.data, len);
	buf_add(&body, in.data + len, in.len - len);
	if (sscanf(head, "HTTP/1.%*1[01] %3d", &status) != 1)
		return err_set(err, ERR_UNAVAILABLE, "the server gave no HTTP answer");
	if (status != 101)
		return refused(t, head, status, &body, err);
	websocket_feed(&t->ws, body.data, body.len);
	return check(t, head, protocols, err);
}

int
tunnel_open(struct client *c, const char *path, const char *const *protocols, struct tunnel **ret,
    struct err *err)
{
	struct tunnel *t = xcalloc(1, sizeof *t);
	struct curl_slist *headers = NULL;
	char said[CURL_ERROR_SIZE] = "";
	CURLcode code;
	int r;

	t->ws = (struct websocket){ .limit = 64 << 20, .client = true };
	t->easy = curl_easy_init();
	http_prepare(c, t->easy, path, &headers);
	curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, said);
	curl_easy_setopt(t->easy, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(t->easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
	/* HTTP/2 knows no Upgrade */
	curl_easy_setopt(t->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	code = curl_easy_perform(t->easy);
	if (code == CURLE_OK)
		code = curl_easy_getinfo(t->easy, CURLINFO_ACTIVESOCKET, &t->fd);
	if (code != CURLE_OK) {
		r = http_trouble(c, t->easy, code, said, err);
	} else {
		ask(t, c, path, protocols, headers);
		r = shake_hands(
		    t, c->timeout_ms ? c->timeout_ms / 1000.0 : ANSWER_SECONDS, protocols, err);
	}
	curl_slist_free_all(headers);
	curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, NULL); /* it is on the stack */
	if (r < 0) {
		t->goodbye = true; /* nobody to say it to */
		tunnel_close(t);
		return r;
	}
	*ret = t;
	return 0;
}

void
tunnel_close(struct tunnel *t)
{
	struct err ignored; /* nobody waits for it */

	if (!t)
		return;
	if (!t->goodbye) {
		const unsigned char normal[2] = { WS_NORMAL >> 8, WS_NORMAL & 255 };

		websocket_masked(&t->out, WS_CLOSE, normal, sizeof normal, "", 0);
		tunnel_flush(t, &ignored);
	}
	curl_easy_cleanup(t->easy);
	websocket_release(&t->ws);
	buf_release(&t->out);
	free(t->key);
	free(t);
}

/* --- in use ------------------------------------------------------------------------------------
 */

const char *
tunnel_protocol(const struct tunnel *t)
{
	return t->protocol;
}

int
tunnel_fd(const struct tunnel *t)
{
	return t->fd;
}

short
tunnel_events(const struct tunnel *t)
{
	return t->sent < t->out.len ? POLLIN | POLLOUT : POLLIN;
}

void
tunnel_send(struct tunnel *t, int channel, const void *data, size_t len)
{
	unsigned char first = (unsigned char)channel;

	if (t->sent > 0 && t->sent == t->out.len) {
		buf_clear(&t->out);
		t->sent = 0;
	} else if (t->sent > 1 << 20) { /* a long queue: what went needs no room */
		memmove(t->out.data, t->out.data + t->sent, t->out.len - t->sent);
		t->out.len -= t->sent;
		t->sent = 0;
	}
	websocket_masked(&t->out, WS_BINARY, &first, channel >= 0, data, len);
}

size_t
tunnel_waiting(const struct tunnel *t)
{
	return t->out.len - t->sent;
}

/* The peer says good-bye, and why. */
static int
ended(struct tunnel *t, const struct websocket_message *m, struct err *err)
{
	unsigned char code[2] = { (unsigned char)(m->code >> 8), (unsigned char)m->code };

	if (!t->goodbye)
		websocket_masked(&t->out, WS_CLOSE, code, m->code == 1005 ? 0 : 2, "", 0);
	t->goodbye = true;
	if (tunnel_flush(t, err) < 0)
		return -1;
	if (m->code == WS_NORMAL || m->code == 1005)
		err_set(err, ERR_GONE, "the server ended the connection");
	else
		err_set(err, ERR_UNAVAILABLE, "the server ended the connection (%d): %.*s", m->code,
		    (int)m->len, m->data);
	return -1;
}

int
tunnel_next(struct tunnel *t, struct websocket_message *ret, struct err *err)
{
	char part[65536];

	for (;;) {
		int r = websocket_next(&t->ws, ret);
		ssize_t n;

		if (r < 0) {
			err_set(err, ERR_UNAVAILABLE,
			    "the server does not keep to WebSocket's protocol (%d)", -r);
			return -1;
		}
		if (r > 0 && ret->opcode == WS_CLOSE)
			return ended(t, ret, err);
		if (r > 0 && ret->opcode == WS_PING)
			websocket_masked(&t->out, WS_PONG, "", 0, ret->data, ret->len);
		if (r > 0 && (ret->opcode & 8))
			continue;
		if (r > 0)
			return 1;
		if ((n = receive(t, part, sizeof part)) == 0)
			return 0;
		if (n < 0) {
			err_set(err, ERR_UNAVAILABLE, "the connection broke");
			return -1;
		}
		websocket_feed(&t->ws, part, (size_t)n);
	}
}
