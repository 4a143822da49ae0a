/* OpenAPI v2 (Swagger 2.0) out of v3: one document of everything. */
#include <stdio.h>
#include <string.h>

#include "api/custom.h"
#include "api/meta.h"
#include "api/openapi.h"
#include "api/openapi_parts.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "base/text.h"

static void
set_reference(json_t *out, const char *ref)
{
	json_object_set_new(out, "$ref", json_sprintf("#/definitions/%s", strrchr(ref, '/') + 1));
}

static json_t *
convert_all(const json_t *map)
{
	json_t *out = json_object(), *v;
	const char *key;

	json_object_foreach ((json_t *)map, key, v)
		json_object_set_new(out, key, openapi_v2_schema(v));
	return out;
}

/* v2 has no oneOf: what is a text or a number is called a text.  Defaults are left out, as
 * Kubernetes does: old clients would act on them. */
json_t *
openapi_v2_schema(const json_t *schema)
{
	json_t *out = json_object(), *v;
	const char *key;

	json_object_foreach ((json_t *)schema, key, v) {
		if (strcmp(key, "$ref") == 0)
			set_reference(out, json_string_value(v));
		else if (strcmp(key, "allOf") == 0)
			set_reference(out, text(json_array_get(v, 0), "$ref"));
		else if (strcmp(key, "oneOf") == 0)
			json_object_set_new(out, "type", json_string("string"));
		else if (strcmp(key, "properties") == 0)
			json_object_set_new(out, key, convert_all(v));
		else if (strcmp(key, "items") == 0 || strcmp(key, "additionalProperties") == 0)
			json_object_set_new(out, key, openapi_v2_schema(v));
		else if (strcmp(key, "default") != 0)
			json_object_set(out, key, v);
	}
	return out;
}

static void
add_parameters(json_t *list, const json_t *from)
{
	json_t *p, *copy;
	size_t i;

	json_array_foreach (from, i, p) {
		copy = json_copy(p);
		json_object_update(copy, json_object_get(p, "schema"));
		json_object_del(copy, "schema");
		json_array_append_new(list, copy);
	}
}

static json_t *
keys(const json_t *obj)
{
	json_t *list = json_array(), *v;
	const char *key;

	json_object_foreach ((json_t *)obj, key, v)
		json_array_append_new(list, json_string(key));
	return list;
}

/* The schema of a body; all media types have the same. */
static json_t *
content_schema(const json_t *content)
{
	json_t *first = json_object_iter_value(json_object_iter((json_t *)content));
	json_t *schema = json_object_get(first, "schema");

	return schema ? openapi_v2_schema(schema) : NULL;
}

static json_t *
convert_answers(const json_t *answers)
{
	json_t *out = json_object(), *v, *one, *schema;
	const char *code;

	json_object_foreach ((json_t *)answers, code, v) {
		one = json_pack("{s:O}", "description", json_object_get(v, "description"));
		schema = content_schema(json_object_get(v, "content"));
		if (schema)
			json_object_set_new(one, "schema", schema);
		json_object_set_new(out, code, one);
	}
	return out;
}

static json_t *
convert_operation(const json_t *op)
{
	json_t *out = json_object(), *parameters = json_array(), *v;
	json_t *body = get(op, "requestBody", "content");
	const char *key;

	json_object_foreach ((json_t *)op, key, v)
		if (strcmp(key, "parameters") != 0 && strcmp(key, "requestBody") != 0 &&
		    strcmp(key, "responses") != 0)
			json_object_set(out, key, v);
	if (body) {
		v = json_pack(
		    "{s:s,s:s,s:o}", "name", "body", "in", "body", "schema", content_schema(body));
		if (truth(get(op, "requestBody", "required")))
			json_object_set_new(v, "required", json_true());
		json_array_append_new(parameters, v);
	}
	add_parameters(parameters, json_object_get(op, "parameters"));
	json_object_set_new(out, "parameters", parameters);
	json_object_set_new(out, "consumes", body ? keys(body) : json_pack("[s]", "*/*"));
	json_object_set_new(out, "produces", keys(get(op, "responses", "200", "content")));
	json_object_set_new(out, "schemes", json_pack("[s]", "https"));
	json_object_set_new(out, "responses", convert_answers(json_object_get(op, "responses")));
	return out;
}

json_t *
openapi_v2_path(const json_t *item)
{
	json_t *out = json_object(), *v, *list;
	const char *key;

	json_object_foreach ((json_t *)item, key, v) {
		if (strcmp(key, "parameters") == 0) {
			list = json_array();
			add_parameters(list, v);
			json_object_set_new(out, key, list);
		} else {
			json_object_set_new(out, key, convert_operation(v));
		}
	}
	return out;
}

/* Is this the schema of a custom kind? */
static bool
is_custom(const json_t *schema)
{
	const json_t *names =
	    json_array_get(json_object_get(schema, "x-kubernetes-group-version-kind"), 0);
	const struct kind *k =
	    kind_find(text(names, "group"), text(names, "version"), text(names, "kind"));

	return k && k->custom;
}

static json_t *
convert_definition(const json_t *schema)
{
	/* what is published in version 3 has all that version 2 is made of */
	return is_custom(schema) ? structural_openapi(schema, 2) : openapi_v2_schema(schema);
}

void
openapi_v2_each(const struct openapi_v2 *to)
{
	json_t *names = openapi_names(), *seen = json_object(), *name, *doc, *v, *converted;
	const char *key;
	size_t i;

	json_array_foreach (names, i, name) {
		doc = openapi_document(json_string_value(name));
		json_object_foreach (json_object_get(doc, "paths"), key, v) {
			converted = openapi_v2_path(v);
			to->path(to->arg, key, converted);
			json_decref(converted);
		}
		json_object_foreach (get(doc, "components", "schemas"), key, v) {
			if (json_object_get(seen, key))
				continue;
			json_object_set_new(seen, key, json_true());
			converted = convert_definition(v);
			to->definition(to->arg, key, converted);
			json_decref(converted);
		}
		json_decref(doc);
	}
	json_decref(names);
	json_decref(seen);
}

/* --- as JSON --- */

/* Definitions come last: they wait until all paths are there. */
struct text {
	const struct openapi_sink *to;
	struct buf path, definitions;
	bool more; /* a path has been put */
};

static void
add_member(struct buf *b, const char *key, const json_t *v)
{
	buf_printf(b, "\"%s\":", key);
	json_add(b, v);
}

static void
text_path(void *arg, const char *name, const json_t *item)
{
	struct text *t = arg;

	buf_clear(&t->path);
	buf_puts(&t->path, t->more ? "," : "");
	t->more = true;
	add_member(&t->path, name, item);
	t->to->add(t->to->arg, t->path.data, t->path.len);
}

static void
text_definition(void *arg, const char *name, const json_t *schema)
{
	struct text *t = arg;

	buf_puts(&t->definitions, t->definitions.len ? "," : "");
	add_member(&t->definitions, name, schema);
}

void
openapi_v2_json(const struct openapi_sink *to)
{
	static const char begin[] = "{\"swagger\":\"2.0\",\"info\":{\"title\":\"Kubernetes\","
				    "\"version\":\"" OPENAPI_VERSION "\"},\"paths\":{",
			  middle[] = "},\"definitions\":{", end[] = "}}\n";
	struct text t = { to, BUF_INIT, BUF_INIT, false };

	to->add(to->arg, begin, strlen(begin));
	openapi_v2_each(&(struct openapi_v2){ text_path, text_definition, &t });
	to->add(to->arg, middle, strlen(middle));
	to->add(to->arg, t.definitions.data, t.definitions.len);
	to->add(to->arg, end, strlen(end));
	buf_release(&t.path);
	buf_release(&t.definitions);
}
