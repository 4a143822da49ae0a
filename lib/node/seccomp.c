#include "node/seccomp.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "api/meta.h"
#include "base/mem.h"
#include "node/files.h"
#include "node/spec.h"

enum { MAX_PROFILE = 4 << 20 };

/* Machine names of uname(2), Go's, and libseccomp's. */
static const struct {
	const char *machine, *arch, *seccomp;
} arches[] = { { "x86_64", "amd64", "SCMP_ARCH_X86_64" },
	{ "aarch64", "arm64", "SCMP_ARCH_AARCH64" }, { "i686", "x86", "SCMP_ARCH_X86" },
	{ "armv7l", "arm", "SCMP_ARCH_ARM" }, { "ppc64le", "ppc64le", "SCMP_ARCH_PPC64LE" },
	{ "s390x", "s390x", "SCMP_ARCH_S390X" }, { "riscv64", "riscv64", "SCMP_ARCH_RISCV64" } };

static bool
has(const json_t *list, const char *word)
{
	json_t *one;
	size_t i;

	json_array_foreach (list, i, one)
		if (strcmp(str(one, ""), word) == 0)
			return true;
	return false;
}

/* "4.8": is this kernel that, or newer? */
static bool
at_least(const struct seccomp_machine *m, const char *kernel)
{
	int major = 0, minor = 0;

	sscanf(kernel, "%d.%d", &major, &minor);
	return m->kernel_major > major || (m->kernel_major == major && m->kernel_minor >= minor);
}

/* Rules are for some machines: all of `includes` must hold, and none of `excludes`. */
static bool
applies(const json_t *rule, const struct seccomp_machine *m)
{
	const json_t *in = get(rule, "includes"), *out = get(rule, "excludes");
	json_t *cap;
	size_t i;

	if (json_array_size(get(in, "arches")) && !has(get(in, "arches"), m->arch))
		return false;
	if (has(get(out, "arches"), m->arch))
		return false;
	json_array_foreach (get(in, "caps"), i, cap)
		if (!has(m->capabilities, str(cap, "")))
			return false;
	json_array_foreach (get(out, "caps"), i, cap)
		if (has(m->capabilities, str(cap, "")))
			return false;
	return (!get(in, "minKernel") || at_least(m, text(in, "minKernel"))) &&
	       (!get(out, "minKernel") || !at_least(m, text(out, "minKernel")));
}

static json_t *
reduced_rule(const json_t *rule)
{
	json_t *names = get(rule, "names"), *one = get(rule, "name");
	json_t *out = json_pack("{s:s}", "action", text(rule, "action"));

	json_object_set_new(
	    out, "names", names ? json_incref(names) : json_pack("[O]", one ? one : json_null()));
	if (get(rule, "errnoRet"))
		json_object_set(out, "errnoRet", get(rule, "errnoRet"));
	if (json_array_size(get(rule, "args")))
		json_object_set(out, "args", get(rule, "args"));
	return out;
}

/* Those of the profile, or what goes with this machine's in its archMap. */
static json_t *
architectures(const json_t *profile, const struct seccomp_machine *m)
{
	const char *native = "";
	json_t *map, *more, *list;
	size_t i, k;

	if (get(profile, "architectures"))
		return json_deep_copy(get(profile, "architectures"));
	for (i = 0; i < COUNT(arches); i++)
		if (strcmp(arches[i].arch, m->arch) == 0)
			native = arches[i].seccomp;
	list = json_pack("[s]", native);
	json_array_foreach (get(profile, "archMap"), i, map)
		if (strcmp(text(map, "architecture"), native) == 0)
			json_array_foreach (get(map, "subArchitectures"), k, more)
				json_array_append(list, more);
	return list;
}

int
seccomp_reduce(
    const json_t *profile, const struct seccomp_machine *m, json_t **ret, struct err *err)
{
	static const char *const kept[] = { "defaultErrnoRet", "flags" };
	json_t *rules, *rule;
	size_t i;

	if (!*text(profile, "defaultAction"))
		return err_set(
		    err, ERR_INVALID, "it is no seccomp profile: it has no defaultAction");
	rules = json_array();
	json_array_foreach (get(profile, "syscalls"), i, rule)
		if (applies(rule, m))
			json_array_append_new(rules, reduced_rule(rule));
	*ret = json_pack("{s:s, s:o, s:o}", "defaultAction", text(profile, "defaultAction"),
	    "architectures", architectures(profile, m), "syscalls", rules);
	for (i = 0; i < COUNT(kept); i++)
		if (get(profile, kept[i]))
			json_object_set(*ret, kept[i], get(profile, kept[i]));
	return 0;
}

/* --- finding it ------------------------------------------------------------------------- */

static int
load(const char *path, const json_t *capabilities, json_t **ret, struct err *err)
{
	struct seccomp_machine m = { .arch = "", .capabilities = capabilities };
	autobuf struct buf b = BUF_INIT;
	json_auto_t *profile = NULL;
	struct utsname name;
	json_error_t problem;
	int r;

	if ((r = buf_read_file(&b, path, MAX_PROFILE, err)) < 0)
		return r;
	if (!(profile = json_loadb(b.data ? b.data : "", b.len, 0, &problem)))
		return err_set(err, ERR_INVALID, "%s:%d:%d: %s", path, problem.line, problem.column,
		    problem.text);
	uname(&name);
	sscanf(name.release, "%d.%d", &m.kernel_major, &m.kernel_minor);
	for (size_t i = 0; i < COUNT(arches); i++)
		if (strcmp(arches[i].machine, name.machine) == 0)
			m.arch = arches[i].arch;
	if ((r = seccomp_reduce(profile, &m, ret, err)) < 0)
		return err_wrap(err, "'%s'", path);
	return 0;
}

/* Where distributions keep the one that container engines share; /etc goes first. */
static const char *
runtime_default(void)
{
	static const char *const paths[] = { "/etc/containers/seccomp.json",
		"/usr/share/containers/seccomp.json" };

	for (size_t i = 0; i < COUNT(paths); i++)
		if (file_exists(paths[i]))
			return paths[i];
	return NULL;
}

int
seccomp_make(const struct host *h, const json_t *pod, const json_t *container,
    const json_t *capabilities, json_t **ret, struct err *err)
{
	const json_t *profile = security(pod, container, "seccompProfile");
	const char *type = text(profile, "type"), *name = text(profile, "localhostProfile");
	autofree char *local = NULL;
	const char *path;

	*ret = NULL;
	if (truth(get(container, "securityContext", "privileged")))
		return 0;
	if (!*type)
		type = h->o.seccomp_default ? "RuntimeDefault" : "Unconfined";
	if (strcmp(type, "Unconfined") == 0)
		return 0;
	if (strcmp(type, "Localhost") == 0) {
		if (!name_is_below(name))
			return err_set(err, ERR_INVALID,
			    "seccomp profile '%s' is not below the node's seccomp folder", name);
		path = local = host_path(h, "seccomp/%s", name);
	} else if (!(path = runtime_default())) {
		return err_set(err, ERR_UNAVAILABLE,
		    "seccomp profile RuntimeDefault: there is no /etc/containers/seccomp.json nor "
		    "/usr/share/containers/seccomp.json");
	}
	if (load(path, capabilities, ret, err) < 0)
		return err_wrap(err, "seccomp profile %s", *name ? name : type);
	return 0;
}
