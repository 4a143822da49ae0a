#include "client/patching.h"

#include <ctype.h>
#include <string.h>

#include "api/apply.h"
#include "api/meta.h"
#include "api/patch.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/yaml.h"

int
patch_type_of(const char *word, enum patch_type *ret, struct err *err)
{
	static const struct {
		const char *word;
		enum patch_type type;
	} types[] = { { "strategic", PATCH_STRATEGIC }, { "merge", PATCH_JSON_MERGE },
		{ "json", PATCH_JSON }, { "apply", PATCH_APPLY } };

	*ret = PATCH_DEFAULT;
	for (size_t i = 0; word && i < COUNT(types); i++)
		if (strcmp(word, types[i].word) == 0)
			*ret = types[i].type;
	if (word && *ret == PATCH_DEFAULT)
		return err_set(err, ERR_BAD_REQUEST,
		    "--type: '%s' is none of strategic, merge, json, apply", word);
	return 0;
}

/* --- reading ------------------------------------------------------------------------------- */

static int
read_json(const char *text, size_t len, json_t **ret, struct err *err)
{
	char why[128];
	size_t used;

	if (json_decode(text, len, ret, &used, why) != JSON_FINE)
		return err_set(err, ERR_BAD_REQUEST, "at byte %zu: %s", used + 1, why);
	while (used < len && isspace((unsigned char)text[used]))
		used++;
	if (used == len)
		return 0;
	json_decref(*ret);
	*ret = NULL;
	return err_set(err, ERR_BAD_REQUEST, "at byte %zu: there is more behind it", used + 1);
}

static int
read_yaml(const char *text, size_t len, json_t **ret, struct err *err)
{
	struct yaml *y = yaml_open(text, len, NULL);
	json_t *more = NULL;
	unsigned long line;
	int r = yaml_read(y, ret, &line, err);

	if (r == 0)
		r = err_set(err, ERR_BAD_REQUEST, "it is empty");
	else if (r > 0 && (r = yaml_read(y, &more, &line, err)) > 0)
		r = err_set(err, ERR_BAD_REQUEST, "there is more than one document");
	yaml_close(y);
	json_decref(more);
	if (r >= 0)
		return 0;
	json_decref(*ret);
	*ret = NULL;
	err->code = ERR_BAD_REQUEST;
	return -ERR_BAD_REQUEST;
}

int
patching_read(struct patching *p, const char *text, size_t len, struct err *err)
{
	json_t *patch = NULL;
	size_t lead = 0;
	int r;

	while (lead < len && isspace((unsigned char)text[lead]))
		lead++;
	if (lead < len && (text[lead] == '{' || text[lead] == '['))
		r = read_json(text, len, &patch, err);
	else
		r = read_yaml(text, len, &patch, err);
	if (r < 0)
		return err_wrap(err, "cannot read the patch");
	if (p->type == PATCH_DEFAULT && json_is_array(patch))
		p->type = PATCH_JSON;
	if (p->type == PATCH_JSON ? json_is_array(patch) : json_is_object(patch)) {
		p->patch = patch;
		return 0;
	}
	json_decref(patch);
	return err_set(err, ERR_BAD_REQUEST, "the patch has to be %s",
	    p->type == PATCH_JSON ? "a list of operations" : "an object");
}

void
patching_release(struct patching *p)
{
	json_decref(p->patch);
	p->patch = NULL;
}

/* Strategic merging goes by what the tables of built-in kinds say of their lists. */
static enum patch_type
type_for(const struct patching *p, const struct kind *k)
{
	if (p->type != PATCH_DEFAULT)
		return p->type;
	return k && !k->custom ? PATCH_STRATEGIC : PATCH_JSON_MERGE;
}

/* What is applied has to say what it is. */
static json_t *
addressed(const json_t *patch, const json_t *obj)
{
	json_t *copy = json_deep_copy(patch);

	json_object_set(copy, "apiVersion", json_object_get(obj, "apiVersion"));
	json_object_set(copy, "kind", json_object_get(obj, "kind"));
	put(copy, json_string(meta_name(obj)), "metadata", "name");
	if (*meta_namespace(obj))
		put(copy, json_string(meta_namespace(obj)), "metadata", "namespace");
	return copy;
}

/* --- here ----------------------------------------------------------------------------------- */

/* Managers are kept where the object has any: a manifest has none. */
static int
apply_here(const struct patching *p, const struct kind *k, const json_t *obj, json_t **ret,
    struct err *err)
{
	struct apply how = {
		.kind = k, .subresource = "", .manager = p->manager, .now = "", .force = p->force
	};
	struct conflicts conflicts = { 0 };
	json_auto_t *patch = addressed(p->patch, obj);
	int r = apply_patch(&how, obj, patch, ret, &conflicts, err);

	conflicts_release(&conflicts);
	if (r >= 0 && !get(obj, "metadata", "managedFields"))
		json_object_del(get(*ret, "metadata"), "managedFields");
	return r;
}

/* Whatever a patch says, the object stays the one it is. */
static int
check_identity(const json_t *before, const json_t *after, struct err *err)
{
	if (!json_is_object(after))
		return err_set(err, ERR_INVALID, "what the patch makes of it is no object");
	if (strcmp(text(before, "kind"), text(after, "kind")) != 0 ||
	    strcmp(text(before, "apiVersion"), text(after, "apiVersion")) != 0)
		return err_set(err, ERR_INVALID, "a patch cannot change apiVersion or kind");
	return 0;
}

static int
no_strategic(const struct kind *k, struct err *err)
{
	return err_set(err, ERR_BAD_REQUEST,
	    "strategic patches are for built-in kinds, and a %s is none: --type=merge, or "
	    "--type=apply, which merges lists by their keys, too",
	    k->kind);
}

int
patching_here(const struct patching *p, const struct kind *k, const json_t *obj, json_t **ret,
    struct err *err)
{
	enum patch_type type = type_for(p, k);
	json_t *copy = NULL;
	int r = 0;

	if (k && k->custom && type == PATCH_STRATEGIC)
		return no_strategic(k, err);
	if (!k && (type == PATCH_STRATEGIC || type == PATCH_APPLY))
		return err_set(err, ERR_BAD_REQUEST,
		    "the schema has no kind '%s' in '%s': --type=merge or json", text(obj, "kind"),
		    text(obj, "apiVersion"));
	if (p->version && strcmp(p->version, meta_version(obj)) != 0)
		return err_set(err, ERR_CONFLICT, "its resourceVersion is '%s', not '%s'",
		    meta_version(obj), p->version);
	if (type == PATCH_APPLY)
		return apply_here(p, k, obj, ret, err);
	copy = json_deep_copy(obj);
	if (type == PATCH_JSON_MERGE)
		copy = merge_patch(copy, p->patch);
	else
		r = type == PATCH_JSON ? json_patch(&copy, p->patch, err)
				       : strategic_patch(&copy, p->patch, k->type, err);
	if (r >= 0)
		r = check_identity(obj, copy, err);
	if (r >= 0)
		*ret = copy;
	else
		json_decref(copy);
	return r;
}

/* --- at the server --------------------------------------------------------------------------- */

/* With the uid, and the resourceVersion that is asked for: another object of the name is none of
 * our business. */
static json_t *
guarded(const struct patching *p, enum patch_type type, const json_t *live)
{
	json_t *patch;

	if (type == PATCH_JSON) {
		patch = json_copy(p->patch);
		if (p->version)
			json_array_insert_new(patch, 0,
			    json_pack("{s:s, s:s, s:s}", "op", "test", "path",
				"/metadata/resourceVersion", "value", p->version));
		return patch;
	}
	patch = type == PATCH_APPLY ? addressed(p->patch, live) : json_deep_copy(p->patch);
	if (type == PATCH_APPLY)
		put(patch, json_string(meta_uid(live)), "metadata", "uid");
	if (p->version)
		put(patch, json_string(p->version), "metadata", "resourceVersion");
	return patch;
}

int
patching_send(const struct patching *p, struct client *c, const struct kind *k, const json_t *live,
    const char *query, json_t **ret, struct err *err)
{
	static const char *const media[] = {
		[PATCH_STRATEGIC] = "application/strategic-merge-patch+json",
		[PATCH_JSON_MERGE] = "application/merge-patch+json",
		[PATCH_JSON] = "application/json-patch+json",
		[PATCH_APPLY] = "application/apply-patch+yaml",
	};
	enum patch_type type =
	    type_for(p, kind_of_object(text(live, "apiVersion"), text(live, "kind")));
	json_auto_t *patch = guarded(p, type, live);
	autofree char *forced =
	    type == PATCH_APPLY && p->force ? xasprintf("%s&force=true", query) : NULL;

	int r = client_patch(c, k, meta_namespace(live), meta_name(live), p->sub, media[type],
	    patch, forced ? forced : query, ret, err);

	return r == -ERR_MEDIA_TYPE && type == PATCH_STRATEGIC ? no_strategic(k, err) : r;
}
