/* The path of a URL: whatever it is, every part of the answer is a string. */
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "store/path.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len);

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
	autofree char *path = xstrndup((const char *)data, len);
	struct target t;

	target_parse(&t, path);
	assert((t.type == TARGET_RESOURCE) == (t.kind != NULL));
	assert(strlen(t.group) + strlen(t.version) + strlen(t.namespace) + strlen(t.resource) +
		   strlen(t.name) + strlen(t.sub) <=
	       len);
	assert(!t.kind || !*t.namespace || t.kind->namespaced);
	target_release(&t);
	if (target_parse_remote(&t, path)) {
		assert(*t.group && *t.version && !t.kind);
		assert(t.type == TARGET_REMOTE || t.type == TARGET_UNKNOWN);
		/* what is let through has been looked at */
		assert(t.type == TARGET_UNKNOWN || (!strstr(path, "//") && !strstr(path, "/../")));
	}
	target_release(&t);
	return 0;
}
