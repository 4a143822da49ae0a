#ifndef ORCH_API_PODSECURITY_H
#define ORCH_API_PODSECURITY_H

#include "api/cause.h"

/*
 * The Pod Security Standards: what a Pod may ask of its node at the levels privileged (everything),
 * baseline and restricted, as each minor version of Kubernetes had them.
 */
enum security_level { SECURITY_PRIVILEGED, SECURITY_BASELINE, SECURITY_RESTRICTED };
enum { SECURITY_LATEST = 1000 }; /* the newest version; others are minor ones: 25 is v1.25 */

struct security_policy {
	enum security_level level;
	int version;
};
struct security_policies {
	struct security_policy enforce, audit, warn;
};

/*
 * What a namespace's labels pod-security.kubernetes.io/... ask for.  Labels that cannot be read are
 * causes; then the strictest is enforced, and nothing warned of.
 */
void security_of_labels(
    const json_t *labels, struct security_policies *ret, struct causes *refused);
/* "restricted:latest", "baseline:v1.25" */
char *security_print(struct security_policy policy);

/*
 * Does a Pod, or a template of one (metadata and spec), keep to the policy?  When not, detail gets
 * all that is wrong, `privileged (container "c" must not ...), ...`, and reason the same without
 * what stands in brackets; either may be NULL.
 */
bool security_check(
    const json_t *pod, struct security_policy policy, struct buf *reason, struct buf *detail);

/* --- the checks, for podsecurity.c -------------------------------------------- */

/* A Pod under examination, and the sentence about it that is being made. */
struct security_case {
	const json_t *pod, *spec;
	json_t *containers; /* init, ordinary and ephemeral ones, in this order */
	int version;
	struct buf *reason, *detail;
};
/* Says what is wrong in reason and detail and returns false; else true. */
typedef bool security_rule(struct security_case *c);

security_rule security_apparmor, security_capabilities, security_host_namespaces,
    security_host_paths, security_host_ports, security_probe_hosts, security_privileged,
    security_proc_mount, security_selinux, security_seccomp, security_sysctls,
    security_host_process;
security_rule security_escalation, security_drop_capabilities, security_restricted_proc_mount,
    security_volume_types, security_non_root, security_run_as_user, security_seccomp_set;

/* Who does something: the Pod itself, containers by name. */
struct security_who {
	bool pod;
	size_t n;
	struct buf names; /* "a", "b" */
};
#define SECURITY_WHO_INIT          \
	{                          \
		false, 0, BUF_INIT \
	}
void security_who_add(struct security_who *w, const json_t *container);
/* `pod and containers "a", "b"`; false when there is nobody. */
bool security_who_print(const struct security_who *w, struct buf *out);
/* The keys of a set, sorted and quoted: "a", "b". */
void security_quote(const json_t *set, struct buf *out);

#endif
