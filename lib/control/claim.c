#include <string.h>

#include "api/meta.h"
#include "control/claim.h"

enum claim
claim(const json_t *owner, const struct selector *s, const json_t *obj)
{
	bool matches = selector_match(s, meta_labels(obj));

	if (meta_owned_by(obj, owner)) {
		if (matches)
			return CLAIM_OWN;
		return meta_deleting(owner) ? CLAIM_NOT : CLAIM_RELEASE;
	}
	if (!matches || meta_controller(obj) || meta_deleting(owner) || meta_deleting(obj))
		return CLAIM_NOT;
	return CLAIM_ADOPT;
}

json_t *
claim_references_without(const char *owner_uid, const json_t *obj)
{
	json_t *refs = json_array();
	size_t i;
	json_t *ref;

	json_array_foreach (get(obj, "metadata", "ownerReferences"), i, ref)
		if (strcmp(text(ref, "uid"), owner_uid) != 0)
			json_array_append_new(refs, json_deep_copy(ref));
	return refs;
}

json_t *
claim_references(const json_t *owner, const json_t *obj)
{
	json_t *refs = claim_references_without(meta_uid(owner), obj);

	json_array_append_new(refs, meta_owner_ref(owner));
	return refs;
}
