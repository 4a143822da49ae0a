#include <string.h>

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
		"reportingComponent", "source.component", "type", NULL } },
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

	for (size_t i = 0; i < COUNT(selectable); i++)
		if (strcmp(k->kind, selectable[i].kind) == 0 &&
		    strcmp(k->group, selectable[i].group) == 0)
			return selectable[i].fields;
	return none;
}

const char *
object_field(const struct object *o, const struct kind *k, const char *path)
{
	const char *at = o->text + strlen(o->text) + 1;

	if (strcmp(path, "metadata.namespace") == 0)
		return o->text;
	if (strcmp(path, "metadata.name") == 0)
		return at;
	for (const char *const *f = kind_fields(k); *f; f++) {
		at += strlen(at) + 1;
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

static bool
accepts(const char *field, void *arg)
{
	const struct filter *f = arg;

	if (strcmp(field, "metadata.name") == 0 || strcmp(field, "metadata.namespace") == 0)
		return true;
	for (const char *const *known = kind_fields(f->kind); *known; known++)
		if (strcmp(field, *known) == 0)
			return true;
	return false;
}

/* Kubernetes words the refusal of kinds without fields of their own differently. */
static int
refuse(const struct filter *f, const char *field, struct err *err)
{
	if (!*kind_fields(f->kind))
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
	f->node =
	    strcmp(f->kind->kind, "Pod") == 0 ? selector_exact(f->fields, "spec.nodeName") : NULL;
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

/* Set obj.a.b = value for the path "a.b". */
static void
put_field(json_t *obj, const char *path, const char *value)
{
	for (;;) {
		size_t n = strcspn(path, ".");
		json_t *next;

		if (path[n] == '\0') {
			json_object_set_new_nocheck(obj, path, json_string_nocheck(value));
			return;
		}
		next = json_object_getn(obj, path, n);
		if (!next) {
			json_object_setn_new_nocheck(obj, path, n, json_object());
			next = json_object_getn(obj, path, n);
		}
		obj = next;
		path += n + 1;
	}
}

static bool
match_fields(const struct filter *f, const struct object *o)
{
	const char *at = object_name(o);
	json_t *obj;
	bool yes;

	if (f->node && strcmp(object_field(o, f->kind, "spec.nodeName"), f->node) != 0)
		return false;
	obj = json_object();
	put_field(obj, "metadata.namespace", o->text);
	put_field(obj, "metadata.name", at);
	for (const char *const *path = kind_fields(f->kind); *path; path++) {
		at += strlen(at) + 1;
		put_field(obj, *path, at);
	}
	yes = selector_match_fields(f->fields, obj);
	json_decref(obj);
	return yes;
}

static bool
match_labels(const struct filter *f, const struct object *o)
{
	json_t *labels = NULL;
	bool yes;

	if (o->labels_len)
		labels =
		    json_loadb(o->body->data + o->labels_at, o->labels_len, JSON_ALLOW_NUL, NULL);
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
