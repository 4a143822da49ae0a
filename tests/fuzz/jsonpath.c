/* Any template against one object: no crash, no endless loop. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/printer.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static json_t *
sample(void)
{
	static json_t *v;

	if (!v)
		v = json_loads(
		    "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\","
		    "\"labels\":{\"x.y/z\":\"1\"}},\"spec\":{\"n\":3,\"f\":1.5,\"t\":true,"
		    "\"l\":[1,2,[3,{\"a\":\"b\"}],null]}}",
		    0, NULL);
	return v;
}

static void
try(const char *prefix, const char *text)
{
	const struct printer_options o = { .file_text = text };
	autofree char *format = xasprintf("%s%s", prefix, text);
	struct printer *p;
	struct buf out = BUF_INIT;
	struct err err;

	if (printer_new(&p, format, &o, &err) == 0) {
		printer_add(p, sample(), &out, &err);
		printer_end(p, &out, &err);
		printer_free(p);
	}
	buf_release(&out);
}

static int
count(const char *text, const char *word)
{
	int n = 0;

	for (; (text = strstr(text, word)); text++)
		n++;
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = xstrndup((const char *)data, size);

	/* nested ranges and ".." over ".." may well print a lot */
	if (size > 200 || count(text, "range") > 3 || count(text, "..") > 2)
		return 0;
	try("jsonpath=", text);
	try("custom-columns=A:", text);
	try("custom-columns-file=", text);
	return 0;
}
