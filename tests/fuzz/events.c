/* A watch's bytes: any bytes, in any pieces, are events or an error. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "client/watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
take(void *arg, const char *type, json_t *obj, struct err *err)
{
	(void)arg, (void)type, (void)obj, (void)err;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct events e;
	struct err err;
	size_t piece = size ? data[0] % 64 + 1 : 1;
	struct buf text = BUF_INIT;
	size_t n;

	events_init(&e, take, NULL);
	for (size_t at = 1; at < size; at += piece)
		if (events_feed(&e, (const char *)data + at, at + piece > size ? size - at : piece,
			&err) < 0)
			break;
	events_release(&e);
	buf_add(&text, data, size);
	free(bytes_decode(text.data ? text.data : "", &n));
	buf_release(&text);
	return 0;
}
