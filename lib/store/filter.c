#include <string.h>

#include "api/convert.h"
#include "api/custom.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/object.h"

/*
 * Which fields a selector may name, per kind: each registry of Kubernetes has its
 * own list; metadata.name and metadata.namespace are everyone's.
 */
static const struct {
	const char *group, *kind;
	const char *const *fields;
} selectable[] = {
	{ "", "Pod",
	    (const char *const[]){ "spec.nodeName", "spec.restartPolicy", "spec.schedulerName",
		"spec.serviceAccountName", "spec.hostNetwork", "status.phase", "status.podIP",
		"status.nominatedNodeName", NULL } },
	{ "", "Node", (const char *const[]){ "spec.unschedulable", NULL } },
	{ "", "Namespace", (const char *const[]){ "status.phase", NULL } },
	{ "", "Secret", (const char *const[]){ "type", NULL } },
	{ "", "Service", (const char *const[]){ "spec.clusterIP", "spec.type", NULL } },
	{ "", "ReplicationController", (const char *const[]){ "status.replicas", NULL } },
	{ "apps", "ReplicaSet", (const char *const[]){ "status.replicas", NULL } },
	{ "", "Event",
	    (const char *const[]){ "involvedObject.kind", "involvedObject.namespace",
		"involvedObject.name", "involvedObject.uid", "involvedObject.apiVersion",
		"involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
		"reportingComponent", "source", "type", NULL } },
	{ "events.k8s.io", "Event",
	    (const char *const[]){ "regarding.kind", "regarding.namespace", "regarding.name",
		"regarding.uid", "regarding.apiVersion", "regarding.resourceVersion",
		"regarding.fieldPath", "reason", "reportingController", "type", NULL } },
	{ "batch", "Job", (const char *const[]){ "status.successful", NULL } },
	{ "certificates.k8s.io", "CertificateSigningRequest",
	    (const char *const[]){ "spec.signerName", NULL } },
	{ "resource.k8s.io", "ResourceSlice",
	    (const char *const[]){ "spec.nodeName", "spec.driver", NULL } },
};

const char *const *
kind_fields(const struct kind *k)
{
	static const char *const none[] = { NULL };

	if (k->custom)
		return none;
	for (size_t i = 0; i < COUNT(selectable); i++)
		if (strcmp(k->kind, selectable[i].kind) == 0 &&
		    strcmp(k->group, selectable[i].group) == 0)
			return selectable[i].fields;
	return none;
}

const char *
object_field(const struct object *o, const struct kind *k, const char *path)
{
	const char *at = o->text + strlen(o->text) + 1, *end = o->text + o->text_len;

	path = convert_field(k, path);
	k = kind_stored(k);
	if (strcmp(path, "metadata.namespace") == 0)
		return o->text;
	if (strcmp(path, "metadata.name") == 0)
		return at;
	for (const char *const *f = kind_fields(k); *f; f++) {
		at += strlen(at) + 1;
		if (at >= end) /* of a kind that is a view by now */
			return NULL;
		if (strcmp(*f, path) == 0)
			return at;
	}
	return NULL;
}

void
filter_release(struct filter *f)
{
	free(f->namespace);
	free(f->name);
	selector_free(f->labels);
	selector_free(f->fields);
	*f = (struct filter){ .kind = f->kind };
}

static const char *const *
selectable_of(const struct kind *k)
{
	return k->custom ? k->custom->selectable : kind_fields(k);
}

static bool
accepts(const char *field, void *arg)
{
	const struct filter *f = arg;

	if (strcmp(field, "metadata.name") == 0 || strcmp(field, "metadata.namespace") == 0)
		return true;
	for (const char *const *known = selectable_of(f->kind); *known; known++)
		if (strcmp(field, *known) == 0)
			return true;
	return false;
}

/* Kubernetes words the refusal of kinds without fields of their own differently. */
static int
refuse(const struct filter *f, const char *field, struct err *err)
{
	if (!f->kind->custom && !*kind_fields(f->kind))
		return err_set(err, ERR_BAD_REQUEST,
		    "\"%s\" is not a known field selector: only \"metadata.name\", "
		    "\"metadata.namespace\"",
		    field);
	return err_set(err, ERR_BAD_REQUEST, "field label not supported: %s", field);
}

int
filter_parse(struct filter *f, const char *labels, const char *fields, struct err *err)
{
	const char *refused, *exact;
	int r;

	if (labels && *labels && (r = selector_parse(&f->labels, labels, err)) < 0)
		return r;
	if (!fields || !*fields)
		return 0;
	if ((r = selector_parse_fields(&f->fields, fields, err)) < 0)
		return r;
	if ((refused = selector_refused(f->fields, accepts, f)))
		return refuse(f, refused, err);
	f->node = !*f->kind->group && strcmp(f->kind->kind, "Pod") == 0
		      ? selector_exact(f->fields, "spec.nodeName")
		      : NULL;
	if (!f->name && (exact = selector_exact(f->fields, "metadata.name")))
		f->name = xstrdup(exact);
	if (!f->namespace && f->kind->namespaced &&
	    (exact = selector_exact(f->fields, "metadata.namespace")))
		f->namespace = xstrdup(exact);
	return 0;
}

bool
filter_selects(const struct filter *f)
{
	return f->labels || f->fields;
}

struct fields {
	const struct object *object;
	const struct kind *kind;
};

static const char *
field_value(const char *path, void *arg)
{
	const struct fields *f = arg;

	return object_field(f->object, f->kind, path);
}

/* Of a custom kind the fields are not kept apart: what they are may change at any time. */
struct custom_fields {
	const struct object *object;
	json_t *obj;
	char number[32];
};

static const char *
custom_value(const char *path, void *arg)
{
	struct custom_fields *f = arg;
	const json_t *v = f->obj;

	if (strcmp(path, "metadata.name") == 0)
		return object_name(f->object);
	if (strcmp(path, "metadata.namespace") == 0)
		return object_namespace(f->object);
	for (size_t n; v && *path; path += n + (path[n] == '.')) {
		n = strcspn(path, ".");
		v = json_object_getn(v, path, n);
	}
	if (json_is_integer(v))
		snprintf(f->number, sizeof f->number, "%lld", (long long)json_integer_value(v));
	else
		snprintf(f->number, sizeof f->number, "%s",
		    json_is_true(v)    ? "true"
		    : json_is_false(v) ? "false"
				       : "");
	return json_is_string(v) ? json_string_value(v) : f->number;
}

static bool
match_custom(const struct filter *f, const struct object *o)
{
	struct custom_fields fields = { .object = o, .obj = object_json(o, f->kind) };
	bool yes = selector_match_by(f->fields, custom_value, &fields);

	json_decref(fields.obj);
	return yes;
}

static bool
match_fields(const struct filter *f, const struct object *o)
{
	struct fields fields = { o, f->kind };

	if (f->kind->custom)
		return match_custom(f, o);

	if (f->node && strcmp(object_field(o, f->kind, "spec.nodeName"), f->node) != 0)
		return false;
	return selector_match_by(f->fields, field_value, &fields);
}

/* Labels as they stand in the object's bytes: {"key":"value",...} */
struct labels {
	const char *at, *end;
	char value[256]; /* the one found last */
	bool odd;	 /* not of the simple form that valid labels have: to be parsed */
};

/* The string that starts at p, with its closing quote: its length, or -1 for one that needs
 * parsing. */
static ptrdiff_t
plain_string(const char *p, const char *end)
{
	const char *quote = p < end && *p == '"' ? memchr(p + 1, '"', (size_t)(end - p - 1)) : NULL;

	if (!quote || memchr(p, '\\', (size_t)(quote - p)))
		return -1;
	return quote - p - 1;
}

static const char *
label_value(const char *key, void *arg)
{
	struct labels *l = arg;
	size_t want = strlen(key);

	for (const char *p = l->at + 1; p < l->end && *p == '"';) {
		ptrdiff_t klen = plain_string(p, l->end), vlen;
		const char *v = p + klen + 3; /* behind "key": */

		if (klen < 0 || v >= l->end || v[-1] != ':' ||
		    (vlen = plain_string(v, l->end)) < 0 || (size_t)vlen >= sizeof l->value)
			break;
		if ((size_t)klen == want && memcmp(p + 1, key, want) == 0) {
			memcpy(l->value, v + 1, (size_t)vlen);
			l->value[vlen] = '\0';
			return l->value;
		}
		p = v + vlen + 2;
		if (p < l->end && *p == '}')
			return NULL;
		p += p < l->end && *p == ',';
	}
	l->odd = l->end - l->at != 2; /* {} */
	return NULL;
}

/* Nothing is parsed: a list or an event may have to look at thousands of these. */
static bool
match_labels(const struct filter *f, const struct object *o)
{
	struct labels l = { .at = o->body->data + o->labels_at };
	json_t *labels;
	bool yes;

	if (!o->labels_len)
		return selector_match(f->labels, NULL);
	l.end = l.at + o->labels_len;
	yes = selector_match_by(f->labels, label_value, &l);
	if (!l.odd)
		return yes;
	labels = json_loadb(l.at, o->labels_len, JSON_ALLOW_NUL, NULL);
	yes = selector_match(f->labels, labels);
	json_decref(labels);
	return yes;
}

bool
filter_match(const struct filter *f, const struct object *o)
{
	if (f->namespace && strcmp(f->namespace, object_namespace(o)) != 0)
		return false;
	if (f->name && strcmp(f->name, object_name(o)) != 0)
		return false;
	if (f->fields && !match_fields(f, o))
		return false;
	return !f->labels || match_labels(f, o);
}
