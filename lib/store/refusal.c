/* What the HTTP server refuses before a handler sees it is refused in Kubernetes' form too. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/call.h"

static const struct {
	int status;
	const char *reason, *message;
} words[] = {
	{ 400, "BadRequest", "the request's framing or headers break HTTP/1.1" },
	{ 408, "Timeout", "Timeout: the request did not arrive in time" },
	{ 413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728" },
	{ 503, "ServiceUnavailable", "too many requests are being received, please try again" },
};

static bool
under(const char *path, const char *root)
{
	size_t n = strlen(root);

	return strncmp(path, root, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

char *
refusal_words(const struct http_request *r, int status)
{
	const char *reason = NULL, *message = "the request is beyond what this server understands";
	json_t *s;
	char *ret;

	if (!under(r->path, "/api") && !under(r->path, "/apis"))
		return NULL;
	for (size_t i = 0; i < COUNT(words); i++) {
		if (words[i].status != status)
			continue;
		reason = words[i].reason;
		message = words[i].message;
	}
	s = status_json(status, reason, message,
	    status == 503 ? json_pack("{s:i}", "retryAfterSeconds", 1) : NULL);
	ret = json_dumps(s, JSON_COMPACT);
	json_decref(s);
	return ret;
}
