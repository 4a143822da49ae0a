/* Go's words for JSON that is wrong, and its forms of what is right. */
#include <stdio.h>
#include <string.h>

#include "api/golang.h"
#include "base/mem.h"

static int failures;

static void
check(const char *what, const char *want, const char *got)
{
	if (strcmp(want, got) == 0)
		return;
	fprintf(stderr, "golang: %s: want %s, got %s\n", what, want, got);
	failures++;
}

static const char *const faults[][2] = {
	{ "", "unexpected end of JSON input" },
	{ " {\"a\":[1,{}]} ", "" },
	{ "[-0.5e+3, true, false, null, \"\\u00e9\\n\"]", "" },
	{ "hello", "invalid character 'h' looking for beginning of value" },
	{ "{", "unexpected end of JSON input" },
	{ "{nope", "invalid character 'n' looking for beginning of object key string" },
	{ "{\"a\":1,}", "invalid character '}' looking for beginning of object key string" },
	{ "{\"a\" 1}", "invalid character '1' after object key" },
	{ "{\"a\":1 \"b\"}", "invalid character '\"' after object key:value pair" },
	{ "[1,]", "invalid character ']' looking for beginning of value" },
	{ "[1 2]", "invalid character '2' after array element" },
	{ "{} x", "invalid character 'x' after top-level value" },
	{ "\"a\tb\"", "invalid character '\\t' in string literal" },
	{ "\"a\x01\"", "invalid character '\\x01' in string literal" },
	{ "\"\\q\"", "invalid character 'q' in string escape code" },
	{ "\"\\u12g4\"", "invalid character 'g' in \\u hexadecimal character escape" },
	{ "01", "invalid character '1' after top-level value" },
	{ "-", "unexpected end of JSON input" },
	{ "-x", "invalid character 'x' in numeric literal" },
	{ "1.", "unexpected end of JSON input" },
	{ "1.x", "invalid character 'x' after decimal point in numeric literal" },
	{ "1e+", "unexpected end of JSON input" },
	{ "1ex", "invalid character 'x' in exponent of numeric literal" },
	{ "nope", "invalid character 'o' in literal null (expecting 'u')" },
	{ "tru", "unexpected end of JSON input" },
	{ "'", "invalid character '\\'' looking for beginning of value" },
	{ "\xc3\xa9", "invalid character '\xc3\x83' looking for beginning of value" },
	{ NULL, NULL },
};

static const char *const duplicates[][2] = {
	{ "{\"a\":1,\"b\":{\"a\":2}}", "" },
	{ "{\"a\":1,\"a\":2,\"a\":3}", "a a " },
	{ "{\"data\":{\"a\":1,\"a\":2}}", "data.a " },
	{ "{\"l\":[{\"x\":1},{\"x\":1,\"y\":[[{\"z\":0,\"z\":0}]],\"x\":1}]}",
	    "l[1].y[0][0].z l[1].x " },
	{ "[{\"a\":1},{\"a\":1}]", "" },
	{ NULL, NULL },
};

static const char *const odd[][2] = {
	{ "\"\\ud800x\"", "\"\\ufffdx\"" },
	{ "\"\\ud83d\\ude00\"", "\"\\ud83d\\ude00\"" },
	{ "\"\\ude00\\ud83d\"", "\"\\ufffd\\ufffd\"" },
	{ "\"\\\\ud800\"", "\"\\\\ud800\"" },
	{ "\"a\xff\xc3\xa9\xc3\"", "\"a\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\"" },
	{ NULL, NULL },
};

static const char *const printed[][2] = {
	{ "{\"name\":\"c\",\"image\":\"x\"}", "map[image:x name:c]" },
	{ "[{\"a\":[1,2.5,true]},null,\"\"]", "[map[a:[1 2.5 true]] <nil> ]" },
	{ "{}", "map[]" },
	{ "0.1", "0.1" },
	{ NULL, NULL },
};

int
main(void)
{
	for (const char *const(*f)[2] = faults; (*f)[0]; f++) {
		char msg[96] = "";

		if (go_json_fault((*f)[0], strlen((*f)[0]), msg) != (*(*f)[1] != '\0'))
			check((*f)[0], "another answer", msg);
		check((*f)[0], (*f)[1], msg);
	}
	for (const char *const(*d)[2] = duplicates; (*d)[0]; d++) {
		autobuf struct buf b = BUF_INIT;

		go_json_duplicates((*d)[0], strlen((*d)[0]), &b);
		for (size_t i = 0; i < b.len; i++)
			if (b.data[i] == '\0')
				b.data[i] = ' ';
		check((*d)[0], (*d)[1], b.data ? b.data : "");
	}
	for (const char *const(*o)[2] = odd; (*o)[0]; o++) {
		autobuf struct buf b = BUF_INIT;

		go_json_repair((*o)[0], strlen((*o)[0]), &b);
		check((*o)[0], (*o)[1], b.data);
	}
	for (const char *const(*p)[2] = printed; (*p)[0]; p++) {
		json_auto_t *v = json_loads((*p)[0], JSON_DECODE_ANY, NULL);
		autobuf struct buf b = BUF_INIT;

		go_print(&b, v);
		check((*p)[0], (*p)[1], b.data);
	}
	return failures > 0;
}
