/* Which kinds there are: a server that says so in one document, one that is too old for that, and
 * one whose extension server is away; and what a plan takes to be gone. */
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/mem.h"
#include "client/absent.h"
#include "client/client.h"
#include "control/served.h"
#include "control/world.h"

#define VERBS "\"verbs\":[\"list\",\"watch\",\"delete\",\"get\"]"
#define RESOURCE(name, kind, scoped) \
	"{\"name\":\"" name "\",\"kind\":\"" kind "\",\"namespaced\":" scoped "," VERBS "}"

struct page {
	const char *path, *status, *body;
};

static const struct page old[] = {
	{ "/api", "200 OK", "{\"kind\":\"APIVersions\",\"versions\":[\"v1\"]}" },
	{ "/api/v1", "200 OK",
	    "{\"kind\":\"APIResourceList\",\"groupVersion\":\"v1\",\"resources\":[" RESOURCE(
		"configmaps", "ConfigMap", "true") "," RESOURCE("pods/log", "Pod", "true") "]}" },
	{ "/apis", "200 OK",
	    "{\"kind\":\"APIGroupList\",\"groups\":["
	    "{\"name\":\"example.com\",\"versions\":[{\"version\":\"v1beta1\"},{\"version\":\"v1\"}"
	    "],\"preferredVersion\":{\"version\":\"v1\"}},"
	    "{\"name\":\"away.com\",\"versions\":[{\"version\":\"v1\"}],\"preferredVersion\":{"
	    "\"version\":\"v1\"}}]}" },
	{ "/apis/example.com/v1", "200 OK",
	    "{\"kind\":\"APIResourceList\",\"resources\":[" RESOURCE(
		"widgets", "Widget", "true") "," RESOURCE("shops", "Shop", "false") "]}" },
	{ "/apis/example.com/v1beta1", "200 OK",
	    "{\"kind\":\"APIResourceList\",\"resources\":[" RESOURCE(
		"widgets", "Widget", "true") "," RESOURCE("gates", "Gate", "true") "]}" },
	{ "/apis/away.com/v1", "503 Service Unavailable", "service unavailable" },
	{ 0 },
};

#define KIND(resource, kind, scope)                                         \
	"{\"resource\":\"" resource "\",\"responseKind\":{\"kind\":\"" kind \
	"\"},\"scope\":\"" scope "\"," VERBS "}"
#define DOCUMENT(items)                                                             \
	"{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s.io/" \
	"v2\",\"items\":[" items "]}"

static const struct page new[] = {
	{ "/api", "200 OK",
	    DOCUMENT("{\"metadata\":{},\"versions\":[{\"version\":\"v1\",\"resources\":[" KIND(
		"configmaps", "ConfigMap", "Namespaced") "]}]}") },
	{ "/apis", "200 OK",
	    DOCUMENT("{\"metadata\":{\"name\":\"example.com\"},\"versions\":[{\"version\":\"v1\","
		     "\"resources\":[" KIND("widgets", "Widget", "Namespaced") "]}]}") },
	{ "/api/v1/namespaces/empty/configmaps", "200 OK", "{\"items\":[]}" },
	{ "/apis/example.com/v1/namespaces/empty/widgets", "404 Not Found", "" },
	{ "/api/v1/namespaces/full/configmaps", "200 OK", "{\"items\":[]}" },
	{ "/apis/example.com/v1/namespaces/full/widgets", "200 OK",
	    "{\"items\":[{\"metadata\":{\"name\":\"w\"}}]}" },
	{ "/api/v1/namespaces/broken/configmaps", "200 OK", "{\"items\":[]}" },
	{ "/apis/example.com/v1/namespaces/broken/widgets", "500 Oh", "no" },
	{ "/apis/example.com/v1/namespaces/d/widgets/w", "200 OK",
	    "{\"metadata\":{\"name\":\"w\",\"uid\":\"u\"}}" },
	{ 0 },
};

static const struct page *pages;

/* One request; what is not on a page is not found. */
static void
answer(int fd)
{
	char request[8192] = "", path[512] = "", head[256];
	const char *status = "404 Not Found", *body = "";
	size_t got = 0;

	while (got < sizeof request - 1 && !strstr(request, "\r\n\r\n")) {
		ssize_t n = read(fd, request + got, sizeof request - 1 - got);

		if (n <= 0)
			return;
		got += (size_t)n;
		request[got] = '\0';
	}
	assert(sscanf(request, "GET %511[^ ?]", path) == 1);
	for (const struct page *p = pages; p->path; p++)
		if (strcmp(p->path, path) == 0)
			status = p->status, body = p->body;
	snprintf(head, sizeof head,
	    "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", status,
	    strlen(body));
	assert(write(fd, head, strlen(head)) == (ssize_t)strlen(head));
	assert(write(fd, body, strlen(body)) == (ssize_t)strlen(body));
}

static void *
serve(void *arg)
{
	int listener = *(int *)arg, fd;

	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		answer(fd);
		close(fd);
	}
	return NULL;
}

static struct world *
world_of(struct client *c)
{
	struct world *w = world_new();
	json_auto_t *groups = NULL;
	struct err err;
	json_t *group;
	size_t i;

	assert(client_groups(c, &groups, &err) == 0);
	client_learn(c, groups);
	json_array_foreach (groups, i, group)
		world_put(w, json_incref(group));
	return w;
}

static void
is_served(const struct world *w, const char *group_kind, const char *version, bool namespaced)
{
	const struct served *s = world_served(w, group_kind);

	assert(s && strcmp(s->version, version) == 0 && s->namespaced == namespaced && !s->stale);
	assert(served_is_content(s) == namespaced);
}

static void
from_old(struct client *c)
{
	const struct kind *k, *beta;
	struct world *w;
	struct err err;

	pages = old;
	w = world_of(c);
	is_served(w, "ConfigMap", "v1", true);
	is_served(w, "Widget.example.com", "v1", true);
	is_served(w, "Shop.example.com", "v1", false);
	is_served(w, "Gate.example.com", "v1beta1", true);
	assert(!world_served(w, "Pod"));
	assert(strcmp(world_failing(w, 0), "away.com/v1") == 0 && !world_failing(w, 1));
	assert(client_kind(c, "widgets", &k, &err) == 0 && strcmp(k->version, "v1") == 0);
	assert(client_kind(c, "widget.v1beta1.example.com", &beta, &err) == 0);
	assert(strcmp(beta->version, "v1beta1") == 0);
	assert(client_kind(c, "widget.v2.example.com", &k, &err) == -ERR_BAD_REQUEST);
	assert(act_still_empty(c, "any", &err) == -ERR_UNAVAILABLE);
	world_free(w);
}

static int
is_absent(
    struct client *c, const char *api_version, const char *kind, const char *name, struct err *err)
{
	json_auto_t *refs = json_pack("[{s:s, s:s, s:s, s:s, s:s}]", "apiVersion", api_version,
	    "kind", kind, "namespace", "d", "name", name, "uid", "u");

	return act_still_absent(c, refs, err);
}

static void
from_new(struct client *c)
{
	const struct kind *widget = client_kind_known(c, "example.com", "v1", "widgets");
	struct world *w;
	struct err err;

	pages = new;
	w = world_of(c);
	is_served(w, "Widget.example.com", "v1", true);
	assert(!world_served(w, "Shop.example.com") && !world_failing(w, 0));
	/* a kind that is still the same is the same; one that went is no more */
	assert(client_kind_known(c, "example.com", "v1", "widgets") == widget);
	assert(!client_kind_known(c, "example.com", "v1", "shops"));
	assert(act_still_empty(c, "", &err) == 0);
	assert(act_still_empty(c, "empty", &err) == 0);
	assert(act_still_empty(c, "full", &err) == -ERR_CONFLICT);
	assert(act_still_empty(c, "broken", &err) < 0);
	assert(is_absent(c, "example.com/v1", "Widget", "w", &err) == -ERR_CONFLICT);
	assert(is_absent(c, "example.com/v1", "Widget", "x", &err) == 0);
	/* there in the version that is served, though not in the one that the reference has */
	assert(is_absent(c, "example.com/v1beta1", "Widget", "w", &err) == -ERR_CONFLICT);
	assert(is_absent(c, "example.com/v1", "Gate", "w", &err) == 0);
	world_free(w);
}

int
main(void)
{
	char dir[] = "/tmp/orch-kinds-XXXXXX", url[128];
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct client *c;
	pthread_t thread;
	struct err err;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert(mkdtemp(dir));
	snprintf(sa.sun_path, sizeof sa.sun_path, "%s/s", dir);
	snprintf(url, sizeof url, "unix:%s", sa.sun_path);
	assert(bind(fd, (struct sockaddr *)&sa, sizeof sa) == 0 && listen(fd, 16) == 0);
	assert(pthread_create(&thread, NULL, serve, &fd) == 0);
	client_options.server = url;
	assert(client_open(&c, &err) == 0);
	from_old(c);
	from_new(c);
	client_close(c);
	shutdown(fd, SHUT_RDWR);
	pthread_join(thread, NULL);
	close(fd);
	unlink(sa.sun_path);
	rmdir(dir);
	return 0;
}
