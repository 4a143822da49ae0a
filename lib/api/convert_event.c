/* Events as events.k8s.io/v1 shows them: other names for the same fields. */
#include <string.h>

#include "api/convert.h"
#include "api/meta.h"

/* here, in v1 */
static const char *const names[][2] = {
	{ "note", "message" },
	{ "regarding", "involvedObject" },
	{ "reportingController", "reportingComponent" },
	{ "deprecatedSource", "source" },
	{ "deprecatedFirstTimestamp", "firstTimestamp" },
	{ "deprecatedLastTimestamp", "lastTimestamp" },
	{ "deprecatedCount", "count" },
	{ NULL, NULL },
};

const char *const event_fields[][2] = {
	{ "regarding.kind", "involvedObject.kind" },
	{ "regarding.namespace", "involvedObject.namespace" },
	{ "regarding.name", "involvedObject.name" },
	{ "regarding.uid", "involvedObject.uid" },
	{ "regarding.apiVersion", "involvedObject.apiVersion" },
	{ "regarding.resourceVersion", "involvedObject.resourceVersion" },
	{ "regarding.fieldPath", "involvedObject.fieldPath" },
	{ "reportingController", "reportingComponent" },
	{ NULL, NULL },
};

static void
rename_field(json_t *obj, const char *from, const char *to)
{
	json_t *v = json_incref(json_object_get(obj, from));

	if (!v)
		return;
	json_object_del(obj, from);
	json_object_set_new(obj, to, v);
}

void
event_from_new(json_t *obj)
{
	for (size_t i = 0; names[i][0]; i++)
		rename_field(obj, names[i][0], names[i][1]);
}

void
event_to_new(json_t *obj)
{
	static const char *const reporter[] = { "reportingController", "reportingInstance" };

	for (size_t i = 0; names[i][0]; i++)
		rename_field(obj, names[i][1], names[i][0]);
	/* v1 writes these always, this version does not */
	for (size_t i = 0; i < 2; i++)
		if (!*text(obj, reporter[i]))
			json_object_del(obj, reporter[i]);
}
