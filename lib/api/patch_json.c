/* JSON patch, RFC 6902, on JSON pointers, RFC 6901. */
#include <stdio.h>
#include <string.h>

#include "api/meta.h"
#include "api/patch.h"
#include "base/mem.h"
#include "base/text.h"

/* The tokens of a pointer, "/a/b~1c" -> "a", "b/c", one after the other, each ended by a NUL. */
struct pointer {
	char *text;
	size_t n;
};

static bool
pointer_parse(struct pointer *p, const char *s)
{
	char *out;

	*p = (struct pointer){ .text = xmalloc(strlen(s) + 1) };
	out = p->text;
	if (*s && *s != '/')
		return false;
	for (; *s; s++) {
		if (*s == '/') {
			if (p->n++)
				*out++ = '\0';
		} else if (*s == '~') {
			s++;
			if (*s != '0' && *s != '1')
				return false;
			*out++ = *s == '0' ? '~' : '/';
		} else {
			*out++ = *s;
		}
	}
	*out = '\0';
	return true;
}

/* An index of an array with n elements, or of the place behind the last one; -1: none. */
static long long
index_of(const char *token, size_t n, bool adding)
{
	long long i, places = (long long)n + adding;

	if (adding && strcmp(token, "-") == 0)
		return (long long)n;
	if (!text_int(token, &i) || *token == '+' || (*token == '0' && token[1]))
		return -1;
	if (i < 0)
		i += places;
	return i < 0 || i >= places ? -1 : i;
}

static json_t *
child(const json_t *v, const char *token)
{
	long long i;

	if (json_is_object(v))
		return json_object_get(v, token);
	if (!json_is_array(v) || (i = index_of(token, json_array_size(v), false)) < 0)
		return NULL;
	return json_array_get(v, (size_t)i);
}

/* What holds the last token's value, and that token. NULL: it is not there. */
static json_t *
parent(json_t *doc, const struct pointer *p, const char **last)
{
	const char *token = p->text;

	for (size_t i = 0; i + 1 < p->n && doc; i++) {
		doc = child(doc, token);
		token += strlen(token) + 1;
	}
	*last = token;
	return doc;
}

static json_t *
find(json_t *doc, const struct pointer *p)
{
	const char *last;
	json_t *in = parent(doc, p, &last);

	return p->n == 0 ? doc : child(in, last);
}

/* Takes value. */
static bool
add(json_t **doc, const struct pointer *p, json_t *value)
{
	const char *last;
	json_t *in;
	long long i;

	if (p->n == 0) {
		json_decref(*doc);
		*doc = value;
		return true;
	}
	in = parent(*doc, p, &last);
	if (json_is_object(in))
		return json_object_set_new(in, last, value) == 0;
	if (json_is_array(in) && (i = index_of(last, json_array_size(in), true)) >= 0)
		return json_array_insert_new(in, (size_t)i, value) == 0;
	json_decref(value);
	return false;
}

static bool
take_out(json_t *doc, const struct pointer *p)
{
	const char *last;
	json_t *in = parent(doc, p, &last);
	long long i;

	if (p->n == 0)
		return false;
	if (json_is_object(in))
		return json_object_del(in, last) == 0;
	if (json_is_array(in) && (i = index_of(last, json_array_size(in), false)) >= 0)
		return json_array_remove(in, (size_t)i) == 0;
	return false;
}

/* Put value (taken) in the place of what is there. */
static bool
replace(json_t **doc, const struct pointer *p, json_t *value)
{
	const char *last;
	json_t *in;

	if (p->n == 0)
		return add(doc, p, value);
	in = parent(*doc, p, &last);
	if (!child(in, last)) {
		json_decref(value);
		return false;
	}
	if (json_is_object(in))
		return json_object_set_new(in, last, value) == 0;
	return json_array_set_new(in, (size_t)index_of(last, json_array_size(in), false), value) ==
	       0;
}

/* A value cannot be moved into itself. */
static bool
inside(const char *from, const char *path)
{
	size_t n = strlen(from);

	return strncmp(from, path, n) == 0 && path[n] == '/';
}

/* How long it is as text; copies may add so much in all. */
enum { COPIES = 3 << 20 };

static bool
affordable(const json_t *v, size_t *copied)
{
	*copied += json_dumpb(v, NULL, 0, JSON_ENCODE_ANY | JSON_COMPACT);
	return *copied <= COPIES;
}

static bool
move_or_copy(json_t **doc, const struct pointer *to, const char *from, const char *path, bool move,
    size_t *copied)
{
	struct pointer p;
	json_t *v = NULL;
	bool done = false;

	if (pointer_parse(&p, from) && !(move && inside(from, path)) && (v = find(*doc, &p)) &&
	    (move || affordable(v, copied))) {
		v = move ? json_incref(v) : json_deep_copy(v);
		if (!move || p.n == 0 || take_out(*doc, &p))
			done = add(doc, to, v);
		else
			json_decref(v);
	}
	free(p.text);
	return done;
}

/* Numbers are equal by value: 1 and 1.0 are the same. */
static bool
same(const json_t *a, const json_t *b)
{
	if (json_is_number(a) && json_is_number(b))
		return json_is_integer(a) && json_is_integer(b)
			   ? json_integer_value(a) == json_integer_value(b)
			   : json_number_value(a) == json_number_value(b);
	return json_equal(a, b);
}

/* Does it hold?  What is not there equals null. */
static bool
test(json_t *doc, const struct pointer *p, const json_t *value)
{
	const json_t *v = find(doc, p);

	return v ? same(v, value) : json_is_null(value) && p->n > 0;
}

static bool
apply(json_t **doc, const char *name, const struct pointer *p, const json_t *op, size_t *copied)
{
	json_t *value = json_object_get(op, "value");
	const char *path = text(op, "path"), *from = text(op, "from");

	value = value ? json_deep_copy(value) : json_null();
	if (strcmp(name, "add") == 0)
		return add(doc, p, value);
	if (strcmp(name, "replace") == 0)
		return replace(doc, p, value);
	if (strcmp(name, "test") == 0) {
		bool holds = test(*doc, p, value);

		json_decref(value);
		return holds;
	}
	json_decref(value);
	if (strcmp(name, "remove") == 0)
		return take_out(*doc, p);
	if (!json_is_string(json_object_get(op, "from")))
		return false;
	if (strcmp(name, "move") == 0)
		return move_or_copy(doc, p, from, path, true, copied);
	return strcmp(name, "copy") == 0 && move_or_copy(doc, p, from, path, false, copied);
}

int
json_patch(json_t **target, const json_t *operations, struct err *err)
{
	json_t *op;
	size_t i, copied = 0;

	json_array_foreach (operations, i, op) {
		const char *name = text(op, "op"), *path = text(op, "path");
		struct pointer p = { 0 };
		bool done = json_is_string(json_object_get(op, "path")) &&
			    pointer_parse(&p, path) && apply(target, name, &p, op, &copied);

		free(p.text);
		if (!done)
			return err_set(err, ERR_INVALID,
			    "operation %zu of the patch, %.32s '%.256s', failed", i, name, path);
	}
	return 0;
}
