/* The OCI runtime configuration of a container, from the pod's words. */
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "node/admit.h"
#include "node/files.h"
#include "node/pidspace.h"
#include "node/sandbox.h"
#include "node/seccomp.h"
#include "node/spec.h"
#include "node/userspace.h"

/* What containerd and Docker give a container that asks for nothing. */
static const char *const default_caps[] = { "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER",
	"FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP",
	"SETUID", "SYS_CHROOT" };

/* By number (capability.h). */
static const char *const all_caps[] = { "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER",
	"FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE",
	"NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO",
	"SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
	"SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE",
	"AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM",
	"BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE" };

static const char paths[] = "{\"masked\":[\"/proc/asound\",\"/proc/acpi\",\"/proc/kcore\",\"/proc/"
			    "keys\",\"/proc/latency_stats\","
			    "\"/proc/timer_list\",\"/proc/timer_stats\",\"/proc/sched_debug\",\"/"
			    "proc/scsi\",\"/sys/firmware\","
			    "\"/sys/devices/virtual/powercap\"],"
			    "\"readonly\":[\"/proc/bus\",\"/proc/fs\",\"/proc/irq\",\"/proc/"
			    "sys\",\"/proc/sysrq-trigger\"]}";

static bool
has(const json_t *list, const char *name)
{
	json_t *one;
	size_t i;

	json_array_foreach (list, i, one)
		if (strcmp(str(one, ""), name) == 0)
			return true;
	return false;
}

/* The capabilities that this process may hand on: not all of them on every machine. */
static unsigned long long
bounding_set(void)
{
	autofclose FILE *f = fopen("/proc/self/status", "re");
	unsigned long long set = ~0ULL;
	char line[256];

	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "CapBnd: %llx", &set) == 1)
			break;
	return set;
}

static json_t *
capabilities(const struct making_of *m)
{
	const json_t *change = get(m->container, "securityContext", "capabilities");
	const json_t *add = get(change, "add"), *drop = get(change, "drop");
	bool privileged = truth(get(m->container, "securityContext", "privileged"));
	unsigned long long held = bounding_set();
	json_auto_t *list = json_array();

	for (size_t i = 0; i < COUNT(all_caps); i++) {
		bool on = privileged || has(add, "ALL");

		for (size_t k = 0; k < COUNT(default_caps); k++)
			on = on || (strcmp(default_caps[k], all_caps[i]) == 0 && !has(drop, "ALL"));
		on = (on && !has(drop, all_caps[i])) || has(add, all_caps[i]);
		if (on && (held >> i & 1)) {
			autofree char *cap = xasprintf("CAP_%s", all_caps[i]);

			json_array_append_new(list, json_string(cap));
		}
	}
	return json_pack("{s:O, s:O, s:O}", "bounding", list, "effective", list, "permitted", list);
}

/* command replaces ENTRYPOINT, args CMD; a command alone also drops the image's CMD. */
static int
arguments(const struct making_of *m, const json_t *env, json_t **ret, struct err *err)
{
	const json_t *command = get(m->container, "command"), *args = get(m->container, "args");
	const json_t *config = get(m->image->config, "config"), *parts[2];
	json_auto_t *out = json_array();
	json_t *one;
	size_t i;

	parts[0] = json_array_size(command) ? command : get(config, "Entrypoint");
	parts[1] = json_array_size(args)      ? args
		   : json_array_size(command) ? NULL
					      : get(config, "Cmd");
	for (size_t k = 0; k < COUNT(parts); k++)
		json_array_foreach (parts[k], i, one) {
			autofree char *arg = environment_expand(str(one, ""), env);

			json_array_append_new(out, json_string(arg));
		}
	if (json_array_size(out) == 0)
		return err_set(err, ERR_INVALID, "neither the pod nor image '%s' says what to run",
		    m->image->ref);
	*ret = steal(out);
	return 0;
}

static int
process(const struct making_of *m, json_t **ret, struct err *err)
{
	json_auto_t *env = NULL, *user = NULL, *args = NULL;
	const char *apparmor = apparmor_profile(m->pod, m->container);
	const json_t *escalate = get(m->container, "securityContext", "allowPrivilegeEscalation");
	const char *cwd = text(m->container, "workingDir");
	int r;

	if ((r = environment_make(m, &env, err)) < 0 || (r = user_make(m, &user, err)) < 0 ||
	    (r = arguments(m, env, &args, err)) < 0)
		return r;
	if (!*cwd)
		cwd = text(m->image->config, "config", "WorkingDir");
	*ret = json_pack("{s:b, s:O, s:O, s:O, s:s, s:o, s:b, s:i}", "terminal",
	    truth(get(m->container, "tty")), "user", user, "args", args, "env", env, "cwd",
	    *cwd ? cwd : "/", "capabilities", capabilities(m), "noNewPrivileges",
	    json_is_false(escalate), "oomScoreAdj", oom_score(m->pod, m->container));
	if (apparmor)
		json_object_set_new(*ret, "apparmorProfile", json_string(apparmor));
	return 0;
}

/* Its own mount and cgroup namespaces, and mostly PID namespace; the pod's for the rest. */
static json_t *
namespaces(const struct making_of *m)
{
	const char *const shared[][2] = { { "network", "net" }, { "ipc", "ipc" }, { "uts", "uts" },
		{ m->target ? "" : "pid", "pid" } };
	json_t *list = json_pack("[{s:s}]", "type", "mount");

	if (m->target)
		json_array_append_new(list, json_pack("{s:s, s:o}", "type", "pid", "path",
						json_sprintf("/proc/%d/ns/pid", (int)m->target)));
	else if (!truth(get(m->pod, "spec", "hostPID")) && !pod_shares_processes(m->pod))
		json_array_append_new(list, json_pack("{s:s}", "type", "pid"));
	if (pod_maps_users(m->pod)) {
		autofree char *users = userspace_path(m->host, meta_uid(m->pod));

		json_array_append_new(list, json_pack("{s:s, s:s}", "type", "user", "path", users));
	}
	if (m->host->cgroups.v2)
		json_array_append_new(list, json_pack("{s:s}", "type", "cgroup"));
	for (size_t i = 0; i < COUNT(shared); i++) {
		autofree char *path =
		    host_path(m->host, "pods/%s/ns/%s", meta_uid(m->pod), shared[i][1]);

		if (*shared[i][0] && file_exists(path))
			json_array_append_new(
			    list, json_pack("{s:s, s:s}", "type", shared[i][0], "path", path));
	}
	return list;
}

static json_t *
linux_part(const struct making_of *m)
{
	bool privileged = truth(get(m->container, "securityContext", "privileged"));
	json_auto_t *p = json_loads(paths, 0, NULL);
	json_t *part = json_pack("{s:s, s:o, s:o}", "cgroupsPath", m->cgroup, "namespaces",
	    namespaces(m), "resources", resources_make(m->pod, m->container, &m->host->cgroups));

	if (privileged) {
		put(part, json_pack("[{s:b, s:s}]", "allow", 1, "access", "rwm"), "resources",
		    "devices");
		return part;
	}
	if (strcmp(text(m->container, "securityContext", "procMount"), "Unmasked") != 0) {
		json_object_set(part, "maskedPaths", get(p, "masked"));
		json_object_set(part, "readonlyPaths", get(p, "readonly"));
	}
	return part;
}

int
spec_make(const struct making_of *m, json_t **ret, struct err *err)
{
	json_auto_t *proc = NULL, *mounts = NULL, *seccomp = NULL;
	const char *spread;
	int r;

	if ((r = process(m, &proc, err)) < 0 || (r = mounts_make(m, &mounts, err)) < 0 ||
	    (r = seccomp_make(m->host, m->pod, m->container, get(proc, "capabilities", "bounding"),
		 &seccomp, err)) < 0)
		return r;
	*ret = json_pack("{s:s, s:O, s:{s:s, s:b}, s:O, s:o}", "ociVersion", "1.0.2", "process",
	    proc, "root", "path", "rootfs", "readonly",
	    truth(get(m->container, "securityContext", "readOnlyRootFilesystem")), "mounts", mounts,
	    "linux", linux_part(m));
	if (seccomp)
		put(*ret, json_incref(seccomp), "linux", "seccomp");
	if ((spread = mount_propagation(m->container)))
		put(*ret, json_string(spread), "linux", "rootfsPropagation");
	return devices_add(m, *ret, err);
}
