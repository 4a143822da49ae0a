#include "node/admit.h"

#include <string.h>

#include "api/meta.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/files.h"
#include "node/sandbox.h"
#include "node/spec.h"

static const char *const lists[] = { "initContainers", "containers" };

/* --- sysctls ---------------------------------------------------------------------------- */

/* What Kubernetes' Pod Security "baseline" calls safe: of the pod's own namespaces, and harmless to
 * the rest of the machine. */
static const char *const safe_sysctls[] = { "kernel.shm_rmid_forced",
	"net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports",
	"net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range",
	"net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes",
	"net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_rmem", "net.ipv4.tcp_syncookies",
	"net.ipv4.tcp_wmem", NULL };

/* "net.*" is a prefix. */
static bool
matches(const char *pattern, const char *name)
{
	size_t n = strlen(pattern);

	return n > 0 && pattern[n - 1] == '*' ? strncmp(pattern, name, n - 1) == 0
					      : strcmp(pattern, name) == 0;
}

static bool
allowed(const struct host *h, const char *name)
{
	autofree char *more = xstrdup(h->o.sysctls ? h->o.sysctls : "");

	if (text_in(name, safe_sysctls))
		return true;
	for (char *rest = more, *pattern; (pattern = strsep(&rest, ","));)
		if (matches(pattern, name))
			return true;
	return false;
}

/* Which namespace it belongs to; NULL: none, it is the whole machine's. */
static const char *
space_of(const char *name)
{
	static const struct {
		const char *pattern, *space;
	} spaces[] = { { "net.*", "net" }, { "kernel.sem", "ipc" }, { "kernel.shm*", "ipc" },
		{ "kernel.msg*", "ipc" }, { "fs.mqueue.*", "ipc" } };

	for (size_t i = 0; i < COUNT(spaces); i++)
		if (matches(spaces[i].pattern, name))
			return spaces[i].space;
	return NULL;
}

static const char *
refuse_sysctls(const struct host *h, const json_t *pod, char **message)
{
	json_t *one;
	size_t i;

	json_array_foreach (get(pod, "spec", "securityContext", "sysctls"), i, one) {
		autofree char *name = xstrdup(text(one, "name"));
		const char *space, *host;

		for (char *p = name; *p; p++)
			if (*p == '/')
				*p = '.';
		space = space_of(name);
		host = !space ? NULL : strcmp(space, "net") == 0 ? "hostNetwork" : "hostIPC";
		if (!space || strstr(name, ".."))
			*message = xasprintf("forbidden sysctl: \"%s\" not allowlisted", name);
		else if (truth(get(pod, "spec", host)))
			*message = xasprintf(
			    "forbidden sysctl: \"%s\" not allowed with %s enabled", name, host);
		else if (!allowed(h, name))
			*message = xasprintf("forbidden sysctl: \"%s\" not allowlisted", name);
		else
			continue;
		return "SysctlForbidden";
	}
	return NULL;
}

/* --- AppArmor ------------------------------------------------------------------------------ */

static const json_t *
apparmor(const json_t *pod, const json_t *container)
{
	return security(pod, container, "appArmorProfile");
}

/* Has the kernel a profile of that name? */
static bool
loaded(const char *name)
{
	autobuf struct buf b = BUF_INIT;
	struct err ignored;
	char *rest;

	if (buf_read_file(&b, APPARMOR "/profiles", 16 << 20, &ignored) < 0)
		return false;
	rest = b.data;
	for (char *line; (line = strsep(&rest, "\n"));) {
		char *mode = strstr(line, " ("); /* "name (enforce)" */

		if (mode)
			*mode = '\0';
		if (mode && strcmp(line, name) == 0)
			return true;
	}
	return false;
}

/* RuntimeDefault: ours if an administrator made one, else one that another engine has loaded. */
static const char *
default_profile(void)
{
	static const char *const names[] = { "orch-default", "cri-containerd.apparmor.d",
		"crio-default", "docker-default" };

	for (size_t i = 0; i < COUNT(names); i++)
		if (loaded(names[i]))
			return names[i];
	return NULL;
}

const char *
apparmor_profile(const json_t *pod, const json_t *container)
{
	const json_t *p = apparmor(pod, container);
	const char *type = text(p, "type");

	if (truth(get(container, "securityContext", "privileged")) || !file_exists(APPARMOR))
		return NULL;
	if (strcmp(type, "Localhost") == 0)
		return text(p, "localhostProfile");
	if (strcmp(type, "RuntimeDefault") == 0)
		return default_profile();
	return strcmp(type, "Unconfined") == 0 ? "unconfined" : NULL;
}

static const char *
refuse_apparmor(const json_t *pod, char **message)
{
	json_t *c;
	size_t i;

	for (size_t k = 0; k < COUNT(lists); k++)
		json_array_foreach (get(pod, "spec", lists[k]), i, c) {
			const json_t *p = apparmor(pod, c);
			const char *type = text(p, "type"), *name = text(p, "localhostProfile");

			if (!*type || strcmp(type, "Unconfined") == 0 ||
			    truth(get(c, "securityContext", "privileged")))
				continue;
			if (!file_exists(APPARMOR))
				*message = xasprintf("Cannot enforce AppArmor: AppArmor is not "
						     "enabled on the host");
			else if (strcmp(type, "RuntimeDefault") == 0 && !default_profile())
				*message = xasprintf("Cannot enforce AppArmor: no profile "
						     "\"orch-default\" is loaded");
			else if (strcmp(type, "Localhost") == 0 && !loaded(name))
				*message = xasprintf(
				    "Cannot enforce AppArmor: profile \"%s\" is not loaded", name);
			else
				continue;
			return "AppArmor";
		}
	return NULL;
}

/* --- the rest ------------------------------------------------------------------------------- */

static const char *
refuse_system(const json_t *pod, char **message)
{
	const char *os = text(pod, "spec", "os", "name");

	if (!*os || strcmp(os, "linux") == 0)
		return NULL;
	*message = xasprintf("Failed to admit pod as the OS field doesn't match node OS");
	return "PodOSNotSupported";
}

/* Without SELinux there is nothing to label (so says the kubelet too); with it, labels are not set
 * here. */
static const char *
refuse_selinux(const json_t *pod, char **message)
{
	json_t *c;
	size_t i;

	if (!file_exists("/sys/fs/selinux/enforce"))
		return NULL;
	for (size_t k = 0; k < COUNT(lists); k++)
		json_array_foreach (get(pod, "spec", lists[k]), i, c) {
			if (json_object_size(security(pod, c, "seLinuxOptions")) == 0)
				continue;
			*message = xasprintf("Cannot set SELinux labels: not done by this node");
			return "SELinux";
		}
	return NULL;
}

/* It would run without what it was promised. */
static const char *
refuse_claims(const json_t *pod, char **message)
{
	const json_t *claim = json_array_get(get(pod, "spec", "resourceClaims"), 0);

	if (!claim)
		return NULL;
	*message = xasprintf(
	    "Cannot prepare the resource claim \"%s\": this node has no drivers of devices",
	    text(claim, "name"));
	return "UnexpectedAdmissionError";
}

const char *
admit_refuses(const struct host *h, const json_t *pod, char **message)
{
	const char *reason;

	*message = NULL;
	if ((reason = refuse_system(pod, message)) || (reason = refuse_sysctls(h, pod, message)))
		return reason;
	if ((reason = refuse_apparmor(pod, message)) || (reason = refuse_selinux(pod, message)))
		return reason;
	return refuse_claims(pod, message);
}
