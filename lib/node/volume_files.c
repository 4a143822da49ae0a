/* Volumes made of objects: configMap, secret, downwardAPI, projected. */
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "node/payload.h"
#include "node/volume_private.h"

static int
put_file(const struct making *m, const char *name, const void *data, size_t len, const json_t *mode,
    struct err *err)
{
	return payload_add(m->files, name, data, len, (unsigned)num(mode, m->mode), err);
}

/* All keys, or those that items name, of a ConfigMap or Secret. */
static int
put_source(
    struct making *m, const char *kind, const char *name, const json_t *source, struct err *err)
{
	autofree char *ref = xasprintf("%s/%s", kind, name);
	json_t *obj = json_object_get(m->sources, ref), *items = get(source, "items"), *item;
	bool optional = truth(get(source, "optional")), config = strcmp(kind, "ConfigMap") == 0;
	const char *word = config ? "configmap" : "secret";
	static const char *const maps[] = { "data", "binaryData" };
	const char *key;
	json_t *value;
	size_t i;
	int r;

	if (json_is_true(obj))
		return err_set(err, ERR_UNAVAILABLE, "%s \"%s\" cannot be had now", word, name);
	if (!json_is_object(obj))
		return optional ? 0
				: err_set(err, ERR_NOT_FOUND, "%s \"%s\" not found", word, name);
	json_array_foreach (items, i, item) {
		autobuf struct buf b = BUF_INIT;

		if (!source_value(m->sources, kind, name, text(item, "key"), &b)) {
			if (optional)
				continue;
			return err_set(err, ERR_NOT_FOUND,
			    config ? "configmap references non-existent config key: %s"
				   : "references non-existent secret key: %s",
			    text(item, "key"));
		}
		if ((r = put_file(m, text(item, "path"), b.data ? b.data : "", b.len,
			 get(item, "mode"), err)) < 0)
			return r;
	}
	for (size_t k = 0; k < COUNT(maps) && !items; k++)
		json_object_foreach (get(obj, maps[k]), key, value) {
			autobuf struct buf b = BUF_INIT;

			source_value(m->sources, kind, name, key, &b);
			if ((r = put_file(m, key, b.data ? b.data : "", b.len, NULL, err)) < 0)
				return r;
		}
	return 0;
}

static const json_t *
container_named(const json_t *pod, const char *name)
{
	json_t *c;
	size_t i;

	json_array_foreach (get(pod, "spec", "containers"), i, c)
		if (strcmp(text(c, "name"), name) == 0)
			return c;
	return NULL;
}

static int
put_downward(const struct making *m, const json_t *source, struct err *err)
{
	json_t *item;
	size_t i;
	int r;

	json_array_foreach (get(source, "items"), i, item) {
		json_t *resource = get(item, "resourceFieldRef");
		autofree char *value = NULL;

		if (resource)
			value = container_resource(m->host,
			    container_named(m->pod, text(resource, "containerName")), resource);
		else
			value =
			    pod_field(m->host, m->pod, m->ip, text(item, "fieldRef", "fieldPath"));
		if (!value)
			return err_set(err, ERR_INVALID, "field '%s' is not known",
			    text(item, "fieldRef", "fieldPath"));
		if ((r = put_file(
			 m, text(item, "path"), value, strlen(value), get(item, "mode"), err)) < 0)
			return r;
	}
	return 0;
}

static int
put_token(const struct making *m, const json_t *projection, struct err *err)
{
	autofree char *ref = token_ref(projection);
	const char *token = str(json_object_get(m->sources, ref), NULL);

	if (!token && payload_keep(m->files, m->folder, text(projection, "path")))
		return 0; /* the one that is there is good for a while */
	if (!token)
		return err_set(err, ERR_UNAVAILABLE, "there is no token of account '%s'",
		    text(m->pod, "spec", "serviceAccountName"));
	return put_file(m, text(projection, "path"), token, strlen(token), NULL, err);
}

static int
put_projected(struct making *m, const json_t *projected, struct err *err)
{
	json_t *source, *part;
	size_t i;
	int r = 0;

	json_array_foreach (get(projected, "sources"), i, source) {
		if ((part = get(source, "configMap")))
			r = put_source(m, "ConfigMap", text(part, "name"), part, err);
		else if ((part = get(source, "secret")))
			r = put_source(m, "Secret", text(part, "name"), part, err);
		else if ((part = get(source, "downwardAPI")))
			r = put_downward(m, part, err);
		else if ((part = get(source, "serviceAccountToken")))
			r = put_token(m, part, err);
		else
			return err_set(err, ERR_INVALID,
			    "sources[%zu]: this node does %s not, but configMap, secret, "
			    "downwardAPI "
			    "and serviceAccountToken",
			    i,
			    json_object_size(source)
				? json_object_iter_key(json_object_iter(source))
				: "nothing");
		if (r < 0)
			return r;
	}
	return 0;
}

/* The files of a volume that is made of objects; false in *made: this one is not. */
static int
fill_volume(struct making *m, bool *made, struct err *err)
{
	static const char *const kinds[] = { "configMap", "secret", "downwardAPI", "projected" };
	json_t *source = NULL;
	size_t i = 0;

	while (i < COUNT(kinds) && !(source = get(m->volume, kinds[i])))
		i++;
	*made = source != NULL;
	if (!source)
		return 0;
	m->mode = (unsigned)num(get(source, "defaultMode"), 0644);
	switch (i) {
	case 0:
		return put_source(m, "ConfigMap", text(source, "name"), source, err);
	case 1:
		return put_source(m, "Secret", text(source, "secretName"), source, err);
	case 2:
		return put_downward(m, source, err);
	default:
		return put_projected(m, source, err);
	}
}

/* Gather the files, then have them in place all at once. */
int
volume_write(struct making *m, bool *made, struct err *err)
{
	json_int_t group = num(get(m->pod, "spec", "securityContext", "fsGroup"), -1);
	int r;

	m->files = payload_new();
	if ((r = fill_volume(m, made, err)) == 0 && *made)
		r = payload_write(m->files, m->folder, (gid_t)group, err);
	payload_free(m->files);
	return r;
}
