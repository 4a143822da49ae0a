/* lean: what a program gives back comes again when it is used, and what it has written stays. */
#include <assert.h>
#include <curl/curl.h>
#include <jansson.h>
#include <string.h>

#include "base/buf.h"
#include "base/lean.h"
#include "base/mem.h"

static char written[1 << 16] = "as it was loaded";
static const char constant[1 << 16] = { [40000] = 'x' };

static long
resident(void)
{
	autobuf struct buf b = BUF_INIT;
	struct err err;

	assert(buf_read_file(&b, "/proc/self/status", 65536, &err) == 0);
	return atol(strstr(b.data, "VmRSS:") + 6);
}

int
main(void)
{
	volatile const char *far = &constant[40000];
	char *heap[200], *text;
	long before, after;
	json_t *j;

	snprintf(written, sizeof written, "by us");
	assert(curl_version() && *far == 'x');
	for (int i = 0; i < 200; i++)
		memset(heap[i] = xmalloc(100000), 'a', 100000);
	for (int i = 0; i < 199; i++)
		free(heap[i]);
	before = resident();
	lean_when(5, false);
	lean_when(5, true); /* as much as there was */
	assert(resident() > before - 500);
	lean_when(4, true);
	after = resident();
	assert(after < before - 1000);
	assert(strcmp(written, "by us") == 0 && *far == 'x' && heap[199][99999] == 'a');
	j = json_pack("{s:s}", "still", "works");
	text = json_dumps(j, 0);
	assert(strcmp(text, "{\"still\": \"works\"}") == 0 && curl_version());
	free(text);
	free(heap[199]);
	json_decref(j);
	return 0;
}
