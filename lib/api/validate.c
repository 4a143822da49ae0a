/* Rules beyond types: metadata, the kind's own (lib/api/rules.c), and what the schema says of
 * values. */
#include "api/validate.h"

#include <string.h>

#include "api/custom.h"
#include "api/rules_status.h"
#include "base/mem.h"

static void check_value(
    struct causes *out, const struct path *at, const struct type *t, const json_t *v);

/* A kind's own rules may have said it already, in better words: of the field, or of the list it is
 * in. */
static bool
already_refused(const struct causes *out, const struct path *at)
{
	autofree char *field = path_print(at);

	for (size_t i = out->from; i < out->n; i++) {
		size_t n = strlen(out->item[i].field);

		if (!strncmp(out->item[i].field, field, n) &&
		    (!field[n] || field[n] == '[' || !strcmp(field + n, ".type")))
			return true;
	}
	return false;
}

static void
check_word(struct causes *out, const struct path *at, const json_t *v, const char *const *values)
{
	const char *text = json_string_value(v);

	if (!text || !*text)
		return;
	for (const char *const *value = values; *value; value++)
		if (!strcmp(text, *value))
			return;
	if (!already_refused(out, at))
		refuse_unsupported(out, at, text, values);
}

/* A struct that is required shows what it lacks itself; a default is an answer too, and so is "" if
 * the kind's own rules do not mind (a header may be empty). */
static void
check_required_field(
    struct causes *out, const struct path *at, const struct field *f, const json_t *v)
{
	bool missing = !v || json_is_null(v);

	if (missing && !f->dflt && f->type->class != CLASS_STRUCT && !already_refused(out, at))
		refuse_required(out, at, "");
}

static void
check_field(struct causes *out, const struct path *at, const struct field *f, const json_t *v)
{
	size_t i;
	json_t *item;

	if (f->values && json_is_array(v))
		json_array_foreach (v, i, item)
			check_word(out, ITEM(at, i), item, f->values);
	else if (f->values)
		check_word(out, at, v, f->values);
	if (f->type->class >= CLASS_STRUCT)
		check_value(out, at, f->type, v);
}

/* What is reported back is not asked for, and metadata has rules of its own. */
static bool
apart(const struct path *at, const char *name)
{
	return !at && (!strcmp(name, "status") || !strcmp(name, "metadata"));
}

/* Objects have few of the fields that they could have: only the required ones are looked for. */
static void
check_struct(struct causes *out, const struct path *at, const struct type *t, const json_t *v)
{
	const char *key;
	json_t *item;

	for (size_t i = 0; i < t->nfields; i++) {
		const struct field *f = &t->fields[i];

		if (f->required && !apart(at, f->name))
			check_required_field(out, AT(at, f->name), f, json_object_get(v, f->name));
	}
	json_object_foreach ((json_t *)v, key, item) {
		const struct field *f = type_field(t, key);

		if (f && !apart(at, f->name))
			check_field(out, AT(at, f->name), f, item);
	}
}

static void
check_value(struct causes *out, const struct path *at, const struct type *t, const json_t *v)
{
	const char *key;
	size_t i;
	json_t *item;

	if (t->class == CLASS_LIST && t->elem->class >= CLASS_STRUCT) {
		json_array_foreach (v, i, item)
			check_value(out, ITEM(at, i), t->elem, item);
	} else if (t->class == CLASS_MAP && t->elem->class >= CLASS_STRUCT) {
		json_object_foreach ((json_t *)v, key, item)
			check_value(out, KEY(at, key), t->elem, item);
	} else if (t->class == CLASS_STRUCT && json_is_object(v)) {
		check_struct(out, at, t, v);
	}
}

static void
check_kind(struct causes *out, const struct kind *k, const json_t *obj, bool update)
{
	const struct rules *rules = rules_of(k);

	out->from = out->n;
	if (rules && rules->spec && update)
		rules->spec(out, obj);
	else if (rules && rules->create)
		rules->create(out, obj);
	if (!rules || !rules->complete)
		check_value(out, NULL, k->type, obj);
}

int
validate_decode(const struct kind *k, json_t *obj, struct causes *unknown, struct err *err)
{
	struct causes ignored = CAUSES_INIT;
	int r;

	if (!k->custom)
		return validate_types(k, obj, unknown, err);
	r = custom_decode(k, obj, unknown ? unknown : &ignored, err);
	causes_release(&ignored);
	return r;
}

void
validate_create(const struct kind *k, const json_t *obj, struct causes *out)
{
	if (k->custom) {
		custom_validate(k, obj, NULL, false, out, NULL);
		return;
	}
	meta_create(out, k, obj);
	check_kind(out, k, obj, false);
}

void
validate_sent(const struct kind *k, json_t *obj, struct causes *out)
{
	json_auto_t *status = NULL;

	if (k->custom && k->custom->status)
		status = json_incref(json_object_get(obj, "status"));
	if (status)
		json_object_del(obj, "status");
	validate_create(k, obj, out);
	if (status)
		json_object_set(obj, "status", status);
}

/* The questions of an update in this order (struct rules), and `own` for an S. */
static void
ask(struct causes *out, const struct kind *k, const char *order, const json_t *obj,
    const json_t *old, status_rule *own)
{
	const struct rules *rules = rules_of(k);

	meta_common(out, k, obj, old);
	for (; *order; order++) {
		if (*order == 'M')
			meta_update(out, k, obj, old);
		else if (*order == 'C')
			validate_create(k, obj, out);
		else if (*order == 'V')
			meta_create(out, k, obj);
		else if (*order == 'c')
			check_kind(out, k, obj, true);
		else if (*order == 'S' && own)
			own(out, obj, old);
		else if (*order == 'U' && rules && rules->update)
			rules->update(out, obj, old);
	}
}

void
validate_update(const struct kind *k, const json_t *obj, const json_t *old, struct causes *out)
{
	const struct rules *rules = k->custom ? NULL : rules_of(k);

	if (k->custom)
		custom_validate(k, obj, old, false, out, NULL);
	else
		ask(out, k, rules && rules->order ? rules->order : "CMU", obj, old, NULL);
}

void
validate_part(
    const struct kind *k, const char *sub, const json_t *obj, const json_t *old, struct causes *out)
{
	const struct status_rules *own = k->custom ? NULL : status_rules_of(k, sub);

	if (k->custom)
		custom_validate(k, obj, old, !strcmp(sub, "status"), out, NULL);
	else
		ask(out, k, own && own->order ? own->order : "MS", obj, old,
		    own ? own->check : NULL);
}
