/* Query strings and percent escapes: http_query()'s decoding. */
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "serve/http_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "", "a", "watch", "labelSelector", "x y" };
	autofree char *query = xstrndup((const char *)data, size);
	size_t len = strlen(query);
	autofree char *room = xmalloc(len + 1);

	for (size_t i = 0; i < COUNT(names); i++) {
		autofree char *value = query_value(query, names[i], 0);

		if (value && strlen(value) > len)
			abort();
	}
	if (percent_decode(room, query, len, false) && strlen(room) > len)
		abort();
	return 0;
}
