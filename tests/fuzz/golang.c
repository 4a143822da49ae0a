/* What jansson reads has no fault; what has none can be read once it is repaired. */
#include <stdlib.h>
#include <string.h>

#include "api/golang.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len);

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
	const char *text = (const char *)data;
	autobuf struct buf repaired = BUF_INIT, twice = BUF_INIT, out = BUF_INIT;
	json_error_t e;
	json_t *v;
	char msg[96];
	bool fault = go_json_fault(text, len, msg);

	if ((v = json_loadb(text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL))) {
		/* (it overlooks a NUL at the end) */
		if (fault && !memchr(text, '\0', len))
			abort();
		go_print(&out, v);
		json_decref(v);
	}
	go_json_duplicates(text, len, &twice);
	if (fault)
		return 0;
	go_json_repair(text, len, &repaired);
	v = json_loadb(repaired.data, repaired.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &e);
	if (!v && json_error_code(&e) != json_error_stack_overflow &&
	    json_error_code(&e) != json_error_numeric_overflow)
		abort();
	json_decref(v);
	return 0;
}
