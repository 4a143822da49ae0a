/*
 * From a value (body.c) to an object: the options of the request, the kind that it
 * says, types against the schema, unknown fields (fieldValidation), and what a decoder
 * drops: unknown fields and nulls.
 */
#include <string.h>
#include <strings.h>

#include "api/apply.h"
#include "api/cause.h"
#include "api/custom.h"
#include "api/golang.h"
#include "api/meta.h"
#include "base/json.h"
#include "base/jsonl.h"
#include "base/mem.h"
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

/* To take fields from others makes sense of an apply only. */
static int
check_force(struct call *c, const char *options)
{
	autofree char *force = http_query(c->x, "force");

	if (!force || c->applying || strcmp(options, "PatchOptions"))
		return 0;
	refuse_option(c, options, "FieldValueForbidden", "force",
	    "Forbidden: may not be specified for %s patch", "non-apply");
	return -1;
}

int
options_read(struct call *c, const char *options_kind)
{
	autofree char *manager = http_query(c->x, "fieldManager");
	autofree char *dry = http_query(c->x, "dryRun");
	autofree char *validation = http_query(c->x, "fieldValidation");

	autofree char *who = apply_manager(manager, http_header(c->x, "User-Agent"));

	if (check_force(c, options_kind) < 0 || check_manager(c, options_kind, manager) < 0)
		return -1;
	snprintf(c->manager, sizeof c->manager, "%s", who);
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
	json_object_del(meta, "selfLink");
}

/* --- the kind --- */

/* A custom object says what it is; whether that is right is asked later. */
static int
check_custom_kind(const struct kind *k, json_t *obj, struct err *err)
{
	autobuf struct buf b = BUF_INIT;

	if (*text(obj, "kind"))
		return 0;
	json_add(&b, obj);
	return err_set(err, ERR_BAD_REQUEST,
	    "the object provided is unrecognized (must be of type %s): Object 'Kind' is missing in "
	    "'%.400s' (%.30s%s)",
	    k->kind, b.data, b.data, b.len > 30 ? " ..." : "");
}

/* Both may be missing: then they are what the path says. */
static int
check_kind(const struct kind *k, json_t *obj, struct err *err)
{
	const char *kind = text(obj, "kind"), *version = text(obj, "apiVersion");
	char want[128];
	int r;

	kind_api_version(k, want);
	if (k->custom && (r = check_custom_kind(k, obj, err)) < 0)
		return r;
	if (!k->custom && *kind && strcmp(kind, k->kind) != 0)
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
	if (!k->custom)
		json_object_set_new(obj, "kind", json_string(k->kind));
	return 0;
}

void
yaml_twice(struct call *c, const char *lines, struct buf *msg)
{
	const char *end;

	buf_puts(msg, "yaml: unmarshal errors:");
	for (; (end = strchr(lines, '\n')); lines = end + 1) {
		autofree char *line = xstrndup(lines, (size_t)(end - lines));

		buf_printf(msg, "\n  %s", line);
		if (c->validation == VALIDATE_WARN)
			call_warn(c, line);
	}
}

static void
strict_fault(struct call *c, struct buf *all, const char *what, const char *field)
{
	autobuf struct buf b = BUF_INIT;

	buf_printf(&b, "%s ", what);
	text_quote(&b, field);
	if (c->validation == VALIDATE_WARN)
		call_warn(c, b.data);
	buf_printf(all, "%s%s", all->len ? ", " : "", b.data);
}

enum { STRICT_FAULTS = 100 }; /* that a strict decoder tells at most */

/* What only a strict decoder minds. */
static int
strict_faults(struct call *c, const struct kind *k, const struct causes *unknown, struct err *err)
{
	const char *twice = c->duplicates.data, *end = twice ? twice + c->duplicates.len : NULL;
	autobuf struct buf all = BUF_INIT;
	size_t n = 0;

	if (c->validation == VALIDATE_IGNORE)
		return 0;
	if (c->duplicate_lines.len)
		yaml_twice(c, c->duplicate_lines.data, &all);
	/* of custom objects the schema is asked when all is read */
	for (; k->custom && twice < end && n < STRICT_FAULTS; twice += strlen(twice) + 1, n++)
		strict_fault(c, &all, "duplicate field", twice);
	for (size_t i = 0; i < unknown->n && n < STRICT_FAULTS; i++, n++)
		strict_fault(c, &all, "unknown field", unknown->item[i].field);
	for (; twice < end && n < STRICT_FAULTS; twice += strlen(twice) + 1, n++)
		strict_fault(c, &all, "duplicate field", twice);
	if (c->validation == VALIDATE_WARN || all.len == 0)
		return 0;
	return err_set(err, ERR_BAD_REQUEST,
	    "%s in version \"%s\" cannot be handled as a %s: strict decoding error: %s", k->kind,
	    k->version, k->kind, all.data);
}

/* A patch may have changed both: then it is decoded as what it says it is now. */
static int
check_renamed(const struct kind *k, const json_t *obj, struct err *err)
{
	const char *kind = text(obj, "kind"), *version = text(obj, "apiVersion");
	const struct kind *now = kind_of_object(version, kind);

	if (!*kind || !*version || now == k || k->custom)
		return 0;
	if (now)
		return validate_types(now, obj, NULL, err);
	return err_set(err, ERR_BAD_REQUEST,
	    "no kind \"%s\" is registered for version \"%s\" in scheme "
	    "\"pkg/api/legacyscheme/scheme.go:30\"",
	    kind, version);
}

/* A version that is missing is another version here; of a patch its rules say it. */
static int
check_custom(struct call *c, const struct kind *k, json_t *obj, struct err *err)
{
	char want[128];

	if (c->patching)
		return check_custom_kind(k, obj, err);
	if (!*text(obj, "apiVersion") && *text(obj, "kind"))
		return err_set(err, ERR_BAD_REQUEST,
		    "the API version in the data () does not match the expected API version (%s)",
		    kind_api_version(k, want));
	return check_kind(k, obj, err);
}

static int
check_object(struct call *c, const struct kind *k, json_t *obj, struct err *err)
{
	struct causes unknown = CAUSES_INIT;
	bool tree = c->patching && patch_form(c) == PATCH_STRATEGIC;
	int r;

	if (json_is_object(obj) && k->custom) {
		if ((r = check_custom(c, k, obj, err)) == 0 &&
		    (r = custom_decode(k, obj, &unknown, err)) == 0)
			r = strict_faults(c, k, &unknown, err);
		causes_release(&unknown);
		return r;
	}
	if (!json_is_object(obj))
		return err_set(err, ERR_BAD_REQUEST,
		    "the object provided is unrecognized (must be of type %s): couldn't get "
		    "version/kind; json parse error: it is not an object",
		    k->kind);
	if ((r = c->patching ? check_renamed(k, obj, err) : 0) == 0 &&
	    (r = check_kind(k, obj, err)) == 0 &&
	    (r = (tree ? validate_tree : validate_types)(k, obj, &unknown, err)) == 0)
		r = strict_faults(c, k, &unknown, err);
	causes_release(&unknown);
	return r;
}

/* What a patch makes of an object that cannot be decoded is the patch's fault. */
static void
refuse_patched(struct call *c, const json_t *obj, const char *why)
{
	const char *unhandled = strstr(why, " cannot be handled as a "), *colon;
	autobuf struct buf cause = BUF_INIT, msg = BUF_INIT;
	autobuf struct buf shown = BUF_INIT;
	json_auto_t *text = NULL;

	if (unhandled && (colon = strstr(unhandled, ": ")) && !strstr(why, "unknown conversion"))
		why = colon + 2;
	if (patch_form(c) == PATCH_STRATEGIC)
		go_print(&shown, c->patched ? c->patched : obj);
	else
		json_add(&shown, c->patched ? c->patched : obj);
	text = json_string(shown.len ? shown.data : "");
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
	json_t *owners;
	struct err err;

	if (check_object(c, k, obj, &err) < 0) {
		if (c->patching)
			refuse_patched(c, obj, err.msg);
		else
			reply_status(c, 400, "BadRequest", err.msg, NULL);
		return -1;
	}
	/* an empty list of owners says more than none at all */
	owners = json_incref(get(obj, "metadata", "managedFields"));
	normalize_sent(k, obj);
	if (json_is_array(owners))
		put(obj, json_incref(owners), "metadata", "managedFields");
	json_decref(owners);
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
	if (body_load(c, k->kind, k, &obj) < 0)
		return -1;
	if (object_decode(c, k, obj) < 0) {
		json_decref(obj);
		return -1;
	}
	*ret = obj;
	return 0;
}
