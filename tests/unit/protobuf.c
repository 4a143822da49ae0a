/*
 * Protobuf: an object of every kind that fills every field there and back, what zero and
 * absent mean, and messages that are wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/protobuf.h"
#include "api/tables.h"
#include "base/mem.h"

static int failures;

static void
fail(const char *what, const char *why)
{
	fprintf(stderr, "protobuf: %s: %s\n", what, why);
	failures++;
}

/* --- every field of every kind --- */

static const char schema_name[] = "apiextensions.v1.JSONSchemaProps";
enum { SCHEMAS = 2 }; /* in each other */

static json_t *fill(const struct type *t, const char *name, int schemas, int salt);

/* A schema, or what else may stand there. */
static json_t *
fill_choice(const struct type *t, int schemas, int salt)
{
	const char *other = t->name + strlen("apiextensions.v1.JSONSchemaPropsOr");

	if (salt % 2)
		return fill(type_find(schema_name), "", schemas, salt);
	if (strcmp(other, "Bool") == 0)
		return json_boolean(salt % 4 == 0);
	if (strcmp(other, "Array") == 0)
		return json_pack(
		    "[{s:s},o]", "type", "string", fill(type_find(schema_name), "", schemas, salt));
	return json_pack("[s,s]", "b", "a");
}

static json_t *
fill_any(const struct type *t, int schemas, int salt)
{
	if (strncmp(t->name, schema_name, strlen(schema_name)) == 0)
		return fill_choice(t, schemas, salt);
	if (strcmp(t->name, "apiextensions.v1.CustomResourceSubresourceStatus") == 0)
		return json_object();
	if (t->class == CLASS_ANY && salt % 2)
		return json_pack("[i,s,n,b]", salt, "x", salt % 4 == 0);
	return json_pack("{s:{s:f},s:[]}", "z", "x", 0.5, "a");
}

static json_t *
fill_scalar(const struct type *t, const char *name, int salt)
{
	char text[200];

	switch (t->class) {
	case CLASS_BOOL:
		return json_true();
	case CLASS_INT32:
		return json_integer(salt % 2 ? -salt : salt);
	case CLASS_INT64:
		return json_integer((json_int_t)salt << 33);
	case CLASS_DOUBLE:
		return salt % 2 ? json_real(salt + 0.5) : json_integer(-salt);
	case CLASS_BYTES:
		return json_string("AP+A/w==");
	case CLASS_TIME:
		return json_string("2026-02-03T04:05:06Z");
	case CLASS_MICROTIME:
		return json_string("1969-12-31T23:59:59.000007Z");
	case CLASS_QUANTITY:
		return json_string("1500m");
	case CLASS_INT_OR_STRING:
		return salt % 2 ? json_string("25%") : json_integer(-8080);
	default:
		snprintf(text, sizeof text, "%s \xc3\xa9 %d", name, salt);
		return json_string(text);
	}
}

static json_t *
fill_struct(const struct type *t, int schemas, int salt)
{
	json_t *obj = json_object();

	schemas += strcmp(t->name, schema_name) == 0;
	for (size_t i = 0; i < t->nfields; i++) {
		const struct field *f = &t->fields[i];
		const struct type *in = f->type->elem ? f->type->elem : f->type;

		if (schemas == SCHEMAS && strncmp(in->name, schema_name, strlen(schema_name)) == 0)
			continue;
		if (f->number)
			json_object_set_new(
			    obj, f->name, fill(f->type, f->name, schemas, salt * 3 + (int)i + 1));
	}
	return obj;
}

static json_t *
fill(const struct type *t, const char *name, int schemas, int salt)
{
	salt = salt % 1000 + 1;
	switch (t->class) {
	case CLASS_STRUCT:
		return fill_struct(t, schemas, salt);
	case CLASS_LIST:
		return json_pack("[o,o]", fill(t->elem, name, schemas, salt),
		    fill(t->elem, name, schemas, salt + 1));
	case CLASS_MAP:
		return json_pack("{s:o,s:o}", "z", fill(t->elem, name, schemas, salt), "a",
		    fill(t->elem, name, schemas, salt + 1));
	case CLASS_ANY:
	case CLASS_RAW:
		return fill_any(t, schemas, salt);
	default:
		return fill_scalar(t, name, salt);
	}
}

static void
check_kind(const struct kind *k)
{
	json_auto_t *obj = fill(k->type, "", 0, 1), *back = NULL;
	autobuf struct buf bytes = BUF_INIT, again = BUF_INIT;
	const struct kind *got;
	char version[128];
	struct err err;

	json_object_set_new(obj, "apiVersion", json_string(kind_api_version(k, version)));
	json_object_set_new(obj, "kind", json_string(k->kind));
	if (protobuf_write(obj, &bytes, &err) < 0) {
		fail(k->kind, err.msg);
		return;
	}
	if (protobuf_read(bytes.data, bytes.len, NULL, &back, &got, &err) < 0) {
		fail(k->kind, err.msg);
		return;
	}
	if (got != k || !json_equal(obj, back))
		fail(k->kind, "did not come back the same");
	if (protobuf_write(back, &again, &err) < 0 || again.len != bytes.len ||
	    memcmp(again.data, bytes.data, bytes.len) != 0)
		fail(k->kind, "is not written the same again");
	/* cut anywhere it is refused or read, and never more than that */
	for (size_t n = 4; n < bytes.len; n += 1 + bytes.len / 50) {
		json_t *part;

		if (protobuf_read(bytes.data, n, k, &part, NULL, &err) == 0)
			json_decref(part);
	}
}

/* --- messages by hand: the bytes in hexadecimal --- */

static size_t
unhex(const char *hex, unsigned char *out)
{
	size_t n = 0;
	unsigned byte;

	for (; sscanf(hex, "%2x", &byte) == 1; hex += 2 + (hex[2] == ' '))
		out[n++] = (unsigned char)byte;
	return n;
}

struct example {
	const char *type, *json, *hex;
};

/* Both ways. */
static const struct example same[] = {
	/* a pointer keeps its zero, what is none is always there */
	{ "autoscaling.v1.ScaleSpec", "{'replicas':0}", "08 00" },
	{ "autoscaling.v1.ScaleSpec", "{'replicas':-1}", "08 ff ff ff ff ff ff ff ff ff 01" },
	{ "core.v1.NamespaceSpec", "{'finalizers':['a','']}", "0a 01 61 0a 00" },
	{ "core.v1.LocalObjectReference", "{}", "0a 00" },
	{ "core.v1.ContainerPort", "{'containerPort':0}", "0a 00 10 00 18 00 22 00 2a 00" },
	/* the embedded message is there even when it is empty */
	{ "core.v1.ConfigMapEnvSource", "{'optional':false}", "0a 02 0a 00 10 00" },
	{ "core.v1.ConfigMapEnvSource", "{'name':'x'}", "0a 03 0a 01 78" },
	{ "core.v1.TCPSocketAction", "{'port':80}", "0a 06 08 00 10 50 1a 00 12 00" },
	{ "core.v1.TCPSocketAction", "{'port':'p'}", "0a 07 08 01 10 00 1a 01 70 12 00" },
	{ "core.v1.ResourceRequirements", "{'limits':{'cpu':'1','a':'2m'}}",
	    "0a 09 0a 01 61 12 04 0a 02 32 6d 0a 0a 0a 03 63 70 75 12 03 0a 01 31" },
	{ "core.v1.ContainerStateTerminated",
	    "{'exitCode':1,'startedAt':'1970-01-01T00:00:01Z','finishedAt':null}",
	    "08 01 10 00 1a 00 22 00 2a 04 08 01 10 00 32 00 3a 00" },
	{ "meta.v1.WatchEvent", "{'type':'ADDED','object':{'a':1}}",
	    "0a 05 41 44 44 45 44 12 09 0a 07 7b 22 61 22 3a 31 7d" },
	{ "meta.v1.APIResource",
	    "{'name':'','namespaced':false,'kind':'','verbs':['get'],'singularName':''}",
	    "0a 00 10 00 1a 00 22 05 0a 03 67 65 74 32 00 42 00 4a 00 52 00" },
	{ NULL, NULL, NULL },
};

/* From strangers: odd, but right. */
static const struct example readable[] = {
	{ "autoscaling.v1.ScaleSpec", "{'replicas':3}", "08 01 08 02 08 03" }, /* the last one */
	{ "autoscaling.v1.ScaleSpec", "{'replicas':3}",
	    "08 03 fa 06 02 61 62 79"
	    "0102030405060708" },
	{ "autoscaling.v1.ScaleSpec", "{'replicas':3}", "8b 7d 08 01 8c 7d 08 03" }, /* a group */
	{ "core.v1.PodSecurityContext", "{'supplementalGroups':[1,2,3]}", "20 01 22 02 02 03" },
	{ "core.v1.ConfigMapEnvSource", "{'name':'b'}", "0a 03 0a 01 61 0a 03 0a 01 62" },
	{ "core.v1.ConfigMap", "{'data':{'':''}}", "12 00" },
	{ "core.v1.ContainerStateTerminated", "{'exitCode':0,'startedAt':null}", "08 00 2a 00" },
	{ NULL, NULL, NULL },
};

/* And wrong, with the field that the message names. */
static const struct example wrong[] = {
	{ "autoscaling.v1.ScaleSpec", "'replicas': the message is cut", "08" },
	{ "autoscaling.v1.ScaleSpec", "protobuf: the message is cut", "88" },
	{ "autoscaling.v1.ScaleSpec", "'replicas': the message is cut",
	    "08 ff ff ff ff ff ff ff ff ff 02" },
	{ "autoscaling.v1.ScaleSpec", "'replicas': the wire type", "0a 00" },
	{ "autoscaling.v1.ScaleSpec", "protobuf: the message is cut", "00 00" }, /* number 0 */
	{ "autoscaling.v1.ScaleSpec", "protobuf: the message is cut", "0f 00" }, /* wire type 7 */
	{ "autoscaling.v1.ScaleSpec", "protobuf: the message is cut", "13 08 01" },
	{ "core.v1.Pod", "'spec': the message is cut", "12 05 08 00" },
	{ "core.v1.Pod", "'spec': the message is cut", "12 ff ff ff ff ff ff ff ff 7f" },
	{ "core.v1.Pod", "'spec.containers[1].image': a text that is not UTF-8",
	    "12 09 12 00 12 05 12 03 c0 80 61" },
	{ "core.v1.Pod", "'metadata.labels': a text with a NUL", "0a 06 5a 04 0a 02 61 00" },
	{ "core.v1.TCPSocketAction", "'port': neither", "0a 02 08 02" },
	{ "core.v1.ContainerStateTerminated", "'startedAt': a time out of range",
	    "2a 0b 08 ff ff ff ff ff ff ff ff ff 00" },
	{ "meta.v1.WatchEvent", "'object': what should be JSON", "12 03 0a 01 7b" },
	{ "core.v1.Volume", "'name': the wire type", "08 01" },
	{ NULL, NULL, NULL },
};

static json_t *
load(const char *json)
{
	autofree char *text = xstrdup(json);
	json_t *v;

	for (char *p = text; *p; p++)
		if (*p == '\'')
			*p = '"';
	v = json_loads(text, 0, NULL);
	if (!v)
		fail(json, "is no JSON");
	return v;
}

static void
check_read(const struct example *e)
{
	unsigned char bytes[200];
	size_t n = unhex(e->hex, bytes);
	json_auto_t *want = load(e->json), *got = NULL;
	struct err err;

	if (protobuf_decode(bytes, n, type_find(e->type), &got, &err) < 0) {
		fail(e->hex, err.msg);
	} else if (!json_equal(want, got)) {
		autofree char *text = json_dumps(got, JSON_COMPACT);

		fail(e->hex, text);
	}
}

static void
check_write(const struct example *e)
{
	unsigned char bytes[200];
	size_t n = unhex(e->hex, bytes);
	json_auto_t *v = load(e->json);
	autobuf struct buf got = BUF_INIT;
	struct err err;

	if (protobuf_encode(v, type_find(e->type), &got, &err) < 0)
		fail(e->json, err.msg);
	else if (got.len != n || memcmp(got.data, bytes, n) != 0)
		fail(e->json, "is written otherwise");
}

static void
check_wrong(const struct example *e)
{
	unsigned char bytes[200];
	size_t n = unhex(e->hex, bytes);
	json_t *got;
	struct err err;

	if (protobuf_decode(bytes, n, type_find(e->type), &got, &err) == 0) {
		fail(e->hex, "was read");
		json_decref(got);
	} else if (!strstr(err.msg, e->json)) {
		fail(e->hex, err.msg);
	}
}

/* A schema in a schema in a schema ... */
static void
check_depth(void)
{
	autobuf struct buf b = BUF_INIT;
	json_t *got;
	struct err err;

	for (int i = 0; i < 5000; i++) {
		autobuf struct buf outer = BUF_INIT;

		protobuf_field(&outer, 28, b.data, b.len);
		buf_release(&b);
		b = outer;
		outer = (struct buf)BUF_INIT;
	}
	if (protobuf_decode(
		b.data, b.len, type_find("apiextensions.v1.JSONSchemaProps"), &got, &err) == 0)
		fail("depth", "was read");
	else if (!strstr(err.msg, "nested too deeply"))
		fail("depth", err.msg);
}

static void
check_envelope(void)
{
	static const unsigned char event[] = { 0, 0, 0, 11, 0x0a, 1, 'A', 0x12, 6, 0x0a, 4, 'k',
		'8', 's', 0 };
	autobuf struct buf b = BUF_INIT;
	json_auto_t *custom = load("{'apiVersion':'a.b/v1','kind':'Widget'}"), *got = NULL;
	struct err err;

	protobuf_event(&b, "A", "k8s", 4);
	if (b.len != sizeof event || memcmp(b.data, event, b.len) != 0)
		fail("event", "is written otherwise");
	buf_clear(&b);
	if (protobuf_write(custom, &b, &err) != -ERR_NOT_ACCEPTABLE)
		fail("custom resource", "has a protobuf form");
	protobuf_wrap(&b, "", "", "", 0);
	if (protobuf_read(b.data, b.len, NULL, &got, NULL, &err) != -ERR_BAD_REQUEST)
		fail("envelope", "without a kind was read");
	if (protobuf_read(b.data, b.len, kind_find("", "v1", "Pod"), &got, NULL, &err) < 0 ||
	    strcmp(json_string_value(json_object_get(got, "kind")), "Pod") != 0)
		fail("envelope", "without a kind was not read as the default");
	if (protobuf_read("{}", 2, NULL, &got, NULL, &err) != -ERR_MEDIA_TYPE)
		fail("envelope", "that is none was read");
	json_decref(got);
	buf_clear(&b);
	protobuf_wrap(&b, "apps/v1", "DeleteOptions", "\x08\x05", 2);
	if (protobuf_read(b.data, b.len, NULL, &got, NULL, &err) < 0)
		fail("options of a group", err.msg);
	else if (json_integer_value(json_object_get(got, "gracePeriodSeconds")) != 5)
		fail("options of a group", "are something else");
}

int
main(void)
{
	for (size_t i = 0; i < all_kinds; i++)
		check_kind(&table_of_kinds[i]);
	for (const struct example *e = same; e->type; e++) {
		check_read(e);
		check_write(e);
	}
	for (const struct example *e = readable; e->type; e++)
		check_read(e);
	for (const struct example *e = wrong; e->type; e++)
		check_wrong(e);
	check_depth();
	check_envelope();
	return failures > 0;
}
