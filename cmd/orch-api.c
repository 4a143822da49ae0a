/* orch-api - one raw request to the API server: the path in, the body out. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/mem.h"
#include "base/text.h"
#include "client/client.h"

enum { MAX_BODY = 64 << 20, MAX_ERROR = 65536 };

static const char *method, *data;
static struct list headers;
static bool quiet;
static const struct opt opts[] = {
	{ 'X', "request", "METHOD", "GET (default), POST with -d, PUT, PATCH, DELETE", &method,
	    false },
	{ 'H', "header", "LINE", "add a header \"Name: value\"", &headers, true },
	{ 'd', "data", "DATA", "the body: a text, @FILE, or - for stdin", &data, false },
	{ 'q', "quiet", NULL, "say nothing about a refusal, only exit by it", &quiet, false },
	{ 0 },
};
static const struct opt *const shared[] = { client_opts, NULL };
const struct program self = {
	.name = "orch-api",
	.synopsis = "[-q] [-X METHOD] [-H LINE]... [-d DATA|@FILE|-] PATH",
	.summary = "Send one request to the API server and print the answer's body.",
	.opts = opts,
	.shared = shared,
};

static void
read_body(struct buf *body)
{
	struct err err;
	int r = 0;

	if (strcmp(data, "-") == 0 || strcmp(data, "@-") == 0)
		r = buf_read_fd(body, STDIN_FILENO, MAX_BODY, &err);
	else if (data[0] == '@')
		r = buf_read_file(body, data + 1, MAX_BODY, &err);
	else
		buf_puts(body, data);
	if (r < 0 && err_of_input(&err) < 0)
		die(&err, "cannot read the body");
}

struct answer {
	struct buf refusal; /* the begin of it, for the message */
};

/* Out at once: a watch or a log must not sit in a buffer. */
static int
print(void *arg, int status, const char *bytes, size_t len, struct err *err)
{
	struct answer *a = arg;

	if (status >= 400 && a->refusal.len + len < MAX_ERROR)
		buf_add(&a->refusal, bytes, len);
	if (fwrite(bytes, 1, len, stdout) != len || fflush(stdout) != 0)
		return err_sys(err, errno, "cannot write output");
	return 0;
}

static bool
has_header(const char *name)
{
	for (size_t i = 0; i < headers.n; i++)
		if (strncasecmp(headers.item[i], name, strlen(name)) == 0)
			return true;
	return false;
}

int
main(int argc, char *argv[])
{
	autobuf struct buf body = BUF_INIT;
	struct answer answer = { BUF_INIT };
	struct request rq = { 0 };
	struct client *c;
	struct err err;
	int at = cli_parse(argc, argv), status, r;

	if (argc - at != 1)
		usage();
	if (argv[at][0] != '/')
		die(NULL, "a path begins with '/', as in /api/v1/pods: '%s'", argv[at]);
	for (size_t i = 0; i < headers.n; i++)
		if (!strchr(headers.item[i], ':') || strpbrk(headers.item[i], "\r\n"))
			die(NULL, "-H '%s' is not \"Name: value\"", headers.item[i]);
	if (data)
		read_body(&body);
	GROW(headers.item, headers.n, headers.cap);
	headers.item[headers.n] = NULL;
	rq.method = method ? method : data ? "POST" : "GET";
	rq.path = argv[at];
	rq.headers = headers.item;
	rq.body = data ? (body.data ? body.data : "") : NULL;
	rq.len = body.len;
	if (data && !has_header("content-type:"))
		rq.content_type = strcmp(rq.method, "PATCH") == 0 ? "application/merge-patch+json"
								  : "application/json";
	if ((r = client_open(&c, &err)) < 0)
		die(&err, "cannot use the API");
	if ((r = client_stream(c, &rq, &status, print, &answer, &err)) < 0)
		die(&err, "%s %s", rq.method, rq.path);
	client_close(c);
	if (status < 400)
		return finish(0);
	client_refusal(status, answer.refusal.data, answer.refusal.len, &err);
	buf_release(&answer.refusal);
	return finish(quiet ? err_exit(err.code) : complain(&err, "%s %s", rq.method, rq.path));
}
