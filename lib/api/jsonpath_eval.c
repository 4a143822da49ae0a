/* Evaluating JSONPath templates: every step turns a list of values into the next. */
#include <string.h>

#include "api/jsonpath_node.h"
#include "base/jsonl.h"
#include "base/mem.h"

/*
 * What a template may find, in all, and print: nested ranges and ".." over ".." grow
 * without sense.
 */
enum { FOUND_LIMIT = 10 * 1000 * 1000, TEXT_LIMIT = 256 << 20 };

struct run {
	json_t *root;
	struct err *err;
	size_t found;
};

void
found_release(struct found *f)
{
	free(f->item);
	*f = (struct found)FOUND_INIT;
}

static void
take(struct found *f, json_t *v)
{
	if (!v)
		return;
	GROW(f->item, f->n, f->cap);
	f->item[f->n++] = v;
}

static int walk(struct run *r, const struct node *n, const struct found *in, struct found *out);

/* Every member of an object, every item of a list. */
static void
take_all(struct found *out, json_t *v)
{
	const char *key;
	json_t *item;
	size_t i;

	json_object_foreach (v, key, item)
		take(out, item);
	json_array_foreach (v, i, item)
		take(out, item);
}

static int
too_much(struct run *r)
{
	return err_set(
	    r->err, ERR_TOO_LARGE, "the template finds more than %d values", FOUND_LIMIT);
}

static int
descend(struct run *r, json_t *v, struct found *out)
{
	const char *key;
	json_t *item;
	size_t i;

	if (out->n > FOUND_LIMIT)
		return too_much(r);
	if (json_is_object(v) || json_is_array(v))
		take(out, v);
	json_object_foreach (v, key, item)
		if (descend(r, item, out) < 0)
			return -ERR_TOO_LARGE;
	json_array_foreach (v, i, item)
		if (descend(r, item, out) < 0)
			return -ERR_TOO_LARGE;
	return 0;
}

static void
slice(const struct node *n, json_t *v, struct found *out)
{
	long size = (long)json_array_size(v), from = n->from, to = n->has_to ? n->to : size;

	if (from < 0)
		from += size;
	if (n->single) {
		if (from >= 0)
			take(out, json_array_get(v, (size_t)from));
		return;
	}
	if (to < 0)
		to += size;
	if (to > size)
		to = size;
	if (from < 0)
		from = 0;
	for (long i = from; i < to; i += n->step) {
		take(out, json_array_get(v, (size_t)i));
		if (n->step >= to - i)
			break; /* also keeps i from overflowing */
	}
}

/* -1, 0, 1 as a is less, equal, greater; 2 when they cannot be compared. */
static int
compare(const json_t *a, const json_t *b)
{
	if (json_is_number(a) && json_is_number(b)) {
		double x = json_number_value(a), y = json_number_value(b);

		if (json_is_integer(a) && json_is_integer(b))
			return (json_integer_value(a) > json_integer_value(b)) -
			       (json_integer_value(a) < json_integer_value(b));
		return (x > y) - (x < y);
	}
	if (json_is_string(a) && json_is_string(b)) {
		int c = strcmp(json_string_value(a), json_string_value(b));

		return (c > 0) - (c < 0);
	}
	return json_equal((json_t *)a, (json_t *)b) ? 0 : 2;
}

static bool
holds(enum compare op, const json_t *a, const json_t *b)
{
	int c = compare(a, b);

	switch (op) {
	case OP_EQ:
		return c == 0;
	case OP_NE:
		return c != 0;
	case OP_LT:
		return c == -1;
	case OP_LE:
		return c == -1 || c == 0;
	case OP_GT:
		return c == 1;
	case OP_GE:
		return c == 1 || c == 0;
	default:
		return true;
	}
}

/* Does the filter hold for this one?  A side that finds nothing makes it false. */
static int
passes(struct run *r, const struct node *n, json_t *v, bool *yes)
{
	struct found one = { &v, 1, 1 }, left = FOUND_INIT, right = FOUND_INIT;
	int e = walk(r, n->child, &one, &left);

	if (e == 0 && n->op != OP_EXISTS)
		e = walk(r, n->body, &one, &right);
	*yes = n->op == OP_EXISTS
		   ? left.n > 0
		   : left.n > 0 && right.n > 0 && holds(n->op, left.item[0], right.item[0]);
	found_release(&left);
	found_release(&right);
	return e;
}

static int
filter(struct run *r, const struct node *n, json_t *v, struct found *out)
{
	struct found all = FOUND_INIT;
	int e = 0;

	take_all(&all, v);
	for (size_t i = 0; i < all.n && e == 0; i++) {
		bool yes;

		e = passes(r, n, all.item[i], &yes);
		if (e == 0 && yes)
			take(out, all.item[i]);
	}
	found_release(&all);
	return e;
}

static int
alternatives(struct run *r, const struct node *n, json_t *v, struct found *out)
{
	const struct found one = { &v, 1, 1 };
	int e = 0;

	for (const struct node *a = n->child; a && e == 0; a = a->next)
		e = walk(r, a->child, &one, out);
	return e;
}

static int
field(struct run *r, const struct node *n, json_t *v, struct found *out)
{
	const struct found one = { &v, 1, 1 };
	json_t *member = json_object_get(v, n->text);

	if (!member && n->child)
		return walk(r, n->child, &one, out);
	take(out, member);
	return 0;
}

static int
step(struct run *r, const struct node *n, json_t *v, struct found *out)
{
	switch (n->type) {
	case NODE_ROOT:
		take(out, r->root);
		return 0;
	case NODE_FIELD:
		return field(r, n, v, out);
	case NODE_WILDCARD:
		take_all(out, v);
		return 0;
	case NODE_RECURSIVE:
		return descend(r, v, out);
	case NODE_SLICE:
		slice(n, v, out);
		return 0;
	case NODE_UNION:
		return alternatives(r, n, v, out);
	case NODE_FILTER:
		return filter(r, n, v, out);
	default:
		take(out, n->value);
		return 0;
	}
}

/* Take the steps from n on; what they find is appended to out. */
static int
walk(struct run *r, const struct node *n, const struct found *in, struct found *out)
{
	struct found now = FOUND_INIT, then = FOUND_INIT;
	int e = 0;

	for (size_t i = 0; i < in->n; i++)
		take(&now, in->item[i]);
	for (; n && e == 0; n = n->next) {
		/* "$" starts again: from one place, however many there were */
		if (n->type == NODE_ROOT && now.n > 1)
			now.n = 1;
		for (size_t i = 0; i < now.n && e == 0; i++) {
			e = step(r, n, now.item[i], &then);
			if (e == 0 && r->found + then.n > FOUND_LIMIT)
				e = too_much(r);
		}
		r->found += then.n;
		found_release(&now);
		now = then;
		then = (struct found)FOUND_INIT;
	}
	for (size_t i = 0; i < now.n && e == 0; i++)
		take(out, now.item[i]);
	found_release(&now);
	return e;
}

void
jsonpath_text(struct buf *out, const json_t *value)
{
	size_t start;

	if (json_is_string(value)) {
		buf_add(out, json_string_value(value), json_string_length(value));
	} else if (json_is_real(value)) {
		start = out->len;
		json_add_real(out, json_real_value(value));
		if (out->len - start > 2 && strcmp(out->data + out->len - 2, ".0") == 0)
			out->data[out->len -= 2] = '\0';
	} else if (!json_is_null(value)) {
		json_add(out, value);
	}
}

static int
print(struct run *r, const struct node *n, json_t *v, struct buf *out)
{
	const struct found one = { &v, 1, 1 };
	int e = 0;

	for (; n && e == 0; n = n->next) {
		struct found f = FOUND_INIT;

		if (out->len > TEXT_LIMIT)
			return err_set(r->err, ERR_TOO_LARGE,
			    "the template prints more than %d MiB", TEXT_LIMIT >> 20);
		if (n->type == NODE_TEXT) {
			buf_puts(out, n->text);
			continue;
		}
		e = walk(r, n->child, &one, &f);
		for (size_t i = 0; i < f.n && e == 0; i++) {
			if (n->type == NODE_RANGE) {
				e = print(r, n->body, f.item[i], out);
				continue;
			}
			if (i > 0)
				buf_putc(out, ' ');
			jsonpath_text(out, f.item[i]);
		}
		found_release(&f);
	}
	return e;
}

int
jsonpath_print(const struct jsonpath *p, json_t *value, struct buf *out, struct err *err)
{
	struct run r = { value, err, 0 };

	buf_reserve(out, 0);
	return print(&r, p->first, value, out);
}

int
jsonpath_find(const struct jsonpath *p, json_t *value, struct found *out, struct err *err)
{
	struct run r = { value, err, 0 };
	const struct found one = { &value, 1, 1 };

	return walk(&r, p->first->child, &one, out);
}
