/* WebSocket frames of a hostile client. */
#include <stddef.h>
#include <stdint.h>

#include "serve/websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct websocket w = { .limit = 4096 };
	struct websocket_message m;
	volatile char last = 0;
	int r = 1;

	for (size_t at = 0; at < size && r >= 0;) {
		size_t n = data[at] % 64 + 1;

		if (n > size - at)
			n = size - at;
		websocket_feed(&w, data + at, n);
		at += n;
		while ((r = websocket_next(&w, &m)) > 0)
			if (m.len)
				last = m.data[m.len - 1];
	}
	(void)last;
	websocket_release(&w);
	return 0;
}
