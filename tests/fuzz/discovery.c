/* What another server says of its resources: whatever it is, what is taken of it is well-formed. */
#include <assert.h>
#include <string.h>

#include "api/meta.h"
#include "store/aggregation_private.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len);

static void
check_texts(const json_t *list)
{
	json_t *v;
	size_t i;

	assert(!list || json_is_array(list));
	json_array_foreach (list, i, v)
		assert(json_is_string(v));
}

static void
check_kind(const json_t *kind)
{
	assert(
	    !kind || (json_is_string(get(kind, "group")) && json_is_string(get(kind, "version")) &&
			 json_is_string(get(kind, "kind"))));
}

static void
check(json_t *resources)
{
	json_t *r, *sub;
	size_t i, k;

	assert(json_is_array(resources));
	json_array_foreach (resources, i, r) {
		assert(*text(r, "resource") && *text(r, "scope"));
		check_texts(get(r, "verbs"));
		check_texts(get(r, "shortNames"));
		check_texts(get(r, "categories"));
		check_kind(get(r, "responseKind"));
		json_array_foreach (get(r, "subresources"), k, sub) {
			assert(*text(sub, "subresource"));
			check_texts(get(sub, "verbs"));
			check_kind(get(sub, "responseKind"));
		}
	}
	json_decref(resources);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
	json_auto_t *v = json_loadb((const char *)data, len, JSON_DECODE_ANY, NULL);

	check(discovery_clean(v));
	check(discovery_convert(v));
	return 0;
}
