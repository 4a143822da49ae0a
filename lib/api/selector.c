#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "api/requirement.h"
#include "api/selector.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

static void
requirement_release(struct requirement *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->values[i]);
	free(r->values);
	free(r->key);
}

void
selector_free(struct selector *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		requirement_release(&s->item[i]);
	free(s->item);
	free(s);
}

struct requirement *
requirement_add(struct selector *s, char *key, enum op op)
{
	GROW(s->item, s->n, s->cap);
	s->item[s->n] = (struct requirement){ .key = key, .op = op };
	return &s->item[s->n++];
}

void
requirement_add_value(struct requirement *r, char *value)
{
	size_t at = 0;

	while (at < r->n && strcmp(r->values[at], value) < 0)
		at++;
	if (at < r->n && strcmp(r->values[at], value) == 0) {
		free(value);
		return;
	}
	GROW(r->values, r->n, r->cap);
	memmove(r->values + at + 1, r->values + at, (r->n - at) * sizeof *r->values);
	r->values[at] = value;
	r->n++;
}

static int
by_key(const void *a, const void *b)
{
	const struct requirement *x = a, *y = b;

	return strcmp(x->key, y->key);
}

void
selector_sort(struct selector *s)
{
	if (s->n)
		qsort(s->item, s->n, sizeof *s->item, by_key);
}

/* --- from objects -------------------------------------------------------- */

static void
add_map(struct selector *s, const json_t *map)
{
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)map, key, v)
		requirement_add_value(
		    requirement_add(s, xstrdup(key), OP_EQUAL), xstrdup(str(v, "")));
}

static int
add_expression(struct selector *s, const json_t *e, struct err *err)
{
	static const char *const names[] = { "In", "NotIn", "Exists", "DoesNotExist" };
	static const enum op ops[] = { OP_IN, OP_NOT_IN, OP_EXISTS, OP_ABSENT };
	const char *name = text(e, "operator");
	struct requirement *r;
	size_t i;
	json_t *v;

	for (i = 0; i < COUNT(names); i++)
		if (strcmp(name, names[i]) == 0)
			break;
	if (i == COUNT(names))
		return err_set(
		    err, ERR_BAD_REQUEST, "\"%s\" is not a valid label selector operator", name);
	r = requirement_add(s, xstrdup(text(e, "key")), ops[i]);
	json_array_foreach (get(e, "values"), i, v)
		requirement_add_value(r, xstrdup(str(v, "")));
	if ((r->op == OP_IN || r->op == OP_NOT_IN) && r->n == 0)
		return err_set(err, ERR_BAD_REQUEST,
		    "values: Invalid value: []: for 'in', 'notin' operators, values set can't be "
		    "empty");
	if ((r->op == OP_EXISTS || r->op == OP_ABSENT) && r->n)
		return err_set(err, ERR_BAD_REQUEST,
		    "values: Invalid value: values set must be empty for exists and does not "
		    "exist");
	return 0;
}

static int
from_json(struct selector *s, const json_t *label_selector, struct err *err)
{
	size_t i;
	json_t *e;
	int r;

	add_map(s, get(label_selector, "matchLabels"));
	json_array_foreach (get(label_selector, "matchExpressions"), i, e)
		if ((r = add_expression(s, e, err)) < 0)
			return r;
	for (i = 0; i < s->n; i++)
		if ((r = requirement_check(&s->item[i], false, err)) < 0)
			return r;
	return 0;
}

int
selector_from_json(struct selector **ret, const json_t *label_selector, struct err *err)
{
	struct selector *s = xcalloc(1, sizeof *s);
	int r = from_json(s, label_selector, err);

	if (r < 0) {
		selector_free(s);
		return r;
	}
	s->nothing = !json_is_object(label_selector);
	selector_sort(s);
	*ret = s;
	return 0;
}

struct selector *
selector_from_map(const json_t *map)
{
	struct selector *s = xcalloc(1, sizeof *s);

	add_map(s, map);
	selector_sort(s);
	return s;
}

/* --- matching ------------------------------------------------------------ */

bool
requirement_lists(const struct requirement *r, const char *value)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->values[i], value) == 0)
			return true;
	return false;
}

static bool
holds(const struct requirement *r, const char *value)
{
	long long have, want;

	switch (r->op) {
	case OP_IN:
	case OP_EQUAL:
	case OP_DOUBLE_EQUAL:
		return value && requirement_lists(r, value);
	case OP_NOT_IN:
	case OP_NOT_EQUAL:
		return !value || !requirement_lists(r, value);
	case OP_GREATER:
	case OP_LESS:
		if (!value || !text_int(value, &have) || !text_int(r->values[0], &want))
			return false;
		return r->op == OP_GREATER ? have > want : have < want;
	case OP_EXISTS:
		return value != NULL;
	case OP_ABSENT:
		return value == NULL;
	}
	return false;
}

bool
selector_empty(const struct selector *s)
{
	return s->n == 0 && !s->nothing;
}

bool
selector_match_by(
    const struct selector *s, const char *(*value)(const char *key, void *arg), void *arg)
{
	if (s->nothing)
		return false;
	for (size_t i = 0; i < s->n; i++)
		if (!holds(&s->item[i], value(s->item[i].key, arg)))
			return false;
	return true;
}

static const char *
label_value(const char *key, void *labels)
{
	return str(json_object_get(labels, key), NULL);
}

bool
selector_match(const struct selector *s, const json_t *labels)
{
	return selector_match_by(s, label_value, (json_t *)labels);
}

const char *
selector_exact(const struct selector *s, const char *key)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct requirement *r = &s->item[i];

		if ((r->op == OP_EQUAL || r->op == OP_DOUBLE_EQUAL || r->op == OP_IN) &&
		    r->n == 1 && strcmp(r->key, key) == 0)
			return r->values[0];
	}
	return NULL;
}

/* --- printing ------------------------------------------------------------ */

static void
print_escaped(struct buf *b, const char *s)
{
	for (; *s; s++) {
		if (strchr("\\,=", *s))
			buf_putc(b, '\\');
		buf_putc(b, *s);
	}
}

static void
print_values(struct buf *b, const struct requirement *r)
{
	buf_puts(b, r->op == OP_IN ? " in (" : " notin (");
	for (size_t i = 0; i < r->n; i++) {
		if (i)
			buf_putc(b, ',');
		buf_puts(b, r->values[i]);
	}
	buf_putc(b, ')');
}

char *
selector_print(const struct selector *s)
{
	static const char *const sign[] = { [OP_EQUAL] = "=",
		[OP_DOUBLE_EQUAL] = "==",
		[OP_NOT_EQUAL] = "!=",
		[OP_GREATER] = ">",
		[OP_LESS] = "<",
		[OP_EXISTS] = "",
		[OP_ABSENT] = "" };
	struct buf b = BUF_INIT;

	buf_puts(&b, "");
	for (size_t i = 0; i < s->n; i++) {
		const struct requirement *r = &s->item[i];

		if (i)
			buf_putc(&b, ',');
		if (r->op == OP_ABSENT)
			buf_putc(&b, '!');
		buf_puts(&b, r->key);
		if (r->op == OP_IN || r->op == OP_NOT_IN) {
			print_values(&b, r);
			continue;
		}
		buf_puts(&b, sign[r->op]);
		if (r->n == 0)
			continue;
		if (s->fields)
			print_escaped(&b, r->values[0]);
		else
			buf_puts(&b, r->values[0]);
	}
	return buf_detach(&b);
}
