#include <gnutls/gnutls.h>
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/credentials.h"

static char *
from_entry(const json_t *entry)
{
	const char *auth = text(entry, "auth");
	autofree char *plain = NULL;
	gnutls_datum_t in, out;
	char *header;

	if (*auth)
		return xasprintf("Authorization: Basic %s", auth);
	if (!*text(entry, "username"))
		return NULL;
	plain = xasprintf("%s:%s", text(entry, "username"), text(entry, "password"));
	in = (gnutls_datum_t){ (unsigned char *)plain, (unsigned)strlen(plain) };
	if (gnutls_base64_encode2(&in, &out) < 0)
		abort();
	header = xasprintf("Authorization: Basic %.*s", (int)out.size, (char *)out.data);
	gnutls_free(out.data);
	return header;
}

/* Keys are hosts, or URLs as older programs wrote them ("https://index.docker.io/v1/"). */
static bool
same_host(const char *key, const char *domain)
{
	size_t len;

	if (text_starts(key, "https://"))
		key += strlen("https://");
	else if (text_starts(key, "http://"))
		key += strlen("http://");
	len = strcspn(key, "/");
	if (strcmp(domain, "docker.io") == 0 && len == strlen("index.docker.io") &&
	    text_starts(key, "index.docker.io"))
		return true;
	return len == strlen(domain) && strncmp(key, domain, len) == 0;
}

static char *
from_document(const json_t *doc, const char *domain)
{
	const char *key;
	json_t *entry;

	json_object_foreach (get(doc, "auths"), key, entry)
		if (same_host(key, domain)) {
			char *header = from_entry(entry);

			if (header)
				return header;
		}
	return NULL;
}

char *
credentials_header(const char *domain, const json_t *auths, const char *file)
{
	autofree char *dflt = NULL;
	json_auto_t *doc = NULL;
	char *header = from_document(auths, domain);

	if (header)
		return header;
	if (!file) {
		const char *folder = getenv("DOCKER_CONFIG"), *home = getenv("HOME");

		if (folder)
			dflt = xasprintf("%s/config.json", folder);
		else
			dflt = xasprintf("%s/.docker/config.json", home ? home : "/root");
		file = dflt;
	}
	doc = json_load_file(file, 0, NULL);
	return from_document(doc, domain);
}
