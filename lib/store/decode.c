/*
 * From a request's body to an object: media type, JSON or YAML, the kind that it
 * says, types against the schema, unknown fields (fieldValidation), and what a decoder
 * drops: unknown fields and nulls.
 */
#include <string.h>
#include <strings.h>

#include "api/meta.h"
#include "api/protobuf.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "base/yaml.h"
#include "store/call.h"

/* --- options --- */

static void
refuse_option(struct call *c, const char *options, const char *reason, const char *field,
    const char *fmt, const char *value)
{
	autofree char *cause = xasprintf(fmt, value);
	autofree char *msg =
	    xasprintf("%s.meta.k8s.io \"\" is invalid: %s: %s", options, field, cause);

	reply_status(c, 422, "Invalid", msg,
	    json_pack("{s:s,s:s,s:[{s:s,s:s,s:s}]}", "group", "meta.k8s.io", "kind", options,
		"causes", "reason", reason, "message", cause, "field", field));
}

/* Who writes: up to 128 bytes that can be printed. */
static int
check_manager(struct call *c, const char *options, const char *manager)
{
	const unsigned char *s = (const unsigned char *)manager;
	char cause[400];
	size_t i = 0;

	if (!manager)
		return 0;
	if (strlen(manager) > 128) {
		refuse_option(c, options, "FieldValueTooLong", "fieldManager",
		    "Too long: may not be more than %s bytes", "128");
		return -1;
	}
	while (s[i] >= ' ' && s[i] != 0x7f)
		i++;
	if (s[i] == '\0')
		return 0;
	snprintf(cause, sizeof cause,
	    "Invalid value: \"%.*s\\x%02x%s\": invalid character U+%04X (at position %zu)", (int)i,
	    manager, s[i], manager + i + 1, s[i], i);
	refuse_option(c, options, "FieldValueInvalid", "fieldManager", "%s", cause);
	return -1;
}

int
options_read(struct call *c, const char *options_kind)
{
	autofree char *manager = http_query(c->x, "fieldManager");
	autofree char *dry = http_query(c->x, "dryRun");
	autofree char *validation = http_query(c->x, "fieldValidation");

	if (check_manager(c, options_kind, manager) < 0)
		return -1;
	c->dry_run = dry && strcmp(dry, "All") == 0;
	if (dry && *dry && !c->dry_run) {
		refuse_option(c, options_kind, "FieldValueNotSupported", "dryRun",
		    "Unsupported value: [\"%s\"]: supported values: \"All\"", dry);
		return -1;
	}
	c->validation = VALIDATE_WARN;
	if (validation && strcmp(validation, "Strict") == 0)
		c->validation = VALIDATE_STRICT;
	else if (validation && strcmp(validation, "Ignore") == 0)
		c->validation = VALIDATE_IGNORE;
	else if (validation && *validation && strcmp(validation, "Warn") != 0) {
		refuse_option(c, options_kind, "FieldValueNotSupported", "fieldValidation",
		    "Unsupported value: \"%s\": supported values: \"\", \"Ignore\", \"Strict\", "
		    "\"Warn\"",
		    validation);
		return -1;
	}
	return 0;
}

/* --- the body as a value --- */

static bool
media_type(const char *type, const char *want)
{
	size_t n = strlen(want);

	while (*type == ' ')
		type++;
	return strncasecmp(type, want, n) == 0 &&
	       (type[n] == '\0' || type[n] == ';' || type[n] == ' ');
}

static void
unsupported(struct call *c)
{
	reply_status(c, 415, "UnsupportedMediaType",
	    "the body of the request was in an unknown format - accepted media types include: "
	    "application/json, application/yaml, application/vnd.kubernetes.protobuf",
	    NULL);
}

static int
load_yaml(struct call *c, json_t **ret, struct err *err)
{
	struct yaml *y = yaml_open(c->req->body, c->req->len, NULL);
	unsigned long line;
	int r = yaml_read(y, ret, &line, err);

	yaml_close(y);
	return r;
}

/* A duplicate key: the error's text ends in near '"name"'. */
static void
duplicate_name(const json_error_t *e, char name[static 128])
{
	const char *quote = strstr(e->text, "'\"");
	size_t n = quote ? strcspn(quote + 2, "\"") : 0;

	snprintf(name, 128, "%.*s", (int)(n < 127 ? n : 127), quote ? quote + 2 : "");
}

static void
warn_field(struct call *c, const char *what, const char *field)
{
	autobuf struct buf b = BUF_INIT;

	buf_printf(&b, "299 - \"%s \\\"", what);
	for (const char *s = field; *s; s++)
		if ((unsigned char)*s >= ' ' && *s != '"' && *s != '\\')
			buf_putc(&b, *s);
	buf_puts(&b, "\\\"\"");
	buf_add(&c->warnings, b.data, b.len + 1);
}

static json_t *
load_json(struct call *c, char duplicate[static 128], json_error_t *e)
{
	json_t *v;

	duplicate[0] = '\0';
	v = json_loadb(c->req->body, c->req->len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, e);
	if (!v && json_error_code(e) == json_error_duplicate_key) {
		duplicate_name(e, duplicate);
		v = json_loadb(c->req->body, c->req->len, JSON_DECODE_ANY, e);
	}
	return v;
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

static int
load_protobuf(
    struct call *c, const char *kind, const struct kind *dflt, json_t **ret, char msg[static 600])
{
	char text[80];
	struct err err;

	if (protobuf_read(c->req->body, c->req->len, dflt, ret, NULL, &err) == 0)
		return 0;
	if (err.code == ERR_MEDIA_TYPE)
		snprintf(msg, 600,
		    "the object provided is unrecognized (must be of type %s): %.300s (%s)", kind,
		    err.msg, summary(c->req, text));
	else
		snprintf(msg, 600, "%s in version \"%s\" cannot be handled as a %s: %.400s", kind,
		    c->target.version, kind, err.msg);
	return -1;
}

/* The value of the body, which is not empty; kind names what was expected, for the messages. */
static int
load_body(struct call *c, const char *kind, const struct kind *dflt, json_t **ret)
{
	const char *type = http_header(c->x, "Content-Type");
	char duplicate[128] = "", msg[600];
	json_error_t e;
	struct err err;

	if (type && media_type(type, "application/yaml")) {
		int r = load_yaml(c, ret, &err);
		if (r > 0)
			return 0;
		snprintf(msg, sizeof msg,
		    "the object provided is unrecognized (must be of type %s): yaml: %.400s", kind,
		    r < 0 ? err.msg : "no document");
	} else if (type && media_type(type, PROTOBUF_TYPE)) {
		if (load_protobuf(c, kind, dflt, ret, msg) == 0)
			return 0;
	} else if (!type || !*type || media_type(type, "application/json") ||
		   media_type(type, "application/merge-patch+json") ||
		   media_type(type, "application/json-patch+json")) {
		if ((*ret = load_json(c, duplicate, &e))) {
			if (*duplicate && c->validation == VALIDATE_WARN)
				warn_field(c, "duplicate field", duplicate);
			if (!*duplicate || c->validation != VALIDATE_STRICT)
				return 0;
			json_decref(*ret);
			snprintf(msg, sizeof msg,
			    "%s in version \"%s\" cannot be handled as a %s: strict decoding "
			    "error: duplicate "
			    "field \"%s\"",
			    kind, c->target.version, kind, duplicate);
		} else {
			snprintf(msg, sizeof msg,
			    "the object provided is unrecognized (must be of type %s): couldn't "
			    "get "
			    "version/kind; json parse error: %.300s (line %d, column %d)",
			    kind, e.text, e.line, e.column);
		}
	} else {
		unsupported(c);
		return -1;
	}
	reply_status(c, 400, "BadRequest", msg, NULL);
	return -1;
}

int
body_json(struct call *c, json_t **ret)
{
	*ret = NULL;
	if (c->req->len == 0)
		return 0;
	return load_body(c, c->kind->kind, NULL, ret);
}

/* --- what a decoder drops --- */

/* Empty maps and lists of metadata are as good as missing. */
static void
prune_meta(json_t *meta)
{
	static const char *const names[] = { "labels", "annotations", "ownerReferences",
		"finalizers" };

	for (size_t i = 0; i < COUNT(names); i++) {
		json_t *v = json_object_get(meta, names[i]);

		if (v && json_object_size(v) == 0 && json_array_size(v) == 0)
			json_object_del(meta, names[i]);
	}
	json_object_del(meta, "managedFields");
	json_object_del(meta, "selfLink");
}

/* --- the kind --- */

/* Both may be missing: then they are what the path says. */
static int
check_kind(const struct kind *k, json_t *obj, struct err *err)
{
	const char *kind = text(obj, "kind"), *version = text(obj, "apiVersion");
	char want[128];

	kind_api_version(k, want);
	if (*kind && strcmp(kind, k->kind) != 0)
		return err_set(err, ERR_BAD_REQUEST,
		    "%s in version \"%s\" cannot be handled as a %s: converting (%s.%s) to "
		    "(%s.%s): "
		    "unknown conversion",
		    kind, k->version, k->kind, k->version, kind, *k->group ? k->group : "core",
		    k->kind);
	if (*version && strcmp(version, want) != 0)
		return err_set(err, ERR_BAD_REQUEST,
		    "the API version in the data (%s) does not match the expected API version (%s)",
		    version, want);
	json_object_set_new(obj, "apiVersion", json_string(want));
	json_object_set_new(obj, "kind", json_string(k->kind));
	return 0;
}

static int
unknown_fields(struct call *c, const struct kind *k, const struct causes *unknown, struct err *err)
{
	autobuf struct buf b = BUF_INIT;

	if (unknown->n == 0 || c->validation == VALIDATE_IGNORE)
		return 0;
	for (size_t i = 0; i < unknown->n; i++) {
		if (c->validation == VALIDATE_WARN)
			warn_field(c, "unknown field", unknown->item[i].field);
		buf_printf(&b, "%sunknown field \"%s\"", i ? ", " : "", unknown->item[i].field);
	}
	if (c->validation == VALIDATE_WARN)
		return 0;
	return err_set(err, ERR_BAD_REQUEST,
	    "%s in version \"%s\" cannot be handled as a %s: strict decoding error: %s", k->kind,
	    k->version, k->kind, b.data);
}

static int
check_object(struct call *c, const struct kind *k, json_t *obj, struct err *err)
{
	struct causes unknown = CAUSES_INIT;
	int r;

	if (!json_is_object(obj))
		return err_set(err, ERR_BAD_REQUEST,
		    "the object provided is unrecognized (must be of type %s): couldn't get "
		    "version/kind; json parse error: it is not an object",
		    k->kind);
	if ((r = check_kind(k, obj, err)) == 0 && (r = validate_types(k, obj, &unknown, err)) == 0)
		r = unknown_fields(c, k, &unknown, err);
	causes_release(&unknown);
	return r;
}

/* What a patch makes of an object that cannot be decoded is the patch's fault. */
static void
refuse_patched(struct call *c, const json_t *obj, const char *why)
{
	autobuf struct buf cause = BUF_INIT, msg = BUF_INIT;
	autofree char *json = json_dumps(obj, JSON_COMPACT | JSON_ENCODE_ANY);
	json_auto_t *text = json_string(json ? json : "");

	buf_puts(&cause, "Invalid value: ");
	json_add(&cause, text);
	buf_printf(&cause, ": %s", why);
	buf_printf(&msg, " \"\" is invalid: patch: %s", cause.data);
	reply_status(c, 422, "Invalid", msg.data,
	    json_pack("{s:[{s:s,s:s,s:s}]}", "causes", "reason", "FieldValueInvalid", "message",
		cause.data, "field", "patch"));
}

int
object_decode(struct call *c, const struct kind *k, json_t *obj)
{
	struct err err;

	if (check_object(c, k, obj, &err) < 0) {
		if (c->patching)
			refuse_patched(c, obj, err.msg);
		else
			reply_status(c, 400, "BadRequest", err.msg, NULL);
		return -1;
	}
	normalize(k, obj);
	if (!json_object_get(obj, "metadata"))
		json_object_set_new(obj, "metadata", json_object());
	prune_meta(json_object_get(obj, "metadata"));
	return 0;
}

int
body_object(struct call *c, const struct kind *k, json_t **ret)
{
	json_t *obj;

	if (c->req->len == 0) {
		autofree char *msg = xasprintf(
		    "the object provided is unrecognized (must be of type %s): the body is empty",
		    k->kind);

		reply_status(c, 400, "BadRequest", msg, NULL);
		return -1;
	}
	if (load_body(c, k->kind, k, &obj) < 0)
		return -1;
	if (object_decode(c, k, obj) < 0) {
		json_decref(obj);
		return -1;
	}
	*ret = obj;
	return 0;
}
