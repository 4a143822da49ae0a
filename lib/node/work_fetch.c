/* What the objects that a pod refers to are now. */
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "node/agent_state.h"
#include "node/files.h"
#include "node/volume.h"

/* One of them, by its key; NULL when there is none. */
static json_t *
fetch(struct agent *a, const struct pod *p, const char *key, bool tokens)
{
	const char *slash = strchr(key, '/'), *rest = slash + 1, *ns = meta_namespace(p->object);
	autofree char *kind = xstrndup(key, (size_t)(slash - key)), *token = NULL;

	if (strcmp(kind, "PersistentVolume") == 0 || strcmp(kind, "Node") == 0 ||
	    strcmp(kind, "RuntimeClass") == 0)
		ns = "";
	if (strcmp(kind, "Token") != 0)
		return a->hooks.lookup ? a->hooks.lookup(a->hooks.arg, kind, ns, rest) : NULL;
	if (tokens && a->hooks.token)
		token = a->hooks.token(
		    a->hooks.arg, p->object, strchr(rest, '/') + 1, (json_int_t)atoll(rest));
	return token ? json_string(token) : NULL;
}

void
work_fetch(struct agent *a, const struct pod *p, json_t *sources, bool tokens)
{
	const char *key;
	json_t *was;
	void *tmp;

	do {
		json_object_foreach_safe(sources, tmp, key, was)
		{
			json_t *obj = json_is_null(was) ? fetch(a, p, key, tokens) : NULL;

			if (obj)
				json_object_set_new(sources, key, obj);
		}
	} while (sources_further(sources, p->object));
}

json_t *
work_sources(struct agent *a, const struct pod *p, bool tokens)
{
	json_t *sources = pod_sources(p->object);
	autofree char *class =
	    xasprintf("RuntimeClass/%s", text(p->object, "spec", "runtimeClassName"));

	if (tokens && *text(p->object, "spec", "runtimeClassName")) /* for a sandbox */
		json_object_set_new(sources, class, json_null());
	work_fetch(a, p, sources, tokens);
	return sources;
}

int
work_fetch_services(struct agent *a, const struct pod *p, json_t *sources, struct err *err)
{
	autofree char *path = host_path(a->host, "pods/%s/services.json", p->uid);
	autobuf struct buf b = BUF_INIT;
	json_t *services;

	if (!a->hooks.services)
		return 0;
	services = a->hooks.services(a->hooks.arg, p->object);
	if (!services && !(services = json_load_file(path, 0, NULL)))
		return err_set(err, ERR_UNAVAILABLE, "the Services are not known yet");
	json_object_set_new(sources, "Services", services);
	if (file_exists(path))
		return 0;
	json_add(&b, services);
	return file_swap(path, b.data, b.len, 0600, err);
}
