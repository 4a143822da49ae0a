#include "kubelet/workload.h"

#include <string.h>

#include "api/meta.h"
#include "api/validate.h"
#include "base/mem.h"
#include "base/text.h"

static const char *const kinds[] = { "DaemonSet", "Deployment", "Job", "ReplicaSet", "StatefulSet",
	NULL };

bool
workload_is(const json_t *obj)
{
	const char *kind = text(obj, "kind"), *version = text(obj, "apiVersion");

	if (strcmp(kind, "Pod") == 0)
		return strcmp(version, "v1") == 0;
	return text_in(kind, kinds) &&
	       (strcmp(version, "apps/v1") == 0 || strcmp(version, "batch/v1") == 0);
}

/* What the API server would do with it. */
static int
complete(json_t *obj, struct err *err)
{
	const struct kind *k = kind_of_object(text(obj, "apiVersion"), text(obj, "kind"));
	struct causes unknown = CAUSES_INIT, causes = CAUSES_INIT;
	int r;

	if (!k)
		return err_set(err, ERR_INVALID, "there is no kind %s in %s", text(obj, "kind"),
		    text(obj, "apiVersion"));
	if (!*meta_namespace(obj))
		put(obj, json_string("default"), "metadata", "namespace");
	if ((r = validate_types(k, obj, &unknown, err)) == 0) {
		if (unknown.n)
			r = err_set(
			    err, ERR_INVALID, "unknown field \"%s\"", unknown.item[0].field);
		normalize(k, obj);
		defaults_apply(k, obj);
		validate_create(k, obj, &causes);
		if (r == 0 && causes.n)
			r = causes_err(&causes, k, meta_name(obj), err);
	}
	causes_release(&unknown);
	causes_release(&causes);
	return r;
}

/* How many, when, in which order: all that a controller would look after. */
static void
tell_rest(const json_t *obj, void (*each)(void *arg, const char *path, const char *why), void *arg)
{
	static const char *const harmless[] = { "template", "selector", "revisionHistoryLimit",
		"progressDeadlineSeconds", "strategy", "updateStrategy", "podManagementPolicy",
		"completionMode", "suspend", "podReplacementPolicy", "serviceName",
		"persistentVolumeClaimRetentionPolicy", "manualSelector", NULL };
	const char *key;
	json_t *value;

	json_object_foreach (get(obj, "spec"), key, value) {
		bool one = json_is_integer(value) && json_integer_value(value) == 1;
		bool counts = strcmp(key, "replicas") == 0 || strcmp(key, "completions") == 0 ||
			      strcmp(key, "parallelism") == 0;
		autofree char *path = xasprintf("spec.%s", key);

		if (truth(value) && strcmp(key, "suspend") == 0)
			each(arg, path, "it runs at once");
		else if (counts ? !one : !text_in(key, harmless))
			each(arg, path,
			    counts ? "one pod is run" : "nobody looks after it but this program");
	}
}

static json_t *
from_template(const json_t *obj)
{
	json_t *template = get(obj, "spec", "template");
	json_t *pod = json_pack("{s:s, s:s, s:O?, s:O?}", "apiVersion", "v1", "kind", "Pod",
	    "metadata", get(template, "metadata"), "spec", get(template, "spec"));
	json_t *copy = json_deep_copy(pod);

	json_decref(pod);
	put(copy, json_string(meta_name(obj)), "metadata", "name");
	put(copy, json_string(meta_namespace(obj)), "metadata", "namespace");
	return copy;
}

int
workload_pod(const json_t *obj, json_t **ret,
    void (*each)(void *arg, const char *path, const char *why), void *arg, struct err *err)
{
	bool pod = strcmp(text(obj, "kind"), "Pod") == 0;
	json_auto_t *whole = json_deep_copy(obj), *out = NULL;
	int r;

	if (pod && !*meta_name(whole) && *text(whole, "metadata", "generateName")) {
		autofree char *name =
		    xasprintf("%sbyhand", text(whole, "metadata", "generateName"));

		put(whole, json_string(name), "metadata", "name");
	}
	if ((r = complete(whole, err)) < 0)
		return r;
	if (!pod) {
		tell_rest(obj, each, arg);
		out = from_template(whole);
		if ((r = complete(out, err)) < 0)
			return r;
	}
	*ret = pod ? steal(whole) : steal(out);
	return 0;
}
