/* Validation and defaults: objects in, the server's words out. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "api/check.h"
#include "api/meta.h"
#include "api/validate.h"
#include "base/mem.h"

static int failed;

static json_t *
load(const char *json)
{
	json_error_t error;
	json_t *v = json_loads(json, 0, &error);

	if (!v) {
		printf("%s in %s\n", error.text, json);
		exit(1);
	}
	return v;
}

static const struct kind *
kind_of(const json_t *obj)
{
	return kind_of_object(text(obj, "apiVersion"), text(obj, "kind"));
}

static void
same(const char *json, const char *got, const char *want)
{
	if (got && want ? !strcmp(got, want) : got == want)
		return;
	printf(
	    "%s\n   got  %s\n   want %s\n", json, got ? got : "(valid)", want ? want : "(valid)");
	failed = 1;
}

/* What a create of this says, from types to rules. */
static char *
create(json_t *obj)
{
	const struct kind *k = kind_of(obj);
	struct causes causes = CAUSES_INIT;
	struct err err;
	char *message = NULL;

	if (validate_types(k, obj, NULL, &err) < 0)
		return xstrdup(err.msg);
	normalize(k, obj);
	defaults_apply(k, obj);
	validate_create(k, obj, &causes);
	if (causes.n)
		message = causes_message(&causes, k, meta_name(obj));
	causes_release(&causes);
	return message;
}

#define POD(spec) \
	"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\"},\"spec\":{" spec "}}"
#define CONTAINER(more) POD("\"containers\":[{\"name\":\"c\",\"image\":\"i\"" more "}]")
#define DEPLOYMENT(selector, more)                                                           \
	"{\"apiVersion\":\"apps/"                                                            \
	"v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"d\"},\"spec\":{"              \
	"\"selector\":" selector ",\"template\":{\"metadata\":{\"labels\":{\"app\":\"a\"}}," \
	"\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}" more "}}"
#define MAP(meta, more) \
	"{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{" meta "}" more "}"
#define SERVICE(spec)                                                                         \
	"{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"s\"},\"spec\":" \
	"{" spec "}}"

static const struct {
	const char *json, *want;
} creates[] = {
	/* metadata */
	{ MAP("\"name\":\"x\"", ""), NULL },
	{ MAP("\"generateName\":\"x-\"", ""), NULL },
	{ MAP("", ""), "ConfigMap \"\" is invalid: metadata.name: Required value: name or "
		       "generateName is required" },
	{ MAP("\"name\":\"x\",\"labels\":{\"a/b/c\":\"\"}", ""),
	    "ConfigMap \"x\" is invalid: metadata.labels: Invalid value: \"a/b/c\": a valid label "
	    "key must consist of "
	    "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
	    "character (e.g. "
	    "'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
	    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and "
	    "'/' (e.g. "
	    "'example.com/MyName')" },
	{ MAP("\"name\":\"x\",\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"Pod\","
	      "\"name\":\"p\",\"uid\":\"\"}]",
	      ""),
	    "ConfigMap \"x\" is invalid: metadata.ownerReferences[0].uid: Invalid value: \"\": "
	    "must not be empty" },
	/* types */
	{ MAP("\"name\":\"x\"", ",\"data\":{\"a\":1}"),
	    "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: json: cannot unmarshal "
	    "number into Go "
	    "struct field ConfigMap.data of type string" },
	{ MAP("\"name\":\"x\"", ",\"binaryData\":{\"a\":\"?\"}"),
	    "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: illegal base64 data at "
	    "input byte 0" },
	{ POD("\"containers\":{}"), "Pod in version \"v1\" cannot be handled as a Pod: json: "
				    "cannot unmarshal object into Go struct field "
				    "PodSpec.spec.containers of type []v1.Container" },
	{ DEPLOYMENT("{\"matchLabels\":{\"app\":\"a\"}}", ",\"replicas\":3000000000"),
	    "Deployment in version \"v1\" cannot be handled as a Deployment: json: cannot "
	    "unmarshal number 3000000000 "
	    "into Go struct field DeploymentSpec.spec.replicas of type int32" },
	{ CONTAINER(",\"resources\":{\"limits\":{\"cpu\":\"fast\"}}"),
	    "Pod in version \"v1\" cannot be handled as a Pod: quantities must match the regular "
	    "expression "
	    "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'" },
	/* Pods */
	{ CONTAINER(""), NULL },
	{ POD(""), "Pod \"p\" is invalid: spec.containers: Required value" },
	{ CONTAINER(",\"imagePullPolicy\":\"Never\",\"ports\":[{\"containerPort\":80}]"), NULL },
	{ CONTAINER(",\"ports\":[{\"containerPort\":70000}]"),
	    "Pod \"p\" is invalid: spec.containers[0].ports[0].containerPort: Invalid value: "
	    "70000: must be between 1 "
	    "and 65535, inclusive" },
	{ CONTAINER(",\"volumeMounts\":[{\"name\":\"v\",\"mountPath\":\"/v\"}]"),
	    "Pod \"p\" is invalid: spec.containers[0].volumeMounts[0].name: Not found: \"v\"" },
	{ CONTAINER(
	      ",\"resources\":{\"requests\":{\"memory\":\"2Gi\"},\"limits\":{\"memory\":\"1Gi\"}}"),
	    "Pod \"p\" is invalid: spec.containers[0].resources.requests: Invalid value: \"2Gi\": "
	    "must be less than "
	    "or equal to memory limit of 1Gi" },
	{ CONTAINER(",\"readinessProbe\":{}"),
	    "Pod \"p\" is invalid: spec.containers[0].readinessProbe: Required value: must specify "
	    "a handler type" },
	{ CONTAINER(",\"livenessProbe\":{\"tcpSocket\":{\"port\":1},\"successThreshold\":2}"),
	    "Pod \"p\" is invalid: spec.containers[0].livenessProbe.successThreshold: Invalid "
	    "value: 2: must be 1" },
	{ CONTAINER(",\"env\":[{\"name\":\"A=B\"}]"),
	    "Pod \"p\" is invalid: spec.containers[0].env[0].name: Invalid value: \"A=B\": a valid "
	    "environment "
	    "variable name must consist only of printable ASCII characters other than '='" },
	{ CONTAINER("},{\"name\":\"c\",\"image\":\"i\""),
	    "Pod \"p\" is invalid: spec.containers[1].name: Duplicate value: \"c\"" },
	{ POD("\"restartPolicy\":\"Perhaps\",\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]"),
	    "Pod \"p\" is invalid: spec.restartPolicy: Unsupported value: \"Perhaps\": supported "
	    "values: \"Always\", "
	    "\"OnFailure\", \"Never\"" },
	{ POD("\"containers\":[{\"name\":\"c\",\"image\":\"i\"}],\"volumes\":[{\"name\":\"v\","
	      "\"emptyDir\":{},\"secret\":{\"secretName\":\"s\"}}]"),
	    "Pod \"p\" is invalid: spec.volumes[0].secret: Forbidden: may not specify more than 1 "
	    "volume type" },
	{ POD("\"containers\":[{\"name\":\"c\",\"image\":\"i\"}],\"initContainers\":[{\"name\":"
	      "\"c\",\"image\":\"i\"}]"),
	    "Pod \"p\" is invalid: spec.initContainers[0].name: Duplicate value: \"c\"" },
	/* workloads */
	{ DEPLOYMENT("{\"matchLabels\":{\"app\":\"a\"}}", ""), NULL },
	{ DEPLOYMENT("{\"matchLabels\":{\"app\":\"b\"}}", ""),
	    "Deployment.apps \"d\" is invalid: spec.template.metadata.labels: Invalid value: "
	    "{\"app\":\"a\"}: "
	    "`selector` does not match template `labels`" },
	{ DEPLOYMENT(
	      "{\"matchLabels\":{\"app\":\"a\"}}", ",\"replicas\":-1,\"minReadySeconds\":-2"),
	    "Deployment.apps \"d\" is invalid: [spec.replicas: Invalid value: -1: must be greater "
	    "than or equal to 0, "
	    "spec.minReadySeconds: Invalid value: -2: must be greater than or equal to 0]" },
	{ DEPLOYMENT("{\"matchLabels\":{\"app\":\"a\"}}",
	      ",\"strategy\":{\"type\":\"Recreate\",\"rollingUpdate\":{}}"),
	    "Deployment.apps \"d\" is invalid: spec.strategy.rollingUpdate: Forbidden: may not be "
	    "specified when "
	    "strategy `type` is 'Recreate'" },
	{ "{\"apiVersion\":\"apps/"
	  "v1\",\"kind\":\"StatefulSet\",\"metadata\":{\"name\":\"s\"},\"spec\":{\"selector\":{"
	  "\"matchLabels\":{\"app\":\"a\"}},\"serviceName\":\"s\",\"template\":{\"metadata\":{"
	  "\"labels\":{\"app\":\"a\"}},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\","
	  "\"volumeMounts\":[{\"name\":\"data\",\"mountPath\":\"/"
	  "d\"}]}]}},\"volumeClaimTemplates\":[{\"metadata\":{\"name\":\"data\"},\"spec\":{"
	  "\"accessModes\":[\"ReadWriteOnce\"],\"resources\":{\"requests\":{\"storage\":\"1Gi\"}}}}"
	  "]}}",
	    NULL },
	{ CONTAINER(",\"livenessProbe\":{\"httpGet\":{\"port\":1,\"httpHeaders\":[{\"name\":\"X\","
		    "\"value\":\"\"}]}}"),
	    NULL },
	/* the rest of the kinds that run */
	{ "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"a.b\"}}",
	    "Namespace \"a.b\" is invalid: metadata.name: Invalid value: \"a.b\": must not contain "
	    "dots" },
	{ "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"n\"},\"spec\":{"
	  "\"taints\":[{\"key\":\"k\"}]}}",
	    "Node \"n\" is invalid: metadata.taints[0].effect: Required value" },
	{ "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"n\",\"namespace\":"
	  "\"x\"}}",
	    "Node \"n\" is invalid: metadata.namespace: Forbidden: not allowed on this type" },
	{ SERVICE("\"ports\":[{\"port\":80}]"), NULL },
	{ SERVICE(""), "Service \"s\" is invalid: spec.ports: Required value" },
	{ SERVICE("\"clusterIP\":\"None\""), NULL },
	{ SERVICE("\"ports\":[{\"port\":80,\"nodePort\":30000}]"),
	    "Service \"s\" is invalid: spec.ports[0].nodePort: Forbidden: may not be used when "
	    "`type` is 'ClusterIP'" },
	{ "{\"apiVersion\":\"coordination.k8s.io/"
	  "v1\",\"kind\":\"Lease\",\"metadata\":{\"name\":\"l\"},\"spec\":{"
	  "\"leaseDurationSeconds\":0}}",
	    "Lease.coordination.k8s.io \"l\" is invalid: spec.leaseDurationSeconds: Invalid value: "
	    "0: must be greater "
	    "than 0" },
	{ "{\"apiVersion\":\"authentication.k8s.io/"
	  "v1\",\"kind\":\"TokenReview\",\"spec\":{\"token\":\"t\"}}",
	    NULL },
};

/* Addresses and ranges, through the fields that hold them. */
static void
addresses(void)
{
	static const struct {
		const char *text;
		bool ip, cidr;
	} t[] = { { "10.0.0.1", true, false }, { "::", true, false }, { "::1", true, false },
		{ "1::", true, false }, { "1:2:3:4:5:6:7:8", true, false },
		{ "::ffff:1.2.3.4", true, false }, { "1:2:3:4:5:6:1.2.3.4", true, false },
		{ "2001:DB8::a", true, false }, { "", false, false }, { "1.2.3", false, false },
		{ "1.2.3.4.5", false, false }, { "1.2.3.256", false, false },
		{ "1.2.3.-4", false, false }, { "1:2:3:4:5:6:7", false, false },
		{ "1:2:3:4:5:6:7:8:9", false, false }, { "1::2::3", false, false },
		{ ":::", false, false }, { ":1", false, false }, { "1:", false, false },
		{ "12345::", false, false }, { "g::", false, false }, { "::1.2.3", false, false },
		{ "1:2:3:4:5:6:7:1.2.3.4", false, false }, { "10.0.0.0/8", false, true },
		{ "::/0", false, true }, { "fd00::/64", false, true },
		{ "10.0.0.0/33", false, false }, { "10.0.0.0/", false, false },
		{ "10.0.0.0/08", false, false }, { "::/129", false, false },
		{ "10.0.0.0/8/8", false, false }, { "/8", false, false },
		{ "1:2:3:4:5:6:7:8/128", false, true }, { "::1.2.3.4/96", false, true } };

	for (size_t i = 0; i < COUNT(t); i++)
		if (ip_valid(t[i].text) != t[i].ip || cidr_valid(t[i].text) != t[i].cidr) {
			printf("address '%s'\n", t[i].text);
			failed = 1;
		}
	if (!cidr_inside("10.1.0.0/16", "10.0.0.0/8") || cidr_inside("11.1.0.0/16", "10.0.0.0/8") ||
	    cidr_inside("10.0.0.0/8", "10.0.0.0/8") || cidr_inside("::/16", "10.0.0.0/8")) {
		printf("ranges inside ranges\n");
		failed = 1;
	}
}

static const struct {
	const char *old, *json, *want;
} updates[] = {
	{ CONTAINER(""), CONTAINER(""), NULL },
	{ POD("\"containers\":[{\"name\":\"c\",\"image\":\"a\"}]"),
	    POD("\"containers\":[{\"name\":\"c\",\"image\":\"b\"}]"), NULL },
	{ CONTAINER(""), CONTAINER("},{\"name\":\"d\",\"image\":\"i\""),
	    "Pod \"p\" is invalid: spec.containers: Forbidden: pod updates may not add or remove "
	    "containers" },
	{ CONTAINER(""), CONTAINER(",\"tty\":true"),
	    "Pod \"p\" is invalid: spec: Forbidden: pod updates may not change fields other than "
	    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`"
	    ",`spec.tolerations` "
	    "(only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow "
	    "it to be set to 1 "
	    "if it was previously negative)\n"
	    "@@ -31,7 +31,7 @@\n"
	    "    \"SecurityContext\": null,\n"
	    "    \"Stdin\": false,\n"
	    "    \"StdinOnce\": false,\n"
	    "-   \"TTY\": false\n"
	    "+   \"TTY\": true\n"
	    "   }\n"
	    "  ],\n"
	    "  \"EphemeralContainers\": null,\n" },
	{ DEPLOYMENT("{\"matchLabels\":{\"app\":\"a\"}}", ""),
	    DEPLOYMENT("{\"matchExpressions\":[{\"key\":\"app\",\"operator\":\"Exists\"}]}", ""),
	    "Deployment.apps \"d\" is invalid: spec.selector: Invalid value: "
	    "{\"matchExpressions\":[{\"key\":\"app\",\"operator\":\"Exists\"}]}: field is "
	    "immutable" },
	{ MAP("\"name\":\"x\"", ",\"immutable\":true,\"data\":{\"a\":\"1\"}"),
	    MAP("\"name\":\"x\"", ",\"immutable\":true,\"data\":{\"a\":\"2\"}"),
	    "ConfigMap \"x\" is invalid: data: Forbidden: field is immutable when `immutable` is "
	    "set" },
	{ MAP("\"name\":\"x\",\"uid\":\"1\"", ""), MAP("\"name\":\"x\",\"uid\":\"2\"", ""),
	    "ConfigMap \"x\" is invalid: metadata.uid: Invalid value: \"2\": field is immutable" },
};

static void
update(const char *before, const char *after, const char *want)
{
	json_auto_t *old = load(before), *obj = load(after);
	const struct kind *k = kind_of(obj);
	struct causes causes = CAUSES_INIT;
	autofree char *got = NULL;

	defaults_apply(k, old);
	defaults_apply(k, obj);
	validate_update(k, obj, old, &causes);
	if (causes.n)
		got = causes_message(&causes, k, meta_name(obj));
	causes_release(&causes);
	same(after, got, want);
}

/* Unknown fields come with their paths, in the order they stand. */
static void
unknown_fields(void)
{
	json_auto_t *pod =
	    load(CONTAINER(",\"foo\":1,\"ports\":[{\"containerPort\":1,\"prot\":2}]"));
	struct causes unknown = CAUSES_INIT;
	struct err err;

	if (validate_types(kind_of(pod), pod, &unknown, &err) || unknown.n != 2 ||
	    strcmp(unknown.item[0].field, "spec.containers[0].foo") ||
	    strcmp(unknown.item[1].message, "unknown field \"spec.containers[0].ports[0].prot\"")) {
		printf("unknown fields\n");
		failed = 1;
	}
	causes_release(&unknown);
}

/* Of every kind: an empty object gets defaults that fit its types, once and for all. */
static void
all_defaults(void)
{
	size_t n;
	const struct kind *const *k = schema_kinds(&n);

	for (size_t i = 0; i < n; i++) {
		char version[128];
		json_auto_t *obj = json_pack("{s:s, s:s, s:{s:s}}", "apiVersion",
		    kind_api_version(k[i], version), "kind", k[i]->kind, "metadata", "name", "x");
		json_auto_t *once = NULL;
		struct err err;

		defaults_apply(k[i], obj);
		once = json_deep_copy(obj);
		defaults_apply(k[i], obj);
		if (!json_equal(once, obj) || validate_types(k[i], obj, NULL, &err) < 0) {
			printf("defaults of %s\n", k[i]->kind);
			failed = 1;
		}
	}
}

static const struct {
	const char *json, *pointer[4], *want;
} defaults[] = {
	{ CONTAINER(""), { "restartPolicy" }, "\"Always\"" },
	{ CONTAINER(""), { "enableServiceLinks" }, "true" },
	{ POD("\"containers\":[],\"serviceAccountName\":\"x\""), { "serviceAccount" }, "\"x\"" },
	{ POD("\"containers\":[],\"volumes\":[{\"name\":\"v\"}]"), { "volumes" },
	    "[{\"name\":\"v\",\"emptyDir\":{}}]" },
	{ POD("\"containers\":[],\"volumes\":[{\"name\":\"v\",\"image\":{\"reference\":\"a:1\"}}]"),
	    { "volumes" },
	    "[{\"name\":\"v\",\"image\":{\"reference\":\"a:1\",\"pullPolicy\":\"IfNotPresent\"}}"
	    "]" },
	{ POD("\"resources\":{\"limits\":{\"cpu\":\"2\",\"memory\":\"1Gi\"}},\"containers\":[{"
	      "\"name\":\"c\","
	      "\"resources\":{\"requests\":{\"cpu\":\"500m\"}}}]"),
	    { "resources", "requests" }, "{\"cpu\":\"500m\",\"memory\":\"1Gi\"}" },
	{ DEPLOYMENT("{}", ""), { "strategy", "rollingUpdate" },
	    "{\"maxUnavailable\":\"25%\",\"maxSurge\":\"25%\"}" },
	{ DEPLOYMENT("{}", ",\"strategy\":{\"type\":\"Recreate\"}"), { "strategy" },
	    "{\"type\":\"Recreate\"}" },
	{ DEPLOYMENT("{}", ",\"replicas\":0"), { "replicas" }, "0" },
	{ SERVICE("\"ports\":[{\"port\":80}]"), { "ports" },
	    "[{\"port\":80,\"targetPort\":80,\"protocol\":\"TCP\"}]" },
	{ SERVICE("\"type\":\"NodePort\""), { "externalTrafficPolicy" }, "\"Cluster\"" },
};

static void
some_defaults(void)
{
	for (size_t i = 0; i < COUNT(defaults); i++) {
		json_auto_t *obj = load(defaults[i].json);
		json_t *v = get(obj, "spec");
		autofree char *got = NULL;

		defaults_apply(kind_of(obj), obj);
		for (size_t p = 0; p < 4 && defaults[i].pointer[p]; p++)
			v = json_object_get(v, defaults[i].pointer[p]);
		got = v ? json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY) : xstrdup("(missing)");
		same(defaults[i].json, got, defaults[i].want);
	}
}

static void
images(void)
{
	static const struct {
		const char *image, *policy;
	} t[] = { { "busybox", "Always" }, { "busybox:latest", "Always" },
		{ "busybox:1", "IfNotPresent" }, { "host:5000/busybox", "Always" },
		{ "host:5000/a/busybox:1.2", "IfNotPresent" },
		{ "busybox@sha256:0123", "IfNotPresent" },
		{ "busybox:latest@sha256:0123", "Always" },
		{ "busybox:latestish", "IfNotPresent" } };

	for (size_t i = 0; i < COUNT(t); i++) {
		json_auto_t *pod = load(CONTAINER(""));
		json_t *c = json_array_get(get(pod, "spec", "containers"), 0);

		json_object_set_new(c, "image", json_string(t[i].image));
		defaults_apply(kind_of(pod), pod);
		same(t[i].image, text(c, "imagePullPolicy"), t[i].policy);
	}
}

static void
secrets(void)
{
	json_auto_t *secret = load(
	    "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"s\"},"
	    "\"data\":{\"a\":\"eA==\"},\"stringData\":{\"a\":\"yz\",\"b\":\"\",\"c\":\"123\"}}");
	autofree char *got = NULL;

	defaults_apply(kind_of(secret), secret);
	got = json_dumps(get(secret, "data"), JSON_COMPACT | JSON_SORT_KEYS);
	same("stringData", got, "{\"a\":\"eXo=\",\"b\":\"\",\"c\":\"MTIz\"}");
	if (json_object_get(secret, "stringData"))
		same("stringData", "kept", "gone");
}

int
main(void)
{
	for (size_t i = 0; i < COUNT(creates); i++) {
		json_auto_t *obj = load(creates[i].json);
		autofree char *got = create(obj);

		same(creates[i].json, got, creates[i].want);
	}
	for (size_t i = 0; i < COUNT(updates); i++)
		update(updates[i].old, updates[i].json, updates[i].want);
	addresses();
	unknown_fields();
	all_defaults();
	some_defaults();
	images();
	secrets();
	return failed;
}
