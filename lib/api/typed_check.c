/*
 * Is a value what the schema says?  As Kubernetes asks before an apply, which is not how it
 * asks on other writes (api/validate.h): unknown fields and items that stand twice are errors
 * here.  Values in messages are shown as Go prints them, for that is what clients see.
 */
#include <string.h>

#include "api/cause.h"
#include "api/golang.h"
#include "api/typed.h"
#include "base/mem.h"

struct check {
	struct arena arena;
	struct buf path;
	struct buf lines; /* one message a line */
	size_t n;
	bool twice; /* items may stand twice */
};

static void PRINTF(2, 3) complain(struct check *c, const char *fmt, ...)
{
	va_list ap;
	char *msg = NULL;

	va_start(ap, fmt);
	if (vasprintf(&msg, fmt, ap) < 0)
		abort();
	va_end(ap);
	buf_printf(&c->lines, "\n  %s: %s", c->path.data, msg);
	free(msg);
	c->n++;
}

/* As Go's %v, or %#v for `syntax`. */
static void
go_value(struct buf *b, const json_t *v, bool syntax)
{
	const char *key, *sep = "";
	json_t *item;
	size_t i;

	switch (json_typeof(v)) {
	case JSON_OBJECT:
		v = sorted_copy(v);
		buf_puts(b, syntax ? "map[string]interface {}{" : "map[");
		json_object_foreach ((json_t *)v, key, item) {
			buf_puts(b, sep);
			if (syntax)
				text_quote(b, key);
			else
				buf_puts(b, key);
			buf_putc(b, ':');
			go_value(b, item, syntax);
			sep = syntax ? ", " : " ";
		}
		buf_puts(b, syntax ? "}" : "]");
		json_decref((json_t *)v);
		break;
	case JSON_ARRAY:
		buf_puts(b, syntax ? "[]interface {}{" : "[");
		json_array_foreach (v, i, item) {
			buf_puts(b, i ? (syntax ? ", " : " ") : "");
			go_value(b, item, syntax);
		}
		buf_puts(b, syntax ? "}" : "]");
		break;
	case JSON_STRING:
		if (syntax)
			text_quote(b, json_string_value(v));
		else
			buf_puts(b, json_string_value(v));
		break;
	case JSON_INTEGER:
		buf_printf(b, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
		break;
	case JSON_REAL:
		buf_printf(b, "%.17g", json_real_value(v));
		break;
	case JSON_NULL:
		buf_puts(b, syntax ? "interface {}(nil)" : "<nil>");
		break;
	default:
		buf_puts(b, json_is_true(v) ? "true" : "false");
	}
}

static void
wrong(struct check *c, const char *wanted, const json_t *v, const char *before, const char *after,
    bool syntax)
{
	autobuf struct buf b = BUF_INIT;

	buf_puts(&b, before);
	go_value(&b, v, syntax);
	buf_puts(&b, after);
	complain(c, "expected %s, got %s", wanted, b.data);
}

static bool
is_scalar(const json_t *v)
{
	return !json_is_object(v) && !json_is_array(v);
}

static void
check_scalar(struct check *c, enum type_class class, const json_t *v)
{
	switch (class) {
	case CLASS_STRING:
	case CLASS_BYTES:
	case CLASS_DURATION:
		if (!json_is_string(v))
			wrong(c, "string", v, "", "", true);
		break;
	case CLASS_BOOL:
		if (!json_is_boolean(v))
			wrong(c, "boolean", v, "", "", false);
		break;
	case CLASS_INT32:
	case CLASS_INT64:
	case CLASS_DOUBLE:
		if (!json_is_number(v))
			complain(c, "expected numeric (int or float), got %s", go_value_type(v));
		break;
	case CLASS_TIME:
	case CLASS_MICROTIME:
	case CLASS_QUANTITY:
	case CLASS_INT_OR_STRING:
		if (!is_scalar(v))
			wrong(c, "any scalar", v, "&{", "}", false);
		break;
	default:
		break;
	}
}

static void check_value(struct check *c, const struct place *p, const json_t *v);

static void
check_below(struct check *c, const struct place *p, struct element at, const json_t *v)
{
	size_t len = c->path.len;

	element_print(at, &c->path);
	check_value(c, p, v);
	c->path.data[c->path.len = len] = '\0';
}

static void
check_map(struct check *c, const struct place *p, const json_t *v)
{
	const struct type *t = p->type;
	const char *key;
	json_t *item;

	if (!json_is_object(v)) {
		wrong(c, "map", v, "&{", "}", false);
		return;
	}
	json_object_foreach ((json_t *)v, key, item) {
		const struct field *f = t->class == CLASS_STRUCT ? type_field(t, key) : NULL;
		struct element at = { ELEMENT_FIELD, key };
		struct place below;
		size_t len = c->path.len;

		if (t->class == CLASS_STRUCT && !f && t->open)
			continue; /* nothing is known of it */
		if (t->class == CLASS_STRUCT && !f) {
			element_print(at, &c->path);
			complain(c, "field not declared in schema");
			c->path.data[c->path.len = len] = '\0';
			return;
		}
		/* what is owned whole is looked into all the same */
		below = p->relation != REL_LEAF ? place_of_field(p, key)
						: place_of(f ? f->type : t->elem);
		check_below(c, &below, at, item);
	}
}

/* Is there an item before this one with the same name? */
static bool
check_twice(struct check *c, json_t *seen, struct element at)
{
	autobuf struct buf b = BUF_INIT;

	if (!json_object_get(seen, at.text)) {
		json_object_set_new(seen, at.text, json_true());
		return false;
	}
	element_print(at, &b);
	complain(c, "duplicate entries for key %s", b.data);
	return true;
}

static void
check_list(struct check *c, const struct place *p, const json_t *v)
{
	struct place below = place_of_item(p);
	json_t *item, *seen = json_object();
	char why[256];
	size_t i;

	json_array_foreach (v, i, item) {
		char index[24];
		struct element at = { ELEMENT_INDEX, index };

		snprintf(index, sizeof index, "%zu", i);
		if (p->relation != REL_LEAF) {
			at = place_element(&c->arena, p, item, why);
			if (!at.text) {
				complain(c, "element %zu: %s", i, why);
				continue;
			}
			if (!c->twice)
				check_twice(c, seen, at);
		}
		check_below(c, &below, at, item);
	}
	json_decref(seen);
}

static void
check_value(struct check *c, const struct place *p, const json_t *v)
{
	if (!p->type || json_is_null(v))
		return;
	switch (p->type->class) {
	case CLASS_STRUCT:
	case CLASS_MAP:
		check_map(c, p, v);
		break;
	case CLASS_LIST:
		if (json_is_array(v))
			check_list(c, p, v);
		else
			wrong(c, "list", v, "&{", "}", false);
		break;
	default:
		check_scalar(c, p->type->class, v);
	}
}

static bool
check_all(const struct type *t, const json_t *value, bool twice, struct buf *out)
{
	struct check c = { ARENA_INIT, BUF_INIT, BUF_INIT, 0, twice };
	struct place p = place_of(t);

	buf_puts(&c.path, "");
	check_value(&c, &p, value);
	if (c.n == 1)
		buf_puts(out, c.lines.data + strlen("\n  "));
	else if (c.n)
		buf_printf(out, "errors:%s", c.lines.data);
	arena_release(&c.arena);
	buf_release(&c.path);
	buf_release(&c.lines);
	return c.n == 0;
}

bool
typed_check(const struct type *t, const json_t *value, struct buf *out)
{
	return check_all(t, value, false, out);
}

bool
typed_check_kept(const struct type *t, const json_t *value, struct buf *out)
{
	return check_all(t, value, true, out);
}
