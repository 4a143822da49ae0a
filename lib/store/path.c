#include <string.h>

#include "api/registry.h"
#include "base/mem.h"
#include "store/path.h"

enum { PARTS = 9 };

void
target_release(struct target *t)
{
	free(t->text);
	t->text = NULL;
}

/* Cut "/a/b/c" at the slashes; parts may be empty.  -1: more than PARTS, which is no API path. */
static int
split(char *path, char *part[PARTS])
{
	int n = 0;

	while (*path == '/') {
		*path++ = '\0';
		if (*path == '\0')
			return n; /* one slash at the end is allowed */
		if (n == PARTS)
			return -1;
		part[n++] = path;
		path += strcspn(path, "/");
	}
	return n;
}

/* [namespaces/NS/]RESOURCE[/NAME[/SUB]], where namespaces/NS/status and /finalize are the
 * Namespace's own. */
static bool
parse_resource(struct target *t, char **part, int n)
{
	int i = 0;

	if (n >= 3 && strcmp(part[0], "namespaces") == 0 && strcmp(part[2], "status") != 0 &&
	    strcmp(part[2], "finalize") != 0) {
		t->namespace = part[1];
		i = 2;
	}
	t->resource = part[i++];
	if (i < n)
		t->name = part[i++];
	if (i < n)
		t->sub = part[i++];
	return i == n;
}

/* An empty namespace is all of them; nothing else may be empty, and a watch is of no subresource.
 */
static bool
well_formed(const struct target *t, char **part, int n)
{
	bool all = n == 3 && part[1] == t->namespace;

	for (int i = 0; i < n; i++)
		if (*part[i] == '\0' && !(all && i == 1))
			return false;
	return !(t->watch && *t->sub);
}

/* Below a group of custom kinds only what is there is known at all. */
static enum target_type
absent(const struct target *t)
{
	return registry_group(t->group, NULL) && !group_built_in(t->group) ? TARGET_UNKNOWN
									   : TARGET_MISSING;
}

static enum target_type
resource_type(struct target *t, char **part, int n)
{
	if (n > 1 && strcmp(part[0], "watch") == 0) {
		t->watch = true;
		part++;
		n--;
	}
	if (!parse_resource(t, part, n) || !well_formed(t, part, n))
		return TARGET_MISSING;
	t->kind = kind_of_resource(t->group, t->version, t->resource);
	if (!t->kind)
		return absent(t);
	if (*t->namespace && !t->kind->namespaced)
		return absent(t);
	return TARGET_RESOURCE;
}

static enum target_type
api_type(struct target *t, char **part, int n)
{
	if (strcmp(part[0], "api") == 0) {
		if (n == 1)
			return TARGET_API;
		t->version = part[1];
		if (*t->version == '\0')
			return TARGET_UNKNOWN;
		if (!schema_group("", t->version)) {
			if (n > 2)
				parse_resource(t, part + 2, n - 2);
			return TARGET_MISSING;
		}
		return n == 2 ? TARGET_VERSION : resource_type(t, part + 2, n - 2);
	}
	if (n == 1)
		return TARGET_APIS;
	t->group = part[1];
	if (n > 3)
		t->version = part[2];
	if (*t->group == '\0' || !schema_group(t->group, NULL)) {
		if (n > 3) /* what it would be: who may not ask is told so first */
			parse_resource(t, part + 3, n - 3);
		return TARGET_UNKNOWN;
	}
	if (n == 2)
		return TARGET_GROUP;
	t->version = part[2];
	if (!schema_group(t->group, t->version)) {
		if (n > 3)
			parse_resource(t, part + 3, n - 3);
		return absent(t);
	}
	return n == 3 ? TARGET_VERSION : resource_type(t, part + 3, n - 3);
}

/* /openapi/v2, /openapi/v3 and what is below it */
static enum target_type
openapi_type(char **part, int n)
{
	if (n >= 2 && strcmp(part[1], "v3") == 0)
		return TARGET_OPENAPI;
	return n == 2 && strcmp(part[1], "v2") == 0 ? TARGET_OPENAPI : TARGET_UNKNOWN;
}

static bool
openid_type(char **part, int n)
{
	return (n == 2 && strcmp(part[0], ".well-known") == 0 &&
		   strcmp(part[1], "openid-configuration") == 0) ||
	       (n == 3 && strcmp(part[0], "openid") == 0 && strcmp(part[1], "v1") == 0 &&
		   strcmp(part[2], "jwks") == 0);
}

static enum target_type
type_of(struct target *t, char **part, int n)
{
	if (n == 0)
		return TARGET_ROOT;
	if (n < 0 || *part[0] == '\0')
		return TARGET_UNKNOWN;
	if (strcmp(part[0], "api") == 0 || strcmp(part[0], "apis") == 0)
		return api_type(t, part, n);
	if (strcmp(part[0], "healthz") == 0 || strcmp(part[0], "livez") == 0 ||
	    strcmp(part[0], "readyz") == 0)
		return n <= 2 ? TARGET_HEALTH : TARGET_UNKNOWN;
	if (strcmp(part[0], "openapi") == 0)
		return openapi_type(part, n);
	if (n == 1 && strcmp(part[0], "version") == 0)
		return TARGET_SERVER_VERSION;
	if (n == 1 && strcmp(part[0], "metrics") == 0)
		return TARGET_METRICS;
	if (openid_type(part, n))
		return TARGET_OPENID;
	return TARGET_UNKNOWN;
}

/*
 * Whatever stands behind /api/v1/nodes/NAME/proxy or /api/v1/namespaces/NS/RESOURCE/NAME/proxy is
 * no path of ours.  Cuts it off; the number of parts that are left, 0 when it is none of those.
 */
static int
cut_proxied(char *path)
{
	char *p = path, *end = NULL;
	int deep = strncmp(path, "/api/v1/namespaces/", 19) == 0 ? 7
		   : strncmp(path, "/api/v1/nodes/", 14) == 0	 ? 5
								 : 0;

	for (int i = 0; i < deep && p; i++) {
		end = p;
		p = strchr(p + 1, '/');
	}
	if (!deep || !end || strncmp(end, "/proxy", 6) != 0 || (end[6] && end[6] != '/'))
		return 0;
	if (p)
		*p = '\0';
	return deep;
}

void
target_parse(struct target *t, const char *path)
{
	char *part[PARTS];
	int n;

	*t = (struct target){
		.group = "", .version = "", .namespace = "", .resource = "", .name = "", .sub = ""
	};
	t->text = xstrdup(path);
	t->depth = cut_proxied(t->text);
	n = split(t->text, part);
	t->type = type_of(t, part, n);
	if (t->type != TARGET_RESOURCE)
		t->kind = NULL;
}

/* Nobody may think that he reads a path better than who let it through: it has no empty parts but
 * the last, and goes nowhere up. */
static bool
is_plain(const char *path)
{
	while (*path == '/' && path[1]) {
		size_t n = strcspn(++path, "/");

		if (n == 0 || (n <= 2 && strncmp(path, "..", n) == 0))
			return false;
		path += n;
	}
	return true;
}

bool
target_parse_remote(struct target *t, const char *path)
{
	char *part[PARTS], *p;
	int n = 0;

	*t = (struct target){
		.group = "", .version = "", .namespace = "", .resource = "", .name = "", .sub = ""
	};
	t->text = p = xstrdup(path);
	while (n < PARTS && *p == '/') { /* what is further down decides nothing */
		*p++ = '\0';
		if (!*p)
			break;
		part[n++] = p;
		p += strcspn(p, "/");
	}
	*p = '\0';
	if (n < 3 || strcmp(part[0], "apis") != 0 || !*part[1] || !*part[2])
		return false;
	t->type = is_plain(path) ? TARGET_REMOTE : TARGET_UNKNOWN;
	t->group = part[1];
	t->version = part[2];
	if (n > 4 && strcmp(part[3], "watch") == 0) {
		t->watch = true;
		parse_resource(t, part + 4, n - 4);
	} else if (n > 3) {
		parse_resource(t, part + 3, n - 3);
	}
	return true;
}
