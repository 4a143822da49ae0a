/* A watch's bytes in chunks of every size give the same events. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "base/bytes.h"
#include "client/watch.h"

static char got[4096];
static int stop_at = -1, count;

static int
note(void *arg, const char *type, json_t *obj, struct err *err)
{
	size_t n = strlen(got);

	(void)arg;
	(void)err;
	snprintf(got + n, sizeof got - n, "%s %s %s;", type, meta_name(obj), meta_version(obj));
	return ++count == stop_at ? 7 : 0;
}

static int
feed(const char *bytes, size_t len, size_t chunk, struct err *err, char version[32])
{
	struct events e;
	int r = 0;

	got[0] = '\0';
	count = 0;
	events_init(&e, note, NULL);
	for (size_t at = 0; at < len && r == 0; at += chunk)
		r = events_feed(&e, bytes + at, at + chunk > len ? len - at : chunk, err);
	snprintf(version, 32, "%s", e.version ? e.version : "");
	events_release(&e);
	return r;
}

static void
chunks(void)
{
	static const char bytes[] =
	    "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\",\"resourceVersion\":"
	    "\"1\"}}}\n\n"
	    "{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"name\":\"\xc3\xb6\","
	    "\"resourceVersion\":\"2\"}}}\r\n"
	    "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"9\"}}}\n"
	    "{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"name\":\"a\"}}}\n{\"type\":\"ADD";
	struct err err;
	char version[32];

	for (size_t chunk = 1; chunk <= sizeof bytes; chunk++) {
		assert(feed(bytes, sizeof bytes - 1, chunk, &err, version) == 0);
		assert(strcmp(got, "ADDED a 1;MODIFIED \xc3\xb6 2;BOOKMARK  9;DELETED a ;") == 0);
		assert(strcmp(version, "9") == 0);
	}
	stop_at = 2;
	assert(feed(bytes, sizeof bytes - 1, 5, &err, version) == 7 && count == 2);
	stop_at = -1;
}

static void
errors(void)
{
	static const char gone[] =
	    "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,"
	    "\"reason\":\"Expired\",\"message\":\"too old\"}}\n";
	static const char *const bad[] = { "nonsense\n", "[]\n", "{\"type\":\"ADDED\"}\n",
		"{\"type\":\"ADDED\",\"object\":3}\n", "{\"object\":{}}\n" };
	struct err err;
	char version[32];

	assert(feed(gone, sizeof gone - 1, 3, &err, version) == -ERR_EXPIRED);
	assert(strcmp(err.msg, "too old") == 0);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert(feed(bad[i], strlen(bad[i]), 4, &err, version) == -ERR_INTERNAL);
}

static void
base64(void)
{
	static const char *const bad[] = { "a", "ab=", "abc", "ab==c", "a===", "@@@@", "ab=c",
		"=" };
	unsigned char data[64];

	for (size_t len = 0; len <= sizeof data; len++) {
		char *text;
		unsigned char *back;
		size_t n;

		for (size_t i = 0; i < len; i++)
			data[i] = (unsigned char)(i * 37 + len);
		text = bytes_encode(data, len);
		back = bytes_decode(text, &n);
		assert(back && n == len && memcmp(back, data, len) == 0);
		free(text);
		free(back);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		size_t n;

		assert(!bytes_decode(bad[i], &n));
	}
}

int
main(void)
{
	chunks();
	errors();
	base64();
	return 0;
}
