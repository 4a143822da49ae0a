/* The cache against a scripted server: pages, a watch in pieces, 410, what vanishes, a lost
 * connection. */
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
#include "client/cache.h"

#define OBJ(name, version)                                                           \
	"{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"d\",\"uid\":\"u-" name \
	"\",\"resourceVersion\":\"" version "\"}}"
#define LIST(more, version, items)                                                             \
	"{\"kind\":\"ConfigMapList\",\"apiVersion\":\"v1\",\"metadata\":{\"continue\":\"" more \
	"\",\"resourceVersion\":\"" version "\"},\"items\":[" items "]}"
#define EVENT(type, obj) "{\"type\":\"" type "\",\"object\":" obj "}\n"

/* What is asked for, in this order, and the answer; hold: the connection stays open for a moment.
 */
static const struct step {
	const char *asks, *status, *body;
	bool hold;
} script[] = {
	{ "limit=500 ", "503 Unavailable",
	    "{\"kind\":\"Status\",\"message\":\"not yet\",\"reason\":\"ServiceUnavailable\"}",
	    false },
	{ "limit=500 ", "200 OK", LIST("", "2", OBJ("a", "1") "," OBJ("b", "2")), false },
	{ "resourceVersion=2", "200 OK",
	    EVENT("ADDED", OBJ("c", "3"))
		EVENT("BOOKMARK", "{\"metadata\":{\"resourceVersion\":\"4\"}}"),
	    false },
	{ "resourceVersion=4", "200 OK",
	    EVENT("ERROR", "{\"kind\":\"Status\",\"code\":410,\"reason\":\"Expired\",\"message\":"
			   "\"too old\"}"),
	    false },
	{ "limit=500 ", "200 OK", LIST("p2", "6", OBJ("a", "1")), false },
	{ "continue=p2", "200 OK", LIST("", "6", OBJ("b", "5")), false },
	{ "resourceVersion=6", "410 Gone",
	    "{\"kind\":\"Status\",\"code\":410,\"reason\":\"Expired\"}", false },
	{ "limit=500 ", "200 OK", LIST("", "7", OBJ("a", "1") "," OBJ("b", "5")), false },
	{ "resourceVersion=7", "200 OK",
	    EVENT("DELETED", OBJ("a", "8")) EVENT("MODIFIED", OBJ("b", "9")), true },
};
static char socket_path[108];

static void
send_slowly(int fd, const char *text)
{
	for (; *text; text++) {
		char chunk[8];
		int n = snprintf(chunk, sizeof chunk, "1\r\n%c\r\n", *text);

		if (write(fd, chunk, (size_t)n) != n)
			return;
	}
	if (write(fd, "0\r\n\r\n", 5) != 5)
		return;
}

static void *
serve(void *arg)
{
	int listener = *(int *)arg;

	for (size_t i = 0; i < COUNT(script); i++) {
		int fd = accept(listener, NULL, NULL);
		char request[4096], head[256];
		size_t got = 0;

		while (fd >= 0 && got < sizeof request - 1) {
			ssize_t n = read(fd, request + got, sizeof request - 1 - got);

			assert(n > 0);
			got += (size_t)n;
			request[got] = '\0';
			if (strstr(request, "\r\n\r\n"))
				break;
		}
		if (!strstr(request, script[i].asks)) {
			fprintf(stderr, "step %zu: %s does not ask for %s\n", i, request,
			    script[i].asks);
			abort();
		}
		snprintf(head, sizeof head,
		    "HTTP/1.1 %s\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
		    script[i].status);
		assert(write(fd, head, strlen(head)) == (ssize_t)strlen(head));
		send_slowly(fd, script[i].body);
		if (script[i].hold)
			usleep(300000);
		close(fd);
	}
	return NULL;
}

static char log_text[1024];
static bool listing_seen;

static void
note(void *arg, const char *type, const json_t *obj, const json_t *old)
{
	size_t n = strlen(log_text);

	listing_seen = listing_seen || cache_listing(arg);
	assert(get(obj, "less") == NULL || strcmp(type, "DELETED") == 0);
	assert(!old || get(old, "less"));
	snprintf(log_text + n, sizeof log_text - n, "%s %s %s<%s;", type, meta_name(obj),
	    meta_version(obj), old ? meta_version(old) : "");
}

/* What the world keeps of each: changes are told of with the whole, what was there with this. */
static json_t *
less(const json_t *obj)
{
	return json_pack("{s:O, s:O, s:{s:s, s:s, s:s, s:s}, s:b}", "apiVersion",
	    get(obj, "apiVersion"), "kind", get(obj, "kind"), "metadata", "name", meta_name(obj),
	    "namespace", meta_namespace(obj), "uid", meta_uid(obj), "resourceVersion",
	    meta_version(obj), "less", 1);
}

static bool
seen(const struct cache *cache, const char *name, const char *version)
{
	json_t *obj = json_pack("{s:s, s:s, s:{s:s, s:s, s:o, s:s}}", "apiVersion", "v1", "kind",
	    "ConfigMap", "metadata", "name", name, "namespace", "d", "uid",
	    json_sprintf("u-%s", name), "resourceVersion", version);
	bool r = cache_has_seen(cache, obj);

	json_decref(obj);
	return r;
}

static int
listen_on(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(sa.sun_path, sizeof sa.sun_path, "%s", path);
	assert(fd >= 0 && bind(fd, (struct sockaddr *)&sa, sizeof sa) == 0 && listen(fd, 4) == 0);
	return fd;
}

int
main(void)
{
	char dir[] = "/tmp/orch-cache-XXXXXX", url[128];
	struct client *client;
	struct cache *cache;
	pthread_t thread;
	struct err err;
	int fd;

	assert(mkdtemp(dir));
	snprintf(socket_path, sizeof socket_path, "%s/s", dir);
	snprintf(url, sizeof url, "unix:%s", socket_path);
	fd = listen_on(socket_path);
	pthread_create(&thread, NULL, serve, &fd);
	client_options.server = url;
	assert(client_open(&client, &err) == 0 && cache_open(&cache, client, &err) == 0);
	assert(cache_add(cache, kind_of_word("configmap"), NULL, NULL, &err) == 0);
	cache_keep(cache, kind_of_word("configmap"), less);
	cache_on_change(cache, note, cache);
	assert(!cache_synced(cache) && cache_wait(cache, 0.01, -1, &err) == 0);
	while (!strstr(log_text, "MODIFIED b 9")) {
		assert(cache_wait(cache, 10, -1, &err) == 1);
		if (strstr(log_text, "ADDED c") && !strstr(log_text, "DELETED c"))
			assert(seen(cache, "c", "3") && !seen(cache, "c", "4") &&
			       !seen(cache, "new", "5"));
	}
	if (strcmp(log_text, "ADDED a 1<;ADDED b 2<;ADDED c 3<;MODIFIED b 5<2;DELETED c "
			     "3<3;DELETED a 8<1;MODIFIED b 9<5;") != 0) {
		fprintf(stderr, "%s\n", log_text);
		return 1;
	}
	assert(listing_seen && cache_synced(cache) && world_knows(cache_world(cache), "ConfigMap"));
	assert(seen(cache, "b", "9") && !seen(cache, "b", "10") && seen(cache, "a", "8") &&
	       !seen(cache, "x", "10"));
	assert(world_count(cache_world(cache), "ConfigMap") == 1);
	assert(get(world_get(cache_world(cache), "ConfigMap", "d", "b"), "less"));
	pthread_join(thread, NULL);
	close(fd);
	unlink(socket_path);
	rmdir(dir);
	assert(
	    cache_wait(cache, 0.5, -1, &err) == 0); /* the server has gone: said, and tried again */
	cache_close(cache);
	client_close(client);
	return 0;
}
