/* The body of a request as a JSON value: JSON, YAML or protobuf, by its Content-Type. */
#include <string.h>
#include <strings.h>

#include "api/golang.h"
#include "api/protobuf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/yaml.h"
#include "store/call.h"

enum { WHY = 512 };

static bool
media_type(const char *type, const char *want)
{
	size_t n = strlen(want);

	while (*type == ' ')
		type++;
	return strncasecmp(type, want, n) == 0 &&
	       (type[n] == '\0' || type[n] == ';' || type[n] == ' ');
}

/* --- refusals --- */

static int
unsupported(struct call *c)
{
	reply_status(c, 415, "UnsupportedMediaType",
	    "the body of the request was in an unknown format - accepted media types "
	    "include: application/json, application/yaml, application/vnd.kubernetes.protobuf",
	    NULL);
	return -1;
}

/* The beginning of a body, for a message: as text if it looks like JSON, else in hexadecimal. */
static const char *
summary(const struct http_request *req, char buf[static 80])
{
	size_t n = req->len < 30 ? req->len : 30, at = 0;
	const unsigned char *body = (const void *)req->body;

	if (*body == '{')
		at = (size_t)snprintf(buf, 80, "%.*s", (int)n, req->body);
	else
		for (size_t i = 0; i < n; i++)
			at += (size_t)snprintf(buf + at, 80 - at, "%02x", body[i]);
	snprintf(buf + at, 80 - at, "%s", n < req->len ? " ..." : "");
	return buf;
}

/* What is no object at all.  The decoder of a DELETE's options says less than the others. */
static int
unrecognized(struct call *c, const char *kind, const char *why)
{
	autofree char *msg = NULL;
	char begin[80];

	if (strcmp(c->req->method, "DELETE") == 0)
		msg = xstrdup(why);
	else
		msg = xasprintf("the object provided is unrecognized (must be of type %s): %s (%s)",
		    kind, why, summary(c->req, begin));
	reply_status(c, 400, "BadRequest", msg, NULL);
	return -1;
}

static int
unhandled(struct call *c, const char *kind, const char *why)
{
	autofree char *msg = xasprintf("%s in version \"%s\" cannot be handled as a %s: %s", kind,
	    c->target.version, kind, why);

	reply_status(c, 400, "BadRequest", msg, NULL);
	return -1;
}

static int
check_object(struct call *c, const char *kind, json_t *v)
{
	char why[WHY];

	if (json_is_object(v))
		return 0;
	snprintf(why, sizeof why,
	    "couldn't get version/kind; json parse error: json: cannot unmarshal %s into Go value "
	    "of type struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string "
	    "\"json:\\\"kind,omitempty\\\"\" }",
	    go_json_type(v));
	return unrecognized(c, kind, why);
}

/* --- the forms --- */

/* Keys that stand twice are noted, a line for each; the last one counts. */
static int
load_yaml(struct call *c, const char *kind, json_t **ret)
{
	struct yaml *y = yaml_open(c->req->body, c->req->len, NULL);
	unsigned long line;
	char why[WHY];
	struct err err;
	int r, n = 0;

	yaml_allow_duplicates(y, &c->duplicate_lines);
	r = yaml_read(y, ret, &line, &err);
	yaml_close(y);
	if (r > 0)
		return 0;
	if (r == 0)
		snprintf(why, sizeof why, "yaml: no document");
	else if (sscanf(err.msg, "%lu:%*u: %n", &line, &n) == 1 && n)
		snprintf(why, sizeof why, "yaml: line %lu: %.400s", line, err.msg + n);
	else
		snprintf(why, sizeof why, "yaml: %.400s", err.msg);
	return unrecognized(c, kind, why);
}

static int
load_protobuf(struct call *c, const char *kind, const struct kind *dflt, json_t **ret)
{
	struct err err;

	if (protobuf_read(c->req->body, c->req->len, dflt, ret, NULL, &err) == 0)
		return 0;
	if (err.code == ERR_MEDIA_TYPE)
		return unrecognized(c, kind, err.msg);
	return unhandled(c, kind, err.msg);
}

/* Duplicate fields are noted; the last one counts. */
static json_t *
parse(struct call *c, const char *text, size_t len, json_error_t *e)
{
	char msg[128];
	size_t used;
	json_t *v;

	/* the fast way; it knows no duplicates and none of what Go forgives */
	if (json_decode(text, len, &v, &used, msg) == JSON_FINE) {
		if (used + strspn(text + used, " \t\r\n") == len)
			return v;
		json_decref(v);
	}
	*e = (json_error_t){ .text = "a NUL" };
	if (memchr(text, '\0', len))
		return NULL;
	v = json_loadb(text, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, e);
	if (!v && json_error_code(e) == json_error_duplicate_key) {
		go_json_duplicates(text, len, &c->duplicates);
		v = json_loadb(text, len, JSON_DECODE_ANY, e);
	}
	return v;
}

static int
load_json(struct call *c, const char *kind, json_t **ret)
{
	const char *body = c->req->body;
	autobuf struct buf repaired = BUF_INIT;
	char why[WHY], fault[96];
	json_error_t e;

	if ((*ret = parse(c, body, c->req->len, &e)))
		return 0;
	if (!go_json_fault(body, c->req->len, fault)) {
		go_json_repair(body, c->req->len, &repaired);
		if ((*ret = parse(c, repaired.data, repaired.len, &e)))
			return 0;
		snprintf(fault, sizeof fault, "%.90s", e.text);
	}
	snprintf(why, sizeof why, "couldn't get version/kind; json parse error: %s", fault);
	return unrecognized(c, kind, why);
}

int
body_load(struct call *c, const char *kind, const struct kind *dflt, json_t **ret)
{
	const char *type = http_header(c->x, "Content-Type");
	json_t *v;
	int r;

	buf_clear(&c->duplicates);
	buf_clear(&c->duplicate_lines);
	if (!type || !*type || media_type(type, "application/json") ||
	    media_type(type, "application/merge-patch+json") ||
	    media_type(type, "application/json-patch+json"))
		r = load_json(c, kind, &v);
	else if (media_type(type, "application/yaml"))
		r = load_yaml(c, kind, &v);
	else if (media_type(type, PROTOBUF_TYPE))
		r = load_protobuf(c, kind, dflt, &v);
	else
		r = unsupported(c);
	if (r < 0)
		return r;
	if (check_object(c, kind, v) < 0) {
		json_decref(v);
		return -1;
	}
	*ret = v;
	return 0;
}

int
body_json(struct call *c, json_t **ret)
{
	*ret = NULL;
	if (c->req->len == 0)
		return 0;
	return body_load(c, c->kind->kind, NULL, ret);
}
