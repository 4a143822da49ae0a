#ifndef ORCH_STORE_ADMISSION_H
#define ORCH_STORE_ADMISSION_H

#include "base/opt.h"
#include "store/call.h"

/*
 * What the server adds to an object, and asks of it besides being valid, before a write is kept:
 * Kubernetes' admission plugins, by their names there, in a fixed order (admission.c has the
 * table).  They stand after the field manager, so that nobody owns what a plugin adds, and around
 * validation: first all that change the object, then validation, then all that only look at it.
 * Webhooks and policies have their place at the end of both rounds.
 *
 * A plugin that refuses answers the call itself and returns -1; the call is gone then.
 */
enum operation { OP_CREATE = 1, OP_UPDATE = 2 };

struct admission {
	struct call *c;
	enum operation op;
	const struct kind *kind;
	const char *sub;   /* the subresource that is written, "": the object itself */
	const json_t *old; /* NULL on a create */
	json_t *obj;
	bool unnamed; /* generateName has not been followed yet, as plugins that mutate see it */
};

/* Both rounds; each answers and returns -1 when a plugin refuses. */
int admission_mutate(struct call *c, enum operation op, const json_t *old, json_t *obj);
int admission_validate(struct call *c, enum operation op, const json_t *old, json_t *obj);

/* What the chain adds to a Pod that gets its node through a Binding. */
void admission_bind(struct call *c, json_t *pod);

/*
 * --enable-admission-plugins and --disable-admission-plugins: each item a list of names with commas
 * between.  Before the server starts; refuses a name that no plugin has.
 */
int admission_choose(const struct list *enable, const struct list *disable, struct err *err);

/* How long Pods stay on a node that is not ready, or silent, unless they say otherwise (300 s). */
void admission_tolerations(long long not_ready, long long unreachable);

/* 403 as plugins say it: `pods "x" is forbidden: ...`; answers and returns -1. */
int admission_forbid(struct admission *a, const char *fmt, ...) PRINTF(2, 3);

/* What a plugin looks at besides the object: one of a kind, NULL when there is none; new. */
json_t *admission_get(
    struct admission *a, const char *group, const char *kind, const char *ns, const char *name);
/* All of a kind in ns (NULL: everywhere), by name; a new array. */
json_t *admission_list(struct admission *a, const char *group, const char *kind, const char *ns);
/* Only those whose JSON has these words in it, which takes no reading: "\"globalDefault\":true". */
json_t *admission_list_with(
    struct admission *a, const char *group, const char *kind, const char *ns, const char *words);

/* The class that is the default one by one of these annotations, of several the newest; NULL; new.
 */
json_t *admission_default_class(
    struct admission *a, const char *group, const char *kind, const char *const *annotations);

/* --- the plugins, a file for each concern, under their names in Kubernetes --- */
typedef int admit(struct admission *a);

admit namespace_lifecycle;					  /* namespace.c */
admit always_pull_images, limit_anti_affinity, pod_node_selector; /* admission_optional.c */
admit deny_service_external_ips, extended_resource_toleration;	  /* admission_optional.c */
admit certificate_approval, certificate_signing, certificate_subject_restriction;
admit pod_topology_labels;				/* admission_node.c */
admit resource_quota;					/* admission_quota.c */
admit pod_security;					/* admission_security.c */
admit limit_ranger_mutate, limit_ranger_validate;	/* admission_limit.c */
admit service_account_mutate, service_account_validate; /* admission_account.c */
admit taint_nodes_by_condition;				/* admission_node.c */
admit priority_mutate, priority_validate;		/* admission_priority.c */
admit default_toleration_seconds;			/* admission_pod.c */
admit runtime_class_mutate, runtime_class_validate;	/* admission_runtime.c */
admit storage_protection, default_storage_class;	/* admission_storage.c */
admit claim_resize, default_ingress_class;		/* admission_storage.c */

#endif
