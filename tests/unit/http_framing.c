/* Framing of requests: what is answered with which status, and what a handler gets to see. */
#include "http_test.h"

#define HOST "Host: a\r\n"
#define GET(rest) "GET / HTTP/1.1\r\n" HOST rest "\r\n"
#define POST(headers, body) "POST / HTTP/1.1\r\n" HOST headers "\r\n" body
#define CHUNKED(body) POST("Transfer-Encoding: chunked\r\n", body)

/* `want`: the statuses of all answers, in order; the handler answers 200 with "METHOD PATH QUERY
 * BODY". */
static const struct {
	const char *name;
	const char *data;
	size_t len;
	const char *want, *says;
} cases[] = {
#define T(name, data, want, says)                        \
	{                                                \
		name, data, sizeof(data) - 1, want, says \
	}
	T("plain", GET(""), "200", "GET /  []"),
	T("empty lines first", "\r\n\r\n" GET(""), "200", "GET /  []"),
	T("path and query", "GET /a%20b/c?x=%31&y HTTP/1.1\r\n" HOST "\r\n", "200",
	    "GET /a b/c x=%31&y []"),
	T("absolute-form", "GET http://h:1/x?y HTTP/1.1\r\n" HOST "\r\n", "200", "GET /x y []"),
	T("absolute-form without path", "GET https://h HTTP/1.1\r\n" HOST "\r\n", "200",
	    "GET /  []"),
	T("options star", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "200", "OPTIONS *  []"),
	T("star for GET", "GET * HTTP/1.1\r\n" HOST "\r\n", "400", NULL),
	T("connect", "CONNECT a:1 HTTP/1.1\r\n" HOST "\r\n", "501", NULL),
	T("body", POST("Content-Length: 3\r\n", "abc"), "200", "POST /  [abc]"),
	T("pipelined", POST("Content-Length: 3\r\n", "abc") GET("") GET(""), "200 200 200", NULL),
	T("pipelined close", GET("Connection: close\r\n") GET(""), "200", NULL),
	T("close in a list", GET("Connection: te, CLOSE\r\n") GET(""), "200", NULL),
	T("1.0", "GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n", "200", NULL),
	T("1.2", "GET / HTTP/1.2\r\n" HOST "\r\n", "200", NULL),
	T("2.0", "GET / HTTP/2.0\r\n" HOST "\r\n", "505", NULL),
	T("0.9", "GET /\r\n" HOST "\r\n", "400", NULL),
	T("preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505", NULL),
	T("lower-case version", "GET / http/1.1\r\n" HOST "\r\n", "400", NULL),
	T("folded", GET("X: one\r\n two\r\n"), "400", NULL),
	T("folded first", "GET / HTTP/1.1\r\n X: y\r\n" HOST "\r\n", "400", NULL),
	T("both lengths",
	    POST("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" GET("")), "400",
	    NULL),
	T("two lengths", POST("Content-Length: 2\r\nContent-Length: 3\r\n", "abc"), "400", NULL),
	T("the same length twice", POST("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), "400",
	    NULL),
	T("length list", POST("Content-Length: 3, 3\r\n", "abc"), "400", NULL),
	T("length +", POST("Content-Length: +3\r\n", "abc"), "400", NULL),
	T("length -", POST("Content-Length: -3\r\n", "abc"), "400", NULL),
	T("length empty", POST("Content-Length:\r\n", ""), "400", NULL),
	T("length hex", POST("Content-Length: 0x3\r\n", "abc"), "400", NULL),
	T("length huge", POST("Content-Length: 99999999999999999999999999\r\n", ""), "413", NULL),
	T("length wraps", POST("Content-Length: 18446744073709551619\r\n", "abc"), "413", NULL),
	T("space before colon", POST("Content-Length : 3\r\n", "abc"), "400", NULL),
	T("bare LF", "GET / HTTP/1.1\nHost: a\n\n", "400", NULL),
	T("bare LF in a header", GET("X: a\nY: b\r\n"), "400", NULL),
	T("bare CR", GET("X: a\rY: b\r\n"), "400", NULL),
	T("NUL in a value", GET("X: a\0b\r\n"), "400", NULL),
	T("control in a value", GET("X: a\001b\r\n"), "400", NULL),
	T("DEL in a value", GET("X: a\177b\r\n"), "400", NULL),
	T("8-bit value", GET("X: \303\274\r\n"), "200", NULL),
	T("odd name", GET("B@d(n\001me: y\r\n"), "400", NULL),
	T("name with @", GET("B@d: y\r\n"), "400", NULL),
	T("empty name", GET(": y\r\n"), "400", NULL),
	T("no colon", GET("novalue\r\n"), "400", NULL),
	T("NUL in the path", "GET /a\0b HTTP/1.1\r\n" HOST "\r\n", "400", NULL),
	T("%00 in the path", "GET /a%00b HTTP/1.1\r\n" HOST "\r\n", "400", NULL),
	T("%00 in the query", "GET /a?b=%00 HTTP/1.1\r\n" HOST "\r\n", "400", NULL),
	T("bad escape", "GET /a%zz HTTP/1.1\r\n" HOST "\r\n", "400", NULL),
	T("cut escape", "GET /a%2 HTTP/1.1\r\n" HOST "\r\n", "400", NULL),
	T("bad escape in the query", "GET /a?b=%g0 HTTP/1.1\r\n" HOST "\r\n", "400", NULL),
	T("fragment", "GET /a#b HTTP/1.1\r\n" HOST "\r\n", "400", NULL),
	T("8-bit path", "GET /\303\274 HTTP/1.1\r\n" HOST "\r\n", "400", NULL),
	T("several spaces", "GET  / HTTP/1.1\r\n" HOST "\r\n", "400", NULL),
	T("space in the path", "GET /a b HTTP/1.1\r\n" HOST "\r\n", "400", NULL),
	T("space at the end", "GET / HTTP/1.1 \r\n" HOST "\r\n", "400", NULL),
	T("tab", "GET\t/ HTTP/1.1\r\n" HOST "\r\n", "400", NULL),
	T("no slash", "GET a HTTP/1.1\r\n" HOST "\r\n", "400", NULL),
	T("no method", " / HTTP/1.1\r\n" HOST "\r\n", "400", NULL),
	T("no host", "GET / HTTP/1.1\r\n\r\n", "400", NULL),
	T("two hosts", GET("Host: b\r\n"), "400", NULL),
	T("bad host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400", NULL),
	T("empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "200", NULL),
	T("noise", "\026\003\001\002\000\001\000", "400", NULL),
	T("chunks", CHUNKED("3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"), "200", "POST /  [abcd]"),
	T("chunks pipelined", CHUNKED("3\r\nabc\r\n0\r\n\r\n") GET(""), "200 200", NULL),
	T("chunk extension", CHUNKED("3;ext=1\r\nabc\r\n0;x\r\n\r\n"), "200", "POST /  [abc]"),
	T("chunk trailer", CHUNKED("3\r\nabc\r\n0\r\nX: y\r\nZ: w\r\n\r\n") GET(""), "200 200",
	    NULL),
	T("chunk upper case", CHUNKED("A\r\n0123456789\r\n00\r\n\r\n"), "200",
	    "POST /  [0123456789]"),
	T("chunk 0x", CHUNKED("0x3\r\nabc\r\n0\r\n\r\n"), "400", NULL),
	T("chunk +", CHUNKED("+3\r\nabc\r\n0\r\n\r\n"), "400", NULL),
	T("chunk -", CHUNKED("-1\r\nabc\r\n0\r\n\r\n"), "400", NULL),
	T("chunk space", CHUNKED("3 \r\nabc\r\n0\r\n\r\n"), "400", NULL),
	T("chunk empty size", CHUNKED("\r\nabc\r\n0\r\n\r\n"), "400", NULL),
	T("chunk overlong", CHUNKED("10000000000000003\r\nabc\r\n0\r\n\r\n"), "413", NULL),
	T("chunk many zeros", CHUNKED("00000000000000003\r\nabc\r\n0\r\n\r\n"), "400", NULL),
	T("chunk huge", CHUNKED("ffffffffffffffff\r\nabc"), "413", NULL),
	T("chunk LF", CHUNKED("3\nabc\n0\n\n"), "400", NULL),
	T("chunk LF in extension", CHUNKED("3;a\nb\r\nabc\r\n0\r\n\r\n"), "400", NULL),
	T("chunk too long", CHUNKED("3\r\nabcXX0\r\n\r\n"), "400", NULL),
	T("chunk trailer LF", CHUNKED("0\r\nX: y\n\r\n"), "400", NULL),
	T("gzip, chunked", POST("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), "501", NULL),
	T("gzip", POST("Transfer-Encoding: gzip\r\n", "0\r\n\r\n"), "400", NULL),
	T("xchunked", POST("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), "400", NULL),
	T("chunked twice",
	    POST("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
	    "400", NULL),
	T("chunked 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400",
	    NULL),
	T("continue, body sent", POST("Expect: 100-continue\r\nContent-Length: 3\r\n", "abc"),
	    "200", NULL),
	T("continue", POST("Expect: 100-continue\r\nContent-Length: 3\r\n", ""), "100", NULL),
	T("continue, too big", POST("Expect: 100-continue\r\nContent-Length: 99999999\r\n", ""),
	    "413", NULL),
	T("other expectation", POST("Expect: pie\r\nContent-Length: 3\r\n", "abc"), "417", NULL),
	T("HEAD", "HEAD / HTTP/1.1\r\n" HOST "\r\n" GET(""), "200 200", NULL),
	T("unknown method", "BREW / HTTP/1.1\r\n" HOST "\r\n", "200", "BREW /  []"),
#undef T
};

static void
handle(struct http_exchange *x, void *arg)
{
	const struct http_request *r = http_request(x);
	autofree char *text = xasprintf("%s %s %s [%s]", r->method, r->path, r->query, r->body);

	(void)arg;
	http_reply_text(x, 200, "text/plain", text);
}

/* The statuses of all answers in what was heard: "200 400". */
static void
statuses(const char *heard, char *room)
{
	*room = '\0';
	for (const char *p = heard; (p = strstr(p, "HTTP/1.1 ")); p += 9)
		sprintf(room + strlen(room), "%s%.3s", *room ? " " : "", p + 9);
}

static void
framing_case(int port, size_t i, bool slowly)
{
	char heard[16384], got[256];
	int fd = dial(port);

	for (size_t j = 0; slowly && j < cases[i].len; j++)
		say(fd, cases[i].data + j, 1);
	if (!slowly)
		say(fd, cases[i].data, cases[i].len);
	shutdown(fd, SHUT_WR); /* a peer that only ends his sending still gets his answers */
	hear(fd, heard, sizeof heard, NULL, 2000);
	statuses(heard, got);
	if (!(slowly && strstr(cases[i].name, "body sent"))) /* then 100 may come */
		CHECK(strcmp(got, cases[i].want) == 0, "%s: got '%s', want '%s'", cases[i].name,
		    got, cases[i].want);
	if (cases[i].says)
		CHECK(strstr(heard, cases[i].says), "%s: got '%s', want '%s'", cases[i].name, heard,
		    cases[i].says);
	close(fd);
}

/* Heads and bodies at and over the limits. */
static void
limits(int port)
{
	static char big[400000];
	char heard[4096], got[64];
	static const struct {
		const char *name, *start;
		size_t fill;
		const char *end, *want;
	} t[] = {
		{ "long target", "GET /", 16000, " HTTP/1.1\r\n" HOST "\r\n", "200" },
		{ "too long target", "GET /", 17000, " HTTP/1.1\r\n" HOST "\r\n", "414" },
		{ "endless target", "GET /", 300000, "", "414" },
		{ "big header", "GET / HTTP/1.1\r\n" HOST "X: ", 60000, "\r\n\r\n", "200" },
		{ "too big header", "GET / HTTP/1.1\r\n" HOST "X: ", 70000, "\r\n\r\n", "431" },
		{ "body at the limit", POST("Content-Length: 100000\r\n", ""), 100000, "", "200" },
		{ "body over it", POST("Content-Length: 100001\r\n", ""), 100001, "", "413" },
		{ "chunks at the limit", CHUNKED("186a0\r\n"), 100000, "\r\n0\r\n\r\n", "200" },
		{ "chunks over it", CHUNKED("186a0\r\n"), 100000, "\r\n1\r\nx\r\n0\r\n\r\n",
		    "413" },
		{ "extension without end", CHUNKED("1;"), 9000, "\r\nx\r\n0\r\n\r\n", "431" },
		{ "trailer without end", CHUNKED("0\r\n"), 9000, "\r\n\r\n", "431" },
	};

	memset(big, 'x', sizeof big);
	for (size_t i = 0; i < COUNT(t); i++) {
		int fd = dial(port);

		say(fd, t[i].start, strlen(t[i].start));
		say(fd, big, t[i].fill);
		say(fd, t[i].end, strlen(t[i].end));
		shutdown(fd, SHUT_WR);
		hear(fd, heard, sizeof heard, NULL, 2000);
		statuses(heard, got);
		CHECK(strcmp(got, t[i].want) == 0, "%s: got '%s', want '%s'", t[i].name, got,
		    t[i].want);
		close(fd);
	}
}

static void
many_headers(int port)
{
	for (int n = 99; n <= 101; n += 2) {
		autobuf struct buf b = BUF_INIT;
		char heard[4096];
		int fd = dial(port);

		buf_puts(&b, "GET / HTTP/1.1\r\n" HOST);
		for (int i = 0; i < n; i++)
			buf_puts(&b, "X: y\r\n");
		buf_puts(&b, "\r\n");
		say(fd, b.data, b.len);
		hear(fd, heard, sizeof heard, "\r\n\r\n", 2000);
		CHECK(strstr(heard, n == 99 ? "HTTP/1.1 200" : "HTTP/1.1 431"), "%d headers: %s", n,
		    heard);
		close(fd);
	}
}

int
main(void)
{
	struct http_limits l = { .body_bytes = 100000 };
	struct http_server *s;
	struct err err;
	int port;

	CHECK(http_server_new(&s, &l, 1, 1, handle, NULL, &err) == 0, "%s", err.msg);
	CHECK(http_listen(s, "127.0.0.1:0", NULL, &port, &err) == 0, "%s", err.msg);
	CHECK(http_server_start(s, &err) == 0, "%s", err.msg);
	for (size_t i = 0; i < COUNT(cases); i++) {
		framing_case(port, i, false);
		framing_case(port, i, true);
	}
	limits(port);
	many_headers(port);
	http_server_stop(s, 1);
	http_server_free(s);
	return 0;
}
