#include "client/migrate.h"

#include <string.h>

#include "api/managed.h"
#include "api/meta.h"
#include "base/mem.h"
#include "client/threeway.h"

static bool
owns_annotation(const json_t *entry)
{
	return strcmp(text(entry, "operation"), "Update") == 0 &&
	       get(entry, "fieldsV1", "f:metadata", "f:annotations", "f:" LAST_APPLIED);
}

bool
migrate_takes(const json_t *live, const char *manager)
{
	json_t *entry;
	size_t i;

	json_array_foreach (get(live, "metadata", "managedFields"), i, entry)
		if (owns_annotation(entry) && strcmp(text(entry, "manager"), manager) == 0)
			return true;
	return false;
}

json_t *
managers_patch(const json_t *entries, const char *version)
{
	json_auto_t *list = entries ? json_deep_copy(entries) : json_pack("[{}]");

	/* an empty list would mean "as it was"; one of one empty entry forgets all (managedFields'
	 * own rule) */
	if (json_array_size(list) == 0)
		json_array_append_new(list, json_object());
	return json_pack("[{s:s, s:s, s:O}, {s:s, s:s, s:s}]", "op", "replace", "path",
	    "/metadata/managedFields", "value", list, "op", "replace", "path",
	    "/metadata/resourceVersion", "value", version);
}

/* Does this manager's updates, of the object itself, go over? */
static bool
goes_over(const json_t *live, const struct manager *who)
{
	return !who->applied && !*who->subresource && migrate_takes(live, who->name);
}

/* Hand over the fields of the updates in this version; false when there were none. */
static bool
hand_over(struct managers *m, const json_t *live, const char *manager, const char *version)
{
	struct manager wanted = {
		.name = manager, .version = version, .applied = true, .subresource = "", .time = ""
	};
	bool any = false;

	for (size_t i = 0; i < m->n; i++) {
		struct manager from = m->item[i], *to;

		if (!goes_over(live, &from) || strcmp(from.version, version) != 0)
			continue;
		wanted.time = from.time;
		to = managers_get(m, &wanted);
		to->fields = fieldset_union(m->arena, &to->fields, &from.fields);
		to->entry = NULL;
		any = true;
	}
	return any;
}

/* Other versions' fields have other names maybe: those of the manifest's version go over, else
 * those of the first that is there. */
static void
migrate(struct managers *m, const json_t *live, const char *manager, const char *version)
{
	struct manager self = { .name = manager, .applied = true, .subresource = "" };
	const struct manager *there = managers_find(m, &self);

	if (!hand_over(m, live, manager, there ? there->version : version) && !there)
		for (size_t i = 0; i < m->n; i++)
			if (goes_over(live, &m->item[i])) {
				hand_over(m, live, manager, m->item[i].version);
				break;
			}
	for (size_t i = 0; i < m->n; i++)
		if (goes_over(live, &m->item[i])) {
			m->item[i].fields = (struct fieldset)FIELDSET_EMPTY;
			m->item[i].entry = NULL;
		}
	managers_drop_empty(m);
}

json_t *
migrate_patch(const json_t *live, const char *manager, const char *api_version)
{
	autoarena struct arena arena = ARENA_INIT;
	const json_t *entries = get(live, "metadata", "managedFields");
	json_auto_t *out = NULL;
	struct managers m = { 0 };
	struct err ignored; /* the server says what is wrong with them */
	json_t *entry, *patch = NULL;
	bool any = false;
	size_t i;

	json_array_foreach ((json_t *)entries, i, entry)
		any = any || owns_annotation(entry);
	if (!any || managers_read(&m, &arena, entries, &ignored) < 0)
		return NULL;
	migrate(&m, live, manager, api_version);
	out = managers_json(&m);
	patch = managers_patch(out, meta_version(live));
	managers_release(&m);
	return patch;
}
