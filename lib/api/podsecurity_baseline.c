/* The checks of the baseline level: nothing that is known to lead out of a container. */
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "api/podsecurity.h"
#include "base/mem.h"
#include "base/text.h"

/* "container" or "containers", and their names. */
static void
name_containers(struct security_case *c, const struct security_who *w)
{
	security_who_print(w, c->detail);
}

/* --- host --- */

bool
security_host_namespaces(struct security_case *c)
{
	static const char *const fields[] = { "hostNetwork", "hostPID", "hostIPC" };

	for (size_t i = 0; i < COUNT(fields); i++)
		if (truth(get(c->spec, fields[i])))
			buf_printf(c->detail, "%s%s=true", c->detail->len ? ", " : "", fields[i]);
	buf_puts(c->reason, "host namespaces");
	return !c->detail->len;
}

bool
security_host_paths(struct security_case *c)
{
	autobuf struct buf names = BUF_INIT;
	size_t i, n = 0;
	json_t *v;

	json_array_foreach (get(c->spec, "volumes"), i, v)
		if (get(v, "hostPath"))
			buf_printf(&names, "%s\"%s\"", n++ ? ", " : "", text(v, "name"));
	if (!n)
		return true;
	buf_puts(c->reason, "hostPath volumes");
	buf_printf(c->detail, "volume%s %s", n > 1 ? "s" : "", names.data);
	return false;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
print_sorted(const json_t *set, struct buf *out)
{
	autofree const char **keys = xcalloc(json_object_size(set) + 1, sizeof *keys);
	const char *key;
	size_t n = 0;
	json_t *v;

	json_object_foreach ((json_t *)set, key, v)
		keys[n++] = key;
	qsort(keys, n, sizeof *keys, by_text);
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%s%s", i ? ", " : "", keys[i]);
}

bool
security_host_ports(struct security_case *c)
{
	struct security_who who = SECURITY_WHO_INIT;
	json_auto_t *ports = json_object();
	json_t *container, *p;
	size_t i, k;

	json_array_foreach (c->containers, i, container) {
		bool bad = false;

		json_array_foreach (get(container, "ports"), k, p) {
			json_int_t port = num(get(p, "hostPort"), 0);
			autofree char *text = xasprintf("%lld", (long long)port);

			if (port)
				json_object_set_new(ports, text, json_true());
			bad = bad || port;
		}
		if (bad)
			security_who_add(&who, container);
	}
	if (who.n) {
		buf_puts(c->reason, "hostPort");
		name_containers(c, &who);
		buf_printf(c->detail, " use%s hostPort%s ", who.n > 1 ? "" : "s",
		    json_object_size(ports) > 1 ? "s" : "");
		print_sorted(ports, c->detail);
	}
	buf_release(&who.names);
	return !who.n;
}

/* Hosts that probes and handlers name; what they reach should be the Pod itself. */
static bool
add_host(json_t *hosts, const json_t *handler)
{
	static const char *const ways[] = { "httpGet", "tcpSocket" };
	bool any = false;

	for (size_t i = 0; i < COUNT(ways); i++) {
		const char *host = text(handler, ways[i], "host");

		if (!*host)
			continue;
		json_object_set_new(hosts, host, json_true());
		any = true;
	}
	return any;
}

bool
security_probe_hosts(struct security_case *c)
{
	static const char *const probes[] = { "livenessProbe", "readinessProbe", "startupProbe" };
	static const char *const handlers[] = { "postStart", "preStop" };
	json_auto_t *hosts = json_object(), *names = json_object();
	json_t *container;
	size_t i, n;

	json_array_foreach (c->containers, i, container) {
		bool bad = false;

		for (size_t k = 0; k < COUNT(probes); k++)
			bad = add_host(hosts, get(container, probes[k])) || bad;
		for (size_t k = 0; k < COUNT(handlers); k++)
			bad = add_host(hosts, get(container, "lifecycle", handlers[k])) || bad;
		if (bad)
			json_object_set_new(names, text(container, "name"), json_true());
	}
	if (!(n = json_object_size(names)))
		return true;
	buf_puts(c->reason, "probe or lifecycle host");
	buf_printf(c->detail, "container%s ", n > 1 ? "s" : "");
	security_quote(names, c->detail);
	buf_printf(c->detail, " use%s probe or lifecycle host%s ", n > 1 ? "" : "s",
	    json_object_size(hosts) > 1 ? "s" : "");
	security_quote(hosts, c->detail);
	return false;
}

bool
security_host_process(struct security_case *c)
{
	struct security_who who = SECURITY_WHO_INIT;
	json_t *container;
	size_t i;
	bool fine;

	who.pod = truth(get(c->spec, "securityContext", "windowsOptions", "hostProcess"));
	json_array_foreach (c->containers, i, container)
		if (truth(get(container, "securityContext", "windowsOptions", "hostProcess")))
			security_who_add(&who, container);
	buf_puts(c->reason, "hostProcess");
	fine = !security_who_print(&who, c->detail);
	buf_puts(c->detail, " must not set securityContext.windowsOptions.hostProcess=true");
	buf_release(&who.names);
	return fine;
}

/* --- privileges --- */

bool
security_privileged(struct security_case *c)
{
	struct security_who who = SECURITY_WHO_INIT;
	json_t *container;
	size_t i;

	json_array_foreach (c->containers, i, container)
		if (truth(get(container, "securityContext", "privileged")))
			security_who_add(&who, container);
	buf_puts(c->reason, "privileged");
	name_containers(c, &who);
	buf_puts(c->detail, " must not set securityContext.privileged=true");
	buf_release(&who.names);
	return !who.n;
}

bool
security_capabilities(struct security_case *c)
{
	static const char *const allowed[] = { "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER",
		"FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP",
		"SETUID", "SYS_CHROOT", NULL };
	struct security_who who = SECURITY_WHO_INIT;
	json_auto_t *added = json_object();
	json_t *container, *v;
	size_t i, k;

	json_array_foreach (c->containers, i, container) {
		bool bad = false;

		json_array_foreach (
		    get(container, "securityContext", "capabilities", "add"), k, v) {
			if (text_in(str(v, ""), allowed))
				continue;
			json_object_set_new(added, str(v, ""), json_true());
			bad = true;
		}
		if (bad)
			security_who_add(&who, container);
	}
	buf_puts(c->reason, "non-default capabilities");
	name_containers(c, &who);
	buf_puts(c->detail, " must not include ");
	security_quote(added, c->detail);
	buf_puts(c->detail, " in securityContext.capabilities.add");
	buf_release(&who.names);
	return !who.n;
}

static bool
proc_mount(struct security_case *c)
{
	struct security_who who = SECURITY_WHO_INIT;
	json_auto_t *types = json_object();
	json_t *container;
	size_t i;

	json_array_foreach (c->containers, i, container) {
		const char *type = text(container, "securityContext", "procMount");

		if (!*type || strcmp(type, "Default") == 0)
			continue;
		json_object_set_new(types, type, json_true());
		security_who_add(&who, container);
	}
	buf_puts(c->reason, "procMount");
	name_containers(c, &who);
	buf_puts(c->detail, " must not set securityContext.procMount to ");
	security_quote(types, c->detail);
	buf_release(&who.names);
	return !who.n;
}

/* In a user namespace of its own a Pod sees nothing there that is not its own (KEP-127). */
bool
security_proc_mount(struct security_case *c)
{
	if (c->version >= 35 && json_is_false(get(c->spec, "hostUsers")))
		return true;
	return proc_mount(c);
}

bool
security_restricted_proc_mount(struct security_case *c)
{
	return proc_mount(c);
}

/* --- profiles --- */

static void
add_annotations(const json_t *pod, json_t *values)
{
	static const char prefix[] = "container.apparmor.security.beta.kubernetes.io/";
	const char *key;
	json_t *v;

	json_object_foreach (get(pod, "metadata", "annotations"), key, v) {
		const char *profile = str(v, "");
		autofree char *shown = xasprintf("%s=\"%s\"", key, profile);

		if (text_starts(key, prefix) && *profile &&
		    strcmp(profile, "runtime/default") != 0 && !text_starts(profile, "localhost/"))
			json_object_set_new(values, shown, json_true());
	}
}

static bool
unconfined(const json_t *context, json_t *values)
{
	static const char *const allowed[] = { "", "RuntimeDefault", "Localhost", NULL };
	const char *type = text(context, "appArmorProfile", "type");

	if (text_in(type, allowed))
		return false;
	json_object_set_new(values, type, json_true());
	return true;
}

bool
security_apparmor(struct security_case *c)
{
	struct security_who who = SECURITY_WHO_INIT;
	json_auto_t *values = json_object(), *annotations = json_object();
	json_t *container;
	size_t i, n, m;

	who.pod = unconfined(get(c->spec, "securityContext"), values);
	json_array_foreach (c->containers, i, container)
		if (unconfined(get(container, "securityContext"), values))
			security_who_add(&who, container);
	add_annotations(c->pod, annotations);
	n = json_object_size(values);
	m = json_object_size(annotations);
	if (n + m) {
		buf_printf(c->reason, "forbidden AppArmor profile%s", n + m > 1 ? "s" : "");
		security_who_print(&who, c->detail);
		if (m)
			buf_printf(c->detail, "%sannotation%s", n ? " and " : "", m > 1 ? "s" : "");
		buf_puts(c->detail, " must not set AppArmor profile type to ");
		security_quote(values, c->detail);
		buf_puts(c->detail, n && m ? ", " : "");
		security_quote(annotations, c->detail);
	}
	buf_release(&who.names);
	return n + m == 0;
}

struct selinux {
	json_t *types;
	bool user, role;
};

static bool
selinux_bad(const struct security_case *c, const json_t *context, struct selinux *found)
{
	static const char *const allowed[] = { "", "container_t", "container_init_t",
		"container_kvm_t", NULL };
	const json_t *options = get(context, "seLinuxOptions");
	const char *type = text(options, "type");
	bool engine = c->version >= 31 && strcmp(type, "container_engine_t") == 0;
	bool bad = !text_in(type, allowed) && !engine;

	if (bad)
		json_object_set_new(found->types, type, json_true());
	found->user = found->user || *text(options, "user");
	found->role = found->role || *text(options, "role");
	return bad || *text(options, "user") || *text(options, "role");
}

bool
security_selinux(struct security_case *c)
{
	struct security_who who = SECURITY_WHO_INIT;
	json_auto_t *types = json_object();
	struct selinux found = { types, false, false };
	json_t *container;
	size_t i, n;
	bool fine;

	who.pod = selinux_bad(c, get(c->spec, "securityContext"), &found);
	json_array_foreach (c->containers, i, container)
		if (selinux_bad(c, get(container, "securityContext"), &found))
			security_who_add(&who, container);
	n = json_object_size(types);
	buf_puts(c->reason, "seLinuxOptions");
	fine = !security_who_print(&who, c->detail);
	buf_puts(c->detail, " set forbidden securityContext.seLinuxOptions: ");
	if (n)
		buf_printf(c->detail, "type%s ", n > 1 ? "s" : "");
	security_quote(types, c->detail);
	if (found.user)
		buf_printf(c->detail, "%suser may not be set", n ? "; " : "");
	if (found.role)
		buf_printf(c->detail, "%srole may not be set", n || found.user ? "; " : "");
	buf_release(&who.names);
	return fine;
}

/* --- seccomp --- */

static bool
old_seccomp_bad(const char *value)
{
	return strcmp(value, "runtime/default") != 0 && strcmp(value, "docker/default") != 0 &&
	       !text_starts(value, "localhost/");
}

static void
add_old_seccomp(const json_t *pod, const char *key, json_t *found)
{
	const char *value = meta_annotation(pod, key);
	autofree char *shown = value ? xasprintf("%s=\"%s\"", key, value) : NULL;

	if (value && old_seccomp_bad(value))
		json_object_set_new(found, shown, json_true());
}

/* Before v1.19 annotations said it. */
static bool
old_seccomp(struct security_case *c)
{
	json_auto_t *found = json_object();
	json_t *container;
	size_t i;

	add_old_seccomp(c->pod, "seccomp.security.alpha.kubernetes.io/pod", found);
	json_array_foreach (c->containers, i, container) {
		autofree char *key = xasprintf(
		    "container.seccomp.security.alpha.kubernetes.io/%s", text(container, "name"));

		add_old_seccomp(c->pod, key, found);
	}
	buf_puts(c->reason, "seccompProfile");
	buf_printf(c->detail, "forbidden annotation%s ", json_object_size(found) > 1 ? "s" : "");
	print_sorted(found, c->detail);
	return json_object_size(found) == 0;
}

static bool
seccomp_bad(const json_t *context, json_t *values)
{
	const char *type = text(context, "seccompProfile", "type");

	if (!get(context, "seccompProfile") || strcmp(type, "RuntimeDefault") == 0 ||
	    strcmp(type, "Localhost") == 0)
		return false;
	json_object_set_new(values, type, json_true());
	return true;
}

bool
security_seccomp(struct security_case *c)
{
	struct security_who who = SECURITY_WHO_INIT;
	json_auto_t *values = json_object();
	json_t *container;
	size_t i;
	bool fine;

	if (c->version < 19)
		return old_seccomp(c);
	who.pod = seccomp_bad(get(c->spec, "securityContext"), values);
	json_array_foreach (c->containers, i, container)
		if (seccomp_bad(get(container, "securityContext"), values))
			security_who_add(&who, container);
	buf_puts(c->reason, "seccompProfile");
	fine = !security_who_print(&who, c->detail);
	buf_puts(c->detail, " must not set securityContext.seccompProfile.type to ");
	security_quote(values, c->detail);
	buf_release(&who.names);
	return fine;
}

/* --- sysctls --- */

bool
security_sysctls(struct security_case *c)
{
	static const struct {
		const char *name;
		int since;
	} allowed[] = {
		{ "kernel.shm_rmid_forced", 0 },
		{ "net.ipv4.ip_local_port_range", 0 },
		{ "net.ipv4.tcp_syncookies", 0 },
		{ "net.ipv4.ping_group_range", 0 },
		{ "net.ipv4.ip_unprivileged_port_start", 0 },
		{ "net.ipv4.ip_local_reserved_ports", 27 },
		{ "net.ipv4.tcp_keepalive_time", 29 },
		{ "net.ipv4.tcp_fin_timeout", 29 },
		{ "net.ipv4.tcp_keepalive_intvl", 29 },
		{ "net.ipv4.tcp_keepalive_probes", 29 },
		{ "net.ipv4.tcp_rmem", 32 },
		{ "net.ipv4.tcp_wmem", 32 },
	};
	json_t *v;
	size_t i;

	json_array_foreach (get(c->spec, "securityContext", "sysctls"), i, v) {
		const char *name = text(v, "name");
		bool fine = false;

		for (size_t k = 0; k < COUNT(allowed); k++)
			fine = fine || (c->version >= allowed[k].since &&
					   strcmp(name, allowed[k].name) == 0);
		if (!fine)
			buf_printf(c->detail, "%s%s", c->detail->len ? ", " : "", name);
	}
	buf_puts(c->reason, "forbidden sysctls");
	return !c->detail->len;
}
