/* Any text: a valid quantity has a canonical form that is its own canonical form. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/quantity.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = xstrndup((const char *)data, size);
	autofree char *once = quantity_canonical(text);
	autofree char *twice = once ? quantity_canonical(once) : NULL;
	enum quantity_format format;
	struct err err;
	int64_t milli;

	if (quantity_valid(text) != (once != NULL))
		abort();
	if ((quantity_parse(text, &milli, &format, &err) == 0) != (once != NULL))
		abort();
	/* beyond 2^63 the short form may hold what the long one cannot: that one is capped */
	if (once &&
	    (!twice || (strcmp(once, twice) != 0 && strcmp(twice, "9223372036854775807") != 0)))
		abort();
	return 0;
}
