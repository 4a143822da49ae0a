/* Users, groups, profiles and privileges of Pods and containers. */
#include <string.h>

#include "api/meta.h"
#include "api/rules_pod.h"
#include "api/shown.h"
#include "base/mem.h"
#include "base/text.h"

enum { MAX_ID = 2147483647 };

static void
check_ids(struct causes *out, const struct path *at, const json_t *context)
{
	static const char *const keys[] = { "fsGroup", "runAsUser", "runAsGroup" };

	for (size_t i = 0; i < COUNT(keys); i++)
		check_between(out, at, context, keys[i], 0, MAX_ID);
}

/* --- profiles --------------------------------------------------------------------------------- */

static const char *const profile_types[] = { "Localhost", "RuntimeDefault", "Unconfined", NULL };

static void
check_seccomp(struct causes *out, const struct path *at, const json_t *profile)
{
	const char *type = text(profile, "type");
	const json_t *local = json_object_get(profile, "localhostProfile");

	if (!json_is_object(profile))
		return;
	if (!*type)
		refuse_required(out, AT(at, "type"), "type is required when seccompProfile is set");
	else
		check_one_of(out, at, profile, "type", profile_types);
	if (!strcmp(type, "Localhost") && !local)
		refuse_required(
		    out, AT(at, "localhostProfile"), "must be set when seccomp type is Localhost");
	else if (!strcmp(type, "Localhost"))
		check_local_path(out, AT(at, "localhostProfile"), str(local, ""));
	else if (local)
		refuse_shown(out, AT(at, "localhostProfile"), "core.v1.SeccompProfile", profile,
		    "can only be set when seccomp type is Localhost");
}

static bool
padded(const char *s)
{
	size_t n = strlen(s);

	return n && (strchr(" \t\r\n\v\f", s[0]) || strchr(" \t\r\n\v\f", s[n - 1]));
}

static void
check_localhost_profile(struct causes *out, const struct path *at, const json_t *local)
{
	enum { LONGEST = 4095 };
	static const char needed[] = "must be set when AppArmor type is Localhost";
	const char *name = str(local, "");

	if (!local) {
		refuse_required(out, at, needed);
		return;
	}
	if (padded(name))
		refuse_text(out, at, name, "must not be padded with whitespace");
	else if (!*name)
		refuse_required(out, at, needed);
	if (strlen(name) > LONGEST)
		refuse_too_long(out, at, LONGEST);
}

static void
check_app_armor(struct causes *out, const struct path *at, const json_t *profile)
{
	const char *type = text(profile, "type");
	const json_t *local = json_object_get(profile, "localhostProfile");

	if (!json_is_object(profile))
		return;
	if (!*type)
		refuse_required(
		    out, AT(at, "type"), "type is required when appArmorProfile is set");
	else if (!strcmp(type, "Localhost"))
		check_localhost_profile(out, AT(at, "localhostProfile"), local);
	else if (!text_in(type, profile_types))
		refuse_unsupported(out, AT(at, "type"), type, profile_types);
	else if (local)
		refuse_value(out, AT(at, "localhostProfile"), local,
		    "can only be set when AppArmor type is Localhost");
}

/* --- Windows ---------------------------------------------------------------------------------- */

static void
check_windows_user(struct causes *out, const struct path *at, const json_t *value)
{
	const char *name = str(value, ""), *slash = strchr(name, '\\');
	const char *user = slash ? slash + 1 : name;
	bool control = false;

	for (const char *p = name; *p; p++)
		control |= (unsigned char)*p < ' ' || *p == 0x7f;
	if (!*name)
		refuse_value(out, at, value, "runAsUserName cannot be an empty string");
	else if (control)
		refuse_value(out, at, value, "runAsUserName cannot contain control characters");
	else if (slash && strchr(slash + 1, '\\'))
		refuse_value(
		    out, at, value, "runAsUserName cannot contain more than one backslash");
	if (!*name || control || (slash && strchr(slash + 1, '\\')))
		return;
	if (slash && slash - name >= 256)
		refuse_value(
		    out, at, value, "runAsUserName's Domain length must be under 256 characters");
	if (!*user)
		refuse_value(out, at, value, "runAsUserName's User cannot be empty");
	else if (strlen(user) > 104)
		refuse_value(out, at, value,
		    "runAsUserName's User length must not be longer than 104 characters");
	if (*user && !user[strspn(user, ". ")])
		refuse_value(
		    out, at, value, "runAsUserName's User cannot contain only periods or spaces");
	if (strpbrk(user, "\"/\\:;|=,+*?<>@[]"))
		refuse_value(out, at, value,
		    "runAsUserName's User cannot contain the following characters: "
		    "\"/\\:;|=,+*?<>@[]");
}

static void
check_windows(struct causes *out, const struct path *at, const json_t *options)
{
	enum { MOST = 64 * 1024 };
	const json_t *name = json_object_get(options, "gmsaCredentialSpecName");
	const json_t *spec = json_object_get(options, "gmsaCredentialSpec");

	if (name)
		check_dns_subdomain(out, AT(at, "gmsaCredentialSpecName"), str(name, ""));
	if (spec && !json_string_length(spec))
		refuse_value(out, AT(at, "gmsaCredentialSpec"), spec,
		    "gmsaCredentialSpec cannot be an empty string");
	else if (json_string_length(spec) > MOST)
		refuse_value(out, AT(at, "gmsaCredentialSpec"), spec,
		    "gmsaCredentialSpec size must be under 64 KiB");
	if (json_object_get(options, "runAsUserName"))
		check_windows_user(
		    out, AT(at, "runAsUserName"), json_object_get(options, "runAsUserName"));
}

/* --- sysctls ---------------------------------------------------------------------------------- */

static bool
sysctl_fits(const char *name)
{
	for (const char *p = name;; p++) {
		size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789-_");

		if (!n || strchr("-_", p[0]) || strchr("-_", p[n - 1]))
			return false;
		if (!*(p += n))
			return strlen(name) <= 253;
		if (*p != '.' && *p != '/')
			return false;
	}
}

/* "net" or "ipc": whose a sysctl is, with '.' or '/' between its parts. */
static const char *
sysctl_namespace(const char *name)
{
	static const char *const ipc[] = { "kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue." };
	autofree char *dotted = xstrdup(name);

	for (char *p = dotted; *p; p++)
		*p = *p == '/' ? '.' : *p;
	for (size_t i = 0; i < COUNT(ipc); i++)
		if (!strncmp(dotted, ipc[i], strlen(ipc[i])))
			return "ipc";
	return !strncmp(dotted, "net.", 4) ? "net" : "";
}

static void
check_sysctls(struct causes *out, const struct path *at, const json_t *spec, const json_t *sysctls)
{
	json_auto_t *names = json_object();
	size_t i;
	json_t *item;

	json_array_foreach (sysctls, i, item) {
		const struct path *here = AT(ITEM(at, i), "name");
		const char *name = text(item, "name"), *ns = sysctl_namespace(name);

		if (!*name)
			refuse_required(out, here, "");
		else if (!sysctl_fits(name))
			refuse_text(out, here, name,
			    "must have at most 253 characters and match regex "
			    "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./"
			    "])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$");
		else if (json_object_get(names, name))
			refuse_duplicate(out, here, name);
		if (!strcmp(ns, "net") && truth(json_object_get(spec, "hostNetwork")))
			refuse_text(
			    out, here, name, "may not be specified when 'hostNetwork' is true");
		else if (!strcmp(ns, "ipc") && truth(json_object_get(spec, "hostIPC")))
			refuse_text(out, here, name, "may not be specified when 'hostIPC' is true");
		repeats(names, name);
	}
}

/* --- Pods and containers ---------------------------------------------------------------------- */

void
check_pod_security(struct causes *out, const struct path *at, const json_t *spec)
{
	static const char *const changes[] = { "Always", "OnRootMismatch", NULL };
	static const char *const groups[] = { "Merge", "Strict", NULL };
	static const char *const labels[] = { "MountOption", "Recursive", NULL };
	const json_t *context = json_object_get(spec, "securityContext");
	const json_t *share = json_object_get(spec, "shareProcessNamespace");
	size_t i;
	json_t *id;

	check_ids(out, at, context);
	json_array_foreach (json_object_get(context, "supplementalGroups"), i, id)
		if (num(id, 0) < 0 || num(id, 0) > MAX_ID)
			refuse_value(out, ITEM(AT(at, "supplementalGroups"), i), id,
			    "must be between 0 and 2147483647, inclusive");
	if (truth(share) && truth(json_object_get(spec, "hostPID")))
		refuse_value(out, AT(at, "shareProcessNamespace"), share,
		    "ShareProcessNamespace and HostPID cannot both be enabled");
	check_sysctls(out, AT(at, "sysctls"), spec, json_object_get(context, "sysctls"));
	check_one_of(out, at, context, "fsGroupChangePolicy", changes);
	check_seccomp(out, AT(at, "seccompProfile"), json_object_get(context, "seccompProfile"));
	check_windows(out, AT(at, "windowsOptions"), json_object_get(context, "windowsOptions"));
	check_app_armor(
	    out, AT(at, "appArmorProfile"), json_object_get(context, "appArmorProfile"));
	check_one_of(out, at, context, "supplementalGroupsPolicy", groups);
	check_one_of(out, at, context, "seLinuxChangePolicy", labels);
}

static void
check_escalation(struct causes *out, const struct path *at, const json_t *context)
{
	size_t i;
	json_t *cap;

	if (!json_is_false(json_object_get(context, "allowPrivilegeEscalation")))
		return;
	if (truth(json_object_get(context, "privileged")))
		refuse_shown(out, at, "core.v1.SecurityContext", context,
		    "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
	json_array_foreach (get(context, "capabilities", "add"), i, cap)
		if (!strcmp(str(cap, ""), "CAP_SYS_ADMIN"))
			refuse_shown(out, at, "core.v1.SecurityContext", context,
			    "cannot set `allowPrivilegeEscalation` to false and "
			    "`capabilities.Add` CAP_SYS_ADMIN");
}

void
check_container_security(
    struct causes *out, const struct path *at, const json_t *context, const struct pod_scope *pod)
{
	static const char *const mounts[] = { "Default", "Unmasked", NULL };
	const char *mount = text(context, "procMount");

	if (!json_is_object(context))
		return;
	check_between(out, at, context, "runAsUser", 0, MAX_ID);
	check_between(out, at, context, "runAsGroup", 0, MAX_ID);
	check_one_of(out, at, context, "procMount", mounts);
	if (!strcmp(mount, "Unmasked") && !json_is_false(json_object_get(pod->spec, "hostUsers")))
		refuse_text(
		    out, AT(at, "procMount"), mount, "`hostUsers` must be false to use `Unmasked`");
	check_seccomp(out, AT(at, "seccompProfile"), json_object_get(context, "seccompProfile"));
	check_escalation(out, at, context);
	check_windows(out, AT(at, "windowsOptions"), json_object_get(context, "windowsOptions"));
	check_app_armor(
	    out, AT(at, "appArmorProfile"), json_object_get(context, "appArmorProfile"));
}

/* --- annotations from before there were fields -------------------------------------------------
 */

static const char app_armor_note[] = "container.apparmor.security.beta.kubernetes.io/";
static const char seccomp_note[] = "container.seccomp.security.alpha.kubernetes.io/";
static const char seccomp_pod_note[] = "seccomp.security.alpha.kubernetes.io/pod";

static void
check_seccomp_word(struct causes *out, const struct path *at, const char *word)
{
	static const char *const words[] = { "runtime/default", "docker/default", "unconfined",
		NULL };

	if (text_in(word, words))
		return;
	if (!strncmp(word, "localhost/", 10))
		check_local_path(out, at, word + 10);
	else
		refuse_text(out, at, word, "must be a valid seccomp profile");
}

struct search {
	const char *name;
	bool found;
};

static void
match_name(void *ctx, const struct path *at, const json_t *container)
{
	struct search *s = ctx;

	(void)at;
	s->found |= !strcmp(s->name, text(container, "name"));
}

static void
check_app_armor_note(struct causes *out, const struct path *at, const char *container,
    const char *word, const json_t *spec)
{
	static const char *const words[] = { "", "runtime/default", "unconfined", NULL };
	struct search s = { container, false };

	each_container(NULL, spec, match_name, &s);
	if (!s.found)
		refuse_text(out, at, container, "container not found");
	if (!text_in(word, words) && strncmp(word, "localhost/", 10))
		refuse_text(out, at, word, "invalid AppArmor profile name: \"%s\"", word);
}

void
check_security_annotations(
    struct causes *out, const struct path *at, const json_t *meta, const json_t *spec)
{
	const json_t *notes = json_object_get(meta, "annotations");
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)notes, key, v) {
		if (!strcmp(key, seccomp_pod_note) ||
		    !strncmp(key, seccomp_note, sizeof seccomp_note - 1))
			check_seccomp_word(out, AT(at, key), str(v, ""));
		else if (!strncmp(key, app_armor_note, sizeof app_armor_note - 1))
			check_app_armor_note(
			    out, KEY(at, key), key + sizeof app_armor_note - 1, str(v, ""), spec);
	}
}

/* Does word, an annotation, say what profile does? */
static void
check_agrees(struct causes *out, const struct path *at, const char *word, const json_t *profile,
    const char *what)
{
	const char *type = text(profile, "type"), *local = text(profile, "localhostProfile");
	bool same;

	if (!strcmp(type, "Localhost") && !strncmp(word, "localhost/", 10)) {
		if (strcmp(word + 10, local))
			refuse_forbidden(out, AT(at, "localhostProfile"),
			    "%s profile in annotation and field must match", what);
		return;
	}
	same = !strcmp(type, "Unconfined") ? !strcmp(word, "unconfined")
	       : !strcmp(type, "RuntimeDefault")
		   ? !strcmp(word, "runtime/default") ||
			 (*what == 's' && !strcmp(word, "docker/default"))
		   : strcmp(type, "Localhost") != 0;
	if (!same)
		refuse_forbidden(
		    out, AT(at, "type"), "%s type in annotation and field must match", what);
}

struct agreement {
	struct causes *out;
	const json_t *notes, *spec;
};

static void
check_container_agrees(void *ctx, const struct path *at, const json_t *container)
{
	const struct agreement *a = ctx;
	autofree char *seccomp = xasprintf("%s%s", seccomp_note, text(container, "name"));
	autofree char *armor = xasprintf("%s%s", app_armor_note, text(container, "name"));
	const json_t *profile = get(container, "securityContext", "seccompProfile");
	const json_t *note = json_object_get(a->notes, seccomp);
	const struct path *here = AT(at, "securityContext");

	if (profile && note)
		check_agrees(a->out, AT(here, "seccompProfile"), str(note, ""), profile, "seccomp");
	profile = get(container, "securityContext", "appArmorProfile");
	profile = profile ? profile : get(a->spec, "securityContext", "appArmorProfile");
	note = json_object_get(a->notes, armor);
	if (profile && note && strcmp(text(a->spec, "os", "name"), "windows"))
		check_agrees(
		    a->out, AT(here, "appArmorProfile"), str(note, ""), profile, "apparmor");
}

void
check_profiles_agree(
    struct causes *out, const struct path *at, const json_t *meta, const json_t *spec)
{
	struct agreement a = { out, json_object_get(meta, "annotations"), spec };
	const json_t *profile = get(spec, "securityContext", "seccompProfile");
	const json_t *note = json_object_get(a.notes, seccomp_pod_note);

	if (!json_object_size(a.notes))
		return;
	if (profile && note)
		check_agrees(out, AT(AT(at, "securityContext"), "seccompProfile"), str(note, ""),
		    profile, "seccomp");
	each_container(at, spec, check_container_agrees, &a);
}
