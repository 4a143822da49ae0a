/* Answers: objects as they are kept, and Statuses. */
#include <string.h>

#include "api/convert.h"
#include "api/meta.h"
#include "api/protobuf.h"
#include "api/registry.h"
#include "base/clock.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/yaml.h"
#include "store/aggregation.h"
#include "store/conversion.h"
#include "store/gzip.h"
#include "store/service.h"

enum { HEADERS = 6, AUDIT_ID = 64 }; /* at most, with the end and without the warnings */

void
call_free(struct call *c)
{
	services_cancel(c);
	target_release(&c->target);
	buf_release(&c->warnings);
	buf_release(&c->duplicates);
	buf_release(&c->duplicate_lines);
	write_release(&c->write);
	object_unref(c->old);
	object_unref(c->last);
	free((void *)c->user.groups);
	identity_unref(c->identity);
	api_service_unref(c->remote);
	registry_leave(c->epoch);
	free(c);
}

/* The version it is in, which is not always the one that was asked for. */
static const struct kind *
kind_of_value(const struct call *c, const json_t *v)
{
	const struct kind *k = kind_of_object(text(v, "apiVersion"), text(v, "kind"));

	return k && c->kind && kind_sibling(c->kind, text(v, "apiVersion")) == k ? k : c->kind;
}

/* The same value in another form, whose type is *type then; the parts are used up. */
static struct bytes *
converted(struct call *c, struct bytes **parts, size_t n, const char **type)
{
	autobuf struct buf json = BUF_INIT, out = BUF_INIT;
	struct err err;
	json_t *v;

	for (size_t i = 0; i < n; i++) {
		buf_add(&json, parts[i]->data, parts[i]->len);
		bytes_unref(parts[i]);
	}
	v = json_loadb(json.data, json.len, 0, NULL);
	if (shape_converts(&c->shape))
		v = shape_convert(&c->shape, kind_of_value(c, v), v, true, clock_now());
	if (c->shape.form == FORM_YAML) {
		*type = "application/yaml";
		yaml_write_folded(&out, v); /* as Kubernetes does */
	} else if (c->shape.protobuf && protobuf_write(v, &out, &err) == 0) {
		*type = PROTOBUF_TYPE;
	} else { /* what is no object of the API stays what it is */
		jsonl_add(&out, v);
	}
	json_decref(v);
	return bytes_new(out.data, out.len);
}

/* A long answer to who takes gzip; the parts are used up then.  NULL: it goes as it is. */
static struct bytes *
compressed(struct call *c, struct bytes *const *parts, size_t n)
{
	struct bytes *packed;
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		len += parts[i]->len;
	if (len < GZIP_LEAST || !gzip_accepted(c->x))
		return NULL;
	packed = gzip_pack(parts, n, 1);
	for (size_t i = 0; i < n; i++)
		bytes_unref(parts[i]);
	return packed;
}

/* What the request is called in logs: as the client wants it, if that is short, or by us. */
static const char *
audit_id(const struct call *c, char ours[static 37])
{
	const char *theirs = http_header(c->x, "Audit-ID");

	if (theirs && *theirs && strlen(theirs) <= AUDIT_ID)
		return theirs;
	new_uid(ours);
	return ours;
}

void
reply_parts(struct call *c, int status, const char *type, struct bytes **parts, size_t n)
{
	autobuf struct buf warnings = BUF_INIT;
	size_t warned = call_warning_headers(c, &warnings), k = 1;
	autofree struct http_header *extra = xcalloc(HEADERS + warned, sizeof *extra);
	struct bytes *whole, *packed;
	char id[37];

	extra[k++] = (struct http_header){ "Audit-Id", audit_id(c, id) };
	extra[0] = (struct http_header){ "Cache-Control",
		c->cacheable ? "public, max-age=3600" : "no-cache, private" };
	if (c->retry_after || status >= 503)
		extra[k++] =
		    (struct http_header){ "Retry-After", c->retry_after ? c->retry_after : "1" };
	for (size_t at = 0; at < warnings.len; at += strlen(warnings.data + at) + 1)
		extra[k++] = (struct http_header){ "Warning", warnings.data + at };
	if (strcmp(type, "application/json") == 0 &&
	    (c->shape.form == FORM_YAML || c->shape.protobuf || shape_converts(&c->shape))) {
		whole = converted(c, parts, n, &type);
		parts = &whole;
		n = 1;
	}
	if (status == 200 && (packed = compressed(c, parts, n))) {
		extra[k++] = (struct http_header){ "Content-Encoding", "gzip" };
		extra[k++] = (struct http_header){ "Vary", "Accept-Encoding" };
		parts = &packed;
		n = 1;
	}
	metrics_count(c, status);
	http_reply(c->x, status, status == 204 ? NULL : type, extra, parts, n);
	call_free(c);
}

void
reply_text(struct call *c, int status, const char *type, const char *text)
{
	struct bytes *b = bytes_new(text, strlen(text));

	reply_parts(c, status, type, &b, 1);
}

void
reply_json(struct call *c, int status, const json_t *value)
{
	autobuf struct buf b = BUF_INIT;
	struct bytes *bytes;

	jsonl_add(&b, value);
	bytes = bytes_new(b.data, b.len);
	reply_parts(c, status, "application/json", &bytes, 1);
}

/* As it is kept, but in protobuf, if that is what is wanted. */
static struct bytes *
in_protobuf(struct call *c, struct object *o)
{
	const struct kind *k = c->table->kind;
	autobuf struct buf b = BUF_INIT;
	struct bytes *message;
	char version[128];
	struct err err;

	if (!c->shape.protobuf || shape_converts(&c->shape) || c->view != c->table ||
	    !(message = object_message(o, k, &err)))
		return NULL;
	protobuf_wrap(&b, kind_api_version(k, version), k->kind, message->data, message->len);
	bytes_unref(message);
	return bytes_new(b.data, b.len);
}

/* On a thread that may ask: c->last in the version that is wanted. */
static void
answer_shown(struct call *c)
{
	struct object *shown;
	struct err err;

	if (conversion_show(c->kind, &c->last, 1, &shown, &err) < 0) {
		conversion_refuse(c, &err);
		return;
	}
	if (c->answer)
		c->answer(c, shown);
	else
		reply_object(c, c->status, shown);
	object_unref(shown);
}

void
answer_object(struct call *c, struct object *o)
{
	struct object *known = c->terse ? object_ref(o) : conversion_known(o, c->kind);

	if (!known) {
		object_ref(o);
		object_unref(c->last);
		c->last = o;
		conversion_defer(c, answer_shown);
		return;
	}
	if (c->answer)
		c->answer(c, known);
	else
		reply_object(c, c->status, known);
	object_unref(known);
}

void
reply_object(struct call *c, int status, struct object *o)
{
	struct bytes *message = in_protobuf(c, o);

	if (conversion_asks(o, c->kind)) {
		c->answer = NULL;
		c->status = status;
		answer_object(c, o);
		return;
	}
	if (message) {
		reply_parts(c, status, PROTOBUF_TYPE, &message, 1);
		return;
	}
	const struct table *t = shape_table(&c->shape, c->table, c->view);
	struct bytes *parts[2] = { bytes_ref(t->open), object_body(o, t->kind) };

	reply_parts(c, status, "application/json", parts, 2);
}

/* What a client sent may stand in what he is told, and need not be UTF-8: each byte that is none
 * becomes U+FFFD, as in Go. */
static json_t *
words(const char *s)
{
	autobuf struct buf b = BUF_INIT;
	json_t *v = json_string(s);

	if (v)
		return v;
	while (*s) {
		size_t n = text_utf8(s, strlen(s));

		if (n == 0)
			buf_puts(&b, "\xef\xbf\xbd");
		else
			buf_add(&b, s, n);
		s += n ? n : 1;
	}
	return json_stringn(b.data, b.len);
}

json_t *
status_json(int status, const char *reason, const char *message, json_t *details)
{
	json_t *s = json_pack("{s:s,s:s,s:{},s:s}", "kind", "Status", "apiVersion", "v1",
	    "metadata", "status", status < 400 ? "Success" : "Failure");

	if (message && *message)
		json_object_set_new(s, "message", words(message));
	if (reason && *reason)
		json_object_set_new(s, "reason", json_string(reason));
	if (details)
		json_object_set_new(s, "details", details);
	if (status >= 400)
		json_object_set_new(s, "code", json_integer(status));
	return s;
}

void
reply_status(struct call *c, int status, const char *reason, const char *message, json_t *details)
{
	json_t *s = status_json(status, reason, message, details);

	reply_json(c, status, s);
	json_decref(s);
}

void
reply_success(struct call *c, int status, json_t *details)
{
	json_t *s = status_json(200, NULL, NULL, details);

	if (status == 201)
		json_object_set_new(s, "code", json_integer(201));
	reply_json(c, status, s);
	json_decref(s);
}

/* {name, group, kind} of the object a request is about, as Kubernetes puts into details. */
static json_t *
details(struct call *c, const char *kind)
{
	json_t *d = json_object();

	if (*c->target.name)
		json_object_set_new(d, "name", words(c->target.name));
	if (*c->kind->group)
		json_object_set_new(d, "group", json_string(c->kind->group));
	json_object_set_new(d, "kind", json_string(kind));
	return d;
}

/* The object's name, where the path does not have it: message starts `deployments.apps "web" ...`.
 */
static void
name_from_message(json_t *d, const char *msg)
{
	const char *open = strchr(msg, '"'), *close = open ? strchr(open + 1, '"') : NULL;

	if (json_object_get(d, "name") || !close)
		return;
	json_object_set_new(d, "name", json_stringn(open + 1, (size_t)(close - open - 1)));
}

void
reply_error(struct call *c, const struct err *err)
{
	json_t *d = NULL;

	switch (err->code) {
	case ERR_NOT_FOUND:
	case ERR_EXISTS:
	case ERR_CONFLICT:
	case ERR_FORBIDDEN:
		if (c->kind) {
			d = details(c, c->kind->plural);
			name_from_message(d, err->msg);
			break;
		}
		/* fall through */
	case ERR_METHOD:
		d = json_object();
		break;
	case ERR_UNAVAILABLE:
		d = json_pack("{s:i}", "retryAfterSeconds", 1);
		break;
	default:
		break;
	}
	reply_status(c, err_http(err->code), err_reason(err->code), err->msg, d);
}

json_t *
causes_json(const struct causes *causes)
{
	json_t *list = json_array();

	for (size_t i = 0; i < causes->n; i++)
		json_array_append_new(
		    list, json_pack("{s:s,s:s,s:s}", "reason", causes->item[i].reason, "message",
			      causes->item[i].message, "field", causes->item[i].field));
	return list;
}

void
reply_invalid(struct call *c, const struct causes *causes, const char *name)
{
	json_t *d = details(c, c->kind->kind);
	autofree char *message = causes_message(causes, c->kind, name ? name : "");

	if (name && *name)
		json_object_set_new(d, "name", json_string(name));
	if (!*kind_stored(c->kind)->group) /* Events of the newer group are those of the core */
		json_object_del(d, "group");
	json_object_set_new(d, "causes", causes_json(causes));
	reply_status(c, 422, "Invalid", message, d);
}

void
refuse_object(struct call *c, const struct causes *causes, const json_t *obj, const char *name)
{
	struct kind said = *c->kind;

	if (c->kind->custom) {
		said.kind = text(obj, "kind");
		said.custom = NULL; /* or it would count as what it is kept as */
		c->kind = &said;    /* the call ends here */
	}
	reply_invalid(c, causes, name);
}

const char *
call_resource(const struct call *c, char buf[static 128])
{
	return kind_resource(c->kind, buf);
}

int
fail_not_found(struct call *c, const char *name, struct err *err)
{
	char resource[128];

	return err_set(err, ERR_NOT_FOUND, "%s \"%s\" not found", call_resource(c, resource), name);
}

int
fail_exists(struct call *c, const char *name, struct err *err)
{
	char resource[128];

	return err_set(
	    err, ERR_EXISTS, "%s \"%s\" already exists", call_resource(c, resource), name);
}

int
fail_modified(struct call *c, const char *name, struct err *err)
{
	char resource[128];

	return err_set(err, ERR_CONFLICT,
	    "Operation cannot be fulfilled on %s \"%s\": the object has been modified; please "
	    "apply your "
	    "changes to the latest version and try again",
	    call_resource(c, resource), name);
}

int
fail_method(struct err *err)
{
	return err_set(
	    err, ERR_METHOD, "the server does not allow this method on the requested resource");
}
