/* kubectl's JSONPath templates. */
#include <stdio.h>
#include <string.h>

#include "api/jsonpath.h"
#include "base/mem.h"

static const char sample[] =
    "{'kind':'List','n':3,'f':1.5,'w':2.0,'t':true,'z':null,'items':["
    "{'metadata':{'name':'a','annotations':{'x.io/y':'1'}},'ports':[80,443],'ready':true,'cpu':2},"
    "{'metadata':{'name':'b','labels':{'app':'web'}},'ports':[],'ready':false,'cpu':10},"
    "{'metadata':{'name':'c'},'image':'i','c':{'image':'j'}}]}";

static const struct {
	const char *template, *want; /* "!..." : a part of the error */
} cases[] = {
	{ "", "" },
	{ "text only", "text only" },
	{ "{.kind}", "List" },
	{ "{$.kind}-{@.kind}", "List-List" },
	{ "{ .kind }", "List" },
	{ "{.kind}{.n}{.f}{.w}{.t}{.z}", "List31.52true" },
	{ "{.items[*].metadata.name}", "a b c" },
	{ "{.items[0].metadata.name}", "a" },
	{ "{.items[-1].metadata.name}", "c" },
	{ "{.items[9].metadata.name}", "" },
	{ "{.items[-9].metadata.name}", "" },
	{ "{.items[0:2].metadata.name}", "a b" },
	{ "{.items[1:].metadata.name}", "b c" },
	{ "{.items[:-1].metadata.name}", "a b" },
	{ "{.items[::2].metadata.name}", "a c" },
	{ "{.items[0:9223372036854775807:9223372036854775807].metadata.name}", "a" },
	{ "{.items[0,2].metadata.name}", "a c" },
	{ "{.items[*]['metadata.name','ready']}", "a true b false c" },
	{ "{.items[0].metadata.annotations['x\\.io/y']}", "1" },
	{ "{.items[0]['metadata\\.name']}", "" },
	{ "{['a.[']}", "" },
	{ "{['a", "!without its closing" },
	{ "{.items[0]['ready','cpu']}", "true 2" },
	{ "{.items[0].metadata.annotations.x\\.io/y}", "1" },
	{ "{.items[0].metadata.annotations['x.io/y']}", "1" },
	{ "{['kind']}", "List" },
	{ "{.items[0].ports}", "[80,443]" },
	{ "{.items[1].metadata}", "{\"name\":\"b\",\"labels\":{\"app\":\"web\"}}" },
	{ "{.items[0].metadata.*}", "a {\"x.io/y\":\"1\"}" },
	{ "{..image}", "i j" },
	{ "{.items..name}", "a b c" },
	{ "{range .items[*]}{.metadata.name}={.cpu}{\"\\n\"}{end}", "a=2\nb=10\nc=\n" },
	{ "{range .items[*]}[{range .ports[*]}{@}, {end}]{end}", "[80, 443, ][][]" },
	{ "{.items[?(@.ready==true)].metadata.name}", "a" },
	{ "{.items[?(@.cpu>2)].metadata.name}", "b" },
	{ "{.items[?(@.cpu >= 2)].metadata.name}", "a b" },
	{ "{.items[?(@.cpu!=2)].metadata.name}", "b" },
	{ "{.items[?(@.metadata.name=='c')].image}", "i" },
	{ "{.items[?( @.metadata.name == \"c\" )].image}", "i" },
	{ "{.items[?(@.metadata.labels)].metadata.name}", "b" },
	{ "{.items[?(@.metadata.labels.app==\"web\")].metadata.name}", "b" },
	{ "{.items[?(@.cpu<$.n)].metadata.name}", "a" },
	{ "{.items[?(@.ports[?(@==443)])].metadata.name}", "a" },
	{ "{.kind \"\\t\" .n}", "List\t3" },
	{ "{'it\\'s'}", "it's" },
	{ "{.missing.deeper[0]}", "" },
	{ "{.kind[0]}", "" },
	{ "{}", "" },
	{ "{.kind", "!'}' missing" },
	{ "{range .items[*]}x", "!'range' without 'end'" },
	{ "{end}", "!'end' without 'range'" },
	{ "{kind}", "!a path such as" },
	{ "{.items[}", "!field name" },
	{ "{.items[0}", "!']' expected" },
	{ "{.items[?(@.a=)]}", "!a path, a string" },
	{ "{.items[?(@.a==1]}", "!')' expected" },
	{ "{.items[::0]}", "!above 0" },
	{ "{\"open}", "!without its closing" },
	{ "{\"\\q\"}", "!unknown escape" },
	{ "{.items[99999999999999999999]}", "!whole number" },
	{ "{range}{end}", "!needs a path" },
	{ "{.a.}", "" },
};

int
main(void)
{
	autofree char *text = xstrdup(sample);
	json_auto_t *v = NULL;
	int failures = 0;

	for (char *p = text; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	v = json_loads(text, 0, NULL);
	for (size_t i = 0; i < COUNT(cases); i++) {
		autobuf struct buf out = BUF_INIT;
		struct jsonpath *p = NULL;
		struct err err = { .msg = "" };
		int r = jsonpath_parse(&p, cases[i].template, &err);

		buf_puts(&out, "");
		if (r == 0)
			r = jsonpath_print(p, v, &out, &err);
		jsonpath_free(p);
		if (cases[i].want[0] == '!' ? r < 0 && strstr(err.msg, cases[i].want + 1)
					    : r == 0 && strcmp(out.data, cases[i].want) == 0)
			continue;
		failures++;
		printf("%s\n\twant %s\n\tgot  %s %s\n", cases[i].template, cases[i].want, out.data,
		    err.msg);
	}
	return failures != 0;
}
