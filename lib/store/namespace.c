/* Where objects may be created, and the namespaces that are always there. */
#include <string.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/time.h"
#include "store/admission.h"

static void
refuse_terminating(struct call *c, const char *name)
{
	char resource[128];
	autofree char *msg = xasprintf("%s \"%s\" is forbidden: unable to create new content in "
				       "namespace %s because it is being terminated",
	    call_resource(c, resource), name, c->target.namespace);
	autofree char *cause = xasprintf("namespace %s is being terminated", c->target.namespace);
	json_t *d = json_pack("{s:s}", "name", name);

	if (*c->kind->group)
		json_object_set_new(d, "group", json_string(c->kind->group));
	json_object_set_new(d, "kind", json_string(c->kind->plural));
	json_object_set_new(d, "causes",
	    json_pack("[{s:s,s:s,s:s}]", "reason", "NamespaceTerminating", "message", cause,
		"field", "metadata.namespace"));
	reply_status(c, 403, "Forbidden", msg, d);
}

int
namespace_lifecycle(struct admission *a)
{
	struct call *c = a->c;
	bool leaving;

	if (!a->kind->namespaced)
		return 0;
	struct object *ns =
	    cache_get(c->server->cache, c->server->namespaces, "", c->target.namespace);

	if (!ns) {
		autofree char *msg = xasprintf("namespaces \"%s\" not found", c->target.namespace);
		reply_status(c, 404, "NotFound", msg,
		    json_pack("{s:s,s:s}", "name", c->target.namespace, "kind", "namespaces"));
		return -1;
	}
	leaving = strcmp(object_field(ns, c->server->namespaces->kind, "status.phase"),
		      "Terminating") == 0;
	object_unref(ns);
	if (leaving)
		refuse_terminating(c, meta_name(a->obj));
	return leaving ? -1 : 0;
}

static json_t *
new_namespace(const char *name)
{
	char now[TIME_TEXT], uid[37];
	json_t *ns = json_pack(
	    "{s:s,s:s,s:{s:s}}", "apiVersion", "v1", "kind", "Namespace", "metadata", "name", name);

	new_uid(uid);
	put(ns, json_string(uid), "metadata", "uid");
	put(ns, json_string(time_print(clock_now(), now)), "metadata", "creationTimestamp");
	return ns;
}

int
bootstrap_namespaces(struct server *s, struct err *err)
{
	static const char *const names[] = { "default", "kube-system", "kube-public",
		"kube-node-lease" };
	const struct kind *k = s->namespaces->kind;

	for (size_t i = 0; i < COUNT(names); i++) {
		struct write w = { .table = s->namespaces, .draft = DRAFT_INIT };
		json_t *ns;
		int r;

		if (cache_exists(s->cache, s->namespaces, "", names[i]))
			continue;
		ns = new_namespace(names[i]);
		strategy_create(k, ns);
		defaults_apply(k, ns);
		draft_encode(&w.draft, k, ns);
		r = commit_wait(s->commit, &w, err);
		write_release(&w);
		json_decref(ns);
		if (r < 0)
			return err_wrap(err, "cannot create namespace '%s'", names[i]);
	}
	return 0;
}
