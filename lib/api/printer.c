#include <ctype.h>
#include <string.h>

#include "api/jsonpath.h"
#include "api/meta.h"
#include "api/printer.h"
#include "api/printer_table.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/yaml.h"

enum format { TABLE, WIDE, JSON, YAML, JSONL, NAME, JSONPATH, JSONPATH_FILE, CUSTOM, CUSTOM_FILE };

/* Formats that take something behind '=' end with it here. */
static const struct {
	const char *text;
	enum format format;
} formats[] = {
	{ "table", TABLE },
	{ "wide", WIDE },
	{ "json", JSON },
	{ "yaml", YAML },
	{ "jsonl", JSONL },
	{ "name", NAME },
	{ "jsonpath=", JSONPATH },
	{ "jsonpath-file=", JSONPATH_FILE },
	{ "custom-columns=", CUSTOM },
	{ "custom-columns-file=", CUSTOM_FILE },
};

struct printer {
	enum format format;
	const struct printer_options *o;
	struct jsonpath *template;
	struct tables *tables;
	struct custom *custom;
	json_t *held; /* an array: objects that go into one List */
	bool listing; /* json: the beginning of a List is out */
	size_t count;
};

/* The format that text begins with, *rest behind its '='; -1 for none. */
static int
format_of(const char *text, const char **rest)
{
	for (size_t i = 0; i < COUNT(formats); i++) {
		size_t len = strlen(formats[i].text);

		*rest = text + len;
		if (formats[i].text[len - 1] == '=' ? text_starts(text, formats[i].text)
						    : strcmp(text, formats[i].text) == 0)
			return (int)formats[i].format;
	}
	return -1;
}

const char *
printer_file(const char *format)
{
	const char *rest;
	int f = format_of(format, &rest);

	return f == JSONPATH_FILE || f == CUSTOM_FILE ? rest : NULL;
}

/* What a template or column format prepares. */
static int
setup(struct printer *p, const char *rest, struct err *err)
{
	const char *file = p->o->file_text ? p->o->file_text : "";

	switch (p->format) {
	case TABLE:
	case WIDE:
		p->tables = tables_new(p->format == WIDE, p->o);
		return 0;
	case JSONPATH:
		return jsonpath_parse(&p->template, rest, err);
	case JSONPATH_FILE:
		p->format = JSONPATH;
		return jsonpath_parse(&p->template, file, err);
	case CUSTOM:
		return custom_new(&p->custom, rest, false, p->o, err);
	case CUSTOM_FILE:
		p->format = CUSTOM;
		return custom_new(&p->custom, file, true, p->o, err);
	default:
		p->held = json_array();
		return 0;
	}
}

int
printer_new(
    struct printer **ret, const char *format, const struct printer_options *o, struct err *err)
{
	struct printer *p = xcalloc(1, sizeof *p);
	const char *rest;
	int f = format_of(format, &rest), r;

	if (f < 0) {
		free(p);
		return err_set(err, ERR_BAD_REQUEST,
		    "unknown output format '%s': use table, wide, json, yaml, jsonl, name, "
		    "jsonpath=..., custom-columns=...",
		    format);
	}
	p->format = (enum format)f;
	p->o = o;
	if ((r = setup(p, rest, err)) < 0) {
		printer_free(p);
		return r;
	}
	if (!p->held)
		p->held = json_array();
	*ret = p;
	return 0;
}

void
printer_free(struct printer *p)
{
	if (!p)
		return;
	jsonpath_free(p->template);
	tables_free(p->tables);
	custom_free(p->custom);
	json_decref(p->held);
	free(p);
}

char *
printer_name(const json_t *obj)
{
	char buf[128];
	struct buf b = BUF_INIT;

	for (const char *p = meta_group_kind(obj, buf); *p; p++)
		buf_putc(&b, (char)tolower((unsigned char)*p));
	buf_printf(&b, "/%s", meta_name(obj));
	return buf_detach(&b);
}

/* One object or List for people. */
static void
print_whole(const struct printer *p, const json_t *obj, struct buf *out)
{
	if (p->format == JSON) {
		json_add_pretty(out, obj, !p->o->keep_order);
		buf_putc(out, '\n');
	} else if (p->o->keep_order) {
		yaml_write(out, obj);
	} else {
		yaml_write_sorted(out, obj);
	}
}

static void
list_item(struct printer *p, const json_t *obj, struct buf *out)
{
	buf_puts(out, p->listing ? ",\n        "
				 : "{\n    \"apiVersion\": \"v1\",\n    \"items\": [\n        ");
	p->listing = true;
	json_add_pretty_at(out, obj, !p->o->keep_order, 2);
}

/* A List goes out piece by piece; only the first object waits, for it may be the only one. */
static int
print_json(struct printer *p, json_t *obj, struct buf *out)
{
	if (p->o->list == PRINTER_LIST_NEVER) {
		print_whole(p, obj, out);
	} else if (p->o->list == PRINTER_LIST_AUTO && p->count == 1) {
		json_array_append(p->held, obj);
	} else {
		if (json_array_size(p->held) > 0)
			list_item(p, json_array_get(p->held, 0), out);
		json_array_clear(p->held);
		list_item(p, obj, out);
	}
	return 0;
}

static int
print_yaml(struct printer *p, json_t *obj, struct buf *out)
{
	if (p->o->list == PRINTER_LIST_ALWAYS) {
		json_array_append(p->held, obj);
		return 0;
	}
	if (p->count > 1)
		buf_puts(out, "---\n");
	print_whole(p, obj, out);
	return 0;
}

static int
print_template(struct printer *p, json_t *obj, struct buf *out, struct err *err)
{
	int r;

	if (p->o->list != PRINTER_LIST_NEVER) {
		json_array_append(p->held, obj);
		return 0;
	}
	r = jsonpath_print(p->template, obj, out, err);
	buf_putc(out, '\n');
	return r;
}

int
printer_add(struct printer *p, json_t *obj, struct buf *out, struct err *err)
{
	char *name;

	p->count++;
	switch (p->format) {
	case JSON:
		return print_json(p, obj, out);
	case YAML:
		return print_yaml(p, obj, out);
	case JSONL:
		jsonl_add(out, obj);
		return 0;
	case NAME:
		name = printer_name(obj);
		buf_printf(out, "%s\n", name);
		free(name);
		return 0;
	case JSONPATH:
		return print_template(p, obj, out, err);
	case CUSTOM:
		return custom_add(p->custom, obj, err);
	default:
		tables_add(p->tables, obj);
		return 0;
	}
}

/* What is held as one value: the only object itself, or a List. */
static json_t *
whole(const struct printer *p)
{
	if (p->o->list == PRINTER_LIST_AUTO && json_array_size(p->held) == 1)
		return json_incref(json_array_get(p->held, 0));
	return json_pack("{s:s, s:O, s:s, s:{s:s}}", "apiVersion", "v1", "items", p->held, "kind",
	    "List", "metadata", "resourceVersion", "");
}

int
printer_end(struct printer *p, struct buf *out, struct err *err)
{
	json_auto_t *all = NULL;

	printer_flush(p, out);
	if (p->listing) {
		buf_puts(out, "\n    ],\n    \"kind\": \"List\",\n    \"metadata\": {\n        "
			      "\"resourceVersion\": \"\"\n    }\n}\n");
		return 0;
	}
	if (p->o->list == PRINTER_LIST_NEVER ||
	    (p->o->list == PRINTER_LIST_AUTO && json_array_size(p->held) == 0))
		return 0;
	if (p->format == JSONPATH)
		return jsonpath_print(p->template, all = whole(p), out, err);
	if (p->format == JSON || (p->format == YAML && p->o->list == PRINTER_LIST_ALWAYS))
		print_whole(p, all = whole(p), out);
	return 0;
}

void
printer_flush(struct printer *p, struct buf *out)
{
	if (p->tables)
		tables_print(p->tables, out);
	if (p->custom && p->count > 0)
		custom_print(p->custom, out);
}
