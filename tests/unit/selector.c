/* Label and field selectors: what is accepted, how it prints, what it matches. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "api/selector.h"
#include "base/mem.h"

static int failed;

static void
same(const char *what, const char *got, const char *want)
{
	if (strcmp(got, want) == 0)
		return;
	printf("selector: %s: got '%s', want '%s'\n", what, got, want);
	failed = 1;
}

static void
check(bool ok, const char *what)
{
	if (ok)
		return;
	printf("selector: %s\n", what);
	failed = 1;
}

/* How a text prints again, or "!" and the message. */
static char *
reprint(int (*parse)(struct selector **, const char *, struct err *), const char *text)
{
	struct selector *s;
	struct err err;
	char *out;

	if (parse(&s, text, &err) < 0)
		return xasprintf("!%s", err.msg);
	out = selector_print(s);
	selector_free(s);
	return out;
}

static void
labels(void)
{
	static const char *const t[][2] = { { "", "" }, { "b=1,a==2 , c != 3", "a==2,b=1,c!=3" },
		{ "x in (c, a,b,a)", "x in (a,b,c)" }, { "x notin(a)", "x notin (a)" },
		{ "!x,y", "!x,y" }, { "x>1,y<2", "x>1,y<2" }, { "a=", "a=" }, { "a=,b", "a=,b" },
		{ "a in ()", "a in ()" }, { "a in (,b)", "a in (,b)" },
		{ "in in (in)", "in in (in)" }, { "example.com/a=b", "example.com/a=b" },
		{ "=x", "!found '=', expected: !, identifier, or 'end of string'" },
		{ "a b", "!unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, "
			 "gt, lt" },
		{ "a,", "!found '', expected: identifier after ','" },
		{ "!a=b", "!found '=', expected: ',' or 'end of string'" },
		{ "a in (b", "!unable to parse requirement: found '', expected: ',' or ')'" },
		{ "a in b", "!unable to parse requirement: found 'b', expected: '('" },
		{ "a=(b)", "!unable to parse requirement: found '(', expected: identifier" },
		{ "!", "!unable to parse requirement: found '', expected: identifier" },
		{ "a>x", "!unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', "
			 "'Lt' operators, the value must be an integer" } };

	for (size_t i = 0; i < COUNT(t); i++) {
		autofree char *got = reprint(selector_parse, t[i][0]);

		same(t[i][0], got, t[i][1]);
	}
	static const char *const bad[] = { "_a=b", "a=_b", "A..b/c=d", "a/b/c", "/x", "a!b", "a in",
		"()", "a=b=c", "a in (b)c", "a in (x y)", "a=\xc3\xa4",
		"x=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	for (size_t i = 0; i < COUNT(bad); i++) {
		autofree char *got = reprint(selector_parse, bad[i]);

		check(*got == '!', bad[i]);
	}
}

static void
matching(void)
{
	static const struct {
		const char *text;
		bool want;
	} t[] = { { "", true }, { "app=web", true }, { "app!=web", false }, { "none!=web", true },
		{ "app in (web,db)", true }, { "app notin (db)", true },
		{ "none notin (db)", true }, { "app,!none", true }, { "none", false },
		{ "n>4", true }, { "n<4", false }, { "app>1", false }, { "empty=", true },
		{ "none=", false }, { "none in ()", false }, { "app=web,n=6", false } };
	json_t *l = json_pack("{s:s,s:s,s:s}", "app", "web", "n", "5", "empty", "");
	struct selector *s;
	struct err err;

	for (size_t i = 0; i < COUNT(t); i++) {
		check(selector_parse(&s, t[i].text, &err) == 0, err.msg);
		check(selector_match(s, l) == t[i].want, t[i].text);
		selector_free(s);
	}
	check(selector_parse(&s, "app=web,x in (y)", &err) == 0, "parse");
	same("exact", selector_exact(s, "app"), "web");
	same("exact in", selector_exact(s, "x"), "y");
	check(selector_exact(s, "z") == NULL, "exact of a missing key");
	selector_free(s);
	json_decref(l);
}

static void
objects(void)
{
	json_t *l = json_pack("{s:s}", "app", "web"), *spec;
	struct selector *s;
	struct err err;

	check(
	    selector_from_json(&s, NULL, &err) == 0 && !selector_match(s, l) && !selector_empty(s),
	    "missing");
	selector_free(s);
	spec = json_object();
	check(
	    selector_from_json(&s, spec, &err) == 0 && selector_match(s, NULL) && selector_empty(s),
	    "empty");
	selector_free(s);
	json_decref(spec);
	spec = json_pack("{s:{s:s},s:[{s:s,s:s,s:[s,s]},{s:s,s:s}]}", "matchLabels", "app", "web",
	    "matchExpressions", "key", "app", "operator", "In", "values", "x", "web", "key", "y",
	    "operator", "DoesNotExist");
	check(selector_from_json(&s, spec, &err) == 0 && selector_match(s, l), "expressions");
	selector_free(s);
	json_decref(spec);
	spec = json_pack("{s:[{s:s,s:s}]}", "matchExpressions", "key", "a", "operator", "Like");
	check(selector_from_json(&s, spec, &err) < 0, "operator Like");
	same("operator", err.msg, "\"Like\" is not a valid label selector operator");
	json_decref(spec);
	s = selector_from_map(l);
	check(selector_match(s, l) && !selector_match(s, NULL), "map");
	selector_free(s);
	json_decref(l);
}

static bool
is_name(const char *field, void *arg)
{
	(void)arg;
	return strcmp(field, "metadata.name") == 0;
}

static void
fields(void)
{
	static const char *const t[][2] = { { "", "" }, { "b=1,a!=2", "a!=2,b=1" },
		{ "a==x", "a=x" }, { "a=x\\,y\\=z\\\\", "a=x\\,y\\=z\\\\" }, { "a=,b=", "a=,b=" },
		{ ",a=1,", "a=1" },
		{ "a=b=c", "!invalid field selector: unescaped character in value: 61" },
		{ "a", "!invalid selector: 'a'; can't understand 'a'" }, { "=x", "=x" } };
	json_t *pod = json_pack(
	    "{s:{s:s},s:{s:b,s:i}}", "metadata", "name", "w,eb", "spec", "hostNetwork", 1, "n", 3);
	static const struct {
		const char *text;
		bool want;
	} m[] = { { "metadata.name=w\\,eb", true }, { "metadata.name!=x", true },
		{ "spec.hostNetwork=true", true }, { "spec.n=3", true }, { "spec.nodeName=", true },
		{ "spec.nodeName!=", false }, { "spec.unschedulable=false", true },
		{ "spec.unschedulable=true", false }, { "status.replicas=0", true } };
	struct selector *s;
	struct err err;

	for (size_t i = 0; i < COUNT(t); i++) {
		autofree char *got = reprint(selector_parse_fields, t[i][0]);

		same(t[i][0], got, t[i][1]);
	}
	for (size_t i = 0; i < COUNT(m); i++) {
		check(selector_parse_fields(&s, m[i].text, &err) == 0, err.msg);
		check(selector_match_fields(s, pod) == m[i].want, m[i].text);
		selector_free(s);
	}
	check(selector_parse_fields(&s, "metadata.name=x,spec.y=z", &err) == 0, "parse");
	same("refused", selector_refused(s, is_name, NULL), "spec.y");
	selector_free(s);
	json_decref(pod);
}

int
main(void)
{
	labels();
	matching();
	objects();
	fields();
	return failed;
}
