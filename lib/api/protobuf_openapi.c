/*
 * OpenAPI v2 in protobuf: openapi.v2.Document as gnostic defines it, which is what client-go asks
 * for.  The numbers are those of gnostic's OpenAPIv2.proto.  Written from the end to the start,
 * like all protobuf here.
 */
#include <string.h>

#include "api/meta.h"
#include "api/openapi.h"
#include "api/openapi_parts.h"
#include "api/protobuf_wire.h"
#include "base/jsonl.h"
#include "base/text.h"

static void
put_string(struct writer *w, int number, const json_t *v)
{
	if (json_is_string(v))
		write_bytes(w, number, json_string_value(v), json_string_length(v));
}

static void
put_text(struct writer *w, int number, const json_t *obj, const char *key)
{
	put_string(w, number, json_object_get(obj, key));
}

static void
put_flag(struct writer *w, int number, const json_t *obj, const char *key)
{
	if (json_is_true(json_object_get(obj, key)))
		write_number(w, number, 1);
}

static void
put_texts(struct writer *w, int number, const json_t *list)
{
	for (size_t i = json_array_size(list); i-- > 0;)
		put_string(w, number, json_array_get(list, i));
}

/* Any { yaml = 2 }: JSON is YAML. */
static void
put_any(struct writer *w, int number, const json_t *v)
{
	autobuf struct buf b = BUF_INIT;
	size_t mark = written(w);

	json_add(&b, v);
	write_bytes(w, 2, b.data, b.len);
	write_message(w, number, mark);
}

/* What starts with x-: NamedAny { name = 1; value = 2 } */
static void
put_extensions(struct writer *w, int number, const json_t *obj)
{
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)obj, key, v) {
		size_t mark = written(w);

		if (!text_starts(key, "x-"))
			continue;
		put_any(w, 2, v);
		write_bytes(w, 1, key, strlen(key));
		write_message(w, number, mark);
	}
}

static void put_schema(struct writer *w, int number, const json_t *s);

static void
put_named_schema(struct writer *w, int number, const char *name, const json_t *s)
{
	size_t mark = written(w);

	put_schema(w, 2, s);
	write_bytes(w, 1, name, strlen(name));
	write_message(w, number, mark);
}

/* What a struct, map or list is made of. */
static void
put_inside(struct writer *w, const json_t *s)
{
	json_t *properties = json_object_get(s, "properties"), *v;
	size_t mark = written(w);
	const char *key;

	if (properties) {
		json_object_foreach (properties, key, v)
			put_named_schema(w, 1, key, v);
		write_message(w, 25, mark);
	}
	if ((v = json_object_get(s, "items"))) {
		mark = written(w);
		put_schema(w, 1, v);
		write_message(w, 23, mark);
	}
	if ((v = json_object_get(s, "type"))) {
		mark = written(w);
		put_string(w, 1, v);
		write_message(w, 22, mark);
	}
	if ((v = json_object_get(s, "additionalProperties"))) {
		mark = written(w);
		put_schema(w, 1, v);
		write_message(w, 21, mark);
	}
}

static void
put_schema(struct writer *w, int number, const json_t *s)
{
	json_t *values = json_object_get(s, "enum");
	size_t mark = written(w);

	put_extensions(w, 31, s);
	put_inside(w, s);
	for (size_t i = json_array_size(values); i-- > 0;)
		put_any(w, 20, json_array_get(values, i));
	put_texts(w, 19, json_object_get(s, "required"));
	put_text(w, 4, s, "description");
	put_text(w, 2, s, "format");
	put_text(w, 1, s, "$ref");
	write_message(w, number, mark);
}

/* ParametersItem { Parameter { BodyParameter | NonBodyParameter { of the query | of the path } } }
 */
static void
put_parameter(struct writer *w, int number, const json_t *p)
{
	const char *in = text(p, "in");
	bool body = strcmp(in, "body") == 0, path = strcmp(in, "path") == 0;
	size_t mark = written(w);

	if (body) {
		put_schema(w, 5, json_object_get(p, "schema"));
		put_flag(w, 4, p, "required");
		put_text(w, 3, p, "in");
		put_text(w, 2, p, "name");
		write_message(w, 1, mark);
	} else {
		put_flag(w, path ? 19 : 20, p, "uniqueItems");
		put_text(w, path ? 5 : 6, p, "type");
		put_text(w, 4, p, "name");
		put_text(w, 3, p, "description");
		put_text(w, 2, p, "in");
		put_flag(w, 1, p, "required");
		write_message(w, path ? 4 : 3, mark);
		write_message(w, 2, mark);
	}
	write_message(w, 1, mark);
	write_message(w, number, mark);
}

static void
put_parameters(struct writer *w, int number, const json_t *list)
{
	for (size_t i = json_array_size(list); i-- > 0;)
		put_parameter(w, number, json_array_get(list, i));
}

/* Responses { NamedResponseValue { name, ResponseValue { Response { description, SchemaItem } } } }
 */
static void
put_answers(struct writer *w, int number, const json_t *answers)
{
	size_t all = written(w);
	const char *code;
	json_t *v, *schema;

	json_object_foreach ((json_t *)answers, code, v) {
		size_t mark = written(w);

		if ((schema = json_object_get(v, "schema"))) {
			put_schema(w, 1, schema);
			write_message(w, 2, mark);
		}
		put_text(w, 1, v, "description");
		write_message(w, 1, mark);
		write_message(w, 2, mark);
		write_bytes(w, 1, code, strlen(code));
		write_message(w, 1, mark);
	}
	write_message(w, number, all);
}

static void
put_operation(struct writer *w, int number, const json_t *op)
{
	size_t mark = written(w);

	put_extensions(w, 13, op);
	put_texts(w, 10, json_object_get(op, "schemes"));
	put_answers(w, 9, json_object_get(op, "responses"));
	put_parameters(w, 8, json_object_get(op, "parameters"));
	put_texts(w, 7, json_object_get(op, "consumes"));
	put_texts(w, 6, json_object_get(op, "produces"));
	put_text(w, 5, op, "operationId");
	put_texts(w, 1, json_object_get(op, "tags"));
	write_message(w, number, mark);
}

struct parts {
	struct writer paths, definitions;
};

/* Paths { NamedPathItem = 2 { name = 1; PathItem value = 2 } } */
static void
add_path(void *arg, const char *name, const json_t *item)
{
	static const char *const methods[] = { "get", "put", "post", "delete", "options", "head",
		"patch" };
	struct writer *w = &((struct parts *)arg)->paths;
	size_t mark = written(w);
	json_t *op;

	put_parameters(w, 9, json_object_get(item, "parameters"));
	for (int i = 7; i-- > 0;)
		if ((op = json_object_get(item, methods[i])))
			put_operation(w, i + 2, op);
	write_message(w, 2, mark);
	write_bytes(w, 1, name, strlen(name));
	write_message(w, 2, mark);
}

/* Definitions { NamedSchema = 1 } */
static void
add_definition(void *arg, const char *name, const json_t *schema)
{
	put_named_schema(&((struct parts *)arg)->definitions, 1, name, schema);
}

void
openapi_v2_protobuf(const struct openapi_sink *to)
{
	struct parts p = { WRITER_INIT, WRITER_INIT };
	struct writer head = WRITER_INIT;

	openapi_v2_each(&(struct openapi_v2){ add_path, add_definition, &p });
	write_message(&p.definitions, 9, 0);
	write_message(&p.paths, 8, 0);
	write_bytes(&head, 2, OPENAPI_VERSION, strlen(OPENAPI_VERSION));
	write_bytes(&head, 1, "Kubernetes", strlen("Kubernetes"));
	write_message(&head, 2, 0);
	write_bytes(&head, 1, "2.0", strlen("2.0"));
	to->add(to->arg, head.data + head.at, written(&head));
	to->add(to->arg, p.paths.data + p.paths.at, written(&p.paths));
	writer_release(&p.paths);
	to->add(to->arg, p.definitions.data + p.definitions.at, written(&p.definitions));
	writer_release(&head);
	writer_release(&p.definitions);
}
