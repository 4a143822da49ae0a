/*
 * Any bytes as an object's protobuf: the first two choose the kind.  What was read can be written,
 * and reads the same then.
 */
#include <stdlib.h>
#include <string.h>

#include "api/protobuf.h"
#include "api/tables.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len);

static void
again(const struct type *t, json_t *v)
{
	autobuf struct buf a = BUF_INIT, b = BUF_INIT;
	json_t *w;
	struct err err;

	/* a quantity or time that JSON takes and protobuf has no form for is refused */
	if (protobuf_encode(v, t, &a, &err) < 0)
		return;
	if (protobuf_decode(a.data, a.len, t, &w, &err) < 0 ||
	    protobuf_encode(w, t, &b, &err) < 0 || a.len != b.len ||
	    (a.len && memcmp(a.data, b.data, a.len) != 0))
		abort();
	json_decref(w);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
	const struct type *t;
	struct err err;
	json_t *v;

	if (protobuf_starts(data, len) && protobuf_read(data, len, NULL, &v, NULL, &err) == 0)
		json_decref(v);
	if (len < 2)
		return 0;
	t = table_of_kinds[(data[0] | data[1] << 8) % all_kinds].type;
	if (protobuf_decode(data + 2, len - 2, t, &v, &err) == 0) {
		again(t, v);
		json_decref(v);
	}
	return 0;
}
