/* Our JSON reader against jansson's: both accept the same text and read the same from it. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/jsonl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = size ? (const char *)data : "";
	json_error_t e;
	json_t *theirs, *ours, *back;
	struct buf out = BUF_INIT;
	enum json_fault fault;
	char msg[128];
	size_t used;

	fault = json_decode(text, size, &ours, &used, msg);
	if ((fault == JSON_FINE) != (ours != NULL) || used > size)
		abort();
	/* jansson: "00" is no token, and a NUL behind a number is skipped */
	if (!size || (*text != '{' && *text != '[') || memchr(text, '\0', size)) {
		json_decref(ours);
		return 0;
	}
	theirs = json_loadb(
	    text, size, JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES, &e);
	if (theirs && !ours && !strstr(msg, "deeply"))
		abort();
	if (ours && !theirs && json_error_code(&e) != json_error_numeric_overflow)
		abort();
	if (ours && theirs && !json_equal(ours, theirs))
		abort();
	if (ours) { /* what we write reads back */
		json_add(&out, ours);
		if (json_decode(out.data, out.len, &back, &used, msg) != JSON_FINE ||
		    used != out.len || !json_equal(ours, back))
			abort();
		json_decref(back);
	}
	buf_release(&out);
	json_decref(ours);
	json_decref(theirs);
	return 0;
}
