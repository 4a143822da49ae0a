/* Which kinds are views of which, and what all conversions have in common. */
#include "api/convert.h"

#include <string.h>

#include "api/custom.h"
#include "api/validate.h"

struct view {
	const char *version, *kind;  /* what it is seen as */
	const char *stored;	     /* the version it is kept in */
	void (*in)(json_t *obj);     /* to the kept form */
	void (*out)(json_t *obj);    /* and back */
	void (*settle)(json_t *obj); /* of the kept form itself; may be NULL */
	void (*keep)(const json_t *old, json_t *obj, bool status); /* may be NULL */
	const char *const (
	    *fields)[2]; /* a field's name here and there, ended by NULL; may be NULL */
	bool own_rules;
};

static const struct view views[] = {
	{ .version = "autoscaling/v1",
	    .kind = "HorizontalPodAutoscaler",
	    .stored = "autoscaling/v2",
	    .in = autoscaler_from_v1,
	    .out = autoscaler_to_v1,
	    .settle = autoscaler_settle,
	    .keep = autoscaler_keep },
	{ .version = "events.k8s.io/v1",
	    .kind = "Event",
	    .stored = "v1",
	    .in = event_from_new,
	    .out = event_to_new,
	    .fields = event_fields,
	    .own_rules = true },
};
enum { VIEWS = sizeof views / sizeof *views };

static bool
is_version(const struct kind *k, const char *version)
{
	char buf[128];

	return strcmp(kind_api_version(k, buf), version) == 0;
}

/* The view that k is, or NULL. */
static const struct view *
view_of(const struct kind *k)
{
	for (size_t i = 0; i < VIEWS; i++)
		if (strcmp(k->kind, views[i].kind) == 0 && is_version(k, views[i].version))
			return &views[i];
	return NULL;
}

const struct kind *
kind_stored(const struct kind *k)
{
	const struct view *v;

	if (k->custom)
		return k->custom->stored;
	v = view_of(k);
	return v ? kind_of_object(v->stored, v->kind) : k;
}

const struct kind *
kind_sibling(const struct kind *k, const char *api_version)
{
	const struct kind *other;

	if (is_version(k, api_version))
		return k;
	if (k->custom)
		return custom_sibling(k, api_version);
	other = kind_of_object(api_version, k->kind);
	return other && kind_stored(other) == kind_stored(k) ? other : NULL;
}

const struct kind *
kind_checked(const struct kind *k)
{
	const struct view *v = k->custom ? NULL : view_of(k);

	return v && !v->own_rules ? kind_of_object(v->stored, v->kind) : k;
}

static void
step(json_t *obj, const struct kind *to, void (*change)(json_t *obj))
{
	char version[128];

	change(obj);
	if (json_object_get(obj, "apiVersion"))
		json_object_set_new(obj, "apiVersion", json_string(kind_api_version(to, version)));
}

void
convert_part(json_t *obj, const struct kind *from, const struct kind *to)
{
	const struct view *v;

	if (from == to)
		return;
	if (to->custom) {
		custom_convert(obj, to);
		return;
	}
	if ((v = view_of(from)))
		step(obj, kind_stored(from), v->in);
	if ((v = view_of(to)))
		step(obj, to, v->out);
}

void
convert(json_t *obj, const struct kind *from, const struct kind *to)
{
	if (from == to)
		return;
	if (to->custom) { /* all versions are the same but for their fields */
		custom_convert(obj, to);
		return;
	}
	convert_part(obj, from, kind_stored(from));
	defaults_apply(kind_stored(from), obj);
	convert_part(obj, kind_stored(from), to);
	defaults_apply(to, obj);
}

json_t *
convert_copy(const json_t *obj, const struct kind *from, const struct kind *to)
{
	json_t *copy;

	if (from == to)
		return json_incref((json_t *)obj);
	copy = json_deep_copy(obj);
	convert(copy, from, to);
	return copy;
}

void
convert_settle(const struct kind *k, json_t *obj)
{
	const struct kind *stored = kind_stored(k);

	if (k->custom)
		return; /* what another version lacks is noted as said, and lost when it is kept */
	if (stored != k) {
		convert(obj, k, stored);
		convert(obj, stored, k);
		return;
	}
	for (size_t i = 0; i < VIEWS; i++)
		if (views[i].settle && strcmp(k->kind, views[i].kind) == 0 &&
		    is_version(k, views[i].stored))
			views[i].settle(obj);
}

void
convert_keep(const struct kind *k, const json_t *old, json_t *obj, bool status)
{
	const struct view *v = k->custom ? NULL : view_of(k);

	if (v && v->keep)
		v->keep(old, obj, status);
}

const char *
convert_field(const struct kind *k, const char *path)
{
	const struct view *v = k->custom ? NULL : view_of(k);

	for (size_t i = 0; v && v->fields && v->fields[i][0]; i++)
		if (strcmp(v->fields[i][0], path) == 0)
			return v->fields[i][1];
	return path;
}
