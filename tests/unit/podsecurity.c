/* The Pod Security Standards: a table of Pods and what each level and version says about them. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/podsecurity.h"

#define B SECURITY_BASELINE
#define R SECURITY_RESTRICTED
#define L SECURITY_LATEST

#define C "\"containers\":[{\"name\":\"c\"}]"
/* a container that keeps to everything, with more of its securityContext */
#define GOOD_SC(more)                                                                           \
	"\"securityContext\":{\"allowPrivilegeEscalation\":false,\"capabilities\":{\"drop\":["  \
	"\"ALL\"]},\"runAsNonRoot\":true,\"seccompProfile\":{\"type\":\"RuntimeDefault\"}" more \
	"}"
#define GOOD(more) "\"containers\":[{\"name\":\"c\"," GOOD_SC(more) "}]"

static const struct {
	const char *spec; /* of the Pod, without braces */
	const char *annotations;
	enum security_level level;
	int version;
	const char *detail; /* NULL: fine */
} cases[] = {
	{ C, "", SECURITY_PRIVILEGED, L, NULL },
	{ C, "", B, L, NULL },
	{ GOOD(""), "", R, L, NULL },
	{ GOOD("") ",\"hostPID\":true,\"hostIPC\":true", "", B, L,
	    "host namespaces (hostPID=true, hostIPC=true)" },
	{ C ",\"volumes\":[{\"name\":\"a\",\"hostPath\":{}},{\"name\":\"b\",\"hostPath\":{}}]", "",
	    B, L, "hostPath volumes (volumes \"a\", \"b\")" },
	{ "\"containers\":[{\"name\":\"a\",\"ports\":[{\"hostPort\":90},{\"hostPort\":80}]},"
	  "{\"name\":\"b\",\"ports\":[{\"hostPort\":90}]}]",
	    "", B, L, "hostPort (containers \"a\", \"b\" use hostPorts 80, 90)" },
	{ "\"containers\":[{\"name\":\"a\",\"livenessProbe\":{\"httpGet\":{\"host\":\"h\"}}}]", "",
	    B, L, "probe or lifecycle host (container \"a\" uses probe or lifecycle host \"h\")" },
	{ "\"containers\":[{\"name\":\"a\",\"livenessProbe\":{\"httpGet\":{\"host\":\"h\"}}}]", "",
	    B, 33, NULL },
	{ "\"initContainers\":[{\"name\":\"i\",\"securityContext\":{\"privileged\":true}}]," C, "",
	    B, L, "privileged (container \"i\" must not set securityContext.privileged=true)" },
	{ "\"containers\":[{\"name\":\"a\",\"securityContext\":{\"procMount\":\"Unmasked\"}}]", "",
	    B, L,
	    "procMount (container \"a\" must not set securityContext.procMount to \"Unmasked\")" },
	{ "\"hostUsers\":false,\"containers\":[{\"name\":\"a\",\"securityContext\":{\"procMount\":"
	  "\"Unmasked\"}}]",
	    "", B, 35, NULL },
	{ C ",\"securityContext\":{\"seLinuxOptions\":{\"type\":\"x\",\"user\":\"u\"}}", "", B, L,
	    "seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type \"x\"; user "
	    "may not be set)" },
	{ C ",\"securityContext\":{\"seLinuxOptions\":{\"role\":\"r\"}}", "", B, L,
	    "seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: role may not be "
	    "set)" },
	{ C ",\"securityContext\":{\"seLinuxOptions\":{\"type\":\"container_engine_t\"}}", "", B,
	    31, NULL },
	{ C ",\"securityContext\":{\"seLinuxOptions\":{\"type\":\"container_engine_t\"}}", "", B,
	    30,
	    "seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "
	    "\"container_engine_t\")" },
	{ C ",\"securityContext\":{\"sysctls\":[{\"name\":\"kernel.msgmax\"},{\"name\":"
	    "\"net.ipv4.tcp_rmem\"}]}",
	    "", B, L, "forbidden sysctls (kernel.msgmax)" },
	{ C ",\"securityContext\":{\"sysctls\":[{\"name\":\"net.ipv4.tcp_rmem\"}]}", "", B, 31,
	    "forbidden sysctls (net.ipv4.tcp_rmem)" },
	{ C ",\"securityContext\":{\"windowsOptions\":{\"hostProcess\":true}}", "", B, L,
	    "hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)" },
	{ C, "\"container.apparmor.security.beta.kubernetes.io/c\":\"unconfined\"", B, L,
	    "forbidden AppArmor profile (annotation must not set AppArmor profile type to "
	    "\"container.apparmor.security.beta.kubernetes.io/c=\"unconfined\"\")" },
	{ C ",\"securityContext\":{\"appArmorProfile\":{\"type\":\"Unconfined\"}}", "", B, L,
	    "forbidden AppArmor profile (pod must not set AppArmor profile type to "
	    "\"Unconfined\")" },
	{ C ",\"securityContext\":{\"seccompProfile\":{\"type\":\"Unconfined\"}}", "", B, L,
	    "seccompProfile (pod must not set securityContext.seccompProfile.type to "
	    "\"Unconfined\")" },
	{ C, "\"seccomp.security.alpha.kubernetes.io/pod\":\"unconfined\"", B, 18,
	    "seccompProfile (forbidden annotation "
	    "seccomp.security.alpha.kubernetes.io/pod=\"unconfined\")" },
	{ C, "\"seccomp.security.alpha.kubernetes.io/pod\":\"unconfined\"", B, 19, NULL },
	/* what the restricted level has of its own replaces the baseline's */
	{ GOOD("") ",\"volumes\":[{\"name\":\"a\",\"hostPath\":{}},{\"name\":\"b\",\"nfs\":{}}]",
	    "", R, L,
	    "restricted volume types (volumes \"a\", \"b\" use restricted volume types "
	    "\"hostPath\", \"nfs\")" },
	{ "\"containers\":[{\"name\":\"c\",\"securityContext\":{\"allowPrivilegeEscalation\":false,"
	  "\"capabilities\":{\"drop\":[\"ALL\"],\"add\":[\"CHOWN\",\"NET_BIND_SERVICE\"]},"
	  "\"runAsNonRoot\":true,\"seccompProfile\":{\"type\":\"Localhost\"}}}]",
	    "", R, L,
	    "unrestricted capabilities (container \"c\" must not include \"CHOWN\" in "
	    "securityContext.capabilities.add)" },
	{ GOOD("") ",\"securityContext\":{\"runAsNonRoot\":false,\"runAsUser\":0}", "", R, L,
	    "runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false), "
	    "runAsUser=0 (pod must not set runAsUser=0)" },
	{ GOOD("") ",\"securityContext\":{\"runAsUser\":0}", "", R, 22, NULL },
	{ "\"hostUsers\":false," GOOD(",\"runAsUser\":0"), "", R, 35, NULL },
	{ "\"os\":{\"name\":\"windows\"},\"securityContext\":{\"runAsNonRoot\":true}," C, "", R, 25,
	    NULL },
	{ C, "", R, 7,
	    "runAsNonRoot != true (pod or container \"c\" must set "
	    "securityContext.runAsNonRoot=true)" },
};

static void
check_case(size_t i)
{
	char text[2000];
	struct buf detail = BUF_INIT;
	struct security_policy p = { cases[i].level, cases[i].version };
	json_error_t e;
	json_t *pod;
	bool fine;

	snprintf(text, sizeof text, "{\"metadata\":{\"annotations\":{%s}},\"spec\":{%s}}",
	    cases[i].annotations, cases[i].spec);
	pod = json_loads(text, 0, &e);
	if (!pod)
		printf("case %zu: %s\n", i, e.text);
	assert(pod);
	fine = security_check(pod, p, NULL, &detail);
	if (fine != !cases[i].detail || (!fine && strcmp(detail.data, cases[i].detail) != 0)) {
		printf("case %zu: %s\nnot: %s\n", i, fine ? "fine" : detail.data,
		    cases[i].detail ? cases[i].detail : "fine");
		assert(0);
	}
	buf_release(&detail);
	json_decref(pod);
}

static void
check_labels(void)
{
	json_t *labels = json_pack("{s:s, s:s, s:s}", "pod-security.kubernetes.io/enforce",
	    "baseline", "pod-security.kubernetes.io/enforce-version", "v1.25",
	    "pod-security.kubernetes.io/audit-version", "v1.01");
	struct causes refused = CAUSES_INIT;
	struct security_policies p;
	char *shown;

	security_of_labels(labels, &p, &refused);
	shown = security_print(p.enforce);
	assert(strcmp(shown, "baseline:v1.25") == 0);
	free(shown);
	assert(p.warn.level == SECURITY_BASELINE && p.warn.version == 25); /* follows */
	assert(p.audit.level == SECURITY_PRIVILEGED && refused.n == 1);
	assert(strcmp(refused.item[0].field,
		   "metadata.labels[pod-security.kubernetes.io/audit-version]") == 0);
	causes_release(&refused);
	json_decref(labels);
	security_of_labels(NULL, &p, &refused);
	assert(p.enforce.level == SECURITY_PRIVILEGED && p.enforce.version == SECURITY_LATEST);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		check_case(i);
	check_labels();
	return 0;
}
