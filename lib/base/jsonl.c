#include <stdlib.h>

#include "base/jsonl.h"

static int
append(const char *data, size_t len, void *b)
{
	buf_add(b, data, len);
	return 0;
}

void
json_add(struct buf *b, const json_t *value)
{
	if (json_dump_callback(value, append, b, JSON_COMPACT | JSON_ENCODE_ANY) < 0)
		abort(); /* only a tree with a cycle cannot be written */
}

void
jsonl_add(struct buf *b, const json_t *value)
{
	json_add(b, value);
	buf_putc(b, '\n');
}

void
jsonl_write(FILE *f, const json_t *value)
{
	autobuf struct buf b = BUF_INIT;

	jsonl_add(&b, value);
	fwrite(b.data, 1, b.len, f);
}
