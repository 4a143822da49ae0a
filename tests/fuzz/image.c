/* Manifests, configurations and references as a registry or an archive might send them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "node/image.h"
#include "node/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = xstrndup((const char *)data, size);
	struct buf raw = { (char *)data, size, size };
	json_auto_t *manifest = NULL, *config = NULL;
	autofree char *ref = NULL;
	const json_t *chosen;
	struct err err;

	if (manifest_parse(&manifest, &raw, &err) == 0 && manifest_is_index(manifest))
		index_choose(manifest, &chosen, &err);
	for (size_t layers = 0; layers < 3; layers++)
		if (image_config_parse(&config, &raw, layers, &err) == 0)
			break;
	if (reference_complete(&ref, text, &err) == 0) {
		autofree char *again = NULL;

		/* What is complete stays as it is. */
		if (reference_complete(&again, ref, &err) < 0 || strcmp(ref, again) != 0)
			abort();
	}
	return 0;
}
