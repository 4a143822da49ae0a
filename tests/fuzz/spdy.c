/* SPDY frames of a hostile client. */
#include <stddef.h>
#include <stdint.h>

#include "base/spdy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct spdy *s = spdy_new();
	struct buf out = BUF_INIT;
	struct spdy_event e;
	int r = 0;

	for (size_t at = 0; at < size && r >= 0;) {
		size_t n = data[at] + 1u;

		if (n > size - at)
			n = size - at;
		spdy_feed(s, data + at, n);
		at += n;
		while ((r = spdy_next(s, &e, &out)) > 0)
			if (e.type == SPDY_OPEN && spdy_header(s, "streamtype"))
				spdy_accept(s, &out, e.stream);
	}
	buf_release(&out);
	spdy_free(s);
	return 0;
}
