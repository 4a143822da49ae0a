/* The object stream from any bytes, in one piece and in small ones: the same comes out. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/object.h"
#include "base/jsonl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t left, piece;
};

static ssize_t
give(void *arg, char *buf, size_t size)
{
	struct input *in = arg;
	size_t n = in->left < in->piece ? in->left : in->piece;

	n = n < size ? n : size;
	memcpy(buf, in->data, n);
	in->data += n;
	in->left -= n;
	return (ssize_t)n;
}

static void
collect(const uint8_t *data, size_t size, size_t piece, struct buf *out)
{
	struct input input = { data, size, piece };
	FILE *f = fopencookie(&input, "r", (cookie_io_functions_t){ .read = give });
	struct objects *in;
	struct err err;
	json_t *value;
	int r;

	if (!f)
		abort();
	setvbuf(f, NULL, _IONBF, 0);
	in = objects_open(f, "input");
	objects_accept(in, ACCEPT_ANY);
	while ((r = objects_read(in, &value, &err)) > 0) {
		size_t len;
		const char *raw = objects_raw(in, &len);

		jsonl_add(out, value);
		if (raw) {
			json_t *again = json_loadb(raw, len, JSON_REJECT_DUPLICATES, NULL);

			/* jansson refuses whole numbers beyond 64 bits */
			if (again && !json_equal(again, value))
				abort();
			json_decref(again);
		}
		json_decref(value);
	}
	buf_puts(out, r < 0 ? err.msg : "end");
	objects_close(in);
	fclose(f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf a = BUF_INIT, b = BUF_INIT;

	collect(data, size, size + 1, &a);
	collect(data, size, 3, &b);
	if (a.len != b.len || memcmp(a.data, b.data, a.len) != 0) {
		fprintf(stderr, "--- whole\n%s\n--- in pieces\n%s\n", a.data, b.data);
		abort();
	}
	buf_release(&a);
	buf_release(&b);
	return 0;
}
