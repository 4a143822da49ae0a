/*
 * One registry, asked over HTTP: OCI distribution-spec "Pull", with the token flow that registries
 * share (401 and WWW-Authenticate: Basic, or Bearer with realm, service and scope).
 */
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/registry_session.h"

/* "at least 4 megabytes" is what a registry must take of a manifest ("Pushing Manifests"); no more.
 */
enum { MAX_BODY = 4 << 20 };

/* Without all four the registry answers 404 for what it has. */
#define ACCEPT                                                   \
	"Accept: application/vnd.oci.image.manifest.v1+json, "   \
	"application/vnd.oci.image.index.v1+json, "              \
	"application/vnd.docker.distribution.manifest.v2+json, " \
	"application/vnd.docker.distribution.manifest.list.v2+json"

void
session_open(struct session *s, const struct endpoint *at, const char *path, const char *login,
    double deadline)
{
	*s = (struct session){
		.at = at,
		.path = xasprintf("%s%s", at->prefix, path),
		.login = login,
		.curl = curl_easy_init(),
	};
	s->base = xasprintf("%s/v2/%s", at->root, s->path);
	s->deadline = deadline > 0 ? (long)(deadline + 0.999) : PROGRESS_DEADLINE;
	if (!s->curl)
		abort();
}

void
session_close(struct session *s)
{
	curl_easy_cleanup(s->curl);
	free(s->base);
	free(s->path);
	free(s->authorization);
}

/* An answer that is kept in memory: never more than a manifest may have. */
void
answer_take_body(struct answer *a, const char *data, size_t n)
{
	if (a->body.len + n > MAX_BODY)
		a->too_large = true;
	else
		buf_add(&a->body, data, n);
}

static size_t
take_body(char *data, size_t size, size_t n, void *arg)
{
	struct answer *a = arg;

	answer_take_body(a, data, n * size);
	return a->too_large ? 0 : n * size;
}

static size_t
take_header(char *data, size_t size, size_t n, void *arg)
{
	static const char name[] = "www-authenticate:";
	struct answer *a = arg;

	n *= size;
	if (n > 5 && strncmp(data, "HTTP/", 5) == 0) {
		const char *space = memchr(data, ' ', n);

		a->status = space ? strtol(space, NULL, 10) : 0;
		free(a->challenge); /* a redirect's headers are not the answer's */
		a->challenge = NULL;
	} else if (n > sizeof name && strncasecmp(data, name, sizeof name - 1) == 0) {
		char *value = xstrndup(data + sizeof name - 1, n - sizeof name + 1);

		value[strcspn(value, "\r\n")] = '\0';
		/* Several challenges: Bearer is the one registries mean. */
		if (!a->challenge || strcasestr(value, "bearer")) {
			free(a->challenge);
			a->challenge = steal(value);
		}
		free(value);
	}
	return n;
}

void
answer_release(struct answer *a)
{
	buf_release(&a->body);
	free(a->challenge);
	*a = (struct answer){ .body = BUF_INIT };
}

struct curl_slist *
session_headers(const char *authorization)
{
	struct curl_slist *headers = curl_slist_append(NULL, ACCEPT);

	return authorization ? curl_slist_append(headers, authorization) : headers;
}

/* TLS and no word of leaving it out. */
static bool
secure(const struct session *s)
{
	return text_starts(s->at->root, "https://") && !s->at->insecure;
}

void
session_prepare(const struct session *s, CURL *c, const char *url, struct curl_slist *headers,
    struct answer *a, char *problem)
{
	curl_easy_reset(c);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "orch/" ORCH_VERSION);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L); /* drops Authorization for other hosts */
	curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, secure(s) ? "https" : "http,https");
	curl_easy_setopt(c, CURLOPT_MAXREDIRS, 10L);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, s->deadline < 20 ? s->deadline : 20L);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1024L);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, s->deadline);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, problem);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, a);
	problem[0] = '\0';
	if (s->at->ca)
		curl_easy_setopt(c, CURLOPT_CAINFO, s->at->ca);
	if (s->at->insecure) {
		curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

/* One GET, answered with any status; a failure is one of the transport. */
static int
request(struct session *s, const char *url, const char *authorization, struct answer *a,
    struct err *err)
{
	struct curl_slist *headers = session_headers(authorization);
	CURLcode code;

	session_prepare(s, s->curl, url, headers, a, s->problem);
	curl_easy_setopt(s->curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(s->curl, CURLOPT_WRITEDATA, a);
	code = curl_easy_perform(s->curl);
	curl_slist_free_all(headers);
	if (a->too_large)
		return err_set(
		    err, ERR_TOO_LARGE, "'%s' answers with more than %d bytes", url, MAX_BODY);
	if (code != CURLE_OK)
		return err_set(err, ERR_UNAVAILABLE, "cannot get '%s': %s", url,
		    s->problem[0] ? s->problem : curl_easy_strerror(code));
	return 0;
}

char *
challenge_parameter(const char *challenge, const char *key)
{
	autofree char *want = xasprintf("%s=\"", key);
	const char *at = strcasestr(challenge, want);

	while (at && at > challenge && at[-1] != ' ' && at[-1] != ',')
		at = strcasestr(at + 1, want);
	if (!at)
		return NULL;
	at += strlen(want);
	return xstrndup(at, strcspn(at, "\""));
}

static void
set_authorization(struct session *s, char *header)
{
	free(s->authorization);
	s->authorization = header;
	s->logins++;
}

/* The token in an answer of a token service. */
static int
take_token(struct session *s, const struct answer *a, struct err *err)
{
	json_auto_t *reply = json_loadb(a->body.data ? a->body.data : "", a->body.len, 0, NULL);
	const char *token = text(reply, "token");

	if (!*token)
		token = text(reply, "access_token");
	if (!*token)
		return err_set(
		    err, ERR_UNAUTHORIZED, "the registry's token service sends no token");
	for (const char *c = token; *c; c++)
		if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f)
			return err_set(err, ERR_UNAUTHORIZED,
			    "the registry's token service sends a token that is none");
	set_authorization(s, xasprintf("Authorization: Bearer %s", token));
	return 0;
}

/* Is this a place to ask, and to show a login to?  What is said in private stays so. */
static int
check_realm(const struct session *s, const char *realm, struct err *err)
{
	bool tls = text_starts(realm, "https://");

	if (!tls && !text_starts(realm, "http://"))
		return err_set(err, ERR_UNAUTHORIZED,
		    "the registry sends us to '%.200s' for a token, which is no http or https URL",
		    realm);
	if (!tls && secure(s))
		return err_set(err, ERR_UNAUTHORIZED,
		    "the registry sends us to '%.200s' for a token, without TLS", realm);
	return 0;
}

/* A token for this repository from the realm of a Bearer challenge. */
static int
fetch_token(struct session *s, const char *challenge, struct err *err)
{
	autofree char *realm = challenge_parameter(challenge, "realm"),
		      *service = challenge_parameter(challenge, "service");
	autofree char *basic = NULL, *url = NULL, *scope = NULL, *who = NULL;
	struct answer a = { .body = BUF_INIT };
	int r;

	if (!realm)
		return err_set(
		    err, ERR_UNAUTHORIZED, "the registry asks for a token but names no realm");
	if ((r = check_realm(s, realm, err)) < 0)
		return r;
	scope = xasprintf("repository:%s:pull", s->path);
	who = service ? curl_easy_escape(s->curl, service, 0) : NULL;
	url = xasprintf("%s%cscope=%s%s%s", realm, strchr(realm, '?') ? '&' : '?', scope,
	    who ? "&service=" : "", who ? who : "");
	basic = s->login ? xasprintf("Authorization: %s", s->login) : NULL;
	if ((r = request(s, url, basic, &a, err)) == 0 && a.status != 200)
		r = err_set(err, a.status >= 500 ? ERR_UNAVAILABLE : ERR_UNAUTHORIZED,
		    "the registry gives no token (HTTP %ld)", a.status);
	if (r == 0)
		r = take_token(s, &a, err);
	answer_release(&a);
	return r;
}

int
session_authorize(struct session *s, const char *challenge, struct err *err)
{
	if (challenge && strcasestr(challenge, "bearer"))
		return fetch_token(s, challenge, err);
	if (!s->login)
		return err_set(err, ERR_UNAUTHORIZED,
		    "the registry '%s' asks for a login: no credentials", s->at->domain);
	set_authorization(s, xasprintf("Authorization: %s", s->login));
	return 0;
}

int
session_refused(const struct session *s, const char *what, const struct answer *a, struct err *err)
{
	json_auto_t *body = a->body.len ? json_loadb(a->body.data, a->body.len, 0, NULL) : NULL;
	json_t *first = json_array_get(get(body, "errors"), 0);
	enum err_code code = err_from_status("", (int)a->status);

	if (a->status == 429 || a->status >= 500) /* its trouble, not ours: another may do better */
		code = ERR_UNAVAILABLE;
	if (a->status == 404)
		return err_set(err, ERR_NOT_FOUND, "the registry '%s' has no %s in '%s'",
		    s->at->domain, what, s->path);
	return err_set(err, code, "the registry '%s' answers HTTP %ld for %s%s%s", s->at->domain,
	    a->status, what, first ? ": " : "", text(first, "message"));
}

int
session_get(
    struct session *s, const char *suffix, const char *what, struct answer *a, struct err *err)
{
	autofree char *url = xasprintf("%s/%s", s->base, suffix);
	int r;

	if ((r = request(s, url, s->authorization, a, err)) < 0)
		return r;
	if (a->status == 401) {
		autofree char *challenge = steal(a->challenge);

		if ((r = session_authorize(s, challenge, err)) < 0)
			return r;
		answer_release(a);
		if ((r = request(s, url, s->authorization, a, err)) < 0)
			return r;
	}
	return a->status / 100 == 2 ? 0 : session_refused(s, what, a, err);
}
