/*
 * YAML documents as JSON values: libyaml's events, built into a tree.
 *
 * libyaml knows the syntax; what a scalar means is yamlscalar.c's.  An alias is a copy
 * of its anchor's value, so that no two places of a tree share a node, and
 * what aliases may add to one document is bounded ("billion laughs").
 */
#include <stdint.h>
#include <string.h>
#include <yaml.h>

#include "base/mem.h"
#include "base/yaml.h"
#include "base/yamlinput.h"
#include "base/yamltag.h"

/* What copies may add to a document: well above the 1.5 MiB an object may have. */
enum { ALIAS_LIMIT = 8 << 20, NODE_WEIGHT = 32 };

struct anchor {
	json_t *value; /* NULL while it is still being read */
	size_t weight;
};

struct yaml {
	yaml_parser_t parser;
	struct yaml_input in;
	unsigned long first_line;
	bool ended;
	struct anchor *anchors;
	size_t nanchors, canchors;
	json_t *names;		/* anchor -> its place among them, the latest of that name */
	size_t copied;		/* the weight of all copies in this document */
	struct buf *duplicates; /* where they are noted, NULL: they are errors */
};

static int node(
    struct yaml *y, yaml_event_t *e, int depth, json_t **ret, size_t *weight, struct err *err);

void
yaml_allow_duplicates(struct yaml *y, struct buf *out)
{
	y->duplicates = out;
}

static struct yaml *
new_yaml(void)
{
	struct yaml *y = xcalloc(1, sizeof *y);

	y->first_line = 1;
	y->names = json_object();
	if (!yaml_parser_initialize(&y->parser))
		abort();
	yaml_parser_set_input(&y->parser, yaml_input_feed, &y->in);
	return y;
}

struct yaml *
yaml_open_reader(ssize_t (*read)(void *arg, char *buf, size_t size), void *arg, unsigned long line)
{
	struct yaml *y = new_yaml();

	yaml_input_reader(&y->in, read, arg);
	y->first_line = line;
	return y;
}

struct yaml *
yaml_open(const char *data, size_t len, FILE *f)
{
	struct yaml *y = new_yaml();

	if (data)
		yaml_input_memory(&y->in, data, len);
	else
		yaml_input_file(&y->in, f);
	return y;
}

void
yaml_first_line(struct yaml *y, unsigned long line)
{
	y->first_line = line;
}

static void
forget_anchors(struct yaml *y)
{
	for (size_t i = 0; i < y->nanchors; i++)
		json_decref(y->anchors[i].value);
	json_object_clear(y->names);
	y->nanchors = 0;
	y->copied = 0;
}

void
yaml_close(struct yaml *y)
{
	if (!y)
		return;
	forget_anchors(y);
	free(y->anchors);
	json_decref(y->names);
	yaml_input_release(&y->in);
	yaml_parser_delete(&y->parser);
	free(y);
}

/* --- errors ---------------------------------------------------------------- */

static int __attribute__((format(printf, 4, 5)))
bad(const struct yaml *y, yaml_mark_t at, struct err *err, const char *fmt, ...)
{
	char msg[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	return err_set(err, ERR_BAD_REQUEST, "%lu:%lu: %s", (unsigned long)at.line + y->first_line,
	    (unsigned long)at.column + 1, msg);
}

/* libyaml gives a byte offset for what is not text at all. */
static int
bad_bytes(struct yaml *y, struct err *err)
{
	const yaml_parser_t *p = &y->parser;
	unsigned long line, column;

	if (y->in.errnum)
		return err_sys(err, y->in.errnum, "cannot read");
	yaml_input_place(&y->in, p->problem_offset, &line, &column);
	line += y->first_line - 1;
	if (p->problem_value == 0)
		return err_set(
		    err, ERR_BAD_REQUEST, "%lu:%lu: a NUL character is not allowed", line, column);
	return err_set(err, ERR_BAD_REQUEST, "%lu:%lu: %s%s", line, column,
	    strstr(p->problem, "UTF-8") ? "invalid UTF-8: " : "", p->problem);
}

static int
syntax(struct yaml *y, struct err *err)
{
	const yaml_parser_t *p = &y->parser;

	if (p->error == YAML_MEMORY_ERROR)
		abort();
	if (p->error == YAML_READER_ERROR)
		return bad_bytes(y, err);
	if (p->context && p->context_mark.line != p->problem_mark.line)
		return bad(y, p->problem_mark, err, "%s (%s that began on line %lu)", p->problem,
		    p->context, (unsigned long)p->context_mark.line + y->first_line);
	return bad(y, p->problem_mark, err, "%s", p->problem);
}

static int
next(struct yaml *y, yaml_event_t *e, struct err *err)
{
	return yaml_parser_parse(&y->parser, e) ? 0 : syntax(y, err);
}

/* --- anchors ------------------------------------------------------------------ */

/* An anchor is known from where it stands, so that one inside its own value can be told. */
static size_t
anchor_begin(struct yaml *y, const yaml_char_t *name)
{
	if (!name)
		return SIZE_MAX;
	GROW(y->anchors, y->nanchors, y->canchors);
	y->anchors[y->nanchors] = (struct anchor){ NULL, 0 };
	json_object_set_new(y->names, (const char *)name, json_integer((json_int_t)y->nanchors));
	return y->nanchors++;
}

static void
anchor_end(struct yaml *y, size_t i, json_t *value, size_t weight)
{
	if (i == SIZE_MAX)
		return;
	y->anchors[i].value = json_incref(value);
	y->anchors[i].weight = weight;
}

/* How many levels a value has. */
static int
height(const json_t *v)
{
	int most = 0, h;
	const char *key;
	json_t *item;
	size_t i;

	json_object_foreach ((json_t *)v, key, item)
		most = (h = height(item)) > most ? h : most;
	json_array_foreach (v, i, item)
		most = (h = height(item)) > most ? h : most;
	return most + 1;
}

static int
alias(
    struct yaml *y, const yaml_event_t *e, int depth, json_t **ret, size_t *weight, struct err *err)
{
	const char *name = (const char *)e->data.alias.anchor;
	const json_t *place = json_object_get(y->names, name);
	const struct anchor *a;

	if (!place)
		return bad(y, e->start_mark, err, "unknown anchor '%s'", name);
	a = &y->anchors[json_integer_value(place)];
	if (!a->value)
		return bad(y, e->start_mark, err, "anchor '%s' contains itself", name);
	y->copied += a->weight;
	if (y->copied > ALIAS_LIMIT)
		return bad(y, e->start_mark, err,
		    "aliases expand to more than %d MiB: refused at '*%s'", ALIAS_LIMIT >> 20,
		    name);
	if (depth - 1 + height(a->value) > YAML_DEPTH)
		return bad(y, e->start_mark, err, "nested deeper than %d levels by '*%s'",
		    YAML_DEPTH, name);
	*weight = a->weight;
	*ret = json_deep_copy(a->value);
	return 0;
}

/* --- nodes ---------------------------------------------------------------------- */

static int
scalar(struct yaml *y, const yaml_event_t *e, json_t **ret, size_t *weight, struct err *err)
{
	const char *text = (const char *)e->data.scalar.value;
	size_t len = e->data.scalar.length;
	struct err why;

	*weight = NODE_WEIGHT + len;
	if (memchr(text, '\0', len))
		return bad(y, e->start_mark, err, "a NUL character is not allowed in a string");
	if (e->data.scalar.tag)
		*ret = yaml_tagged((const char *)e->data.scalar.tag, text, len, &why);
	else if (e->data.scalar.plain_implicit)
		*ret = yaml_scalar(text, len, &why);
	else
		*ret = json_stringn_nocheck(text, len);
	return *ret ? 0 : bad(y, e->start_mark, err, "%s", why.msg);
}

/* Events until the end of this sequence or mapping: 1 for a child, 0 at the end. */
static int
child(struct yaml *y, yaml_event_t *e, yaml_event_type_t end, struct err *err)
{
	int r = next(y, e, err);

	if (r < 0)
		return r;
	if (e->type != end)
		return 1;
	yaml_event_delete(e);
	return 0;
}

static int
sequence(struct yaml *y, int depth, json_t **ret, size_t *weight, struct err *err)
{
	json_auto_t *list = json_array();
	yaml_event_t e;
	int r;

	*weight = NODE_WEIGHT;
	while ((r = child(y, &e, YAML_SEQUENCE_END_EVENT, err)) > 0) {
		json_t *item;
		size_t w;

		if ((r = node(y, &e, depth + 1, &item, &w, err)) < 0)
			return r;
		json_array_append_new(list, item);
		*weight += w;
	}
	if (r < 0)
		return r;
	*ret = steal(list);
	return 0;
}

static bool
is_merge(const yaml_event_t *e)
{
	if (e->type != YAML_SCALAR_EVENT || strcmp((const char *)e->data.scalar.value, "<<") != 0)
		return false;
	return e->data.scalar.tag
		   ? strcmp((const char *)e->data.scalar.tag, "tag:yaml.org,2002:merge") == 0
		   : e->data.scalar.plain_implicit;
}

/* A key as text.  The event is consumed. */
static int
key_text(struct yaml *y, yaml_event_t *e, int depth, char **ret, struct err *err)
{
	yaml_mark_t at = e->start_mark;
	json_t *key;
	size_t w;
	int r;

	if ((r = node(y, e, depth + 1, &key, &w, err)) < 0)
		return r;
	*ret = yaml_key(key);
	json_decref(key);
	return *ret ? 0 : bad(y, at, err, "a key must be a string, a number or a boolean");
}

/* "<<: *base" or "<<: [*a, *b]": what is merged is kept until the mapping is complete. */
static int
merge_value(struct yaml *y, int depth, json_t *merges, size_t *weight, struct err *err)
{
	json_auto_t *value = NULL;
	yaml_event_t e;
	yaml_mark_t at;
	size_t i;
	json_t *item;
	int r;

	if ((r = next(y, &e, err)) < 0)
		return r;
	at = e.start_mark;
	if ((r = node(y, &e, depth + 1, &value, weight, err)) < 0)
		return r;
	if (json_is_object(value)) {
		json_array_append(merges, value);
		return 0;
	}
	if (!json_is_array(value))
		return bad(y, at, err, "'<<' takes a mapping or a list of mappings");
	json_array_foreach (value, i, item) {
		if (!json_is_object(item))
			return bad(y, at, err, "'<<' takes a mapping or a list of mappings");
		json_array_append(merges, item);
	}
	return 0;
}

/* A key that is a string as it stands, which nearly all are: then its bytes change hands. */
static char *
plain_key(yaml_event_t *e)
{
	char *s;

	if (e->type != YAML_SCALAR_EVENT || e->data.scalar.anchor || e->data.scalar.tag)
		return NULL;
	s = (char *)e->data.scalar.value;
	if (strlen(s) != e->data.scalar.length ||
	    (e->data.scalar.plain_implicit && yaml_is_special(s, e->data.scalar.length)))
		return NULL;
	e->data.scalar.value = NULL;
	return s;
}

static int
pair(struct yaml *y, yaml_event_t *e, int depth, json_t *map, size_t *weight, struct err *err)
{
	autofree char *key = plain_key(e);
	yaml_mark_t at = e->start_mark;
	size_t before = json_object_size(map), w;
	yaml_event_t v;
	json_t *value;
	int r;

	if (key)
		yaml_event_delete(e);
	else if ((r = key_text(y, e, depth, &key, err)) < 0)
		return r;
	if ((r = next(y, &v, err)) < 0 || (r = node(y, &v, depth + 1, &value, &w, err)) < 0)
		return r;
	json_object_set_new_nocheck(map, key, value);
	if (json_object_size(map) == before && y->duplicates)
		buf_printf(y->duplicates, "line %lu: key \"%s\" already set in map\n",
		    (unsigned long)at.line + y->first_line, key);
	else if (json_object_size(map) == before)
		return bad(y, at, err, "duplicate key '%s'", key);
	*weight += w + strlen(key);
	return 0;
}

static int
mapping(struct yaml *y, int depth, json_t **ret, size_t *weight, struct err *err)
{
	json_auto_t *map = json_object();
	json_auto_t *merges = NULL;
	yaml_event_t e;
	size_t i, w = 0;
	json_t *m;
	int r;

	*weight = NODE_WEIGHT;
	while ((r = child(y, &e, YAML_MAPPING_END_EVENT, err)) > 0) {
		if (is_merge(&e)) {
			yaml_event_delete(&e);
			merges = merges ? merges : json_array();
			r = merge_value(y, depth, merges, &w, err);
			*weight += w;
		} else {
			r = pair(y, &e, depth, map, weight, err);
		}
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	/* The mapping's own keys win, then earlier merges (YAML 1.1 merge type). */
	json_array_foreach (merges, i, m)
		json_object_update_missing(map, m);
	*ret = steal(map);
	return 0;
}

/* The value that starts with this event, which is consumed. */
static int
node(struct yaml *y, yaml_event_t *e, int depth, json_t **ret, size_t *weight, struct err *err)
{
	size_t a = SIZE_MAX;
	int r;

	if (depth > YAML_DEPTH) {
		r = bad(y, e->start_mark, err, "nested deeper than %d levels", YAML_DEPTH);
		yaml_event_delete(e);
		return r;
	}
	switch (e->type) {
	case YAML_ALIAS_EVENT:
		r = alias(y, e, depth, ret, weight, err);
		yaml_event_delete(e);
		return r;
	case YAML_SCALAR_EVENT:
		a = anchor_begin(y, e->data.scalar.anchor);
		r = scalar(y, e, ret, weight, err);
		yaml_event_delete(e);
		break;
	case YAML_SEQUENCE_START_EVENT:
		a = anchor_begin(y, e->data.sequence_start.anchor);
		yaml_event_delete(e);
		r = sequence(y, depth, ret, weight, err);
		break;
	case YAML_MAPPING_START_EVENT:
		a = anchor_begin(y, e->data.mapping_start.anchor);
		yaml_event_delete(e);
		r = mapping(y, depth, ret, weight, err);
		break;
	default:
		r = bad(y, e->start_mark, err, "a value is missing");
		yaml_event_delete(e);
		return r;
	}
	if (r == 0)
		anchor_end(y, a, *ret, *weight);
	return r;
}

/* The document that this event begins. */
static int
document(struct yaml *y, json_t **ret, unsigned long *line, struct err *err)
{
	yaml_event_t e;
	json_t *value;
	size_t weight;
	int r;

	forget_anchors(y);
	if ((r = next(y, &e, err)) < 0)
		return r;
	*line = (unsigned long)e.start_mark.line + y->first_line;
	if ((r = node(y, &e, 1, &value, &weight, err)) < 0)
		return r;
	if ((r = next(y, &e, err)) < 0) { /* the end of the document */
		json_decref(value);
		return r;
	}
	yaml_event_delete(&e);
	*ret = value;
	return 1;
}

int
yaml_read(struct yaml *y, json_t **ret, unsigned long *line, struct err *err)
{
	yaml_event_t e;
	int r = 0;

	while (!y->ended) {
		unsigned long at;
		json_t *value;

		if ((r = next(y, &e, err)) < 0)
			break;
		y->ended = e.type == YAML_STREAM_END_EVENT;
		if (e.type != YAML_DOCUMENT_START_EVENT) {
			yaml_event_delete(&e);
			continue;
		}
		yaml_event_delete(&e);
		if ((r = document(y, &value, &at, err)) < 0)
			break;
		if (json_is_null(value)) {
			json_decref(value);
			continue;
		}
		*ret = value;
		*line = at;
		return 1;
	}
	y->ended = true;
	return r < 0 ? r : 0;
}
