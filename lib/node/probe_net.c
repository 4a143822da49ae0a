#include "node/probe_net.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/meta.h"
#include "api/protobuf_wire.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

/* Programs that treat health checks apart know them by the first word. */
#define AGENT "kube-probe/1.36 orch/" ORCH_VERSION

enum { MAX_BODY = 10 << 10, MAX_REDIRECTS = 10 };

int
reach_port(const struct reach *r, const json_t *port)
{
	json_t *one;
	long long n;
	size_t i;

	if (json_is_integer(port))
		return (int)json_integer_value(port);
	json_array_foreach (get(r->container, "ports"), i, one)
		if (strcmp(text(one, "name"), str(port, "")) == 0)
			return (int)num(get(one, "containerPort"), 0);
	return text_int(str(port, ""), &n) ? (int)n : 0;
}

/* "HOST:PORT" as it stands in a URL. */
static char *
authority(const struct reach *r, const json_t *how)
{
	const char *host = *text(how, "host") ? text(how, "host") : r->ip;

	return xasprintf(
	    strchr(host, ':') ? "[%s]:%d" : "%s:%d", host, reach_port(r, get(how, "port")));
}

/* strerror() as Go has it. */
static const char *
cause(int code, char buf[static 128])
{
	snprintf(buf, 128, "%s", strerror(code));
	*buf = (char)tolower((unsigned char)*buf);
	return buf;
}

/* --- tcpSocket ------------------------------------------------------------------------ */

static int
connect_within(const struct addrinfo *to, double seconds)
{
	autoclose int fd =
	    socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, to->ai_protocol);
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	socklen_t size = sizeof(int);
	int code = 0;

	if (fd < 0)
		return errno;
	if (connect(fd, to->ai_addr, to->ai_addrlen) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	if (poll(&p, 1, (int)(seconds * 1000)) == 0)
		return ETIMEDOUT;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) < 0 ? errno : code;
}

int
reach_tcp(const struct reach *r, const json_t *how, struct err *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	const char *host = *text(how, "host") ? text(how, "host") : r->ip;
	autofree char *to = authority(r, how);
	char service[16], why[128];
	int code;

	snprintf(service, sizeof service, "%d", reach_port(r, get(how, "port")));
	if ((code = getaddrinfo(host, service, &hints, &list)) != 0)
		return err_set(
		    err, ERR_UNAVAILABLE, "dial tcp: lookup %s: %s", host, gai_strerror(code));
	code = connect_within(list, r->seconds);
	freeaddrinfo(list);
	if (code == ETIMEDOUT)
		return err_set(err, ERR_UNAVAILABLE, "dial tcp %s: i/o timeout", to);
	if (code != 0)
		return err_set(
		    err, ERR_UNAVAILABLE, "dial tcp %s: connect: %s", to, cause(code, why));
	return 0;
}

/* --- what HTTP and gRPC share ----------------------------------------------------------- */

struct answer {
	CURL *curl;
	struct buf body;
	long grpc_status; /* of the trailer; -1: none came */
	char grpc_message[256];
	char problem[CURL_ERROR_SIZE];
};

static size_t
take_body(char *data, size_t size, size_t n, void *arg)
{
	struct answer *a = arg;

	n *= size;
	if (a->body.len + n > MAX_BODY)
		return 0; /* enough seen */
	buf_add(&a->body, data, n);
	return n;
}

/* Headers, and behind the body trailers. */
static size_t
take_header(char *data, size_t size, size_t n, void *arg)
{
	static const char status[] = "grpc-status:", message[] = "grpc-message:";
	struct answer *a = arg;
	autofree char *line = xstrndup(data, n * size);

	line[strcspn(line, "\r\n")] = '\0';
	if (strncasecmp(line, status, sizeof status - 1) == 0)
		a->grpc_status = strtol(line + sizeof status - 1, NULL, 10);
	else if (strncasecmp(line, message, sizeof message - 1) == 0)
		snprintf(a->grpc_message, sizeof a->grpc_message, "%s",
		    line + sizeof message - 1 + strspn(line + sizeof message - 1, " "));
	return n * size;
}

static void
answer_init(struct answer *a, struct curl_slist *headers)
{
	*a = (struct answer){ .curl = curl_easy_init(), .grpc_status = -1 };
	curl_easy_setopt(a->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(a->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(a->curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(a->curl, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(a->curl, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(a->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(a->curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(a->curl, CURLOPT_WRITEDATA, a);
	curl_easy_setopt(a->curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(a->curl, CURLOPT_HEADERDATA, a);
	curl_easy_setopt(a->curl, CURLOPT_ERRORBUFFER, a->problem);
}

static void
answer_release(struct answer *a)
{
	curl_easy_cleanup(a->curl);
	buf_release(&a->body);
}

/* One exchange before `deadline`. */
static CURLcode
perform(struct answer *a, const char *url, double deadline)
{
	double left = deadline - clock_monotonic();
	CURLcode code;

	buf_clear(&a->body);
	curl_easy_setopt(a->curl, CURLOPT_URL, url);
	curl_easy_setopt(a->curl, CURLOPT_TIMEOUT_MS, left > 0.001 ? (long)(left * 1000) : 1L);
	code = curl_easy_perform(a->curl);
	return code == CURLE_WRITE_ERROR ? CURLE_OK : code;
}

static int
unreached(struct answer *a, CURLcode code, const char *what, const char *to, struct err *err)
{
	long system = 0;
	char why[128];

	curl_easy_getinfo(a->curl, CURLINFO_OS_ERRNO, &system);
	if (code == CURLE_OPERATION_TIMEDOUT)
		return err_set(err, ERR_TIMEOUT, "%s: context deadline exceeded", what);
	if (code == CURLE_COULDNT_CONNECT && system)
		return err_set(err, ERR_UNAVAILABLE, "%s: dial tcp %s: connect: %s", what, to,
		    cause((int)system, why));
	return err_set(err, ERR_UNAVAILABLE, "%s: %s", what,
	    *a->problem ? a->problem : curl_easy_strerror(code));
}

/* --- httpGet ---------------------------------------------------------------------------- */

/* Those of the probe, and two of our own unless it has them; an empty one of these is left out. */
static struct curl_slist *
http_headers(const json_t *how)
{
	static const char *const own[] = { "User-Agent: " AGENT, "Accept: */*" };
	struct curl_slist *list = NULL;
	json_t *header;
	size_t i;

	for (size_t k = 0; k < COUNT(own); k++) {
		bool given = false;

		json_array_foreach (get(how, "httpHeaders"), i, header)
			given = given || strncasecmp(text(header, "name"), own[k],
					     strcspn(own[k], ":")) == 0;
		if (!given)
			list = curl_slist_append(list, own[k]);
	}
	json_array_foreach (get(how, "httpHeaders"), i, header) {
		const char *name = text(header, "name"), *value = text(header, "value");
		bool removes =
		    strcasecmp(name, "Accept") == 0 || strcasecmp(name, "User-Agent") == 0;
		autofree char *line =
		    xasprintf(*value || removes ? "%s: %s" : "%s;%s", name, value);

		list = curl_slist_append(list, line);
	}
	return list;
}

static char *
host_of(const char *url)
{
	CURLU *u = curl_url();
	char *host = NULL, *ret;

	if (curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK)
		curl_url_get(u, CURLUPART_HOST, &host, 0);
	ret = xstrdup(host ? host : "");
	curl_free(host);
	curl_url_cleanup(u);
	return ret;
}

static bool
redirects(long status)
{
	return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

/* Go where the answers lead while they stay on this host: the last answer's status, or negative. */
static int
follow(struct answer *a, const char *first, const char *to, double seconds, struct err *err)
{
	autofree char *home = host_of(first), *url = xstrdup(first);
	double deadline = clock_monotonic() + seconds;

	for (int n = 0;; n++) {
		autofree char *what = xasprintf("Get \"%s\"", url), *host = NULL;
		CURLcode code = perform(a, url, deadline);
		char *next = NULL;
		long status = 0;

		curl_easy_getinfo(a->curl, CURLINFO_RESPONSE_CODE, &status);
		if (code != CURLE_OK || status == 0)
			return unreached(a, code, what, to, err);
		curl_easy_getinfo(a->curl, CURLINFO_REDIRECT_URL, &next);
		if (!redirects(status) || !next)
			return (int)status;
		host = host_of(next);
		if (strcmp(host, home) != 0)
			return (int)status;
		if (n + 1 == MAX_REDIRECTS)
			return err_set(err, ERR_UNAVAILABLE, "%s: stopped after %d redirects", what,
			    MAX_REDIRECTS);
		free(url);
		url = xstrdup(next);
	}
}

int
reach_http(const struct reach *r, const json_t *how, char **note, struct err *err)
{
	bool tls = strcmp(text(how, "scheme"), "HTTPS") == 0;
	const char *path = text(how, "path");
	autofree char *to = authority(r, how);
	autofree char *url =
	    xasprintf("%s://%s%s%s", tls ? "https" : "http", to, *path == '/' ? "" : "/", path);
	struct curl_slist *headers = http_headers(how);
	struct answer a;
	int status;

	*note = NULL;
	answer_init(&a, headers);
	curl_easy_setopt(a.curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	status = follow(&a, url, to, r->seconds, err);
	if (status >= 0 && (status < 200 || status >= 400))
		status =
		    err_set(err, ERR_UNAVAILABLE, "HTTP probe failed with statuscode: %d", status);
	else if (status >= 300)
		*note = xasprintf("Probe terminated redirects, Response body: %.*s",
		    (int)a.body.len, a.body.data ? a.body.data : "");
	answer_release(&a);
	curl_slist_free_all(headers);
	return status < 0 ? status : 0;
}

/* --- grpc ------------------------------------------------------------------------------- */

/* gRPC's framing (PROTOCOL-HTTP2, "Length-Prefixed-Message"): not compressed, length, message.  The
 * message is HealthCheckRequest { string service = 1; }. */
static void
health_request(const char *service, struct buf *out)
{
	struct writer w = WRITER_INIT;
	uint32_t len;

	if (*service)
		write_bytes(&w, 1, service, strlen(service));
	len = htonl((uint32_t)written(&w));
	buf_add(out, "", 1);
	buf_add(out, (char *)&len, sizeof len);
	if (written(&w))
		buf_add(out, (char *)w.data + w.at, written(&w));
	writer_release(&w);
}

/* HealthCheckResponse { ServingStatus status = 1; }; -1: it is none. */
static int
health_status(const struct buf *b)
{
	struct reader r = { (unsigned char *)b->data + 5, (unsigned char *)b->data + b->len };
	uint64_t status = 0;
	enum wire wire;
	int number;

	if (b->len < 5 || *b->data != 0)
		return -1;
	while (r.p < r.end) {
		if (!read_key(&r, &number, &wire))
			return -1;
		if (number == 1 && wire == WIRE_VARINT ? !read_varint(&r, &status)
						       : !read_skip(&r, wire))
			return -1;
	}
	return (int)(status & 0xff);
}

static int
health_verdict(const struct answer *a, double seconds, struct err *err)
{
	static const char *const words[] = { "UNKNOWN", "SERVING", "NOT_SERVING",
		"SERVICE_UNKNOWN" };
	enum { DEADLINE_EXCEEDED = 4, UNIMPLEMENTED = 12 };
	int status = health_status(&a->body);

	if (a->grpc_status == UNIMPLEMENTED)
		return err_set(err, ERR_UNAVAILABLE,
		    "error: this server does not implement the grpc health protocol "
		    "(grpc.health.v1.Health): %s",
		    a->grpc_message);
	if (a->grpc_status == DEADLINE_EXCEEDED)
		return err_set(
		    err, ERR_TIMEOUT, "timeout: health rpc did not complete within %gs", seconds);
	if (a->grpc_status != 0)
		return err_set(err, ERR_UNAVAILABLE,
		    "error: health rpc probe failed: rpc error: code = %ld desc = %s",
		    a->grpc_status,
		    *a->grpc_message ? a->grpc_message : "no answer of the gRPC protocol");
	if (status == 1)
		return 0;
	return err_set(err, ERR_UNAVAILABLE, "service unhealthy (responded with \"%s\")",
	    status >= 0 && status < (int)COUNT(words) ? words[status] : "UNKNOWN");
}

int
reach_grpc(const struct reach *r, const json_t *how, struct err *err)
{
	static const char *const lines[] = { "Content-Type: application/grpc", "TE: trailers",
		"User-Agent: " AGENT, "Accept:", "Expect:" };
	autofree char *to = authority(r, how);
	autofree char *url = xasprintf("http://%s/grpc.health.v1.Health/Check", to);
	autobuf struct buf body = BUF_INIT;
	struct curl_slist *headers = NULL;
	struct answer a;
	CURLcode code;
	int ret;

	for (size_t i = 0; i < COUNT(lines); i++)
		headers = curl_slist_append(headers, lines[i]);
	health_request(text(how, "service"), &body);
	answer_init(&a, headers);
	curl_easy_setopt(a.curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
	curl_easy_setopt(a.curl, CURLOPT_POSTFIELDSIZE, (long)body.len);
	curl_easy_setopt(a.curl, CURLOPT_POSTFIELDS, body.data);
	code = perform(&a, url, clock_monotonic() + r->seconds);
	if (code == CURLE_OPERATION_TIMEDOUT)
		ret = err_set(err, ERR_TIMEOUT, "timeout: health rpc did not complete within %gs",
		    r->seconds);
	else if (code != CURLE_OK)
		ret = unreached(&a, code, "error: failed to connect service", to, err);
	else
		ret = health_verdict(&a, r->seconds, err);
	answer_release(&a);
	curl_slist_free_all(headers);
	return ret;
}
