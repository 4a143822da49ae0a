/* base64 (cel-go's ext/encoders.go), which Kubernetes has not. */
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "cel/library.h"

CEL_FN(encode)
{
	autofree char *text = bytes_encode(arg[0].text.p, arg[0].text.len);

	return cel_string(a, text);
}

/* The padding may be left out. */
CEL_FN(decode)
{
	size_t len = arg[0].text.len, bad, size;
	autofree char *text =
	    xasprintf("%.*s%.*s", (int)len, arg[0].text.p, len % 4 ? (int)(4 - len % 4) : 0, "===");
	autofree unsigned char *data = NULL;
	struct cel_value v;

	if (!bytes_valid(text, &bad))
		return cel_error(a, "illegal base64 data at input byte %zu", bad);
	data = bytes_decode(text, &size);
	v = cel_text(arena_text(a, (const char *)data, size), size);
	v.kind = CEL_BYTES;
	return v;
}

const struct cel_function cel_lib_encoders[] = {
	{ "base64.encode", "base64_encode_bytes", "(bytes) string", encode, NULL },
	{ "base64.decode", "base64_decode_string", "(string) bytes", decode, NULL },
	{ 0 },
};
