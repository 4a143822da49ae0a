/* The checks of the restricted level: what a Pod gives up by saying so. */
#include <string.h>

#include "api/meta.h"
#include "api/podsecurity.h"
#include "base/mem.h"
#include "base/text.h"

/* Since v1.25 what means nothing on Windows is not asked of Pods for it. */
static bool
on_windows(const struct security_case *c)
{
	return c->version >= 25 && strcmp(text(c->spec, "os", "name"), "windows") == 0;
}

/* In a user namespace root is nobody outside (KEP-127). */
static bool
own_users(const struct security_case *c)
{
	return c->version >= 35 && json_is_false(get(c->spec, "hostUsers"));
}

bool
security_escalation(struct security_case *c)
{
	struct security_who who = SECURITY_WHO_INIT;
	json_t *container;
	size_t i;
	bool fine;

	if (on_windows(c))
		return true;
	json_array_foreach (c->containers, i, container)
		if (!json_is_false(get(container, "securityContext", "allowPrivilegeEscalation")))
			security_who_add(&who, container);
	buf_puts(c->reason, "allowPrivilegeEscalation != false");
	fine = !security_who_print(&who, c->detail);
	buf_puts(c->detail, " must set securityContext.allowPrivilegeEscalation=false");
	buf_release(&who.names);
	return fine;
}

static bool
drops_all(const json_t *container)
{
	json_t *v;
	size_t i;

	json_array_foreach (get(container, "securityContext", "capabilities", "drop"), i, v)
		if (strcmp(str(v, ""), "ALL") == 0)
			return true;
	return false;
}

static bool
adds_more(const json_t *container, json_t *added)
{
	bool any = false;
	json_t *v;
	size_t i;

	json_array_foreach (get(container, "securityContext", "capabilities", "add"), i, v) {
		if (strcmp(str(v, ""), "NET_BIND_SERVICE") == 0)
			continue;
		json_object_set_new(added, str(v, ""), json_true());
		any = true;
	}
	return any;
}

bool
security_drop_capabilities(struct security_case *c)
{
	struct security_who keep = SECURITY_WHO_INIT, add = SECURITY_WHO_INIT;
	json_auto_t *added = json_object();
	json_t *container;
	size_t i;

	if (on_windows(c))
		return true;
	json_array_foreach (c->containers, i, container) {
		if (!drops_all(container))
			security_who_add(&keep, container);
		if (adds_more(container, added))
			security_who_add(&add, container);
	}
	buf_puts(c->reason, "unrestricted capabilities");
	if (security_who_print(&keep, c->detail))
		buf_puts(c->detail, " must set securityContext.capabilities.drop=[\"ALL\"]");
	if (add.n) {
		buf_puts(c->detail, keep.n ? "; " : "");
		security_who_print(&add, c->detail);
		buf_puts(c->detail, " must not include ");
		security_quote(added, c->detail);
		buf_puts(c->detail, " in securityContext.capabilities.add");
	}
	buf_release(&keep.names);
	buf_release(&add.names);
	return !keep.n && !add.n;
}

/* The kind of a volume: its one key besides the name. */
static const char *
volume_kind(const json_t *volume)
{
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)volume, key, v)
		if (strcmp(key, "name") != 0)
			return key;
	return "unknown";
}

bool
security_volume_types(struct security_case *c)
{
	static const char *const allowed[] = { "configMap", "csi", "downwardAPI", "emptyDir",
		"ephemeral", "persistentVolumeClaim", "projected", "secret", NULL };
	autobuf struct buf names = BUF_INIT;
	json_auto_t *types = json_object();
	size_t i, n = 0;
	json_t *v;

	json_array_foreach (get(c->spec, "volumes"), i, v) {
		const char *kind = volume_kind(v);

		if (text_in(kind, allowed))
			continue;
		json_object_set_new(types, kind, json_true());
		buf_printf(&names, "%s\"%s\"", n++ ? ", " : "", text(v, "name"));
	}
	if (!n)
		return true;
	buf_puts(c->reason, "restricted volume types");
	buf_printf(c->detail, "volume%s %s use%s restricted volume type%s ", n > 1 ? "s" : "",
	    names.data, n > 1 ? "" : "s", json_object_size(types) > 1 ? "s" : "");
	security_quote(types, c->detail);
	return false;
}

/* Who says the wrong thing is told first; only then who says nothing. */
static bool
told(struct security_case *c, const struct security_who *bad, const struct security_who *silent)
{
	if (security_who_print(bad, c->detail))
		return true;
	if (!silent->n)
		return false;
	buf_puts(c->detail, "pod or ");
	security_who_print(silent, c->detail);
	return true;
}

bool
security_non_root(struct security_case *c)
{
	struct security_who bad = SECURITY_WHO_INIT, silent = SECURITY_WHO_INIT;
	const json_t *pod = get(c->spec, "securityContext", "runAsNonRoot");
	json_t *container;
	size_t i;
	bool any;

	if (own_users(c))
		return true;
	bad.pod = json_is_false(pod);
	json_array_foreach (c->containers, i, container) {
		json_t *own = get(container, "securityContext", "runAsNonRoot");

		if (json_is_false(own))
			security_who_add(&bad, container);
		else if (!json_is_true(own) && !json_is_true(pod))
			security_who_add(&silent, container);
	}
	buf_puts(c->reason, "runAsNonRoot != true");
	any = told(c, &bad, &silent);
	buf_puts(c->detail, bad.pod || bad.n ? " must not set securityContext.runAsNonRoot=false"
					     : " must set securityContext.runAsNonRoot=true");
	buf_release(&bad.names);
	buf_release(&silent.names);
	return !any;
}

static bool
is_root(const json_t *context)
{
	const json_t *user = get(context, "runAsUser");

	return json_is_integer(user) && json_integer_value(user) == 0;
}

bool
security_run_as_user(struct security_case *c)
{
	struct security_who who = SECURITY_WHO_INIT;
	json_t *container;
	size_t i;
	bool fine;

	if (own_users(c))
		return true;
	who.pod = is_root(get(c->spec, "securityContext"));
	json_array_foreach (c->containers, i, container)
		if (is_root(get(container, "securityContext")))
			security_who_add(&who, container);
	buf_puts(c->reason, "runAsUser=0");
	fine = !security_who_print(&who, c->detail);
	buf_puts(c->detail, " must not set runAsUser=0");
	buf_release(&who.names);
	return fine;
}

/* Does a context confine itself?  0: it says nothing, 1: yes, -1: no. */
static int
confined(const json_t *context, json_t *values)
{
	const char *type = text(context, "seccompProfile", "type");

	if (!get(context, "seccompProfile"))
		return 0;
	if (strcmp(type, "RuntimeDefault") == 0 || strcmp(type, "Localhost") == 0)
		return 1;
	json_object_set_new(values, type, json_true());
	return -1;
}

bool
security_seccomp_set(struct security_case *c)
{
	struct security_who bad = SECURITY_WHO_INIT, silent = SECURITY_WHO_INIT;
	json_auto_t *values = json_object();
	int pod, own;
	json_t *container;
	size_t i;
	bool any;

	if (on_windows(c))
		return true;
	pod = confined(get(c->spec, "securityContext"), values);
	bad.pod = pod < 0;
	json_array_foreach (c->containers, i, container) {
		own = confined(get(container, "securityContext"), values);
		if (own < 0)
			security_who_add(&bad, container);
		else if (own == 0 && pod <= 0)
			security_who_add(&silent, container);
	}
	buf_puts(c->reason, "seccompProfile");
	any = told(c, &bad, &silent);
	if (bad.pod || bad.n) {
		buf_puts(c->detail, " must not set securityContext.seccompProfile.type to ");
		security_quote(values, c->detail);
	} else {
		buf_puts(c->detail, " must set securityContext.seccompProfile.type to "
				    "\"RuntimeDefault\" or \"Localhost\"");
	}
	buf_release(&bad.names);
	buf_release(&silent.names);
	return !any;
}
