/* YAML in; what is read must survive being written and read again. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/jsonl.h"
#include "base/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
round_trip(const json_t *value)
{
	struct buf text = BUF_INIT;
	unsigned long line;
	struct err err;
	json_t *back = NULL;
	struct yaml *y;

	yaml_write(&text, value);
	y = yaml_open(text.data, text.len, NULL);
	if (yaml_read(y, &back, &line, &err) != 1 || !json_equal(back, (json_t *)value)) {
		fwrite(text.data, 1, text.len, stderr);
		abort();
	}
	json_decref(back);
	yaml_close(y);
	buf_release(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct yaml *y = yaml_open(size ? (const char *)data : "", size, NULL);
	unsigned long line;
	struct err err;
	json_t *value;

	while (yaml_read(y, &value, &line, &err) > 0) {
		round_trip(value);
		json_decref(value);
	}
	yaml_close(y);
	return 0;
}
