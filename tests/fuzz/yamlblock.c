/* The fast YAML reader against libyaml's: what it reads at all, it reads the same. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonl.h"
#include "base/mem.h"
#include "base/split.h"
#include "base/yaml.h"
#include "base/yamlblock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What libyaml makes of a document: NULL for a mistake, null for an empty one. */
static json_t *
reference(const char *text, size_t len)
{
	struct yaml *y = yaml_open(text, len, NULL);
	unsigned long line;
	struct err err;
	json_t *v = NULL, *more = NULL;
	int r = yaml_read(y, &v, &line, &err);

	if (r == 0)
		v = json_null();
	else if (r > 0 && yaml_read(y, &more, &line, &err) != 0) {
		json_decref(v); /* more than one document, or a mistake behind it */
		json_decref(more);
		v = NULL;
	}
	yaml_close(y);
	return v;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = xstrndup((const char *)data, size);
	size_t len = strlen(text), start;
	struct split s = { 0 };
	json_t *fast, *slow;

	while (!split_yaml(text, len, true, &s))
		continue;
	text[s.at] = '\0';
	fast = yaml_block(text, s.at, &start);
	if (!fast)
		return 0;
	slow = reference(text, s.at);
	if (!slow || !json_equal(fast, slow)) {
		struct buf b = BUF_INIT;

		jsonl_add(&b, fast);
		if (slow)
			jsonl_add(&b, slow);
		fprintf(stderr, "%s", b.data);
		abort();
	}
	json_decref(fast);
	json_decref(slow);
	return 0;
}
