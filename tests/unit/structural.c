/* Schemas of custom kinds: what is refused, what values fit, pruning, defaults. */
#include "api/structural.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/typed.h"
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

/* All causes in lines: "field: message". */
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

/* Schemas that are refused; the schema is that of field a, where it does not begin with '!'. */
static const struct {
	const char *schema, *want;
} bad[] = {
	{ "!{\"type\":\"string\"}",
	    "s.type: Invalid value: \"string\": must be object at the root" },
	{ "!{}", "s.type: Required value: must not be empty at the root" },
	{ "{\"properties\":{}}",
	    "s.properties[a].type: Required value: must not be empty for specified object fields" },
	{ "{\"type\":\"array\"}", "s.properties[a].items: Required value: must be specified" },
	{ "{\"type\":\"text\"}",
	    "s.properties[a].type: Unsupported value: \"text\": supported values: \"array\", "
	    "\"boolean\", \"integer\", \"number\", \"object\", \"string\"" },
	{ "{\"type\":\"integer\",\"default\":\"x\"}",
	    "s.properties[a].default: Invalid value: \"string\":  in body must be of type integer: "
	    "\"string\"" },
	{ "{\"type\":\"object\",\"properties\":{\"b\":{\"type\":\"string\"}},\"default\":{\"z\":1,"
	  "\"y\":2}"
	  "}",
	    "s.properties[a].default: Invalid value: {\"y\":2,\"z\":1}: must not have unknown "
	    "fields" },
	{ "{\"type\":\"integer\",\"default\":1,\"x-kubernetes-validations\":[{\"rule\":"
	  "\"self > 5\",\"message\":\"too few\"}]}",
	    "s.properties[a].default: Invalid value: 1: too few" },
	{ "{\"type\":\"integer\",\"default\":1,\"x-kubernetes-validations\":[{\"rule\":"
	  "\"self > oldSelf\"}]}",
	    "s.properties[a].default: Invalid value: 1: failed rule: self > oldSelf" },
	{ "{\"type\":\"object\",\"x-kubernetes-embedded-resource\":true,"
	  "\"x-kubernetes-preserve-unknown-fields\":true,\"properties\":{\"metadata\":{"
	  "\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\",\"default\":"
	  "\"a/b\"}}}}}",
	    "s.properties[a].properties[metadata].properties[name].default: Invalid value: "
	    "\"a/b\": must result in valid metadata: metadata.name: Invalid value: \"a/b\": may "
	    "not contain '/'" },
	{ "{\"type\":\"object\",\"x-kubernetes-embedded-resource\":true,"
	  "\"x-kubernetes-preserve-unknown-fields\":true,\"properties\":{\"metadata\":{"
	  "\"type\":\"object\",\"default\":{\"name\":\"a\",\"labels\":{\"b\":\"c\"}}},"
	  "\"apiVersion\":{\"type\":\"string\",\"default\":\"a/b/c\"}}}",
	    "s.properties[a].properties[apiVersion].default: Invalid value: \"a/b/c\": must result "
	    "in valid metadata: apiVersion: Invalid value: \"a/b/c\": unexpected GroupVersion "
	    "string: a/b/c" },
	{ "{\"type\":\"string\",\"pattern\":\"(?=a)\"}",
	    "s.properties[a].pattern: Invalid value: \"(?=a)\": must be a valid regular "
	    "expression, "
	    "but isn't: error parsing regexp: invalid or unsupported Perl syntax: `(?=`" },
	{ "!{\"type\":\"object\",\"anyOf\":[{\"properties\":{\"z\":{\"minLength\":1}}}]}",
	    "s.properties[z]: Required value: because it is defined in s.anyOf[0].properties[z]" },
	{ "{\"type\":\"string\",\"not\":{\"type\":\"string\"}}",
	    "s.properties[a].not.type: Forbidden: must be empty to be structural" },
	{ "{\"type\":\"array\",\"x-kubernetes-list-type\":\"set\",\"items\":{\"type\":\"object\"}}",
	    "s.properties[a].items.x-kubernetes-map-type: Invalid value: null: must be atomic as "
	    "item "
	    "of a list with x-kubernetes-list-type=set" },
	/* rules are asked where the schema around them is right */
	{ "{\"type\":\"object\",\"properties\":{\"b\":{\"type\":\"integer\",\"x-kubernetes-"
	  "validations\":[{\"rule\":\"1\"}]},\"c\":{\"type\":\"string\",\"uniqueItems\":true,"
	  "\"x-kubernetes-validations\":[{\"rule\":\"2\"}]}}}",
	    "s.properties[a].properties[c].uniqueItems: Forbidden: uniqueItems cannot be set to "
	    "true since the runtime complexity becomes quadratic\n"
	    "s.properties[a].properties[b].x-kubernetes-validations[0].rule: Invalid value: "
	    "{\"Rule\":\"1\",\"Message\":\"\",\"MessageExpression\":\"\",\"Reason\":null,"
	    "\"FieldPath\":\"\",\"OptionalOldSelf\":null}: cel expression must evaluate to a "
	    "bool" },
	/* what is no word of a schema at all comes before its shape */
	{ "{\"properties\":{},\"definitions\":{\"x\":{}}}",
	    "s.properties[a].definitions: Forbidden: definitions is not supported" },
	{ "!{\"$schema\":\"x\"}",
	    "s: Invalid value: \"\": OpenAPIV3Schema 'schema' is not supported" },
	{ "{\"type\":\"object\",\"x-kubernetes-map-type\":\"atomic\",\"properties\":{\"b\":{"
	  "\"type\":\"array\",\"maxItems\":2,\"items\":{\"type\":\"integer\",\"x-kubernetes-"
	  "validations\":[{\"rule\":\"self > oldSelf\"}]}}}}",
	    "s.properties[a].properties[b].items.x-kubernetes-validations[0].rule: Invalid value: "
	    "\"self > oldSelf\": oldSelf cannot be used on the uncorrelatable portion of the "
	    "schema within s.properties[a].properties[b]" },
	{ "{\"type\":\"object\",\"uniqueItems\":true}",
	    "s.properties[a].uniqueItems: Forbidden: uniqueItems cannot be set to true since the "
	    "runtime complexity becomes quadratic" },
	{ "!{\"type\":\"object\",\"properties\":{\"metadata\":{\"type\":\"object\",\"properties\":{"
	  "\"labels\":{\"type\":\"object\"}}}}}",
	    "s.properties[metadata]: Forbidden: must not specify anything other than name and "
	    "generateName, but metadata is implicitly specified" },
};

static struct structural *
compiled(const char *schema, struct causes *causes)
{
	autofree char *text =
	    *schema == '!' ? xstrdup(schema + 1)
			   : xasprintf("{\"type\":\"object\",\"properties\":{\"a\":%s}}", schema);
	json_auto_t *v = json(text);

	return structural_new(v, "s", causes);
}

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

/* Values of field a, before (NULL: a create) and now. */
static const struct {
	const char *schema, *old, *value, *want;
} values[] = {
	{ "{\"type\":\"string\",\"minLength\":2,\"pattern\":\"^[a-z]+$\"}", NULL, "\"A\"",
	    "a: Invalid value: \"A\": a in body should be at least 2 chars long" },
	{ "{\"type\":\"string\",\"pattern\":\"^[a-z]+$\"}", NULL, "\"A\"",
	    "a: Invalid value: \"A\": a in body should match '^[a-z]+$'" },
	{ "{\"type\":\"string\",\"maxLength\":1}", NULL, "\"äé\"",
	    "a: Too long: may not be more than 1 byte" },
	{ "{\"type\":\"string\",\"maxLength\":2}", NULL, "\"äé\"", "" },
	{ "{\"type\":\"integer\",\"multipleOf\":2,\"maximum\":10}", NULL, "99",
	    "a: Invalid value: 99: a in body should be a multiple of 2\n"
	    "a: Invalid value: 99: a in body should be less than or equal to 10" },
	{ "{\"type\":\"number\",\"minimum\":0.5,\"exclusiveMinimum\":true}", NULL, "0.5",
	    "a: Invalid value: 0.5: a in body should be greater than 0.5" },
	{ "{\"type\":\"integer\"}", NULL, "2.0", "" },
	{ "{\"type\":\"integer\"}", NULL, "2.5",
	    "a: Invalid value: \"number\": a in body must be of type integer: \"number\"" },
	{ "{\"x-kubernetes-int-or-string\":true}", NULL, "true",
	    "a: Invalid value: \"boolean\": a in body must be of type integer,string: "
	    "\"boolean\"" },
	{ "{\"type\":\"string\",\"format\":\"date-time\"}", NULL, "5",
	    "a: Invalid value: \"int64\": a in body must be of type date-time: \"int64\"" },
	{ "{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"maxItems\":1}", NULL, "[\"x\",1]",
	    "a[1]: Invalid value: \"integer\": a[1] in body must be of type string: \"integer\"\n"
	    "a: Too many: 2: must have at most 1 item" },
	{ "{\"type\":\"object\",\"required\":[\"b\"],\"properties\":{\"b\":{\"type\":\"string\"}}}",
	    NULL, "{}", "a.b: Required value" },
	{ "{\"type\":\"array\",\"x-kubernetes-list-type\":\"set\",\"items\":{\"type\":\"string\"}}",
	    NULL, "[\"x\",\"y\",\"x\",\"x\"]", "a[2]: Duplicate value: \"x\"" },
	{ "{\"type\":\"array\",\"x-kubernetes-list-type\":\"set\",\"items\":{\"type\":\"string\"}}",
	    "[\"x\",\"x\"]", "[\"x\",\"x\",\"x\"]", "" },
	{ "{\"type\":\"array\",\"x-kubernetes-list-type\":\"map\",\"x-kubernetes-list-map-keys\":["
	  "\"k\"],"
	  "\"items\":{\"type\":\"object\",\"required\":[\"k\"],\"properties\":{\"k\":{\"type\":"
	  "\"string\"},"
	  "\"v\":{\"type\":\"string\",\"maxLength\":1}}}}",
	    "[{\"k\":\"1\",\"v\":\"long\"}]", "[{\"k\":\"2\"},{\"k\":\"1\",\"v\":\"long\"}]", "" },
	{ "{\"type\":\"string\",\"maxLength\":1}", "\"old\"", "\"old\"", "" },
	{ "{\"type\":\"string\",\"maxLength\":1}", "\"old\"", "\"new\"",
	    "a: Too long: may not be more than 1 byte" },
	{ "{\"type\":\"object\",\"x-kubernetes-embedded-resource\":true,"
	  "\"x-kubernetes-preserve-unknown-fields\":true}",
	    NULL, "{\"kind\":\"x_\",\"metadata\":{\"labels\":{\"a b\":\"\"}}}", NULL },
};

static void
test_values(void)
{
	for (size_t i = 0; i < COUNT(values); i++) {
		struct causes c = CAUSES_INIT;
		struct structural *s = compiled(values[i].schema, &c);
		autofree char *now = xasprintf("{\"a\":%s}", values[i].value),
			      *then = values[i].old ? xasprintf("{\"a\":%s}", values[i].old) : NULL;
		json_auto_t *obj = json(now), *old = then ? json(then) : NULL;
		autofree char *why = lines(&c), *is = NULL;

		expect(values[i].schema, why, "");
		if (!s)
			continue;
		structural_validate(s, obj, old, &c);
		is = lines(&c);
		if (values[i].want)
			expect(values[i].value, is, values[i].want);
		else if (!c.n)
			expect(values[i].value, is, "something");
		structural_free(s);
		causes_release(&c);
	}
}

static const struct {
	const char *format, *good, *bad;
} formats[] = {
	{ "date-time", "2026-01-02T03:04:05Z", "today" },
	{ "date", "2024-02-29", "2026-02-29" },
	{ "duration", "1h2m", "soon" },
	{ "byte", "aGk=", "%%" },
	{ "ipv4", "1.2.3.4", "1.2.3" },
	{ "ipv6", "::1", "1.2.3.4" },
	{ "cidr", "10.0.0.0/8", "10.0.0.0" },
	{ "uuid", "123e4567-e89b-12d3-a456-426614174000", "x" },
	{ "hostname", "a.example.com", "-" },
	{ "email", "a@b.example", "x" },
	{ "uri", "https://a/b?c", "a b" },
	{ "mac", "00:11:22:33:44:55", "00:11" },
	{ "isbn10", "3-598-21508-8", "3-598-21508-9" },
	{ "isbn13", "978-3-16-148410-0", "978-3-16-148410-1" },
	{ "creditcard", "4111 1111 1111 1111", "4111 1111 1111 1112" },
	{ "hexcolor", "#a0b1c2",
	    "#a0b"
	    "z" },
	{ "rgbcolor", "rgb(1, 2, 255)", "rgb(1,2,256)" },
	{ "ssn", "123-45-6789", "12-345-6789" },
	{ "bsonobjectid", "507f1f77bcf86cd799439011", "507f" },
};

static void
test_formats(void)
{
	for (size_t i = 0; i < COUNT(formats); i++) {
		struct causes c = CAUSES_INIT;
		autofree char *schema =
		    xasprintf("{\"type\":\"string\",\"format\":\"%s\"}", formats[i].format);
		struct structural *s = compiled(schema, &c);
		json_auto_t *good = json_pack("{s:s}", "a", formats[i].good),
			    *wrong = json_pack("{s:s}", "a", formats[i].bad);

		structural_validate(s, good, NULL, &c);
		if (c.n)
			expect(formats[i].good, c.item[0].message, "nothing");
		structural_validate(s, wrong, NULL, &c);
		if (c.n != 1)
			expect(formats[i].bad, "good", "bad");
		structural_free(s);
		causes_release(&c);
	}
}

static void
test_prune(void)
{
	struct causes c = CAUSES_INIT;
	struct structural *s = compiled(
	    "!{\"type\":\"object\",\"properties\":{\"spec\":{\"type\":\"object\",\"properties\":{"
	    "\"a\":{\"type\":\"string\",\"default\":\"x\"},\"n\":{\"type\":\"string\"},"
	    "\"keep\":{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":true,"
	    "\"properties\":{\"in\":{\"type\":\"object\",\"properties\":{\"z\":{\"type\":"
	    "\"string\"}}}}}}}}}",
	    &c);
	json_auto_t *obj =
	    json("{\"kind\":\"X\",\"metadata\":{\"any\":1},\"extra\":true,\"spec\":{\"b\":1,"
		 "\"a\":null,\"n\":null,\"keep\":{\"q\":1,\"in\":{\"z\":\"1\",\"zz\":2}}}}");
	json_auto_t *want =
	    json("{\"kind\":\"X\",\"metadata\":{\"any\":1},\"spec\":{\"a\":\"x\",\"keep\":{"
		 "\"q\":1,\"in\":{\"z\":\"1\"}}}}");
	struct buf unknown = BUF_INIT;
	static const char paths[] = "extra\0spec.b\0spec.keep.in.zz";
	const struct type *t = structural_type(s);

	structural_prune(s, obj, &unknown);
	assert(unknown.len == sizeof paths && !memcmp(unknown.data, paths, sizeof paths));
	structural_default(s, obj);
	if (!json_equal(obj, want))
		expect("prune", json_dumps(obj, 0), json_dumps(want, 0));
	assert(type_field(t, "apiVersion")->type->class == CLASS_STRING);
	assert(type_field(t, "metadata")->type->class == CLASS_STRUCT);
	assert(type_field(t, "apiVersion") && type_field(t, "metadata") && !type_field(t, "x"));
	assert(type_field(type_field(t, "spec")->type, "keep"));
	buf_release(&unknown);
	structural_free(s);
	causes_release(&c);
}

int
main(void)
{
	test_bad();
	test_values();
	test_formats();
	test_prune();
	return failed;
}
