#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"

json_t *
get_path(const json_t *obj, ...)
{
	const char *key;
	va_list ap;

	va_start(ap, obj);
	while (obj && (key = va_arg(ap, const char *)))
		obj = json_object_get(obj, key);
	va_end(ap);
	return (json_t *)obj;
}

const char *
str(const json_t *v, const char *dflt)
{
	return json_is_string(v) ? json_string_value(v) : dflt;
}

json_int_t
num(const json_t *v, json_int_t dflt)
{
	return json_is_integer(v) ? json_integer_value(v) : dflt;
}

bool
truth(const json_t *v)
{
	return json_is_true(v);
}

const char *
meta_name(const json_t *obj)
{
	return text(obj, "metadata", "name");
}

const char *
meta_namespace(const json_t *obj)
{
	return text(obj, "metadata", "namespace");
}

const char *
meta_uid(const json_t *obj)
{
	return text(obj, "metadata", "uid");
}

const char *
meta_version(const json_t *obj)
{
	return text(obj, "metadata", "resourceVersion");
}

const char *
meta_created(const json_t *obj)
{
	return text(obj, "metadata", "creationTimestamp");
}

json_int_t
meta_generation(const json_t *obj)
{
	return num(get(obj, "metadata", "generation"), 0);
}

bool
meta_deleting(const json_t *obj)
{
	return json_is_string(get(obj, "metadata", "deletionTimestamp"));
}

json_t *
meta_labels(const json_t *obj)
{
	return get(obj, "metadata", "labels");
}

const char *
meta_label(const json_t *obj, const char *key)
{
	return str(get(obj, "metadata", "labels", key), NULL);
}

const char *
meta_annotation(const json_t *obj, const char *key)
{
	return str(get(obj, "metadata", "annotations", key), NULL);
}

bool
meta_has_finalizer(const json_t *obj, const char *name)
{
	size_t i;
	json_t *f;

	json_array_foreach (get(obj, "metadata", "finalizers"), i, f)
		if (strcmp(str(f, ""), name) == 0)
			return true;
	return false;
}

json_t *
meta_controller(const json_t *obj)
{
	size_t i;
	json_t *ref;

	json_array_foreach (get(obj, "metadata", "ownerReferences"), i, ref)
		if (truth(get(ref, "controller")))
			return ref;
	return NULL;
}

bool
meta_owned_by(const json_t *obj, const json_t *owner)
{
	const char *uid = text(meta_controller(obj), "uid");

	return *uid && strcmp(uid, meta_uid(owner)) == 0;
}

json_t *
meta_owner_ref(const json_t *owner)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:b}", "apiVersion", text(owner, "apiVersion"),
	    "kind", text(owner, "kind"), "name", meta_name(owner), "uid", meta_uid(owner),
	    "controller", 1, "blockOwnerDeletion", 1);
}

const char *
meta_group_kind(const json_t *obj, char buf[static 128])
{
	const char *version = text(obj, "apiVersion");
	const char *slash = strchr(version, '/');

	if (slash)
		snprintf(buf, 128, "%s.%.*s", text(obj, "kind"), (int)(slash - version), version);
	else
		snprintf(buf, 128, "%s", text(obj, "kind"));
	return buf;
}

char *
meta_ref(const json_t *obj)
{
	const char *ns = meta_namespace(obj), *name = meta_name(obj);

	if (!*name)
		name = text(obj, "metadata", "generateName");
	return xasprintf(
	    "%s/%s/%s%s%s", text(obj, "apiVersion"), text(obj, "kind"), ns, *ns ? "/" : "", name);
}

void
put_path(json_t *obj, json_t *value, ...)
{
	const char *key, *next;
	va_list ap;

	va_start(ap, value);
	key = va_arg(ap, const char *);
	while ((next = va_arg(ap, const char *))) {
		json_t *child = json_object_get(obj, key);

		if (!json_is_object(child)) {
			child = json_object();
			json_object_set_new(obj, key, child);
		}
		obj = child;
		key = next;
	}
	va_end(ap);
	json_object_set_new(obj, key, value);
}

json_t *
condition_find(const json_t *obj, const char *type)
{
	size_t i;
	json_t *c;

	json_array_foreach (get(obj, "status", "conditions"), i, c)
		if (strcmp(text(c, "type"), type) == 0)
			return c;
	return NULL;
}

bool
condition_true(const json_t *obj, const char *type)
{
	return strcmp(text(condition_find(obj, type), "status"), "True") == 0;
}

bool
condition_set(json_t *obj, const char *type, const char *status, const char *reason,
    const char *message, const char *now)
{
	json_t *c = condition_find(obj, type);
	bool flips = !c || strcmp(text(c, "status"), status) != 0;

	if (!flips && strcmp(text(c, "reason"), reason) == 0 &&
	    strcmp(text(c, "message"), message) == 0)
		return false;
	if (!c) {
		c = json_pack("{s:s}", "type", type);
		if (!json_is_array(get(obj, "status", "conditions")))
			put(obj, json_array(), "status", "conditions");
		json_array_append_new(get(obj, "status", "conditions"), c);
	}
	json_object_set_new(c, "status", json_string(status));
	if (flips)
		json_object_set_new(c, "lastTransitionTime", json_string(now));
	json_object_set_new(c, "reason", json_string(reason));
	json_object_set_new(c, "message", json_string(message));
	return true;
}
