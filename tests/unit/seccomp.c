/* Which rules of a seccomp profile hold on one machine. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "node/seccomp.h"

static const char profile[] =
    "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,"
    "\"archMap\":[{\"architecture\":\"SCMP_ARCH_X86_64\",\"subArchitectures\":[\"SCMP_ARCH_X86\"]},"
    "{\"architecture\":\"SCMP_ARCH_AARCH64\",\"subArchitectures\":[\"SCMP_ARCH_ARM\"]}],"
    "\"syscalls\":["
    "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[],\"includes\":{},\"excludes\":{"
    "}},"
    "{\"name\":\"single\",\"action\":\"SCMP_ACT_ALLOW\"},"
    "{\"names\":[\"intel\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"arches\":[\"amd64\"]}},"
    "{\"names\":[\"notintel\"],\"action\":\"SCMP_ACT_ALLOW\",\"excludes\":{\"arches\":[\"amd64\"]}}"
    ","
    "{\"names\":[\"admin\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"caps\":[\"CAP_SYS_"
    "ADMIN\","
    "\"CAP_CHOWN\"]}},"
    "{\"names\":[\"noadmin\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":1,"
    "\"excludes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}},"
    "{\"names\":[\"new\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"minKernel\":\"5.10\"}},"
    "{\"names\":[\"old\"],\"action\":\"SCMP_ACT_ALLOW\",\"excludes\":{\"minKernel\":\"5.10\"}},"
    "{\"names\":[\"arg\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":8,"
    "\"op\":\"SCMP_CMP_EQ\"}]}]}";

static int failed;

/* "arch: names" of what is left. */
static void
expect(const char *arch, int major, int minor, const char *caps, const char *want)
{
	json_auto_t *p = json_loads(profile, 0, NULL), *held = json_loads(caps, 0, NULL);
	struct seccomp_machine m = { arch, major, minor, held };
	json_auto_t *out = NULL;
	autobuf struct buf b = BUF_INIT;
	json_t *rule, *name;
	struct err err;
	size_t i, k;

	if (seccomp_reduce(p, &m, &out, &err) < 0) {
		printf("seccomp: %s\n", err.msg);
		failed = 1;
		return;
	}
	json_array_foreach (json_object_get(out, "architectures"), i, name)
		buf_printf(&b, "%s ", json_string_value(name));
	json_array_foreach (json_object_get(out, "syscalls"), i, rule)
		json_array_foreach (json_object_get(rule, "names"), k, name)
			buf_printf(&b, "%s ", json_string_value(name));
	if (strcmp(b.data, want) != 0) {
		printf("seccomp: %s %d.%d %s: got '%s', want '%s'\n", arch, major, minor, caps,
		    b.data, want);
		failed = 1;
	}
}

int
main(void)
{
	json_auto_t *none = json_object(), *out = NULL;
	struct seccomp_machine m = { "amd64", 6, 1, NULL };
	struct err err;

	expect("amd64", 6, 1, "[]",
	    "SCMP_ARCH_X86_64 SCMP_ARCH_X86 read single intel noadmin new arg ");
	expect("amd64", 5, 9, "[\"CAP_SYS_ADMIN\"]",
	    "SCMP_ARCH_X86_64 SCMP_ARCH_X86 read single intel old arg ");
	expect("arm64", 5, 10, "[\"CAP_SYS_ADMIN\",\"CAP_CHOWN\"]",
	    "SCMP_ARCH_AARCH64 SCMP_ARCH_ARM read single notintel admin new arg ");
	if (seccomp_reduce(none, &m, &out, &err) == 0) {
		printf("seccomp: an empty profile was taken\n");
		failed = 1;
	}
	return failed;
}
