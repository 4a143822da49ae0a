/* The cells of a HorizontalPodAutoscaler (version 2), and of device claims. */
#include <stdio.h>
#include <string.h>

#include "api/meta.h"
#include "api/table_cells.h"

enum { SHOWN = 2 };

static json_t *
reference(const json_t *hpa, int64_t now)
{
	(void)now;
	return json_sprintf("%s/%s", text(hpa, "spec", "scaleTargetRef", "kind"),
	    text(hpa, "spec", "scaleTargetRef", "name"));
}

/* The member of a metric that its type names: "Resource" is "resource". */
static const json_t *
source(const json_t *metric)
{
	static const char *const types[][2] = { { "Resource", "resource" },
		{ "ContainerResource", "containerResource" }, { "Pods", "pods" },
		{ "Object", "object" }, { "External", "external" } };

	for (size_t i = 0; i < 5; i++)
		if (strcmp(text(metric, "type"), types[i][0]) == 0)
			return json_object_get(metric, types[i][1]);
	return NULL;
}

/* "cpu: 50%/80%", "200m/1 (avg)", "<unknown>/80%" */
static void
add_target(struct buf *b, const json_t *metric, const json_t *current)
{
	const json_t *spec = source(metric);
	const json_t *want = get(spec, "target"), *have = get(current, "current");
	const char *name = text(spec, "name"), *average = text(want, "averageValue");
	const json_t *percent = get(want, "averageUtilization");
	bool named = *name || strcmp(text(metric, "type"), "Pods") == 0;

	if (*name)
		buf_printf(b, "%s: ", name);
	if (json_is_integer(percent)) {
		const json_t *now = get(have, "averageUtilization");

		if (json_is_integer(now))
			buf_printf(b, "%lld%%", (long long)json_integer_value(now));
		else
			buf_puts(b, "<unknown>");
		buf_printf(b, "/%lld%%", (long long)json_integer_value(percent));
	} else if (*average) {
		const char *now = text(have, "averageValue");

		buf_printf(b, "%s/%s%s", *now ? now : "<unknown>", average, named ? "" : " (avg)");
	} else {
		const char *now = text(have, "value");

		buf_printf(b, "%s/%s", *now ? now : "<unknown>", text(want, "value"));
	}
}

static json_t *
targets(const json_t *hpa, int64_t now)
{
	json_t *specs = get(hpa, "spec", "metrics"), *m;
	struct buf b = BUF_INIT;
	size_t i;

	(void)now;
	json_array_foreach (specs, i, m) {
		if (i >= SHOWN)
			break;
		if (i > 0)
			buf_puts(&b, ", ");
		add_target(&b, m, source(json_array_get(get(hpa, "status", "currentMetrics"), i)));
	}
	if (json_array_size(specs) > SHOWN)
		buf_printf(&b, " + %zu more...", json_array_size(specs) - SHOWN);
	if (b.len == 0)
		buf_puts(&b, "<none>");
	return cell_buf(&b);
}

static json_t *
min_pods(const json_t *hpa, int64_t now)
{
	const json_t *v = get(hpa, "spec", "minReplicas");

	(void)now;
	return json_is_integer(v) ? json_sprintf("%lld", (long long)json_integer_value(v))
				  : json_string("<unset>");
}

static json_t *
claim_state(const json_t *claim, int64_t now)
{
	bool allocated = get(claim, "status", "allocation");
	bool reserved = json_array_size(get(claim, "status", "reservedFor")) > 0;
	struct buf b = BUF_INIT;

	(void)now;
	if (meta_deleting(claim))
		join(&b, ",", "deleted");
	else if (!allocated)
		join(&b, ",", "pending");
	if (allocated)
		join(&b, ",", "allocated");
	if (allocated && reserved)
		join(&b, ",", "reserved");
	return cell_buf(&b);
}

/* clang-format off */
static const struct cell autoscaler[] = {
	CELL("Reference", reference), CELL("Targets", targets), CELL("MinPods", min_pods),
	INT("MaxPods", "spec.maxReplicas", 0), INT("Replicas", "status.currentReplicas", 0), { 0 },
};
static const struct cell resource_claim[] = { CELL("State", claim_state), { 0 } };
static const struct cell resource_slice[] = {
	TEXT("Node", "spec.nodeName", ""), TEXT("Driver", "spec.driver", ""), TEXT("Pool", "spec.pool.name", ""), { 0 },
};
static const struct cell scale[] = {
	INT("Desired", "spec.replicas", 0), INT("Available", "status.replicas", 0), { 0 },
};

const struct cells scale_cells[] = {
	{ "autoscaling", "Scale", scale },
	{ "autoscaling", "HorizontalPodAutoscaler", autoscaler },
	{ "resource.k8s.io", "ResourceClaim", resource_claim },
	{ "resource.k8s.io", "ResourceSlice", resource_slice },
	{ 0 },
};
/* clang-format on */
