/* Rules of custom kinds: what is refused of them, what they say of values. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/structural.h"
#include "base/mem.h"

static int failed;

static json_t *
json(const char *text)
{
	json_error_t err;
	json_t *v = json_loads(text, JSON_DECODE_ANY, &err);

	if (!v) {
		fprintf(stderr, "%s: %s\n", text, err.text);
		abort();
	}
	return v;
}

static char *
lines(const struct causes *c)
{
	struct buf b = BUF_INIT;

	buf_puts(&b, "");
	for (size_t i = 0; i < c->n; i++)
		buf_printf(&b, "%s%s: %s", i ? "\n" : "", c->item[i].field, c->item[i].message);
	return buf_detach(&b);
}

static void
expect(const char *what, const char *is, const char *want)
{
	if (!strcmp(is, want))
		return;
	fprintf(stderr, "%s:\n  is   %s\n  want %s\n", what, is, want);
	failed = 1;
}

/* The schema of field a; ' stands for ". */
static struct structural *
compiled(const char *schema, struct causes *causes)
{
	autofree char *text = xasprintf("{'type':'object','properties':{'a':%s}}", schema);

	for (char *p = text; *p; p++)
		*p = *p == '\'' ? '"' : *p == '`' ? '\'' : *p;
	json_auto_t *v = json(text);

	return structural_new(v, "s", causes);
}

/* In schemas and values ' is a quote and ` an apostrophe. */
static json_t *
value(const char *text)
{
	autofree char *whole = xasprintf("{'a':%s}", text);

	for (char *p = whole; *p; p++)
		*p = *p == '\'' ? '"' : *p == '`' ? '\'' : *p;
	return json(whole);
}

static const struct {
	const char *schema, *want;
} bad[] = {
	{ "{'type':'array','items':{'type':'string','maxLength':9,'x-kubernetes-validations':[{'"
	  "rule':"
	  "'self == oldSelf'}]},'maxItems':3}",
	    "s.properties[a].items.x-kubernetes-validations[0].rule: Invalid value: \"self == "
	    "oldSelf\": "
	    "oldSelf cannot be used on the uncorrelatable portion of the schema within "
	    "s.properties[a]" },
	{ "{'type':'string','x-kubernetes-validations':[{'rule':'true','reason':'Odd'}]}",
	    "s.properties[a].x-kubernetes-validations[0].reason: Unsupported value: \"Odd\": "
	    "supported "
	    "values: \"FieldValueDuplicate\", \"FieldValueForbidden\", \"FieldValueInvalid\", "
	    "\"FieldValueRequired\"" },
	{ "{'type':'string','x-kubernetes-validations':[{'rule':'true\\n'},{'rule':'true ||\\n "
	  "true'}]}",
	    "s.properties[a].x-kubernetes-validations[1].message: Required value: message must be "
	    "specified if rule contains line breaks" },
	{ "{'type':'object','properties':{'b':{'type':'object','additionalProperties':{'type':"
	  "'string'}},'c':{'type':'integer'}},'x-kubernetes-validations':[{'rule':'self == oldSelf "
	  "&& self.c == oldSelf.c'}]}",
	    "" },
	{ "{'type':'object','additionalProperties':{'type':'string'},'maxProperties':64,'x-"
	  "kubernetes-"
	  "validations':[{'rule':'self.all(k, k.matches(`^[a-z0-9./-]{1,316}$`))'}]}",
	    "" },
	{ "{'type':'string','not':{'x-kubernetes-validations':[{'rule':'true'}]}}",
	    "s.properties[a].not.x-kubernetes-validations: Forbidden: must be empty to be "
	    "structural" },
};

static void
test_bad(void)
{
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct causes c = CAUSES_INIT;
		struct structural *s = compiled(bad[i].schema, &c);
		autofree char *is = lines(&c);

		expect(bad[i].schema, is, bad[i].want);
		structural_free(s);
		causes_release(&c);
	}
}

#define MAP                                                                                        \
	"{'type':'array','maxItems':9,'x-kubernetes-list-type':'map','x-kubernetes-list-map-keys'" \
	":["                                                                                       \
	"'k'],'items':{'type':'object','required':['k'],'properties':{'k':{'type':'string',"       \
	"'maxLength':9},'v':{'type':'integer','x-kubernetes-validations':[{'rule':'self >= "       \
	"oldSelf'}]}}}}"

#define SET(rule)                                                                               \
	"{'type':'array','maxItems':9,'x-kubernetes-list-type':'set','items':{'type':'string'," \
	"'maxLength':9},'x-kubernetes-validations':[{'rule':'" rule "'}]}"
#define LIST(rule)                                                                                 \
	"{'type':'array','maxItems':9,'x-kubernetes-list-type':'map','x-kubernetes-list-map-keys'" \
	":['in'],'items':{'type':'object','required':['in'],'properties':{'in':{'type':"           \
	"'integer'},'b':{'type':'string','maxLength':9}}},'x-kubernetes-validations':[{'rule':"    \
	"'" rule "'}]}"

/* Whole objects are compared, fields that expressions do not know and those of other names too. */
#define SAME                                                                                       \
	"{'type':'object','x-kubernetes-preserve-unknown-fields':true,'properties':{'namespace':{" \
	"'type':'string'},'a-b':{'type':'integer'}},'x-kubernetes-validations':[{'rule':'self == " \
	"oldSelf'}]}"

static const struct {
	const char *schema, *old, *now, *want;
} values[] = {
	{ "{'x-kubernetes-int-or-string':true,'x-kubernetes-validations':[{'rule':'type(self) == "
	  "string "
	  "? self == `50%` : self == 50'}]}",
	    NULL, "'51%'",
	    "a: Invalid value: \"51%\": failed rule: type(self) == string ? self == '50%' : self "
	    "== 50" },
	{ "{'type':'string','format':'date-time','x-kubernetes-validations':[{'rule':'self > "
	  "timestamp(`2020-01-01T00:00:00Z`)'}]}",
	    NULL, "'2019-01-01T00:00:00Z'",
	    "a: Invalid value: \"2019-01-01T00:00:00Z\": failed rule: self > "
	    "timestamp('2020-01-01T00:00:00Z')" },
	{ "{'type':'string','format':'duration','x-kubernetes-validations':[{'rule':'self > "
	  "duration(`1m`)'}]}",
	    NULL, "'10s'", "a: Invalid value: \"10s\": failed rule: self > duration('1m')" },
	{ "{'type':'object','properties':{'a-b':{'type':'integer'},'in':{'type':'integer'}},"
	  "'x-kubernetes-validations':[{'rule':'self.a__dash__b < self.__in__','fieldPath':'.a-b',"
	  "'message':'less'}]}",
	    NULL, "{'a-b':2,'in':1}", "a.a-b: Invalid value: less" },
	{ MAP, "[{'k':'x','v':3},{'k':'y','v':1}]",
	    "[{'k':'y','v':1},{'k':'x','v':2},{'k':'z','v':0}]",
	    "a[1].v: Invalid value: 2: failed rule: self >= oldSelf" },
	{ "{'type':'integer','x-kubernetes-validations':[{'rule':'self > 5'}]}", "1", "1", "" },
	/* in sets and maps the order does not count; what is added is only what is new */
	{ SET("self == oldSelf"), "['a','b','c']", "['c','a','b']", "" },
	{ SET("self == oldSelf"), "['a','b']", "['a','c']",
	    "a: Invalid value: failed rule: self == oldSelf" },
	{ SET("self == oldSelf"), "['a','b']", "['a']",
	    "a: Invalid value: failed rule: self == oldSelf" },
	{ SET("self + [`b`, `d`, `d`, `e`] == [`a`, `b`, `d`, `e`]"), NULL, "['a','b']", "" },
	{ SET("[`a`, `b`, `d`, `e`] == self + [`b`, `d`, `e`, `d`]"), NULL, "['a','b']", "" },
	{ SET("[`a`, `b`] == self"), NULL, "['b','a']",
	    "a: Invalid value: failed rule: ['a', 'b'] == self" },
	{ LIST("self == oldSelf"), "[{'in':1,'b':'x'},{'in':2}]", "[{'in':2},{'b':'x','in':1}]",
	    "" },
	{ LIST("self == oldSelf"), "[{'in':1,'b':'x'},{'in':2}]", "[{'in':2},{'b':'y','in':1}]",
	    "a: Invalid value: failed rule: self == oldSelf" },
	{ LIST("(oldSelf + self).map(x, x.__in__) == [1, 2, 3] && (oldSelf + self)[0].b == `y`"),
	    "[{'in':1,'b':'x'},{'in':2}]", "[{'in':3},{'b':'y','in':1}]", "" },
	{ SAME, "{'namespace':'n','a-b':1,'x':{'y':[1.5]}}",
	    "{'x':{'y':[1.5]},'a-b':1,'namespace':'n'}", "" },
	{ SAME, "{'namespace':'n','x':{'y':1}}", "{'namespace':'n','x':{'y':2}}",
	    "a: Invalid value: failed rule: self == oldSelf" },
	{ SAME, "{'namespace':'n'}", "{'namespace':'m'}",
	    "a: Invalid value: failed rule: self == oldSelf" },
	{ SAME, "{'namespace':'n'}", "{'a-b':1}",
	    "a: Invalid value: failed rule: self == oldSelf" },
	{ "{'type':'integer','x-kubernetes-validations':[{'rule':'oldSelf.hasValue() ? self > "
	  "oldSelf.value() : self == 1','optionalOldSelf':true}]}",
	    NULL, "2",
	    "a: Invalid value: 2: failed rule: oldSelf.hasValue() ? self > oldSelf.value() : self "
	    "== "
	    "1" },
	{ "{'type':'string','maxLength':5,'x-kubernetes-validations':[{'rule':'self == `x`',"
	  "'messageExpression':'`got ` + self'}]}",
	    NULL, "'y'", "a: Invalid value: \"y\": got y" },
	{ "{'type':'object','additionalProperties':{'type':'integer','x-kubernetes-validations':[{"
	  "'rule':'self > 0','reason':'FieldValueForbidden'}]}}",
	    NULL, "{'x':0}", "a[x]: Forbidden: failed rule: self > 0" },
};

static void
test_values(void)
{
	for (size_t i = 0; i < COUNT(values); i++) {
		struct causes c = CAUSES_INIT;
		struct structural *s = compiled(values[i].schema, &c);
		json_auto_t *obj = value(values[i].now),
			    *old = values[i].old ? value(values[i].old) : NULL;
		autofree char *why = lines(&c), *is = NULL;

		expect(values[i].schema, why, "");
		if (!s)
			continue;
		structural_validate(s, obj, old, &c);
		is = lines(&c);
		expect(values[i].now, is, values[i].want);
		structural_free(s);
		causes_release(&c);
	}
}

/* A rule that is let through is a warning. */
static void
test_passed(void)
{
	struct causes c = CAUSES_INIT, passed = CAUSES_INIT;
	struct structural *s =
	    compiled("{'type':'integer','x-kubernetes-validations':[{'rule':'self > 5'}]}", &c);
	json_auto_t *obj = value("1");
	autofree char *is = NULL;

	structural_validate_update(s, obj, obj, &c, &passed);
	is = lines(&passed);
	expect("passed", is, "a: Invalid value: 1: failed rule: self > 5");
	if (c.n)
		expect("passed", c.item[0].message, "");
	structural_free(s);
	causes_release(&c);
	causes_release(&passed);
}

int
main(void)
{
	test_bad();
	test_values();
	test_passed();
	return failed;
}
