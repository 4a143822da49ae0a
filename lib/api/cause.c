/* Collecting what is wrong with an object, and saying it. */
#include "api/cause.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api/convert.h"
#include "api/meta.h"
#include "base/mem.h"

void
causes_truncate(struct causes *c, size_t n)
{
	while (c->n > n) {
		c->n--;
		c->bytes -= strlen(c->item[c->n].message);
		free(c->item[c->n].field);
		free(c->item[c->n].message);
	}
}

void
causes_release(struct causes *c)
{
	causes_truncate(c, 0);
	free(c->item);
	*c = (struct causes)CAUSES_INIT;
}

/*
 * Takes field and message.  Nobody reads a thousand of them, nor a megabyte (one that names a
 * hundred thousand supported values is that long): what comes after is dropped, so that an object
 * made to be wrong everywhere costs no more than others.
 */
static void
add(struct causes *c, const char *reason, char *field, char *message)
{
	enum { MOST = 1000, BYTES = 2 << 20 };
	size_t len = strlen(message);

	if (c->n >= MOST || (c->n > 0 && c->bytes + len > BYTES)) {
		free(field);
		free(message);
		return;
	}
	GROW(c->item, c->n, c->cap);
	c->bytes += len;
	c->item[c->n++] = (struct cause){ reason, field, message };
}

static void
vadd(struct causes *c, const char *reason, char *field, const char *fmt, va_list ap)
{
	char *message;

	if (vasprintf(&message, fmt, ap) < 0)
		abort();
	add(c, reason, field, message);
}

void
cause_add(struct causes *c, const char *reason, const char *field, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vadd(c, reason, xstrdup(field), fmt, ap);
	va_end(ap);
}

void
text_quote(struct buf *b, const char *s)
{
	buf_putc(b, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			buf_printf(b, "\\%c", c);
		else if (c == '\n' || c == '\t' || c == '\r')
			buf_printf(b, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
		else if (c < ' ' || c == 0x7f)
			buf_printf(b, "\\x%02x", c);
		else
			buf_putc(b, (char)c);
	}
	buf_putc(b, '"');
}

/* "Invalid value: \"x\": " and the detail, which may be missing. */
static void
refuse(struct causes *out, const char *reason, const struct path *at, const char *what,
    const char *value, const char *detail)
{
	add(out, reason, path_print(at),
	    xasprintf("%s: %s%s%s", what, value, *detail ? ": " : "", detail));
}

static void
vrefuse_value(
    struct causes *out, const struct path *at, const char *value, const char *fmt, va_list ap)
{
	char *detail;

	if (vasprintf(&detail, fmt, ap) < 0)
		abort();
	refuse(out, "FieldValueInvalid", at, "Invalid value", value, detail);
	free(detail);
}

void
refuse_required(struct causes *out, const struct path *at, const char *detail)
{
	add(out, "FieldValueRequired", path_print(at),
	    xasprintf("Required value%s%s", *detail ? ": " : "", detail));
}

void
refuse_forbidden(struct causes *out, const struct path *at, const char *fmt, ...)
{
	autofree char *detail = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&detail, fmt, ap) < 0)
		abort();
	va_end(ap);
	add(out, "FieldValueForbidden", path_print(at), xasprintf("Forbidden: %s", detail));
}

/* As encoding/json writes it: what could end a script in HTML is escaped. */
static void
add_shown(struct buf *b, const json_t *value)
{
	autofree char *text = NULL;

	if (json_is_string(value)) {
		text_quote(b, json_string_value(value));
		return;
	}
	text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	for (const char *p = text ? text : "null"; *p; p++) {
		if (*p == '<' || *p == '>' || *p == '&')
			buf_printf(b, "\\u%04x", (unsigned)*p);
		else
			buf_putc(b, *p);
	}
}

void
refuse_value(struct causes *out, const struct path *at, const json_t *value, const char *fmt, ...)
{
	autobuf struct buf b = BUF_INIT;
	va_list ap;

	add_shown(&b, value);
	va_start(ap, fmt);
	vrefuse_value(out, at, b.data, fmt, ap);
	va_end(ap);
}

json_t *
sorted_copy(const json_t *value)
{
	autofree char *text = json_dumps(value, JSON_SORT_KEYS | JSON_ENCODE_ANY);

	return json_loads(text ? text : "null", JSON_DECODE_ANY, NULL);
}

void
refuse_text(struct causes *out, const struct path *at, const char *value, const char *fmt, ...)
{
	autobuf struct buf b = BUF_INIT;
	va_list ap;

	text_quote(&b, value);
	va_start(ap, fmt);
	vrefuse_value(out, at, b.data, fmt, ap);
	va_end(ap);
}

void
refuse_number(struct causes *out, const struct path *at, json_int_t value, const char *fmt, ...)
{
	char text[32];
	va_list ap;

	snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, value);
	va_start(ap, fmt);
	vrefuse_value(out, at, text, fmt, ap);
	va_end(ap);
}

static void
refuse_quoted(struct causes *out, const char *reason, const struct path *at, const char *what,
    const char *value, const char *detail)
{
	autobuf struct buf b = BUF_INIT;

	text_quote(&b, value);
	refuse(out, reason, at, what, b.data, detail);
}

void
refuse_duplicate(struct causes *out, const struct path *at, const char *value)
{
	refuse_quoted(out, "FieldValueDuplicate", at, "Duplicate value", value, "");
}

void
refuse_duplicate_value(struct causes *out, const struct path *at, const json_t *value)
{
	autobuf struct buf b = BUF_INIT;

	add_shown(&b, value);
	refuse(out, "FieldValueDuplicate", at, "Duplicate value", b.data, "");
}

void
refuse_duplicate_why(
    struct causes *out, const struct path *at, const json_t *value, const char *detail)
{
	autobuf struct buf b = BUF_INIT;

	add_shown(&b, value);
	refuse(out, "FieldValueDuplicate", at, "Duplicate value", b.data, detail);
}

void
refuse_not_found(struct causes *out, const struct path *at, const char *value)
{
	refuse_quoted(out, "FieldValueNotFound", at, "Not found", value, "");
}

void
refuse_too_long(struct causes *out, const struct path *at, size_t max)
{
	add(out, "FieldValueTooLong", path_print(at),
	    xasprintf("Too long: may not be more than %zu bytes", max));
}

void
refuse_too_many(struct causes *out, const struct path *at, size_t n, size_t max)
{
	add(out, "FieldValueTooMany", path_print(at),
	    xasprintf("Too many: %zu: must have at most %zu items", n, max));
}

static void
add_supported(struct buf *b, const char *const *values)
{
	buf_puts(b, "supported values: ");
	for (const char *const *v = values; *v; v++) {
		if (v > values)
			buf_puts(b, ", ");
		text_quote(b, *v);
	}
}

void
refuse_unsupported(
    struct causes *out, const struct path *at, const char *value, const char *const *values)
{
	autobuf struct buf b = BUF_INIT;

	add_supported(&b, values);
	refuse_quoted(out, "FieldValueNotSupported", at, "Unsupported value", value, b.data);
}

void
refuse_unsupported_value(
    struct causes *out, const struct path *at, const json_t *value, const char *const *values)
{
	autobuf struct buf b = BUF_INIT, shown = BUF_INIT;

	add_shown(&shown, value);
	add_supported(&b, values);
	refuse(out, "FieldValueNotSupported", at, "Unsupported value", shown.data, b.data);
}

/* The list of causes has every one; the sentence says the same thing once. */
static bool
said_before(const struct causes *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(c->item[i].field, c->item[n].field) &&
		    !strcmp(c->item[i].message, c->item[n].message))
			return true;
	return false;
}

char *
causes_message(const struct causes *c, const struct kind *k, const char *name)
{
	struct buf b = BUF_INIT;
	size_t different = 0;
	char kind[128];

	buf_printf(&b, "%s ", kind_group_kind(kind_stored(k), kind));
	text_quote(&b, name);
	for (size_t i = 0; i < c->n; i++)
		different += !said_before(c, i);
	buf_printf(&b, " is invalid: %s", different > 1 ? "[" : "");
	for (size_t i = 0; i < c->n; i++)
		if (!said_before(c, i))
			buf_printf(
			    &b, "%s%s: %s", i ? ", " : "", c->item[i].field, c->item[i].message);
	buf_puts(&b, different > 1 ? "]" : "");
	return buf_detach(&b);
}

int
causes_err(const struct causes *c, const struct kind *k, const char *name, struct err *err)
{
	autofree char *message = causes_message(c, k, name);

	return err_set(err, ERR_INVALID, "%s", message);
}
