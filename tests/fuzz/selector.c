/* Any text as a label and as a field selector: what is accepted prints as itself again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/selector.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try(int (*parse)(struct selector **, const char *, struct err *), const char *text)
{
	struct selector *s, *again;
	struct err err;

	if (parse(&s, text, &err) < 0)
		return;
	autofree char *once = selector_print(s);
	if (parse(&again, once, &err) < 0)
		abort();
	autofree char *twice = selector_print(again);
	if (strcmp(once, twice) != 0)
		abort();
	json_t *labels = json_pack("{s:s,s:{s:s}}", "a", "b", "metadata", "name", "x");
	if (selector_match(s, labels) != selector_match(again, labels) ||
	    selector_match_fields(s, labels) != selector_match_fields(again, labels))
		abort();
	json_decref(labels);
	selector_free(s);
	selector_free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = xstrndup((const char *)data, size);

	try(selector_parse, text);
	try(selector_parse_fields, text);
	return 0;
}
