/* Events, of both groups (Kubernetes: pkg/apis/core/validation/events.go). */
#include <string.h>

#include "api/rules.h"
#include "api/shown.h"
#include "base/mem.h"

static const struct path *const top = NULL;

static void
check_short(struct causes *out, const char *name, const char *value, size_t max)
{
	if (strlen(value) > max)
		refuse_text(out, AT(top, name), "", "can have at most %zu characters", max);
}

/* An Event lives where its object lives; about what has no namespace, in "default". */
static bool
at_home(const json_t *obj, const char *about, bool timed)
{
	const char *ns = meta_namespace(obj);

	if (*about)
		return timed || !strcmp(ns, about);
	return !strcmp(ns, "default") || (timed ? !strcmp(ns, "kube-system") : !*ns);
}

/* Events with a time say who reports them. */
static void
check_reporter(struct causes *out, const json_t *obj, const char *controller, const char *instance)
{
	static const char *const required[] = { "action", "reason" };
	const char *who = text(obj, controller), *where = text(obj, instance);

	if (!*who)
		refuse_required(out, AT(top, "reportingController"), "");
	check_qualified_name(out, AT(top, "reportingController"), who);
	if (!*where)
		refuse_required(out, AT(top, "reportingInstance"), "");
	check_short(out, "reportingInstance", where, 128);
	for (size_t i = 0; i < COUNT(required); i++) {
		check_required(out, top, obj, required[i]);
		check_short(out, required[i], text(obj, required[i]), 128);
	}
}

static void
check_event(struct causes *out, const json_t *obj, const char *about, const char *message,
    const char *controller, const char *instance)
{
	bool timed = json_is_string(json_object_get(obj, "eventTime"));
	const char *ns = text(obj, about, "namespace");

	if (!at_home(obj, ns, timed))
		refuse_text(out, AT(AT(top, "involvedObject"), "namespace"), ns,
		    "does not match event.namespace");
	if (timed) {
		check_reporter(out, obj, controller, instance);
		/* The field has its old name here, as in Kubernetes. */
		check_short(out, "message", text(obj, message), 1024);
	}
	check_dns_subdomain(out, AT(top, "namespace"), meta_namespace(obj));
}

void
event_create(struct causes *out, const json_t *obj)
{
	check_event(
	    out, obj, "involvedObject", "message", "reportingComponent", "reportingInstance");
}

/* --- the newer API asks for more ------------------------------------------------------------ */

static void
check_series(struct causes *out, const json_t *obj)
{
	const json_t *series = json_object_get(obj, "series");

	if (series && num(json_object_get(series, "count"), 0) < 2)
		refuse_text(out, AT(AT(top, "series"), "count"), "", "should be at least 2");
	if (series && !json_is_string(json_object_get(series, "lastObservedTime")))
		refuse_required(out, AT(AT(top, "series"), "lastObservedTime"), "");
}

void
event_v1_spec(struct causes *out, const json_t *obj)
{
	check_event(out, obj, "regarding", "note", "reportingController", "reportingInstance");
}

void
event_v1_create(struct causes *out, const json_t *obj)
{
	static const char *const old_fields[][2] = { { "deprecatedFirstTimestamp",
							 "firstTimestamp" },
		{ "deprecatedLastTimestamp", "lastTimestamp" }, { "deprecatedCount", "count" } };
	const char *type = text(obj, "type");
	const json_t *source = json_object_get(obj, "deprecatedSource");

	event_v1_spec(out, obj);
	check_series(out, obj);
	if (!json_is_string(json_object_get(obj, "eventTime")))
		refuse_required(out, AT(top, "eventTime"), "");
	if (strcmp(type, "Normal") != 0 && strcmp(type, "Warning") != 0)
		refuse_text(out, AT(top, "type"), "", "has invalid value: %s", type);
	for (size_t i = 0; i < COUNT(old_fields); i++) {
		const json_t *v = json_object_get(obj, old_fields[i][0]);

		if (json_is_string(v) || num(v, 0))
			refuse_text(out, AT(top, old_fields[i][1]), "", "needs to be unset");
	}
	if (*text(source, "component") || *text(source, "host"))
		refuse_text(out, AT(top, "source"), "", "needs to be unset");
}

/* Only its series goes on. */
void
event_v1_update(struct causes *out, const json_t *obj, const json_t *old)
{
	static const struct {
		const char *field, *shown, *type; /* NULL: a plain text */
	} fixed[] = {
		{ "regarding", "involvedObject", "core.v1.ObjectReference" },
		{ "reason", "reason", NULL },
		{ "note", "message", NULL },
		{ "deprecatedSource", "source", "core.v1.EventSource" },
		{ "deprecatedFirstTimestamp", "firstTimestamp", NULL },
		{ "deprecatedLastTimestamp", "lastTimestamp", NULL },
		{ "deprecatedCount", "count", NULL },
		{ "reason", "reason", NULL },
		{ "type", "type", NULL },
		{ "eventTime", "eventTime", NULL },
		{ "action", "action", NULL },
		{ "related", "related", "core.v1.ObjectReference" },
		{ "reportingController", "reportingController", NULL },
		{ "reportingInstance", "reportingInstance", NULL },
	};

	if (!same_value(json_object_get(obj, "series"), json_object_get(old, "series")))
		check_series(out, obj);
	for (size_t i = 0; i < COUNT(fixed); i++) {
		const json_t *v = json_object_get(obj, fixed[i].field);
		const struct path *at = AT(top, fixed[i].shown);

		if (same_value(v, json_object_get(old, fixed[i].field)))
			continue;
		if (fixed[i].type)
			refuse_shown(out, at, fixed[i].type, v, "field is immutable");
		else if (json_is_integer(v) ||
			 json_is_integer(json_object_get(old, fixed[i].field)))
			refuse_number(out, at, num(v, 0), "field is immutable");
		else
			refuse_text(out, at, str(v, ""), "field is immutable");
	}
}
