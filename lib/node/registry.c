/*
 * Pulling images: OCI distribution-spec "Pull", with the token flow that registries share
 * (401 and WWW-Authenticate: Basic, or Bearer with realm, service and scope).
 */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/credentials.h"
#include "node/digest.h"
#include "node/files.h"
#include "node/reference.h"
#include "node/registry.h"

enum { MAX_MANIFEST = 8 << 20, ATTEMPTS = 4 };

/* Without all four the registry answers 404 for what it has. */
#define ACCEPT                                                   \
	"Accept: application/vnd.oci.image.manifest.v1+json, "   \
	"application/vnd.oci.image.index.v1+json, "              \
	"application/vnd.docker.distribution.manifest.v2+json, " \
	"application/vnd.docker.distribution.manifest.list.v2+json"

struct pull {
	struct images *store;
	const struct pull_options *options;
	struct reference ref;
	CURL *curl;
	char *base;	     /* https://host/v2/path */
	char *authorization; /* the header that worked, or NULL */
	char *tmp;	     /* our folder in the store */
	char problem[CURL_ERROR_SIZE];
};

/* One answer: its body in memory or in a file, and the headers we ask about. */
struct answer {
	struct buf body;
	int fd; /* -1: into body */
	long status;
	char *challenge; /* WWW-Authenticate */
	bool too_large;
};

static size_t
take_body(char *data, size_t size, size_t n, void *arg)
{
	struct answer *a = arg;

	n *= size;
	if (a->fd >= 0 && a->status / 100 == 2)
		return write(a->fd, data, n) == (ssize_t)n ? n : 0;
	if (a->body.len + n > MAX_MANIFEST) {
		a->too_large = true;
		return 0;
	}
	buf_add(&a->body, data, n);
	return n;
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

static void
answer_release(struct answer *a)
{
	buf_release(&a->body);
	free(a->challenge);
	a->challenge = NULL;
	a->status = 0;
	a->too_large = false;
}

static void
set_options(
    struct pull *p, const char *url, struct curl_slist *headers, struct answer *a, int64_t from)
{
	CURL *c = p->curl;

	curl_easy_reset(c);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "orch/" ORCH_VERSION);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L); /* drops Authorization for other hosts */
	curl_easy_setopt(c, CURLOPT_MAXREDIRS, 10L);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, 20L);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1024L);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, 60L);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, p->problem);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, a);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, a);
	if (from > 0)
		curl_easy_setopt(c, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)from);
	if (p->options->insecure) {
		curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

/* One GET, answered with any status; a failure is one of the transport. */
static int
request(struct pull *p, const char *url, const char *authorization, struct answer *a, int64_t from,
    struct err *err)
{
	struct curl_slist *headers = curl_slist_append(NULL, ACCEPT);
	CURLcode code;

	if (authorization)
		headers = curl_slist_append(headers, authorization);
	p->problem[0] = '\0';
	set_options(p, url, headers, a, from);
	code = curl_easy_perform(p->curl);
	curl_slist_free_all(headers);
	if (a->too_large)
		return err_set(
		    err, ERR_TOO_LARGE, "'%s' answers with more than %d bytes", url, MAX_MANIFEST);
	if (code != CURLE_OK)
		return err_set(err, ERR_UNAVAILABLE, "cannot get '%s': %s", url,
		    p->problem[0] ? p->problem : curl_easy_strerror(code));
	return 0;
}

/* The value of key="value" in a challenge, a new string or NULL. */
static char *
parameter(const char *challenge, const char *key)
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

/* A token for this repository from the realm of a Bearer challenge. */
static int
fetch_token(struct pull *p, const char *challenge, struct err *err)
{
	autofree char *realm = parameter(challenge, "realm"),
		      *service = parameter(challenge, "service");
	autofree char *basic = NULL, *url = NULL, *scope = NULL, *who = NULL;
	struct answer a = { .fd = -1 };
	json_auto_t *reply = NULL;
	const char *token;
	int r;

	if (!realm)
		return err_set(
		    err, ERR_UNAUTHORIZED, "the registry asks for a token but names no realm");
	scope = xasprintf("repository:%s:pull", p->ref.path);
	who = service ? curl_easy_escape(p->curl, service, 0) : NULL;
	url = xasprintf("%s%cscope=%s%s%s", realm, strchr(realm, '?') ? '&' : '?', scope,
	    who ? "&service=" : "", who ? who : "");
	basic = credentials_header(p->ref.domain, p->options->auths, p->options->auth_file);
	if ((r = request(p, url, basic, &a, 0, err)) == 0 && a.status != 200)
		r = err_set(
		    err, ERR_UNAUTHORIZED, "the registry gives no token (HTTP %ld)", a.status);
	if (r == 0) {
		reply = json_loadb(a.body.data ? a.body.data : "", a.body.len, 0, NULL);
		token = text(reply, "token");
		if (!*token)
			token = text(reply, "access_token");
		if (!*token)
			r = err_set(
			    err, ERR_UNAUTHORIZED, "the registry's token service sends no token");
	}
	if (r == 0) {
		free(p->authorization);
		p->authorization = xasprintf("Authorization: Bearer %s", token);
	}
	answer_release(&a);
	return r;
}

/* Answer a 401: fills p->authorization for the next try. */
static int
authorize(struct pull *p, const char *challenge, struct err *err)
{
	if (challenge && strcasestr(challenge, "bearer"))
		return fetch_token(p, challenge, err);
	free(p->authorization);
	p->authorization =
	    credentials_header(p->ref.domain, p->options->auths, p->options->auth_file);
	if (!p->authorization)
		return err_set(err, ERR_UNAUTHORIZED,
		    "the registry '%s' asks for a login: no credentials", p->ref.domain);
	return 0;
}

static int
refused(const struct pull *p, const char *what, const struct answer *a, struct err *err)
{
	json_auto_t *body = a->body.len ? json_loadb(a->body.data, a->body.len, 0, NULL) : NULL;
	json_t *first = json_array_get(get(body, "errors"), 0);
	enum err_code code = err_from_status("", (int)a->status);

	if (a->status == 404)
		return err_set(err, ERR_NOT_FOUND, "the registry '%s' has no %s in '%s'",
		    p->ref.domain, what, p->ref.path);
	return err_set(err, code, "the registry '%s' answers HTTP %ld for %s%s%s", p->ref.domain,
	    a->status, what, first ? ": " : "", text(first, "message"));
}

/* GET base/suffix with one round of authorization: 2xx or an error. */
static int
fetch(struct pull *p, const char *suffix, const char *what, struct answer *a, int64_t from,
    struct err *err)
{
	autofree char *url = xasprintf("%s/%s", p->base, suffix);
	int r;

	if ((r = request(p, url, p->authorization, a, from, err)) < 0)
		return r;
	if (a->status == 401) {
		autofree char *challenge = steal(a->challenge);

		if ((r = authorize(p, challenge, err)) < 0)
			return r;
		answer_release(a);
		if ((r = request(p, url, p->authorization, a, from, err)) < 0)
			return r;
	}
	return a->status / 100 == 2 ? 0 : refused(p, what, a, err);
}

static int
fetch_manifest(struct pull *p, const char *which, struct buf *raw, char digest[static DIGEST_TEXT],
    struct err *err)
{
	autofree char *suffix = xasprintf("manifests/%s", which);
	struct answer a = { .fd = -1 };
	int r;

	if ((r = fetch(p, suffix, "such manifest", &a, 0, err)) == 0) {
		digest_of(a.body.data, a.body.len, digest);
		if (digest_valid(which) && strcmp(which, digest) != 0)
			r = err_set(err, ERR_INVALID,
			    "manifest %.19s is damaged: its digest is %.19s", which, digest);
		else {
			*raw = a.body;
			a.body = (struct buf)BUF_INIT;
		}
	}
	answer_release(&a);
	return r;
}

/* One try at a blob, going on behind what the file has. */
static int
download_once(struct pull *p, const char *suffix, const char *path, int64_t size, struct err *err)
{
	autoclose int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	struct answer a = { .fd = fd };
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot write '%s'", path);
	if (st.st_size > 0 && st.st_size == size)
		return 0;
	r = fetch(p, suffix, "such blob", &a, st.st_size, err);
	if (r == 0 && st.st_size > 0 &&
	    (a.status != 206 || fstat(fd, &st) < 0 || st.st_size != size)) {
		/* A server that cannot resume: all of it again. */
		r = err_set(err, ERR_UNAVAILABLE, "cannot resume the download of '%s'", suffix);
		if (ftruncate(fd, 0) < 0)
			r = err_sys(err, errno, "cannot write '%s'", path);
	}
	answer_release(&a);
	return r;
}

/* Download a blob; what an earlier try left in the file is not asked for again. */
static int
download(struct pull *p, const json_t *descriptor, const char *path, struct err *err)
{
	autofree char *suffix = xasprintf("blobs/%s", text(descriptor, "digest"));
	int r = 0;

	for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
		if (attempt > 0)
			sleep(1u << (attempt - 1));
		r = download_once(p, suffix, path, num(get(descriptor, "size"), -1), err);
		if (r != -ERR_UNAVAILABLE)
			break;
	}
	return r;
}

static int
get_blob(void *arg, const json_t *descriptor, char **file, struct err *err)
{
	struct pull *p = arg;
	const char *digest = text(descriptor, "digest");
	autofree char *path = NULL;
	int r;

	if (!digest_valid(digest))
		return err_set(err, ERR_INVALID, "'%.80s' is no sha256 digest", digest);
	path = xasprintf("%s/%s", p->tmp, digest_hex(digest));
	if ((r = download(p, descriptor, path, err)) < 0 ||
	    (r = blob_verify(path, descriptor, err)) < 0)
		return r;
	*file = steal(path);
	return 0;
}

static int
pull_manifests(struct pull *p, char **id, struct err *err)
{
	autofree char *name = reference_print(&p->ref);
	char digest[DIGEST_TEXT], child[DIGEST_TEXT];
	struct image_source from = { name, digest, "pull", 0 };
	struct blobs blobs = { p, get_blob };
	autobuf struct buf raw = BUF_INIT;
	json_auto_t *manifest = NULL;
	const json_t *mine;
	int r;

	if ((r = fetch_manifest(p, p->ref.digest ? p->ref.digest : p->ref.tag, &raw, digest, err)) <
		0 ||
	    (r = manifest_parse(&manifest, &raw, err)) < 0)
		return r;
	if (manifest_is_index(manifest)) {
		buf_release(&raw);
		if ((r = index_choose(manifest, &mine, err)) < 0 ||
		    (r = fetch_manifest(p, text(mine, "digest"), &raw, child, err)) < 0)
			return r;
	}
	return image_assemble(p->store, &raw, &blobs, &from, id, err);
}

static bool
loopback(const char *domain)
{
	size_t host = strcspn(domain, ":");

	return (host == 9 && text_starts(domain, "localhost")) || text_starts(domain, "127.") ||
	       text_starts(domain, "[::1]");
}

int
image_pull(
    struct images *s, const char *ref, const struct pull_options *o, char **id, struct err *err)
{
	autoclose int hold = images_hold(s, err);
	struct pull p = { .store = s, .options = o };
	struct err ignored;
	int r;

	if (hold < 0)
		return hold;
	if ((r = reference_parse(&p.ref, ref, err)) < 0)
		return r;
	if ((r = images_tmp(s, &p.tmp, err)) == 0) {
		bool plain = o->insecure || loopback(p.ref.domain);
		bool hub = strcmp(p.ref.domain, "docker.io") == 0;

		p.base = xasprintf("%s://%s/v2/%s", plain ? "http" : "https",
		    hub ? "registry-1.docker.io" : p.ref.domain, p.ref.path);
		p.curl = curl_easy_init();
		r = pull_manifests(&p, id, err);
		curl_easy_cleanup(p.curl);
		tree_remove(p.tmp, &ignored);
	}
	reference_release(&p.ref);
	free(p.tmp);
	free(p.base);
	free(p.authorization);
	return r;
}
