/* CustomResourceDefinitions: parts; most can differ between versions. */
#include <string.h>

#include "api/rules.h"
#include "api/structural_node.h"
#include "base/mem.h"
#include "base/text.h"

static void
check_path(struct causes *out, const struct path *at, const char *path)
{
	if (*path != '.')
		refuse_text(out, at, path, "must be a simple json path starting with .");
}

static void
check_column(struct causes *out, const struct path *at, const json_t *column)
{
	static const char *const types[] = { "boolean", "date", "integer", "number", "string",
		NULL },
				 *const formats[] = { "byte", "date", "date-time", "double",
					 "float", "int32", "int64", "password", NULL };
	const char *type = text(column, "type"), *format = text(column, "format"),
		   *path = text(column, "jsonPath");

	if (!*text(column, "name"))
		refuse_required(out, AT(at, "name"), "");
	if (!*type)
		refuse_required(
		    out, AT(at, "type"), "must be one of boolean,date,integer,number,string");
	else if (!text_in(type, types))
		refuse_text(
		    out, AT(at, "type"), type, "must be one of boolean,date,integer,number,string");
	if (*format && !text_in(format, formats))
		refuse_text(out, AT(at, "format"), format,
		    "must be one of byte,date,date-time,double,float,int32,int64,password");
	if (!*path)
		refuse_required(out, AT(at, "JSONPath"), "");
	else
		check_path(out, AT(at, "JSONPath"), path);
}

void
check_columns(struct causes *out, const struct path *at, const json_t *columns)
{
	size_t i;
	json_t *column;

	json_array_foreach (columns, i, column)
		check_column(out, ITEM(at, i), column);
}

/* A path under .spec or .status; either: it may be under both. */
static void
check_scale_path(struct causes *out, const struct path *at, const json_t *scale, const char *key,
    const char *root, const char *words, bool either)
{
	const char *path = text(scale, key);

	at = AT(AT(at, "scale"), key);
	if (!*path && !either)
		refuse_required(out, at, "");
	else if (*path && *path != '.')
		check_path(out, at, path);
	else if (*path && !text_starts(path, root) && !(either && text_starts(path, ".spec.")))
		refuse_text(out, at, path, "should be a json path under %s", words);
}

void
check_subresources(struct causes *out, const struct path *at, const json_t *subresources)
{
	const json_t *scale = json_object_get(subresources, "scale");

	if (!json_is_object(scale))
		return;
	check_scale_path(out, at, scale, "specReplicasPath", ".spec.", ".spec", false);
	check_scale_path(out, at, scale, "statusReplicasPath", ".status.", ".status", false);
	check_scale_path(
	    out, at, scale, "labelSelectorPath", ".status.", "either .spec or .status", true);
}

static bool
selectable(const json_t *schema)
{
	static const char *const types[] = { "string", "boolean", "integer", NULL };

	return text_in(text(schema, "type"), types);
}

void
check_selectable(
    struct causes *out, const struct path *at, const json_t *fields, const json_t *schema)
{
	enum { MOST = 8 };
	json_auto_t *seen = json_object();
	size_t i;
	json_t *field;

	json_array_foreach (fields, i, field) {
		const struct path *here = AT(ITEM(at, i), "jsonPath");
		const char *path = text(field, "jsonPath");
		autobuf struct buf plain = BUF_INIT;
		const json_t *found;
		char why[128];

		if (!*path) {
			refuse_required(out, here, "");
			continue;
		}
		found = schema_at(schema, path, false, &plain, why);
		if (!found) {
			refuse_text(out, here, path, "is an invalid path: %s", why);
			continue;
		}
		if (text_starts(plain.data, "metadata") && strchr(".[", plain.data[8]))
			refuse_text(out, here, path, "must not point to fields in metadata");
		if (!selectable(found))
			refuse_text(out, here, path,
			    "must point to a field of type string, boolean or integer. Enum string "
			    "fields and strings with formats are allowed.");
		if (repeats(seen, plain.data))
			refuse_duplicate(out, here, path);
	}
	if (json_object_size(seen) > MOST)
		refuse_too_many(out, at, json_object_size(seen), MOST);
}

/* With a status of its own, what the schema asks of the whole object must not get lost. */
static void
check_root(struct causes *out, const struct path *at, const json_t *schema)
{
	static const char *const allowed[] = { "description", "type", "format", "title", "maximum",
		"exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength", "minLength",
		"pattern", "maxItems", "minItems", "uniqueItems", "multipleOf", "required", "items",
		"properties", "externalDocs", "example", "x-kubernetes-preserve-unknown-fields",
		"x-kubernetes-validations", "nullable", NULL };
	const char *key, *type = text(schema, "type");
	json_t *v;

	if (*type && strcmp(type, "object")) {
		refuse_text(out, AT(at, "type"), type,
		    "only \"object\" is allowed as the type at the root of the schema if the "
		    "status "
		    "subresource is enabled");
		return;
	}
	json_object_foreach ((json_t *)schema, key, v)
		if ((!text_in(key, allowed) || (!strcmp(key, "nullable") && truth(v))) &&
		    !json_is_false(v) && !json_is_null(v)) {
			json_auto_t *shown = crd_shown_schema(schema);

			refuse_value(out, at, shown,
			    "only [Description Type Format Title Maximum ExclusiveMaximum Minimum "
			    "ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems "
			    "UniqueItems MultipleOf Required Items Properties ExternalDocs Example "
			    "XPreserveUnknownFields XValidations] fields are allowed at the root "
			    "of "
			    "the schema if the status subresource is enabled");
			return;
		}
}

void
check_custom_schema(struct causes *out, const struct path *at, const json_t *validation,
    bool status, bool unchanged)
{
	const json_t *schema = json_object_get(validation, "openAPIV3Schema");
	autofree char *where = path_print(AT(at, "openAPIV3Schema"));

	if (!json_is_object(schema))
		return;
	if (status)
		check_root(out, AT(at, "openAPIV3Schema"), schema);
	if (truth(json_object_get(schema, "nullable")))
		refuse_forbidden(out, AT(AT(at, "openAPIV3Schema"), "nullable"),
		    "nullable cannot be true at the root");
	if (!unchanged)
		structural_free(structural_new(schema, where, out));
}

/* One code point of UTF-8; *len gets its bytes, 0 for none. */
static unsigned
code_point(const char *s, size_t *len)
{
	const unsigned char *p = (const unsigned char *)s;
	unsigned c;

	*len = text_utf8(s, strlen(s));
	if (*len < 2)
		return *p;
	c = *p & (0xff >> (*len + 1));
	for (size_t i = 1; i < *len; i++)
		c = c << 6 | (p[i] & 0x3f);
	return c;
}

/* As Go's unicode.IsPrint, but for what Unicode has not assigned: no controls, no white space but
 * the blank, no marks of direction or for private use. */
static bool
printable(unsigned c)
{
	static const unsigned none[][2] = { { 0, 0x1f }, { 0x7f, 0xa0 }, { 0xad, 0xad },
		{ 0x600, 0x605 }, { 0x61c, 0x61c }, { 0x6dd, 0x6dd }, { 0x70f, 0x70f },
		{ 0x1680, 0x1680 }, { 0x180e, 0x180e }, { 0x2000, 0x200f }, { 0x2028, 0x202f },
		{ 0x205f, 0x206f }, { 0x3000, 0x3000 }, { 0xd800, 0xf8ff }, { 0xfeff, 0xfeff },
		{ 0xfff0, 0xfffb }, { 0xfffe, 0xffff }, { 0xe0000, 0x10ffff } };

	for (size_t i = 0; i < COUNT(none); i++)
		if (c >= none[i][0] && c <= none[i][1])
			return false;
	return true;
}

/* One line that can be printed. */
void
check_deprecation(struct causes *out, const struct path *at, const json_t *warning, bool deprecated)
{
	const char *words = str(warning, "");
	enum { MOST = 256 };
	size_t len;

	at = AT(at, "deprecationWarning");
	if (!warning)
		return;
	if (!deprecated) {
		refuse_text(out, at, words, "can only be set for deprecated versions");
		return;
	}
	if (strlen(words) > MOST)
		refuse_text(out, at, words, "must be <= 256 characters long");
	if (!*words)
		refuse_text(out, at, words, "must not be an empty string");
	for (size_t i = 0; words[i]; i += len ? len : 1)
		if (!printable(code_point(words + i, &len))) {
			refuse_text(out, at, words,
			    "must only contain printable UTF-8 characters; non-printable character "
			    "found at index %zu",
			    i);
			break;
		}
}

/* A default somewhere in it? */
static bool
has_default(const json_t *v)
{
	const char *key;
	json_t *part;
	size_t i;

	if (json_is_array(v)) {
		json_array_foreach (v, i, part)
			if (has_default(part))
				return true;
		return false;
	}
	if (json_object_get(v, "default"))
		return true;
	json_object_foreach ((json_t *)v, key, part) {
		static const char *const maps[] = { "properties", "patternProperties",
			"definitions", "dependencies", NULL };
		const char *name;
		json_t *inner;

		if (!strcmp(key, "enum") || !strcmp(key, "example"))
			continue;
		if (!text_in(key, maps) && has_default(part))
			return true;
		if (text_in(key, maps))
			json_object_foreach (part, name, inner)
				if (has_default(inner))
					return true;
	}
	return false;
}

/* What does not go together with objects that keep whatever is in them. */
void
check_with_preserve(struct causes *out, const struct path *at, const json_t *spec)
{
	const json_t *preserve = json_object_get(spec, "preserveUnknownFields");
	const char *strategy = text(json_object_get(spec, "conversion"), "strategy");
	bool defaults = false;
	size_t i;
	json_t *v;

	if (!truth(preserve))
		return;
	json_array_foreach (json_object_get(spec, "versions"), i, v)
		defaults |= has_default(get(v, "schema", "openAPIV3Schema"));
	if (defaults)
		refuse_value(out, AT(at, "preserveUnknownFields"), preserve,
		    "must be false in order to use defaults in the schema");
	if (strcmp(strategy, "None"))
		refuse_text(out, AT(AT(at, "conversion"), "strategy"), strategy,
		    "must be None if spec.preserveUnknownFields is true");
}
