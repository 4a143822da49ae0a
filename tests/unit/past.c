/*
 * The states an object has been in, against a scripted server: one that watches from a later
 * version than it lists, as Kubernetes does; what was deleted; what is forgotten; which version is
 * meant.
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/mem.h"
#include "client/past.h"

#define OBJ(version)                                                                           \
	"{\"metadata\":{\"name\":\"a\",\"namespace\":\"d\",\"uid\":\"u\",\"resourceVersion\":" \
	"\"" version "\",\"managedFields\":[{\"manager\":\"m" version "\",\"time\":\"2026-01-" \
	"01T00:" version ":00Z\"}]}}"
#define LIST(version, items) \
	"{\"metadata\":{\"resourceVersion\":\"" version "\"},\"items\":[" items "]}"
#define EVENT(type, obj) "{\"type\":\"" type "\",\"object\":" obj "}\n"
#define EXPIRED(message) \
	"{\"kind\":\"Status\",\"code\":410,\"reason\":\"Expired\",\"message\":\"" message "\"}"
#define FIELDS "fieldSelector=metadata.name%3Da"
#define EXACT(version) "resourceVersion=" version "&resourceVersionMatch=Exact "

struct step {
	const char *asks, *status, *body;
};

/* The watch begins at 30, the lists at 12: two more versions are found. */
static const struct step shorter_watch[] = {
	{ "configmaps?" FIELDS " ", "200 OK", LIST("50", OBJ("45")) },
	{ "resourceVersion=1&", "200 OK",
	    EVENT("ERROR", EXPIRED("too old resource version: 1 (30)")) },
	{ "resourceVersion=30&", "200 OK",
	    EVENT("MODIFIED", OBJ("40")) EVENT("MODIFIED", OBJ("45")) },
	{ EXACT("39"), "200 OK", LIST("39", OBJ("20")) },
	{ EXACT("19"), "200 OK", LIST("19", OBJ("15")) },
	{ EXACT("14"), "410 Gone",
	    EXPIRED("The resourceVersion for the provided list is too old.") },
	{ NULL, NULL, NULL },
};
/* All is there: created at 10, deleted at 20, created again at 30; refused by HTTP once. */
static const struct step whole[] = {
	{ "configmaps?" FIELDS " ", "200 OK", LIST("50", OBJ("30")) },
	{ "resourceVersion=1&", "410 Gone", EXPIRED("too old resource version: 1 (5)") },
	{ "resourceVersion=5&", "200 OK",
	    EVENT("ADDED", OBJ("10")) EVENT("DELETED", OBJ("20")) EVENT("ADDED", OBJ("30")) },
	{ NULL, NULL, NULL },
};
/* It has gone, and the watch ends without a word more. */
static const struct step gone[] = {
	{ "configmaps?" FIELDS " ", "200 OK", LIST("50", "") },
	{ "timeoutSeconds=1 ", "200 OK", EVENT("DELETED", OBJ("25")) },
	{ EXACT("24"), "200 OK", LIST("24", OBJ("12")) },
	{ EXACT("11"), "200 OK", LIST("11", "") },
	{ NULL, NULL, NULL },
};
/* The window has nothing of it, and does not say where it begins. */
static const struct step quiet[] = {
	{ "configmaps?" FIELDS " ", "200 OK", LIST("50", OBJ("12")) },
	{ "resourceVersion=1&", "200 OK", EVENT("ERROR", EXPIRED("too old")) },
	{ EXACT("11"), "410 Gone", EXPIRED("too old") },
	{ NULL, NULL, NULL },
};
static const struct step never[] = {
	{ "configmaps?" FIELDS " ", "200 OK", LIST("50", "") },
	{ "resourceVersion=1&", "200 OK",
	    EVENT("ERROR", EXPIRED("too old resource version: 1 (30)")) },
	{ "resourceVersion=30&", "200 OK", "" },
	{ NULL, NULL, NULL },
};
static const struct step odd[] = {
	{ "configmaps?" FIELDS " ", "200 OK", LIST("abc", "") },
	{ NULL, NULL, NULL },
};

/* --- the server ------------------------------------------------------------------------- */

static const struct step *script;
static int listener;

static void
answer(int fd, const struct step *s)
{
	char request[4096], head[256];
	size_t got = 0;

	while (got < sizeof request - 1) {
		ssize_t n = read(fd, request + got, sizeof request - 1 - got);

		assert(n > 0);
		got += (size_t)n;
		request[got] = '\0';
		if (strstr(request, "\r\n\r\n"))
			break;
	}
	if (!strstr(request, s->asks)) {
		fprintf(stderr, "%s does not ask for %s\n", request, s->asks);
		abort();
	}
	snprintf(head, sizeof head,
	    "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", s->status,
	    strlen(s->body));
	assert(write(fd, head, strlen(head)) == (ssize_t)strlen(head));
	/* who has read what it wanted need not wait for the rest */
	assert(write(fd, s->body, strlen(s->body)) == (ssize_t)strlen(s->body) || errno == EPIPE);
}

static void *
serve(void *arg)
{
	(void)arg;
	for (const struct step *s = script; s->asks; s++) {
		int fd = accept(listener, NULL, NULL);

		answer(fd, s);
		close(fd);
	}
	return NULL;
}

/* --- cases -------------------------------------------------------------------------------- */

static struct client *client;

static int
read_past(const struct step *steps, struct past *p, struct err *err)
{
	pthread_t thread;
	int r;

	script = steps;
	pthread_create(&thread, NULL, serve, NULL);
	r = past_read(p, client, kind_of_word("configmap"), "d", "a", err);
	pthread_join(thread, NULL);
	return r;
}

/* "C10 D20" for the versions that were found; begin is what is said to be forgotten. */
static void
expect(const struct step *steps, const char *want, unsigned long long begin)
{
	autobuf struct buf got = BUF_INIT;
	struct past p;
	struct err err;

	buf_puts(&got, "");
	if (read_past(steps, &p, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		abort();
	}
	for (size_t i = 0; i < p.n; i++)
		buf_printf(&got, "%s%c%llu", i ? " " : "", "CMD"[p.item[i].type], p.item[i].number);
	if (strcmp(got.data, want) != 0 || p.begin != begin) {
		fprintf(stderr, "got %s from %llu, want %s\n", got.data, p.begin, want);
		abort();
	}
	past_release(&p);
}

static unsigned long long
found(const struct past *p, const char *text)
{
	const struct version *v;
	struct err err;
	int r = past_find(p, text, 1767229200 /* 01:00 */, &v, &err);

	return r < 0 ? (unsigned long long)-r : v->number;
}

static void
which(void)
{
	struct past p;
	struct err err;

	assert(read_past(shorter_watch, &p, &err) == 0 && p.now == 50);
	assert(strcmp(p.item[0].who, "m15") == 0 && p.item[0].time == 1767226500 /* 00:15 */);
	assert(found(&p, "~0") == 45 && found(&p, "~") == 40 && found(&p, "~3") == 15);
	assert(found(&p, "45") == 45 && found(&p, "50") == 45 && found(&p, "39") == 20);
	assert(found(&p, "15") == 15 && found(&p, "14") == ERR_NOT_FOUND);
	assert(found(&p, "~4") == ERR_NOT_FOUND && found(&p, "51") == ERR_NOT_FOUND);
	assert(found(&p, "@0s") == 45 && found(&p, "@15m") == 45 && found(&p, "@16m") == 40);
	assert(found(&p, "2026-01-01T00:20:00Z") == 20 && found(&p, "@2026-01-01T00:19:59Z") == 15);
	assert(found(&p, "@46m") == ERR_NOT_FOUND);
	assert(found(&p, "2027-01-01T00:00:00Z") == ERR_BAD_REQUEST);
	for (const char *const *s = (const char *const[]){ "", "0", "-1", "x", "@", "@x", "~x",
		 "~-1", "1x", "99999999999999999999", NULL };
	     *s; s++)
		assert(found(&p, *s) == ERR_BAD_REQUEST);
	past_release(&p);
}

int
main(void)
{
	char dir[] = "/tmp/orch-past-XXXXXX", url[128];
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct past p;
	struct err err;

	signal(SIGPIPE, SIG_IGN);
	assert(mkdtemp(dir));
	snprintf(sa.sun_path, sizeof sa.sun_path, "%s/s", dir);
	snprintf(url, sizeof url, "unix:%s", sa.sun_path);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert(bind(listener, (struct sockaddr *)&sa, sizeof sa) == 0 && listen(listener, 4) == 0);
	client_options.server = url;
	assert(client_open(&client, &err) == 0);
	expect(shorter_watch, "M15 M20 M40 M45", 15);
	expect(whole, "C10 D20 C30", 0);
	expect(gone, "C12 D25", 0);
	expect(quiet, "M12", 12);
	expect(never, "", 30);
	assert(read_past(odd, &p, &err) == -ERR_BAD_REQUEST);
	which();
	client_close(client);
	close(listener);
	unlink(sa.sun_path);
	rmdir(dir);
	return 0;
}
