/* The chain of admission plugins: which there are, which are on, and how they refuse. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/admission.h"

/*
 * ServiceAccount is the one plugin of Kubernetes' default set that is off here until it is asked
 * for: it needs the loop that makes a "default" account in each namespace, and a store may well run
 * without any loop.
 */
static struct plugin {
	const char *name;
	bool on;
	unsigned ops;
	const char *group, *kind; /* NULL: any kind */
	bool subs;		  /* also writes of subresources */
	admit *mutate, *validate;
} plugins[] = {
	{ "NamespaceLifecycle", true, OP_CREATE, NULL, NULL, true, namespace_lifecycle, NULL },
	{ "LimitPodHardAntiAffinityTopology", false, OP_CREATE | OP_UPDATE, "", "Pod", false, NULL,
	    limit_anti_affinity },
	{ "LimitRanger", true, OP_CREATE | OP_UPDATE, "", NULL, true, limit_ranger_mutate,
	    limit_ranger_validate },
	{ "ServiceAccount", false, OP_CREATE | OP_UPDATE, "", "Pod", true, service_account_mutate,
	    service_account_validate },
	{ "TaintNodesByCondition", true, OP_CREATE, "", "Node", false, taint_nodes_by_condition,
	    NULL },
	{ "AlwaysPullImages", false, OP_CREATE | OP_UPDATE, "", "Pod", false, always_pull_images,
	    NULL },
	{ "PodSecurity", true, OP_CREATE | OP_UPDATE, NULL, NULL, true, NULL, pod_security },
	{ "PodNodeSelector", false, OP_CREATE, "", "Pod", false, pod_node_selector, NULL },
	{ "Priority", true, OP_CREATE | OP_UPDATE, NULL, NULL, false, priority_mutate,
	    priority_validate },
	{ "DefaultTolerationSeconds", true, OP_CREATE | OP_UPDATE, "", "Pod", false,
	    default_toleration_seconds, NULL },
	{ "ExtendedResourceToleration", false, OP_CREATE | OP_UPDATE, "", "Pod", false,
	    extended_resource_toleration, NULL },
	{ "DefaultStorageClass", true, OP_CREATE, "", "PersistentVolumeClaim", false,
	    default_storage_class, NULL },
	{ "StorageObjectInUseProtection", true, OP_CREATE, NULL, NULL, false, storage_protection,
	    NULL },
	{ "PersistentVolumeClaimResize", true, OP_UPDATE, "", "PersistentVolumeClaim", false, NULL,
	    claim_resize },
	{ "RuntimeClass", true, OP_CREATE, "", "Pod", false, runtime_class_mutate,
	    runtime_class_validate },
	{ "CertificateApproval", true, OP_UPDATE, "certificates.k8s.io",
	    "CertificateSigningRequest", true, NULL, certificate_approval },
	{ "CertificateSigning", true, OP_UPDATE, "certificates.k8s.io", "CertificateSigningRequest",
	    true, NULL, certificate_signing },
	{ "CertificateSubjectRestriction", true, OP_CREATE, "certificates.k8s.io",
	    "CertificateSigningRequest", false, NULL, certificate_subject_restriction },
	{ "DefaultIngressClass", true, OP_CREATE, "networking.k8s.io", "Ingress", false,
	    default_ingress_class, NULL },
	{ "PodTopologyLabels", true, OP_CREATE, "", "Pod", false, pod_topology_labels, NULL },
	{ "DenyServiceExternalIPs", false, OP_CREATE | OP_UPDATE, "", "Service", false, NULL,
	    deny_service_external_ips },
	/* webhooks and policies come here, before the one that writes something down */
	{ "ResourceQuota", true, OP_CREATE | OP_UPDATE, NULL, NULL, true, NULL, resource_quota },
};

/* Kubernetes' other ones: they are as good as off. */
static const char *const absent[] = { "AlwaysAdmit", "AlwaysDeny", "ClusterTrustBundleAttest",
	"EventRateLimit", "ImagePolicyWebhook", "MutatingAdmissionPolicy",
	"MutatingAdmissionWebhook", "NamespaceAutoProvision", "NamespaceExists", "NodeRestriction",
	"OwnerReferencesPermissionEnforcement", "PodTolerationRestriction",
	"ValidatingAdmissionPolicy", "ValidatingAdmissionWebhook", NULL };

static bool
concerns(const struct plugin *p, const struct admission *a)
{
	if (!p->on || !(p->ops & a->op) || (!p->subs && *a->sub))
		return false;
	return (!p->group || strcmp(p->group, a->kind->group) == 0) &&
	       (!p->kind || strcmp(p->kind, a->kind->kind) == 0);
}

int
admission_mutate(struct call *c, enum operation op, const json_t *old, json_t *obj)
{
	struct admission a = { c, op, c->kind, c->target.sub, old, obj, c->generated };

	for (size_t i = 0; i < COUNT(plugins); i++)
		if (plugins[i].mutate && concerns(&plugins[i], &a) && plugins[i].mutate(&a) < 0)
			return -1;
	return 0;
}

int
admission_validate(struct call *c, enum operation op, const json_t *old, json_t *obj)
{
	struct admission a = { c, op, c->kind, c->target.sub, old, obj, false };

	for (size_t i = 0; i < COUNT(plugins); i++)
		if (plugins[i].validate && concerns(&plugins[i], &a) && plugins[i].validate(&a) < 0)
			return -1;
	return 0;
}

static struct plugin *
find(const char *name, size_t len)
{
	for (size_t i = 0; i < COUNT(plugins); i++)
		if (strlen(plugins[i].name) == len && memcmp(plugins[i].name, name, len) == 0)
			return &plugins[i];
	return NULL;
}

static int
choose_one(const char *name, bool on, struct err *err)
{
	struct plugin *plugin = find(name, strlen(name));

	if (plugin)
		plugin->on = on;
	else if (!text_in(name, absent))
		return err_set(err, ERR_BAD_REQUEST,
		    "cannot %s admission plugin '%s': there is none of that name",
		    on ? "enable" : "disable", name);
	else if (on)
		return err_set(err, ERR_BAD_REQUEST,
		    "cannot enable admission plugin '%s': orch does not have it", name);
	return 0;
}

static int
choose(const struct list *lists, bool on, struct err *err)
{
	for (size_t i = 0; i < lists->n; i++) {
		for (const char *p = lists->item[i]; *p;) {
			size_t len = strcspn(p, ",");
			autofree char *name = xstrndup(p, len);
			int r = choose_one(name, on, err);

			if (r < 0)
				return r;
			p += len + (p[len] == ',');
		}
	}
	return 0;
}

void
admission_bind(struct call *c, json_t *pod)
{
	struct admission a = { c, OP_CREATE, c->kind, c->target.sub, NULL, pod, false };
	const struct plugin *p = find("PodTopologyLabels", 17);

	if (p->on)
		p->mutate(&a);
}

int
admission_choose(const struct list *enable, const struct list *disable, struct err *err)
{
	int r = choose(enable, true, err);

	return r < 0 ? r : choose(disable, false, err);
}

int
admission_forbid(struct admission *a, const char *fmt, ...)
{
	const char *name =
	    a->unnamed ? text(a->obj, "metadata", "generateName") : meta_name(a->obj);
	json_t *d = json_pack("{s:s}", "kind", a->kind->plural);
	autofree char *why = NULL, *msg = NULL;
	char resource[128];
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&why, fmt, ap) < 0)
		abort();
	va_end(ap);
	if (*name)
		json_object_set_new(d, "name", json_string(name));
	if (*a->kind->group)
		json_object_set_new(d, "group", json_string(a->kind->group));
	msg = xasprintf("%s \"%s\" is forbidden: %s", call_resource(a->c, resource), name, why);
	reply_status(a->c, 403, "Forbidden", msg, d);
	return -1;
}

json_t *
admission_get(
    struct admission *a, const char *group, const char *kind, const char *ns, const char *name)
{
	struct cache *cache = a->c->server->cache;
	const struct kind *k = kind_find(group, "v1", kind);
	struct object *o = cache_get(cache, cache_table(cache, k), ns, name);
	json_t *obj = o ? object_json(o, k) : NULL;

	object_unref(o);
	return obj;
}

struct gathering {
	const struct kind *kind;
	json_t *all;
	const char *words; /* that its text must hold; NULL: any */
};

static bool
gather(void *arg, struct object *o)
{
	struct gathering *g = arg;

	if (!g->words || memmem(o->body->data, o->body->len, g->words, strlen(g->words)))
		json_array_append_new(g->all, object_json(o, g->kind));
	return true;
}

json_t *
admission_list(struct admission *a, const char *group, const char *kind, const char *ns)
{
	return admission_list_with(a, group, kind, ns, NULL);
}

json_t *
admission_list_with(
    struct admission *a, const char *group, const char *kind, const char *ns, const char *words)
{
	struct cache *cache = a->c->server->cache;
	struct gathering g = { kind_find(group, "v1", kind), json_array(), words };
	struct walk walk = { .table = cache_table(cache, g.kind), .namespace = ns };
	uint64_t revision;
	struct err err;

	if (cache_count(cache, walk.table) > 0)
		cache_walk(cache, &walk, gather, &g, &revision, &err);
	return g.all;
}
