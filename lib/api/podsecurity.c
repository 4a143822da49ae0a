/* The Pod Security Standards: levels, versions, labels, and the order of the checks. */
#include "api/podsecurity.h"

#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"

#define PREFIX "pod-security.kubernetes.io/"

static const char *const levels[] = { "privileged", "baseline", "restricted" };

/* --- labels --- */

static bool
parse_level(const char *text, enum security_level *ret)
{
	for (size_t i = 0; i < COUNT(levels); i++) {
		if (strcmp(text, levels[i]) != 0)
			continue;
		*ret = (enum security_level)i;
		return true;
	}
	return false;
}

/* "latest", "v1.25" */
static bool
parse_version(const char *text, int *ret)
{
	size_t n = strncmp(text, "v1.", 3) == 0 ? strspn(text + 3, "0123456789") : 0;

	*ret = SECURITY_LATEST;
	if (strcmp(text, "latest") == 0)
		return true;
	if (!n || n > 6 || text[3 + n] || (n > 1 && text[3] == '0'))
		return false;
	*ret = atoi(text + 3);
	return true;
}

static void
refuse(struct causes *refused, const char *label, const char *value, const char *why)
{
	refuse_text(refused, KEY(AT(AT(NULL, "metadata"), "labels"), label), value, "%s", why);
}

/* The two labels of one mode; fallback: the level when the label cannot be read.  Returns which
 * are there: 1 the level, 2 the version. */
static int
read_mode(const json_t *labels, const char *mode, enum security_level fallback,
    struct security_policy *p, struct causes *refused)
{
	autofree char *level = xasprintf(PREFIX "%s", mode);
	autofree char *version = xasprintf(PREFIX "%s-version", mode);
	const json_t *own = json_object_get(labels, level);
	const json_t *pinned = json_object_get(labels, version);

	if (own && !parse_level(str(own, ""), &p->level)) {
		p->level = fallback;
		refuse(refused, level, str(own, ""),
		    "must be one of privileged, baseline, restricted");
	}
	if (pinned && !parse_version(str(pinned, ""), &p->version))
		refuse(refused, version, str(pinned, ""), "must be \"latest\" or \"v1.x\"");
	return (own ? 1 : 0) | (pinned ? 2 : 0);
}

void
security_of_labels(const json_t *labels, struct security_policies *ret, struct causes *refused)
{
	static const struct security_policy open = { SECURITY_PRIVILEGED, SECURITY_LATEST };
	int enforced, warned;

	*ret = (struct security_policies){ open, open, open };
	enforced = read_mode(labels, "enforce", SECURITY_RESTRICTED, &ret->enforce, refused);
	read_mode(labels, "audit", SECURITY_PRIVILEGED, &ret->audit, refused);
	warned = read_mode(labels, "warn", SECURITY_PRIVILEGED, &ret->warn, refused);
	if ((enforced & 1) && !warned) /* what would be refused is told beforehand */
		ret->warn = ret->enforce;
}

char *
security_print(struct security_policy policy)
{
	if (policy.version == SECURITY_LATEST)
		return xasprintf("%s:latest", levels[policy.level]);
	return xasprintf("%s:v1.%d", levels[policy.level], policy.version);
}

/* --- who and what --- */

void
security_who_add(struct security_who *w, const json_t *container)
{
	buf_printf(&w->names, "%s\"%s\"", w->n++ ? ", " : "", text(container, "name"));
}

bool
security_who_print(const struct security_who *w, struct buf *out)
{
	if (w->pod)
		buf_puts(out, "pod");
	if (w->n)
		buf_printf(out, "%scontainer%s %s", w->pod ? " and " : "", w->n > 1 ? "s" : "",
		    w->names.data);
	return w->pod || w->n;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void
security_quote(const json_t *set, struct buf *out)
{
	autofree const char **keys = xcalloc(json_object_size(set) + 1, sizeof *keys);
	const char *key;
	size_t n = 0;
	json_t *v;

	json_object_foreach ((json_t *)set, key, v)
		keys[n++] = key;
	qsort(keys, n, sizeof *keys, by_text);
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%s\"%s\"", i ? ", " : "", keys[i]);
}

/* --- the checks, in the order in which they are told --- */

/* From which version on (to the end); of the baseline's some give way to a stricter one. */
static const struct {
	enum security_level level;
	int since;
	security_rule *rule;
	int replaced; /* the version since which the restricted level has its own */
} rules[] = {
	{ SECURITY_BASELINE, 0, security_apparmor, SECURITY_LATEST + 1 },
	{ SECURITY_BASELINE, 0, security_capabilities, 22 },
	{ SECURITY_BASELINE, 0, security_host_namespaces, SECURITY_LATEST + 1 },
	{ SECURITY_BASELINE, 0, security_host_paths, 0 },
	{ SECURITY_BASELINE, 0, security_host_ports, SECURITY_LATEST + 1 },
	{ SECURITY_BASELINE, 34, security_probe_hosts, SECURITY_LATEST + 1 },
	{ SECURITY_BASELINE, 0, security_privileged, SECURITY_LATEST + 1 },
	{ SECURITY_BASELINE, 0, security_proc_mount, 35 },
	{ SECURITY_BASELINE, 0, security_selinux, SECURITY_LATEST + 1 },
	{ SECURITY_BASELINE, 0, security_seccomp, 19 },
	{ SECURITY_BASELINE, 0, security_sysctls, SECURITY_LATEST + 1 },
	{ SECURITY_BASELINE, 0, security_host_process, SECURITY_LATEST + 1 },
	{ SECURITY_RESTRICTED, 8, security_escalation, 0 },
	{ SECURITY_RESTRICTED, 22, security_drop_capabilities, 0 },
	{ SECURITY_RESTRICTED, 35, security_restricted_proc_mount, 0 },
	{ SECURITY_RESTRICTED, 0, security_volume_types, 0 },
	{ SECURITY_RESTRICTED, 0, security_non_root, 0 },
	{ SECURITY_RESTRICTED, 23, security_run_as_user, 0 },
	{ SECURITY_RESTRICTED, 19, security_seccomp_set, 0 },
};

static bool
applies(size_t i, struct security_policy p)
{
	if (p.version < rules[i].since || rules[i].level > p.level)
		return false;
	return rules[i].level == SECURITY_RESTRICTED || p.level == SECURITY_BASELINE ||
	       p.version < rules[i].replaced;
}

static json_t *
containers_of(const json_t *spec)
{
	static const char *const lists[] = { "initContainers", "containers",
		"ephemeralContainers" };
	json_t *all = json_array();

	for (size_t i = 0; i < COUNT(lists); i++)
		if (json_is_array(get(spec, lists[i])))
			json_array_extend(all, get(spec, lists[i]));
	return all;
}

bool
security_check(
    const json_t *pod, struct security_policy policy, struct buf *reason, struct buf *detail)
{
	json_auto_t *containers = containers_of(get(pod, "spec"));
	bool fine = true;

	for (size_t i = 0; i < COUNT(rules); i++) {
		autobuf struct buf why = BUF_INIT, how = BUF_INIT;
		struct security_case c = { pod, get(pod, "spec"), containers, policy.version, &why,
			&how };

		if (!applies(i, policy) || rules[i].rule(&c))
			continue;
		if (reason)
			buf_printf(reason, "%s%s", fine ? "" : ", ", why.data);
		if (detail)
			buf_printf(detail, "%s%s (%s)", fine ? "" : ", ", why.data, how.data);
		fine = false;
	}
	return fine;
}
