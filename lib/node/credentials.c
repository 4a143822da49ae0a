#include <fnmatch.h>
#include <gnutls/gnutls.h>
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/text.h"
#include "node/credentials.h"

static json_t *
basic(const char *user, const char *password)
{
	autofree char *plain = xasprintf("%s:%s", user, password);
	gnutls_datum_t in = { (unsigned char *)plain, (unsigned)strlen(plain) }, out;
	json_t *login;

	if (gnutls_base64_encode2(&in, &out) < 0)
		abort();
	login = json_sprintf("Basic %.*s", (int)out.size, (char *)out.data);
	gnutls_free(out.data);
	return login;
}

static json_t *
from_entry(const json_t *entry)
{
	const char *auth = text(entry, "auth");

	if (*auth && !auth[strcspn(auth, "\r\n")])
		return json_sprintf("Basic %s", auth);
	return *text(entry, "username") ? basic(text(entry, "username"), text(entry, "password"))
					: NULL;
}

/* One part of a host name against one of a key; a "*" stays within it. */
static bool
part_fits(const char *key, size_t klen, const char *host, size_t hlen)
{
	autofree char *pattern = xstrndup(key, klen), *name = xstrndup(host, hlen);

	return fnmatch(pattern, name, 0) == 0;
}

/* Part by part, and as many; the port is as it is written. */
static bool
host_fits(const char *key, size_t klen, const char *host)
{
	const char *end = key + klen;

	for (;;) {
		size_t k = strcspn(key, ".:/"), h = strcspn(host, ".:");

		k = k < (size_t)(end - key) ? k : (size_t)(end - key);
		if (!part_fits(key, k, host, h))
			return false;
		key += k;
		host += h;
		if (key == end || !*host)
			return key == end && !*host;
		if (*key != *host)
			return false;
		if (*key == ':')
			return (size_t)(end - key) == strlen(host) &&
			       strncmp(key, host, strlen(host)) == 0;
		key++;
		host++;
	}
}

/* Does a key of "auths" speak of the repository? As the kubelet: a key's path is a prefix. */
static bool
fits(const char *key, const char *domain, const char *path)
{
	size_t host;

	if (text_starts(key, "https://"))
		key += strlen("https://");
	else if (text_starts(key, "http://"))
		key += strlen("http://");
	host = strcspn(key, "/");
	if (strcmp(domain, "docker.io") == 0 &&
	    ((host == 15 && text_starts(key, "index.docker.io")) ||
		(host == 20 && text_starts(key, "registry-1.docker.io"))))
		domain = NULL;
	if (domain && !host_fits(key, host, domain))
		return false;
	key += host;
	if (text_starts(key, "/v1/") || text_starts(key, "/v2/"))
		key += 3;
	else if (strcmp(key, "/v1") == 0 || strcmp(key, "/v2") == 0)
		key += 3;
	if (*key == '/')
		key++;
	return strncmp(path, key, strlen(key)) == 0;
}

static int
later_first(const void *a, const void *b)
{
	return strcmp(*(const char *const *)b, *(const char *const *)a);
}

/* What `auths` has, by key from the last to the first: "host/path" comes before "host". */
static void
from_auths(json_t *ret, const json_t *auths, const char *domain, const char *path)
{
	const char **keys = xcalloc(json_object_size(auths) + 1, sizeof *keys), *key;
	json_t *entry;
	size_t n = 0;

	json_object_foreach ((json_t *)auths, key, entry)
		if (fits(key, domain, path))
			keys[n++] = key;
	qsort(keys, n, sizeof *keys, later_first);
	for (size_t i = 0; i < n; i++) {
		json_t *login = from_entry(json_object_get(auths, keys[i]));

		if (login)
			json_array_append_new(ret, login);
	}
	free(keys);
}

/* docker-credential-NAME get: the registry goes in, {"Username", "Secret"} comes out. */
static void
from_helper(json_t *ret, const char *name, const char *domain)
{
	autofree char *program = xasprintf("docker-credential-%s", name);
	const char *const argv[] = { program, "get", NULL };
	const char *url = strcmp(domain, "docker.io") == 0 ? "https://index.docker.io/v1/" : domain;
	autobuf struct buf out = BUF_INIT;
	json_auto_t *answer = NULL;
	struct err ignored; /* it knows nothing of this registry */

	if (!*name || strchr(name, '/') || proc_run(argv, url, &out, &ignored) < 0 || !out.len)
		return;
	answer = json_loadb(out.data, out.len, 0, NULL);
	if (*text(answer, "Username"))
		json_array_append_new(ret, basic(text(answer, "Username"), text(answer, "Secret")));
}

static void
from_file(json_t *ret, const char *file, const char *domain, const char *path)
{
	json_auto_t *doc = json_load_file(file, 0, NULL);
	const char *key;
	json_t *name;
	bool asked = false;

	json_object_foreach (get(doc, "credHelpers"), key, name)
		if (fits(key, domain, path)) {
			from_helper(ret, str(name, ""), domain);
			asked = true;
		}
	if (!asked)
		from_helper(ret, text(doc, "credsStore"), domain);
	from_auths(ret, get(doc, "auths"), domain, path);
}

json_t *
credentials_find(const char *domain, const char *path, const json_t *docs, const char *file)
{
	json_t *ret = json_array(), *doc;
	autofree char *dflt = NULL;
	size_t i;

	json_array_foreach (docs, i, doc)
		from_auths(ret, get(doc, "auths"), domain, path);
	if (!file) {
		const char *folder = getenv("DOCKER_CONFIG"), *home = getenv("HOME");

		if (folder)
			dflt = xasprintf("%s/config.json", folder);
		else
			dflt = xasprintf("%s/.docker/config.json", home ? home : "/root");
		file = dflt;
	}
	from_file(ret, file, domain, path);
	return ret;
}
