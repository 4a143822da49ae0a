#include <string.h>

#include "api/label.h"
#include "api/meta.h"
#include "api/taint.h"
#include "base/mem.h"
#include "base/text.h"

bool
taint_word(const char *word)
{
	return strchr(word, '=') || strchr(word, ':') || text_ends(word, "-");
}

/* Has `is` the key of `of`, and the effect that it names, if any? */
static bool
same(const json_t *is, const json_t *of)
{
	const char *effect = text(of, "effect");

	return strcmp(text(is, "key"), text(of, "key")) == 0 &&
	       (!*effect || strcmp(text(is, "effect"), effect) == 0);
}

static json_t *
find(const json_t *taints, const json_t *of)
{
	json_t *t;
	size_t i;

	json_array_foreach (taints, i, t)
		if (same(t, of))
			return t;
	return NULL;
}

/* --- reading -------------------------------------------------------------------------------- */

static int
check_parts(
    const char *word, const char *key, const char *value, const char *effect, struct err *err)
{
	static const char *const effects[] = { "NoSchedule", "PreferNoSchedule", "NoExecute",
		NULL };
	autofree char *bad_key = label_key_refused(key);
	autofree char *bad_value = value ? label_value_refused(value) : NULL;

	if (bad_key || bad_value)
		return err_set(err, ERR_BAD_REQUEST, "invalid taint spec: %s, %s", word,
		    bad_key ? bad_key : bad_value);
	if (effect && !text_in(effect, effects))
		return err_set(err, ERR_BAD_REQUEST,
		    "invalid taint effect: %s, unsupported taint effect: NoSchedule, "
		    "PreferNoSchedule and NoExecute are what there is",
		    effect);
	return 0;
}

/* "KEY[=VALUE][:EFFECT]". */
static int
parse_one(json_t **ret, const char *word, size_t len, struct err *err)
{
	autofree char *key = xstrndup(word, len);
	char *effect = strchr(key, ':'), *value;
	int r;

	if (effect)
		*effect++ = '\0';
	value = effect ? strchr(key, '=') : NULL; /* nothing without an effect has a value */
	if (value)
		*value++ = '\0';
	if ((r = check_parts(word, key, value, effect, err)) < 0)
		return r;
	*ret = json_pack("{s:s, s:s*, s:s*}", "key", key, "value", value && *value ? value : NULL,
	    "effect", effect);
	if (!*ret)
		return err_set(err, ERR_BAD_REQUEST, "invalid taint spec: it is not UTF-8");
	return 0;
}

static int
parse_word(struct taint_edits *e, const char *word, struct err *err)
{
	bool removes = text_ends(word, "-");
	json_auto_t *t = NULL;
	int r;

	if ((r = parse_one(&t, word, strlen(word) - (removes ? 1 : 0), err)) < 0)
		return r;
	if (removes) {
		json_array_append(e->remove, t);
		return 0;
	}
	if (!get(t, "effect"))
		return err_set(
		    err, ERR_BAD_REQUEST, "invalid taint spec: %s, it has no effect", word);
	if (find(e->set, t))
		return err_set(err, ERR_BAD_REQUEST,
		    "duplicated taints with the same key and effect: %s", word);
	json_array_append(e->set, t);
	return 0;
}

/* Setting and removing one at once says nothing. */
static int
check_conflict(const struct taint_edits *e, struct err *err)
{
	json_t *t;
	size_t i;

	json_array_foreach (e->remove, i, t)
		if (find(e->set, t))
			return err_set(err, ERR_BAD_REQUEST,
			    "can not both modify and remove the following taint(s) in the same "
			    "command: %s%s%s",
			    text(t, "key"), get(t, "effect") ? ":" : "", text(t, "effect"));
	return 0;
}

int
taint_parse(struct taint_edits *ret, char *const words[], int n, struct err *err)
{
	struct taint_edits e = { json_array(), json_array() };
	int r = 0;

	for (int i = 0; i < n && r == 0; i++)
		r = parse_word(&e, words[i], err);
	if (r < 0 || (r = check_conflict(&e, err)) < 0) {
		taint_release(&e);
		return r;
	}
	*ret = e;
	return 0;
}

void
taint_release(struct taint_edits *e)
{
	json_decref(e->set);
	json_decref(e->remove);
	*e = (struct taint_edits){ NULL, NULL };
}

/* --- editing -------------------------------------------------------------------------------- */

struct edit {
	json_t *then;
	bool added, changed, removed;
};

static int
set(struct edit *d, const json_t *wanted, const json_t *have, bool overwrite, struct err *err)
{
	json_t *t, *old;
	size_t i;

	json_array_foreach (wanted, i, t) {
		old = find(have, t);
		if (old && strcmp(text(old, "value"), text(t, "value")) == 0) {
			json_array_append(d->then, old); /* with its time */
			continue;
		}
		if (old && !overwrite)
			return err_set(err, ERR_DIFFERS,
			    "it already has %s taint(s) with same effect(s) and --overwrite is "
			    "false: '%s:%s' has the value '%s'",
			    text(t, "key"), text(t, "key"), text(t, "effect"), text(old, "value"));
		d->added |= !old;
		d->changed |= old != NULL;
		json_array_append(d->then, t);
	}
	json_array_foreach (have, i, t)
		if (!find(wanted, t))
			json_array_append(d->then, t);
	return 0;
}

static int
drop(struct edit *d, const json_t *unwanted, struct err *err)
{
	json_t *t;
	size_t i;

	json_array_foreach (unwanted, i, t) {
		size_t before = json_array_size(d->then);

		for (size_t at = before; at-- > 0;)
			if (same(json_array_get(d->then, at), t))
				json_array_remove(d->then, at);
		if (json_array_size(d->then) == before)
			return err_set(err, ERR_NOT_FOUND, "taint \"%s%s%s\" not found",
			    text(t, "key"), get(t, "effect") ? ":" : "", text(t, "effect"));
		d->removed = true;
	}
	return 0;
}

int
taint_edit(json_t **ret, const struct taint_edits *e, const json_t *node, bool overwrite,
    const char **what, struct err *err)
{
	const json_t *have = get(node, "spec", "taints");
	struct edit d = { .then = json_array() };
	int r;

	if ((r = set(&d, e->set, have, overwrite, err)) < 0 || (r = drop(&d, e->remove, err)) < 0) {
		json_decref(d.then);
		return r;
	}
	*what = d.changed || (d.added && d.removed) ? "modified"
		: d.added			    ? "tainted"
		: d.removed			    ? "untainted"
						    : "unchanged";
	*ret = d.then;
	return 0;
}
