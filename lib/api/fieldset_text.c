/*
 * The elements of field paths as text, and sets as FieldsV1.
 *
 * The text of a key, value or index is JSON in one form only (fields in order, no spaces,
 * whole numbers without a fraction), so that the same element is always the same text.
 */
#include <math.h>
#include <string.h>

#include "api/fieldset.h"
#include "base/mem.h"

/* --- order --- */

/* JSON scalars: null, then false and true, numbers, strings. */
static int
rank(const char *p)
{
	return *p == 'n' ? 0 : *p == 'f' ? 1 : *p == 't' ? 2 : *p == '"' ? 4 : 3;
}

/* Compares the scalars that two texts begin with; when they are the same moves behind them. */
static int
scalar_cmp(const char **a, const char **b)
{
	const char *p = *a, *q = *b;
	bool string = *p == '"';

	if (rank(p) != rank(q))
		return rank(p) - rank(q);
	if (rank(p) == 3) {
		char *pe, *qe;
		double x = strtod(p, &pe), y = strtod(q, &qe);

		if (x != y)
			return x < y ? -1 : 1;
	}
	if (string)
		p++, q++;
	for (; *p && *p == *q; p++, q++) {
		if (string ? *p == '"' : *p == ',' || *p == '}')
			break;
		if (string && *p == '\\' && p[1] && p[1] == q[1])
			p++, q++;
	}
	if (*p != *q) {
		bool pend = !*p || *p == '"', qend = !*q || *q == '"';

		return pend || qend ? qend - pend : (unsigned char)*p - (unsigned char)*q;
	}
	*a = p + (string && *p);
	*b = q + (string && *q);
	return 0;
}

/* {"containerPort":80,"protocol":"TCP"}: name by name, value by value. */
static int
key_cmp(const char *a, const char *b)
{
	int c;

	while (*a == *b && (*a == '{' || *a == ',' || *a == ':')) {
		a++, b++;
		if ((c = scalar_cmp(&a, &b)))
			return c;
	}
	return strcmp(a, b);
}

int
element_cmp(struct element a, struct element b)
{
	int c;

	if (a.kind != b.kind)
		return a.kind < b.kind ? -1 : 1;
	if (a.text == b.text)
		return 0;
	c = strcmp(a.text, b.text);
	if (c == 0 || a.kind == ELEMENT_FIELD)
		return c;
	if (a.kind == ELEMENT_KEY)
		return key_cmp(a.text, b.text);
	if ((c = scalar_cmp(&a.text, &b.text)))
		return c;
	return strcmp(a.text, b.text);
}

/* --- for people --- */

/* {"a":1,"b":"x"} as [a=1,b="x"] */
static void
print_key(const char *text, struct buf *b)
{
	json_t *key = json_loads(text, 0, NULL), *v;
	const char *name, *sep = "[";

	json_object_foreach (key, name, v) {
		char *json = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);

		buf_printf(b, "%s%s=%s", sep, name, json ? json : "");
		free(json);
		sep = ",";
	}
	buf_putc(b, ']');
	json_decref(key);
}

void
element_print(struct element e, struct buf *b)
{
	switch (e.kind) {
	case ELEMENT_FIELD:
		buf_putc(b, '.');
		buf_puts(b, e.text);
		break;
	case ELEMENT_KEY:
		print_key(e.text, b);
		break;
	case ELEMENT_VALUE:
		buf_printf(b, "[=%s]", e.text);
		break;
	case ELEMENT_INDEX:
		buf_printf(b, "[%s]", e.text);
		break;
	}
}

/* --- making elements --- */

static int
put_bytes(const char *data, size_t len, void *b)
{
	buf_add(b, data, len);
	return 0;
}

static void
put_scalar(struct buf *b, const json_t *v)
{
	const char *s = json_string_value(v);

	if (json_is_real(v) && fabs(json_real_value(v)) < 1e15 &&
	    floor(json_real_value(v)) == json_real_value(v)) {
		buf_printf(b, "%.0f", json_real_value(v));
	} else if (s && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-."
				  "/_: ") == json_string_length(v)) {
		buf_putc(b, '"');
		buf_add(b, s, json_string_length(v));
		buf_putc(b, '"');
	} else {
		json_dump_callback(
		    v, put_bytes, b, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
	}
}

struct element
element_value(struct arena *a, const json_t *value)
{
	struct element e = { ELEMENT_VALUE, NULL };
	autobuf struct buf b = BUF_INIT;

	put_scalar(&b, value);
	e.text = arena_text(a, b.data ? b.data : "", b.len);
	return e;
}

/* The keys in alphabetical order, one after the other: there are three at most. */
static size_t
next_key(const char *const *keys, size_t n, const char *last)
{
	size_t best = n;

	for (size_t i = 0; i < n; i++)
		if ((!last || strcmp(keys[i], last) > 0) &&
		    (best == n || strcmp(keys[i], keys[best]) < 0))
			best = i;
	return best;
}

struct element
element_key(struct arena *a, const json_t *item, const char *const *keys, const char *const *dflt,
    size_t n, const char **missing)
{
	struct element e = { ELEMENT_KEY, NULL };
	autobuf struct buf b = BUF_INIT;
	const char *last = NULL;

	for (size_t k, i = 0; i < n && (k = next_key(keys, n, last)) < n; i++) {
		const json_t *v = json_object_get(item, keys[k]);

		last = keys[k];
		buf_printf(&b, "%s\"%s\":", i ? "," : "{", last);
		if (v && !json_is_null(v)) {
			put_scalar(&b, v);
		} else if (dflt[k]) {
			buf_puts(&b, dflt[k]);
		} else {
			*missing = last;
			return e;
		}
	}
	buf_putc(&b, '}');
	e.text = arena_text(a, b.data, b.len);
	return e;
}

/* --- FieldsV1 --- */

static const char prefixes[] = "fkvi";

/* "k:{...}" in its one form; text NULL when it is not JSON of the right sort. */
static struct element
read_element(struct arena *a, const char *key)
{
	const char *p = strchr(prefixes, key[0]);
	struct element e = { ELEMENT_FIELD, NULL };
	json_t *v;

	if (!key[0] || !p || key[1] != ':')
		return e;
	e.kind = (enum element_kind)(p - prefixes);
	if (e.kind == ELEMENT_FIELD) {
		e.text = key + 2;
		return e;
	}
	v = json_loads(key + 2, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	if (e.kind == ELEMENT_INDEX ? json_is_integer(v)
	    : e.kind == ELEMENT_KEY ? json_object_size(v) > 0
				    : v != NULL) {
		autobuf struct buf b = BUF_INIT;

		put_scalar(&b, v);
		e.text = arena_text(a, b.data, b.len);
	}
	json_decref(v);
	return e;
}

static int
read_level(struct arena *a, const json_t *fields, int depth, struct fieldset *ret, bool *self,
    struct err *err)
{
	const char *key;
	json_t *v;
	int r;

	if (!json_is_object(fields) || depth > 1000)
		return err_set(err, ERR_BAD_REQUEST, "fieldsV1 is not made of objects");
	json_object_foreach ((json_t *)fields, key, v) {
		struct element at;
		struct fieldnode *node;
		struct fieldset below = FIELDSET_EMPTY;
		bool member = false;

		if (strcmp(key, ".") == 0) {
			*self = true;
			continue;
		}
		at = read_element(a, key);
		if (!at.text)
			return err_set(
			    err, ERR_BAD_REQUEST, "fieldsV1 has the odd key '%.200s'", key);
		if (json_is_object(v) && json_object_size(v) == 0)
			member = true;
		else if ((r = read_level(a, v, depth + 1, &below, &member, err)) < 0)
			return r;
		node = fieldset_add(a, ret, at);
		node->member = member || !below.n;
		node->below = below;
	}
	fieldset_sort(ret);
	return 0;
}

int
fieldset_read(struct arena *a, const json_t *fields, struct fieldset *ret, struct err *err)
{
	struct fieldset s = FIELDSET_EMPTY;
	bool self = false;
	int r = read_level(a, fields, 0, &s, &self, err);

	if (r == 0)
		*ret = s;
	return r;
}

static json_t *
write_level(const struct fieldset *s, struct buf *key)
{
	json_t *ret = json_object();

	for (uint32_t i = 0; i < s->n; i++) {
		const struct fieldnode *node = &s->node[i];
		json_t *below = write_level(&node->below, key);

		if (node->member && node->below.n) {
			json_t *all = json_object();

			json_object_set_new(all, ".", json_object());
			json_object_update(all, below);
			json_decref(below);
			below = all;
		}
		buf_clear(key);
		buf_putc(key, prefixes[node->at.kind]);
		buf_putc(key, ':');
		buf_puts(key, node->at.text);
		json_object_set_new(ret, key->data, below);
	}
	return ret;
}

json_t *
fieldset_json(const struct fieldset *s)
{
	autobuf struct buf key = BUF_INIT;

	return write_level(s, &key);
}
