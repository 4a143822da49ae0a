/* YAML as Kubernetes reads and prints it. */
#include <stdio.h>
#include <string.h>

#include "base/jsonl.h"
#include "base/mem.h"
#include "base/yaml.h"

static int failures;

static const struct {
	const char *yaml,
	    *json; /* every document's JSON, one after the other; or "!" and a part of the error */
} reads[] = {
	/* words */
	{ "[y, Y, yes, Yes, YES, on, On, ON, true, True, TRUE]",
	    "[true,true,true,true,true,true,true,true,true,true,true]" },
	{ "[n, N, no, No, NO, off, Off, OFF, false, False, FALSE]",
	    "[false,false,false,false,false,false,false,false,false,false,false]" },
	{ "[yEs, tRue, oN, nULL, yess]", "[\"yEs\",\"tRue\",\"oN\",\"nULL\",\"yess\"]" },
	{ "[~, null, Null, NULL]", "[null,null,null,null]" },
	{ "a:\nb: ''\n", "{\"a\":null,\"b\":\"\"}" },
	/* numbers */
	{ "[0, -0, +7, 12, 1_000, 1__0_, 0x1F, 0X1f, 0b101, -0b11, 0o17, 0755, -017, 0x_1]",
	    "[0,0,7,12,1000,10,31,31,5,-3,15,493,-15,1]" },
	{ "[08, 019, 0o8, 0b2, 0x, 0xg, '-', +, 1:30, 1e]",
	    "[8,19,\"0o8\",\"0b2\",\"0x\",\"0xg\",\"-\",\"+\",\"1:30\",\"1e\"]" },
	{ "[9223372036854775807, -9223372036854775808]",
	    "[9223372036854775807,-9223372036854775808]" },
	{ "[18446744073709551615, -9223372036854775809, 0xffffffffffffffff]",
	    "[1.8446744073709552e+19,-9.223372036854776e+18,1.8446744073709552e+19]" },
	{ "[1.5, .5, -.5, 1., 1e3, 1E-2, 1.0, 0.1, 1e22, 1e400, .e1, ..]",
	    "[1.5,0.5,-0.5,1,1000,0.01,1,0.1,1e+22,\"1e400\",\".e1\",\"..\"]" },
	{ "[1_0.5, .5_0, _1, 1e3_]", "[10.5,\".5_0\",\"_1\",1000]" },
	{ "a: .inf", "!1:4: JSON cannot hold .inf" },
	{ "a:\n  - -.Inf", "!2:5: JSON cannot hold -.Inf" },
	{ "[.NaN]", "!JSON cannot hold .NaN" },
	{ "[.Nan, '.inf']", "[\".Nan\",\".inf\"]" },
	/* text */
	{ "[2026-01-02, 2026-01-02T03:04:05Z, 1.2.3, 1.2.3.4/24, \"yes\", '12', 100m, 1Gi]",
	    "[\"2026-01-02\",\"2026-01-02T03:04:05Z\",\"1.2.3\",\"1.2.3.4/"
	    "24\",\"yes\",\"12\",\"100m\",\"1Gi\"]" },
	{ "a: |\n  x\n   y\n\nb: >-\n  p\n  q\n", "{\"a\":\"x\\n y\\n\",\"b\":\"p q\"}" },
	{ "\"\\u00e9\\x41\\t\"", "\"éA\\t\"" },
	{ "a: \"x\\0y\"", "!1:4: a NUL character" },
	/* tags */
	{ "[!!str 5, !!int '5', !!float 3, !!bool yes, !!null ~, ! 5, !x 5, !!binary aGk=, !!str "
	  "'']",
	    "[\"5\",5,3,true,null,\"5\",\"5\",\"hi\",\"\"]" },
	{ "!!int 1.5", "!'1.5' is no !!int" },
	{ "!!binary gIE=", "!no text" },
	{ "!!binary a", "!not base64" },
	/* keys */
	{ "{1: a, 0x10: b, 1.5: c, true: d, on: e}", "!duplicate key 'true'" },
	{ "{1: a, 0x10: b, 1.5: c, off: d, 2026-01-01: e}",
	    "{\"1\":\"a\",\"16\":\"b\",\"1.5\":\"c\",\"false\":\"d\",\"2026-01-01\":\"e\"}" },
	{ "~: a", "!1:1: a key must be" },
	{ "? [a]\n: b", "!1:3: a key must be" },
	{ "a: 1\nb: 2\na: 3\n", "!3:1: duplicate key 'a'" },
	{ "1: a\n\"1\": b\n", "!2:1: duplicate key '1'" },
	/* merges and anchors */
	{ "a: &a {x: 1, z: 2}\nb: {<<: *a, z: 3}",
	    "{\"a\":{\"x\":1,\"z\":2},\"b\":{\"z\":3,\"x\":1}}" },
	{ "a: &a {x: 1}\nb: &b {x: 2, z: 3}\nc:\n  x: 0\n  <<: [*a, *b]\n",
	    "{\"a\":{\"x\":1},\"b\":{\"x\":2,\"z\":3},\"c\":{\"x\":0,\"z\":3}}" },
	{ "<<: 1", "!1:5: '<<' takes a mapping" },
	{ "'<<': 1", "{\"<<\":1}" },
	{ "a: *b", "!1:4: unknown anchor 'b'" },
	{ "a: &a [*a]", "!1:8: anchor 'a' contains itself" },
	{ "--- &a x\n--- *a\n", "\"x\"!2:5: unknown anchor 'a'" },
	{ "[&a 1, &a 2, *a]", "[1,2,2]" },
	/* documents */
	{ "", "" },
	{ "# nothing\n", "" },
	{ "---\n---\n# x\n---\na: 1\n...\n---\n~\n---\nb: 2\n", "{\"a\":1}{\"b\":2}" },
	{ "\xef\xbb\xbf"
	  "a: 1\r\nb: 2\r\n",
	    "{\"a\":1,\"b\":2}" },
	{ "a: 1\n--- {\"b\": 2}\n", "{\"a\":1}{\"b\":2}" },
	/* mistakes */
	{ "a: [1, 2\nb: 3\n", "!2:" },
	{ "a:\n\tb: 1\n", "!2:1:" },
	{ "a: b: c\n", "!1:5: mapping values" },
	{ "a: \xff\n", "!1:4: invalid UTF-8" },
	{ "a: 1\nb: é\xed\xa0\x80\n", "!2:5: invalid" },
	{ "a: {{ .Values.x }}\n", "!1:5: a key must be" },
	{ "a: 1\n---\nb: \"open\n", "{\"a\":1}!" },
};

static void
check_read(const char *yaml, const char *want)
{
	autobuf struct buf got = BUF_INIT;
	struct yaml *y = yaml_open(yaml, strlen(yaml), NULL);
	const char *bang = strchr(want, '!');
	struct err err;
	unsigned long line;
	json_t *v;
	bool ok;
	int r;

	buf_puts(&got, "");
	while ((r = yaml_read(y, &v, &line, &err)) > 0) {
		json_add(&got, v);
		json_decref(v);
	}
	yaml_close(y);
	if (bang)
		ok = r < 0 && strncmp(got.data, want, (size_t)(bang - want)) == 0 &&
		     strstr(err.msg, bang + 1);
	else
		ok = r == 0 && strcmp(got.data, want) == 0;
	if (ok)
		return;
	failures++;
	printf("yaml: %s\n\twant %s\n\tgot  %s %s\n", yaml, want, got.data, r < 0 ? err.msg : "");
}

static const struct {
	const char *json, *yaml;
} writes[] = {
	{ "{\"b\":1,\"a\":[1,{\"x\":null,\"y\":[]},[true,{}]]}",
	    "a:\n- 1\n- x: null\n  \"y\": []\n- - true\n  - {}\nb: 1\n" },
	{ "[\"yes\",\"12\",\"\",\"1.5\",\"~\",\"2026-01-02T03:04:05Z\",\"1:30\",\"0x1\",\"1e3\"]",
	    "- \"yes\"\n- \"12\"\n- \"\"\n- \"1.5\"\n- \"~\"\n- \"2026-01-02T03:04:05Z\"\n- "
	    "\"1:30\"\n- "
	    "\"0x1\"\n- \"1e3\"\n" },
	{ "[\"a b\",\"a: b\",\"a:b\",\"x #y\",\"x#y\",\"- a\",\"-a\",\"*\",\" a\",\"a "
	  "\",\"it's\",\"@x\"]",
	    "- a b\n- 'a: b'\n- a:b\n- 'x #y'\n- x#y\n- '- a'\n- -a\n- '*'\n- ' a'\n- 'a '\n- "
	    "it's\n- "
	    "'@x'\n" },
	{ "{\"k\":\"a\\nb\\n\",\"l\":\"a\\nb\",\"m\":\"\\n\",\"n\":\"a\\n\\n\",\"o\":\" "
	  "a\\nb\\n\"}",
	    "k: |\n  a\n  b\nl: |-\n  a\n  b\nm: |2+\n\n\"n\": |+\n  a\n\no: |2\n   a\n  b\n" },
	{ "[\"a\\tb\",\"a\\u0001\",\"\\ud83d\\ude00\",\"a \\nb\",\"x\\r\\n\",\"\\u2028\",\"é\"]",
	    "- \"a\\tb\"\n- \"a\\x01\"\n- \"\\U0001F600\"\n- \"a \\nb\"\n- \"x\\r\\n\"\n- "
	    "\"\\u2028\"\n- é\n" },
	{ "{\"a\\nb\":1,\"\":2,\"true\":3,\"12\":4,\"<<\":5}",
	    "\"\": 2\n\"12\": 4\n'<<': 5\n\"a\\nb\": 1\n\"true\": 3\n" },
	{ "{\"f\":0.1,\"g\":1e22,\"h\":1.0,\"i\":-5}", "f: 0.1\ng: 1e+22\nh: 1\ni: -5\n" },
};

static void
check_write(const char *json, const char *want)
{
	autobuf struct buf got = BUF_INIT, again = BUF_INIT;
	json_auto_t *v = json_loads(json, JSON_DECODE_ANY, NULL);
	json_auto_t *back = NULL;
	unsigned long line;
	struct err err;
	struct yaml *y;

	yaml_write_sorted(&got, v);
	y = yaml_open(got.data, got.len, NULL);
	if (yaml_read(y, &back, &line, &err) <= 0)
		back = NULL;
	yaml_close(y);
	if (back)
		yaml_write_sorted(&again, back);
	if (strcmp(got.data, want) == 0 && back && strcmp(again.data, got.data) == 0)
		return;
	failures++;
	printf("write: %s\n--- want\n%s--- got\n%s", json, want, got.data);
}

/* Lines beyond 80 columns go on in the next one, where a space is; and are read back as before. */
static void
check_folded(void)
{
	static const char x[] =
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaa";
	static const char *const begins[] = { "", "'", "\t", "é ", "a: b ", "\t \\" };
	static const char *const ends[] = { " b", " b c", "  b", " b  c d ", " it's b" };

	for (size_t i = 0; i < 6 * 5; i++) {
		autofree char *word = xasprintf("%s%s%s", begins[i / 5], x, ends[i % 5]);
		autobuf struct buf got = BUF_INIT;
		json_auto_t *v = json_pack("{s:[{s:s}]}", "k", "m", word), *back = NULL;
		unsigned long line;
		struct err err;
		struct yaml *y;

		yaml_write_folded(&got, v);
		y = yaml_open(got.data, got.len, NULL);
		if (yaml_read(y, &back, &line, &err) <= 0)
			back = NULL;
		yaml_close(y);
		if (back && json_equal(v, back) &&
		    (i % 5 == 2 || strchr(strstr(got.data, x), '\n')[1] == ' '))
			continue;
		failures++;
		printf("folded: %s\n--- got\n%s", word, got.data);
	}
}

/* A billion laughs: refused, and fast. */
static void
check_laughs(void)
{
	autobuf struct buf b = BUF_INIT;
	struct err err;
	unsigned long line;
	struct yaml *y;
	json_t *v;

	buf_puts(&b, "a0: &a0 [lol]\n");
	for (int i = 1; i < 30; i++)
		buf_printf(&b, "a%d: &a%d [*a%d,*a%d,*a%d]\n", i, i, i - 1, i - 1, i - 1);
	y = yaml_open(b.data, b.len, NULL);
	if (yaml_read(y, &v, &line, &err) != -ERR_BAD_REQUEST ||
	    !strstr(err.msg, "aliases expand")) {
		failures++;
		printf("a billion laughs were not refused\n");
	}
	yaml_close(y);
	buf_clear(&b);
	for (int i = 0; i < 100000; i++)
		buf_putc(&b, '[');
	y = yaml_open(b.data, b.len, NULL);
	if (yaml_read(y, &v, &line, &err) != -ERR_BAD_REQUEST ||
	    !strstr(err.msg, "nested deeper")) {
		failures++;
		printf("deep nesting was not refused\n");
	}
	yaml_close(y);
	/* aliases must not nest deeper than brackets may */
	buf_clear(&b);
	buf_puts(&b, "- &a0 x\n");
	for (int i = 1; i < 30; i++) {
		buf_printf(&b, "- &a%d ", i);
		for (int k = 0; k < 90; k++)
			buf_puts(&b, "[");
		buf_printf(&b, "*a%d", i - 1);
		for (int k = 0; k < 90; k++)
			buf_puts(&b, "]");
		buf_puts(&b, "\n");
	}
	y = yaml_open(b.data, b.len, NULL);
	if (yaml_read(y, &v, &line, &err) != -ERR_BAD_REQUEST || !strstr(err.msg, "by '*a11'")) {
		failures++;
		printf("deep nesting by aliases was not refused\n");
	}
	yaml_close(y);
}

int
main(void)
{
	for (size_t i = 0; i < COUNT(reads); i++)
		check_read(reads[i].yaml, reads[i].json);
	for (size_t i = 0; i < COUNT(writes); i++)
		check_write(writes[i].json, writes[i].yaml);
	check_folded();
	check_laughs();
	return failures != 0;
}
