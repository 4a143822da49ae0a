#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/requirement.h"
#include "api/selector.h"
#include "base/mem.h"

/* Field selectors, as apimachinery's fields.ParseSelector reads them. */

/* Up to an unescaped ',' or the end. */
static size_t
term_length(const char *s)
{
	size_t n = 0;

	while (s[n] && s[n] != ',')
		n += s[n] == '\\' && s[n + 1] ? 2 : 1;
	return n;
}

/* One order for all ways to write a selector: the canonical text is a key for caches. */
static int
by_term(const void *a, const void *b)
{
	const struct requirement *x = a, *y = b;
	int key = strcmp(x->key, y->key);
	int value = key ? key : strcmp(x->values[0], y->values[0]);

	return value ? value : (int)x->op - (int)y->op;
}

/* '\' before '\', ',' and '=' is taken away; in any other place, and the three bare, it is an
 * error. */
static int
unescape(char **ret, const char *s, struct err *err)
{
	autofree char *out = xmalloc(strlen(s) + 1);
	size_t n = 0;

	for (; *s; s++) {
		if (*s == '\\') {
			if (!*++s || !strchr("\\,=", *s))
				return err_set(err, ERR_BAD_REQUEST,
				    "invalid field selector: invalid escape sequence: \\%.1s", s);
		} else if (*s == ',' || *s == '=') {
			return err_set(err, ERR_BAD_REQUEST,
			    "invalid field selector: unescaped character in value: %d", *s);
		}
		out[n++] = *s;
	}
	out[n] = '\0';
	*ret = steal(out);
	return 0;
}

static int
parse_term(struct selector *s, const char *whole, char *term, struct err *err)
{
	char *at = term;
	enum op op;
	size_t n = 1;
	char *value = NULL;
	int r;

	for (; *at && *at != '=' && !(at[0] == '!' && at[1] == '='); at++)
		if (*at == '\\' && at[1])
			at++;
	if (*at == '\0')
		return err_set(err, ERR_BAD_REQUEST,
		    "invalid selector: '%s'; can't understand '%s'", whole, term);
	if (*at == '!') {
		op = OP_NOT_EQUAL;
		n = 2;
	} else {
		op = OP_EQUAL;
		n = at[1] == '=' ? 2 : 1;
	}
	if ((r = unescape(&value, at + n, err)) < 0)
		return r;
	requirement_add_value(requirement_add(s, xstrndup(term, (size_t)(at - term)), op), value);
	return 0;
}

int
selector_parse_fields(struct selector **ret, const char *text, struct err *err)
{
	struct selector *s = xcalloc(1, sizeof *s);
	int r = 0;

	s->fields = true;
	for (const char *at = text; r == 0; at++) {
		size_t len = term_length(at);
		autofree char *term = xstrndup(at, len);

		if (len)
			r = parse_term(s, text, term, err);
		at += len;
		if (*at == '\0')
			break;
	}
	if (r < 0) {
		selector_free(s);
		return r;
	}
	if (s->n)
		qsort(s->item, s->n, sizeof *s->item, by_term);
	*ret = s;
	return 0;
}

/* The field a path like "spec.nodeName" names; NULL when it is not there. */
static const json_t *
field(const json_t *obj, const char *path)
{
	while (obj && *path) {
		size_t n = strcspn(path, ".");

		obj = json_object_getn(obj, path, n);
		path += n + (path[n] == '.');
	}
	return obj;
}

static bool
field_holds(const struct requirement *r, const json_t *v)
{
	bool want = r->op != OP_NOT_EQUAL;
	char number[32];

	if (json_is_string(v))
		return requirement_lists(r, json_string_value(v)) == want;
	if (json_is_boolean(v))
		return requirement_lists(r, json_is_true(v) ? "true" : "false") == want;
	if (json_is_integer(v)) {
		snprintf(number, sizeof number, "%lld", (long long)json_integer_value(v));
		return requirement_lists(r, number) == want;
	}
	return (requirement_lists(r, "") || requirement_lists(r, "false") ||
		   requirement_lists(r, "0")) == want;
}

bool
selector_match_fields(const struct selector *s, const json_t *obj)
{
	for (size_t i = 0; i < s->n; i++)
		if (!field_holds(&s->item[i], field(obj, s->item[i].key)))
			return false;
	return true;
}

const char *
selector_refused(const struct selector *s, bool (*accepts)(const char *field, void *arg), void *arg)
{
	for (size_t i = 0; i < s->n; i++)
		if (!accepts(s->item[i].key, arg))
			return s->item[i].key;
	return NULL;
}
