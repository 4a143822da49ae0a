/* Any text as a cron schedule: parsed or refused with a reason. */
#include <stdint.h>
#include <stdlib.h>

#include "api/cron.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = xstrndup((const char *)data, size);
	struct cron cron;
	struct err err = { 0 };

	if (cron_parse(&cron, text, &err) < 0 && !*err.msg)
		abort();
	return 0;
}
