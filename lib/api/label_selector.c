#include <stdlib.h>
#include <string.h>

#include "api/label.h"
#include "api/requirement.h"
#include "api/selector.h"
#include "base/mem.h"
#include "base/text.h"

/* Label selectors as text.  The grammar and the words of its errors are those of
 * apimachinery's labels.Parse: they travel to clients in a Status. */

/* What a lexer sees; ! , ( ) < > stand for themselves, "==" is d and "!=" is n. */
enum token {
	TOKEN_END = 'e',
	TOKEN_WORD = 'w',
	TOKEN_EQ = '=',
	TOKEN_DOUBLE = 'd',
	TOKEN_DIFFERS = 'n',
};

struct lexer {
	const char *next;
	enum token token; /* the one looked at */
	char *text;
};

static bool
special(char c)
{
	return c == '\0' || strchr("=!(),<>", c) != NULL;
}

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void
advance(struct lexer *l)
{
	const char *from;
	size_t n = 1;

	while (blank(*l->next))
		l->next++;
	from = l->next;
	free(l->text);
	if (*from == '\0') {
		l->token = TOKEN_END;
		n = 0;
	} else if (special(*from)) {
		l->token = (enum token) * from;
		if ((*from == '=' || *from == '!') && from[1] == '=') {
			l->token = *from == '=' ? TOKEN_DOUBLE : TOKEN_DIFFERS;
			n = 2;
		}
	} else {
		l->token = TOKEN_WORD;
		while (!special(from[n]) && !blank(from[n]))
			n++;
	}
	l->text = xstrndup(from, n);
	l->next = from + n;
}

static bool
took(struct lexer *l, int token)
{
	if ((int)l->token != token)
		return false;
	advance(l);
	return true;
}

static char *
take_text(struct lexer *l)
{
	char *word = steal(l->text);

	advance(l);
	return word;
}

static int
expected(const struct lexer *l, const char *what, struct err *err)
{
	return err_set(err, ERR_BAD_REQUEST, "found '%s', expected: %s", l->text, what);
}

/* --- parser -------------------------------------------------------------- */

static bool
parse_operator(struct lexer *l, enum op *op)
{
	switch ((int)l->token) {
	case TOKEN_EQ:
		*op = OP_EQUAL;
		break;
	case TOKEN_DOUBLE:
		*op = OP_DOUBLE_EQUAL;
		break;
	case TOKEN_DIFFERS:
		*op = OP_NOT_EQUAL;
		break;
	case '>':
		*op = OP_GREATER;
		break;
	case '<':
		*op = OP_LESS;
		break;
	case TOKEN_WORD:
		if (strcmp(l->text, "in") == 0)
			*op = OP_IN;
		else if (strcmp(l->text, "notin") == 0)
			*op = OP_NOT_IN;
		else
			return false;
		break;
	default:
		return false;
	}
	advance(l);
	return true;
}

/* "(a,b)", where an empty place between commas or parentheses is the value "". */
static int
parse_set(struct lexer *l, struct requirement *r, struct err *err)
{
	if (!took(l, '('))
		return expected(l, "'('", err);
	for (;;) {
		if (l->token == TOKEN_WORD)
			requirement_add_value(r, take_text(l));
		else
			requirement_add_value(r, xstrdup(""));
		if (took(l, ')'))
			return 0;
		if (!took(l, ','))
			return expected(l, "',' or ')'", err);
	}
}

static int
parse_values(struct lexer *l, struct requirement *r, struct err *err)
{
	if (r->op == OP_IN || r->op == OP_NOT_IN)
		return parse_set(l, r, err);
	if (l->token == TOKEN_END || (int)l->token == ',') {
		requirement_add_value(r, xstrdup(""));
		return 0;
	}
	if (l->token != TOKEN_WORD)
		return expected(l, "identifier", err);
	requirement_add_value(r, take_text(l));
	return 0;
}

static int
refuse(struct err *err, const char *where, const char *value, const char *why)
{
	return err_set(err, ERR_BAD_REQUEST, "%s: Invalid value: \"%s\": %s", where, value, why);
}

/* labels.NewRequirement: what values may be.  `keyed`: the key is checked already. */
int
requirement_check(const struct requirement *r, bool keyed, struct err *err)
{
	autofree char *why = keyed ? NULL : label_key_refused(r->key);
	long long n;

	if (why)
		return refuse(err, "key", r->key, why);
	if ((r->op == OP_GREATER || r->op == OP_LESS) && !text_int(r->values[0], &n))
		return refuse(err, "values[0]", r->values[0],
		    "for 'Gt', 'Lt' operators, the value must be an integer");
	for (size_t i = 0; i < r->n; i++) {
		autofree char *bad = label_value_refused(r->values[i]);
		autofree char *where = NULL;

		if (!bad)
			continue;
		where = xasprintf("values[%zu][%s]", i, r->key);
		return refuse(err, where, r->values[i], bad);
	}
	return 0;
}

static int
parse_requirement(struct lexer *l, struct selector *s, struct err *err)
{
	bool absent = took(l, '!');
	struct requirement *r;
	int e;

	if (l->token != TOKEN_WORD)
		return expected(l, "identifier", err);
	r = requirement_add(s, take_text(l), absent ? OP_ABSENT : OP_EXISTS);
	autofree char *why = label_key_refused(r->key);
	if (why)
		return refuse(err, "<nil>", r->key, why);
	if (absent || l->token == TOKEN_END || (int)l->token == ',')
		return 0;
	if (!parse_operator(l, &r->op))
		return expected(l, "in, notin, =, ==, !=, gt, lt", err);
	if ((e = parse_values(l, r, err)) < 0)
		return e;
	return requirement_check(r, true, err);
}

static int
parse_all(struct lexer *l, struct selector *s, struct err *err)
{
	while (l->token != TOKEN_END) {
		if (l->token != TOKEN_WORD && (int)l->token != '!')
			return expected(l, "!, identifier, or 'end of string'", err);
		if (parse_requirement(l, s, err) < 0)
			return err_set(err, err->code, "unable to parse requirement: %s", err->msg);
		if (l->token == TOKEN_END)
			break;
		if (!took(l, ','))
			return expected(l, "',' or 'end of string'", err);
		if (l->token != TOKEN_WORD && (int)l->token != '!')
			return expected(l, "identifier after ','", err);
	}
	return 0;
}

int
selector_parse(struct selector **ret, const char *text, struct err *err)
{
	struct lexer l = { .next = text };
	struct selector *s = xcalloc(1, sizeof *s);
	int r;

	advance(&l);
	r = parse_all(&l, s, err);
	free(l.text);
	if (r < 0) {
		selector_free(s);
		return r;
	}
	selector_sort(s);
	*ret = s;
	return 0;
}
