#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "node/digest.h"
#include "node/reference.h"

static bool
lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Path components (distribution spec, "Pulling manifests"): lower-case words parted by . _ - */
static bool
path_valid(const char *path)
{
	if (strlen(path) > 255)
		return false;
	for (const char *p = path; *p;) {
		size_t len = strcspn(p, "/");

		if (len == 0 || !lower_alnum(p[0]) || !lower_alnum(p[len - 1]))
			return false;
		for (size_t i = 0; i < len; i++)
			if (!lower_alnum(p[i]) && !strchr("._-", p[i]))
				return false;
		p += len;
		if (*p == '/' && *++p == '\0')
			return false;
	}
	return *path != '\0';
}

static bool
tag_valid(const char *tag)
{
	size_t len = strlen(tag);

	if (len == 0 || len > 128 || tag[0] == '.' || tag[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)tag[i]) && !strchr("._-", tag[i]))
			return false;
	return true;
}

static bool
domain_valid(const char *domain)
{
	if ((!isalnum((unsigned char)domain[0]) && domain[0] != '[') || strstr(domain, ".."))
		return false;
	for (const char *p = domain; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr(".-:[]_", *p))
			return false;
	return true;
}

/* Is the part before the first slash a host?  Docker asks for a dot, a colon or "localhost". */
static bool
is_domain(const char *s, size_t len)
{
	return memchr(s, '.', len) || memchr(s, ':', len) ||
	       (len == 9 && memcmp(s, "localhost", 9) == 0);
}

static void
split(struct reference *r, char *rest)
{
	char *at = strchr(rest, '@'), *slash, *colon;

	if (at) {
		*at = '\0';
		r->digest = xstrdup(at + 1);
	}
	slash = strchr(rest, '/');
	if (slash && is_domain(rest, (size_t)(slash - rest))) {
		r->domain = xstrndup(rest, (size_t)(slash - rest));
		rest = slash + 1;
	} else {
		r->domain = xstrdup("docker.io");
	}
	if ((colon = strrchr(rest, ':'))) {
		*colon = '\0';
		r->tag = xstrdup(colon + 1);
	} else if (!at) {
		r->tag = xstrdup("latest");
	}
	if (strcmp(r->domain, "index.docker.io") == 0)
		memmove(r->domain, "docker.io", sizeof "docker.io");
	if (strcmp(r->domain, "docker.io") == 0 && !strchr(rest, '/'))
		r->path = xasprintf("library/%s", rest);
	else
		r->path = xstrdup(rest);
}

int
reference_parse(struct reference *ret, const char *text, struct err *err)
{
	autofree char *copy = xstrdup(text);
	struct reference r = { 0 };
	const char *wrong = NULL;

	split(&r, copy);
	if (!domain_valid(r.domain))
		wrong = "bad registry name";
	else if (!path_valid(r.path))
		wrong = "a repository is lower-case letters, digits, and '.', '_', '-', '/' "
			"between them";
	else if (r.tag && !tag_valid(r.tag))
		wrong = "bad tag";
	else if (r.digest && !digest_valid(r.digest))
		wrong = "a digest is 'sha256:' and 64 hex digits";
	if (wrong) {
		reference_release(&r);
		return err_set(err, ERR_INVALID, "image reference '%s': %s", text, wrong);
	}
	*ret = r;
	return 0;
}

void
reference_release(struct reference *r)
{
	free(r->domain);
	free(r->path);
	free(r->tag);
	free(r->digest);
	*r = (struct reference){ 0 };
}

char *
reference_print(const struct reference *r)
{
	if (r->digest)
		return xasprintf("%s/%s@%s", r->domain, r->path, r->digest);
	return xasprintf("%s/%s:%s", r->domain, r->path, r->tag);
}

int
reference_complete(char **ret, const char *text, struct err *err)
{
	struct reference r;
	int code;

	if ((code = reference_parse(&r, text, err)) < 0)
		return code;
	*ret = reference_print(&r);
	reference_release(&r);
	return 0;
}
