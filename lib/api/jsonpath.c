/* Parsing kubectl's JSONPath templates; jsonpath_eval.c evaluates them. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "api/jsonpath_node.h"
#include "base/mem.h"

struct parser {
	const char *text, *p;
	struct err *err;
	int depth;
};

static void
node_free(struct node *n)
{
	while (n) {
		struct node *next = n->next;

		node_free(n->child);
		node_free(n->body);
		json_decref(n->value);
		free(n->text);
		free(n);
		n = next;
	}
}

void
jsonpath_free(struct jsonpath *p)
{
	if (!p)
		return;
	node_free(p->first);
	free(p);
}

static struct node *
add(struct node ***tail, enum node_type type)
{
	struct node *n = xcalloc(1, sizeof *n);

	n->type = type;
	**tail = n;
	*tail = &n->next;
	return n;
}

static int __attribute__((format(printf, 2, 3))) bad(struct parser *ps, const char *fmt, ...)
{
	char msg[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	return err_set(ps->err, ERR_BAD_REQUEST, "at character %zu of the template: %s",
	    (size_t)(ps->p - ps->text) + 1, msg);
}

static void
space(struct parser *ps)
{
	ps->p += strspn(ps->p, " \t\r\n");
}

/* A quoted string at p, with backslash escapes, into *ret. */
static int
quoted(struct parser *ps, char **ret)
{
	static const char from[] = "abfnrtv\\'\"", to[] = "\a\b\f\n\r\t\v\\'\"";
	char quote = *ps->p++;
	autobuf struct buf b = BUF_INIT;

	for (; *ps->p != quote; ps->p++) {
		const char *e;

		if (*ps->p == '\0')
			return bad(ps, "a string without its closing %c", quote);
		if (*ps->p != '\\') {
			buf_putc(&b, *ps->p);
			continue;
		}
		ps->p++;
		if (*ps->p == '\0' || !(e = strchr(from, *ps->p)))
			return bad(ps, "unknown escape in a string");
		buf_putc(&b, to[e - from]);
	}
	ps->p++;
	*ret = buf_detach(&b);
	return 0;
}

/* The name of a field; a backslash takes the next character as it is. */
static int
field_name(struct parser *ps, struct node ***tail)
{
	autobuf struct buf b = BUF_INIT;
	struct node *n;

	while (*ps->p && !strchr(" \t\r\n.[]{}()|,'\"=<>!&@$?", *ps->p)) {
		if (*ps->p == '\\' && ps->p[1])
			ps->p++;
		buf_putc(&b, *ps->p++);
	}
	if (b.len == 0)
		return bad(ps, "a field name expected");
	n = add(tail, strcmp(b.data, "*") == 0 ? NODE_WILDCARD : NODE_FIELD);
	n->text = buf_detach(&b);
	return 0;
}

static int steps(struct parser *ps, struct node ***tail);

static int
integer(struct parser *ps, long *ret)
{
	char *end;

	errno = 0;
	*ret = strtol(ps->p, &end, 10);
	if (end == ps->p || errno)
		return bad(ps, "a whole number expected");
	ps->p = end;
	return 0;
}

/* [3], [-1], [1:3], [:3], [1:], [::2] */
static int
slice(struct parser *ps, struct node ***tail)
{
	struct node *n = add(tail, NODE_SLICE);

	n->step = 1;
	space(ps);
	if (*ps->p != ':') {
		n->has_from = true;
		if (integer(ps, &n->from) < 0)
			return -ERR_BAD_REQUEST;
		space(ps);
	}
	n->single = *ps->p != ':';
	if (n->single)
		return 0;
	ps->p++;
	space(ps);
	if (*ps->p == '-' || isdigit((unsigned char)*ps->p)) {
		n->has_to = true;
		if (integer(ps, &n->to) < 0)
			return -ERR_BAD_REQUEST;
		space(ps);
	}
	if (*ps->p != ':')
		return 0;
	ps->p++;
	space(ps);
	if (integer(ps, &n->step) < 0)
		return -ERR_BAD_REQUEST;
	return n->step > 0 ? 0 : bad(ps, "the step of a slice must be above 0");
}

/* One side of a filter: a path, a string, a number or a boolean. */
static int
operand(struct parser *ps, struct node ***tail)
{
	struct node *n;
	char *end;
	double v;

	space(ps);
	if (*ps->p == '"' || *ps->p == '\'') {
		n = add(tail, NODE_VALUE);
		if (quoted(ps, &n->text) < 0)
			return -ERR_BAD_REQUEST;
		n->value = json_string(n->text);
		return n->value ? 0 : bad(ps, "invalid UTF-8");
	}
	if (*ps->p == '@' || *ps->p == '$' || *ps->p == '.' || *ps->p == '[')
		return steps(ps, tail);
	for (int i = 0; i < 2; i++) {
		static const char *const words[] = { "false", "true" };
		size_t len = strlen(words[i]);

		if (strncmp(ps->p, words[i], len) != 0)
			continue;
		add(tail, NODE_VALUE)->value = json_boolean(i);
		ps->p += len;
		return 0;
	}
	v = strtod(ps->p, &end);
	if (end == ps->p || !strchr("+-0123456789", *ps->p))
		return bad(ps, "a path, a string or a number expected");
	ps->p = end;
	add(tail, NODE_VALUE)->value = json_real(v);
	return 0;
}

static int
operator(struct parser *ps, enum compare *op)
{
	static const struct {
		const char *text;
		enum compare op;
	} ops[] = { { "==", OP_EQ }, { "!=", OP_NE }, { "<=", OP_LE }, { ">=", OP_GE },
		{ "<", OP_LT }, { ">", OP_GT }, { "=", OP_EQ } };

	space(ps);
	*op = OP_EXISTS;
	for (size_t i = 0; i < COUNT(ops) && *op == OP_EXISTS; i++)
		if (strncmp(ps->p, ops[i].text, strlen(ops[i].text)) == 0) {
			*op = ops[i].op;
			ps->p += strlen(ops[i].text);
		}
	return 0;
}

/* [?(@.a == "x")], from behind the '?' */
static int
filter(struct parser *ps, struct node ***tail)
{
	struct node *n = add(tail, NODE_FILTER), **left = &n->child, **right = &n->body;

	space(ps);
	if (*ps->p++ != '(') {
		ps->p--;
		return bad(ps, "'(' expected behind '?'");
	}
	if (operand(ps, &left) < 0 || operator(ps, &n->op) < 0)
		return -ERR_BAD_REQUEST;
	if (n->op != OP_EXISTS && operand(ps, &right) < 0)
		return -ERR_BAD_REQUEST;
	space(ps);
	if (*ps->p != ')')
		return bad(ps, "')' expected at the end of a filter");
	ps->p++;
	return 0;
}

/* ['a.b']: the field of that name; as in kubectl also the path .a.b, unless the dots are escaped */
static int
bracket_key(struct parser *ps, struct node ***tail)
{
	autobuf struct buf name = BUF_INIT, path = BUF_INIT;
	struct node *n = add(tail, NODE_FIELD), **end = &n->child;
	char quote = *ps->p++;
	bool dots = false;

	buf_puts(&path, ".");
	for (; *ps->p != quote; ps->p++) {
		if (*ps->p == '\\' && ps->p[1])
			buf_putc(&path, *ps->p++);
		else
			dots = dots || *ps->p == '.';
		if (*ps->p == '\0')
			return bad(ps, "a string without its closing %c", quote);
		buf_putc(&path, *ps->p);
		buf_putc(&name, *ps->p);
	}
	ps->p++;
	n->text = buf_detach(&name);
	if (dots) {
		struct err ignored;
		struct parser sub = { path.data, path.data, &ignored, JSONPATH_DEPTH };

		if (steps(&sub, &end) < 0 || *sub.p) {
			node_free(n->child);
			n->child = NULL;
		}
	}
	return 0;
}

/* One alternative between brackets. */
static int
bracket_item(struct parser *ps, struct node ***tail)
{
	space(ps);
	switch (*ps->p) {
	case '*':
		ps->p++;
		add(tail, NODE_WILDCARD);
		return 0;
	case '?':
		ps->p++;
		return filter(ps, tail);
	case '\'':
	case '"':
		return bracket_key(ps, tail);
	case '.':
	case '@':
		return steps(ps, tail);
	default:
		if (*ps->p == ':' || *ps->p == '-' || isdigit((unsigned char)*ps->p))
			return slice(ps, tail);
		return field_name(ps, tail);
	}
}

/* '[' ... ']': one step, or several alternatives parted by commas */
static int
bracket(struct parser *ps, struct node ***tail)
{
	struct node *all = NULL, **end = &all, *one;

	if (++ps->depth > JSONPATH_DEPTH)
		return bad(ps, "nested too deeply");
	do {
		struct node **inner;

		ps->p++;
		one = add(&end, NODE_EXPR);
		inner = &one->child;
		if (bracket_item(ps, &inner) < 0)
			goto fail;
		space(ps);
	} while (*ps->p == ',');
	if (*ps->p != ']') {
		bad(ps, "']' expected");
		goto fail;
	}
	ps->p++;
	ps->depth--;
	if (all->next) {
		add(tail, NODE_UNION)->child = all;
		return 0;
	}
	for (**tail = all->child; **tail; *tail = &(**tail)->next)
		continue;
	all->child = NULL;
	node_free(all);
	return 0;
fail:
	node_free(all);
	return -ERR_BAD_REQUEST;
}

/* A path: steps until something that belongs to none. */
static int
steps(struct parser *ps, struct node ***tail)
{
	int r = 0;

	while (r == 0) {
		switch (*ps->p) {
		case '$':
			ps->p++;
			add(tail, NODE_ROOT);
			break;
		case '@':
			ps->p++;
			break;
		case '[':
			r = bracket(ps, tail);
			break;
		case '.':
			ps->p++;
			if (*ps->p == '.') {
				ps->p++;
				add(tail, NODE_RECURSIVE);
				if (*ps->p == '[')
					break;
			} else if (*ps->p == '[' || *ps->p == '\0' || strchr(" \t\r\n})", *ps->p)) {
				break; /* "{.}" is the value itself */
			}
			r = field_name(ps, tail);
			break;
		default:
			return 0;
		}
	}
	return r;
}

/* --- templates ----------------------------------------------------------------- */

static int nodes(struct parser *ps, struct node ***tail, bool in_range);

static bool
keyword(const struct parser *ps, const char *word)
{
	size_t len = strlen(word);

	return strncmp(ps->p, word, len) == 0 &&
	       (ps->p[len] == '}' || isspace((unsigned char)ps->p[len]));
}

static int
close_brace(struct parser *ps)
{
	space(ps);
	if (*ps->p != '}')
		return bad(ps, *ps->p ? "'}' expected" : "'}' missing at the end");
	ps->p++;
	return 0;
}

static int
range(struct parser *ps, struct node ***tail)
{
	struct node *n = add(tail, NODE_RANGE), **path = &n->child, **body = &n->body;

	ps->p += strlen("range");
	if (++ps->depth > JSONPATH_DEPTH)
		return bad(ps, "nested too deeply");
	space(ps);
	if (*ps->p == '}')
		return bad(ps, "'range' needs a path");
	if (steps(ps, &path) < 0 || close_brace(ps) < 0 || nodes(ps, &body, true) < 0)
		return -ERR_BAD_REQUEST;
	ps->depth--;
	return 0;
}

/* What stands in braces, other than range and end: paths and strings. */
static int
expressions(struct parser *ps, struct node ***tail)
{
	for (space(ps); *ps->p != '}'; space(ps)) {
		struct node **path;

		if (*ps->p == '"' || *ps->p == '\'') {
			if (quoted(ps, &add(tail, NODE_TEXT)->text) < 0)
				return -ERR_BAD_REQUEST;
			continue;
		}
		if (*ps->p == '\0' || !strchr(".$@[", *ps->p))
			return bad(ps, *ps->p ? "a path such as .metadata.name expected"
					      : "'}' missing at the end");
		path = &add(tail, NODE_EXPR)->child;
		if (steps(ps, &path) < 0)
			return -ERR_BAD_REQUEST;
	}
	ps->p++;
	return 0;
}

/* Text and braces, to the end of the template or to {end}. */
static int
nodes(struct parser *ps, struct node ***tail, bool in_range)
{
	while (*ps->p) {
		size_t len = strcspn(ps->p, "{");
		int r;

		if (len > 0) {
			add(tail, NODE_TEXT)->text = xstrndup(ps->p, len);
			ps->p += len;
			continue;
		}
		ps->p++;
		space(ps);
		if (keyword(ps, "end")) {
			if (!in_range)
				return bad(ps, "'end' without 'range'");
			ps->p += strlen("end");
			return close_brace(ps);
		}
		r = keyword(ps, "range") ? range(ps, tail) : expressions(ps, tail);
		if (r < 0)
			return r;
	}
	return in_range ? bad(ps, "'range' without 'end'") : 0;
}

int
jsonpath_parse(struct jsonpath **ret, const char *template, struct err *err)
{
	struct parser ps = { template, template, err, 0 };
	struct jsonpath *p = xcalloc(1, sizeof *p);
	struct node **tail = &p->first;
	int r = nodes(&ps, &tail, false);

	if (r < 0) {
		jsonpath_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

int
jsonpath_parse_path(struct jsonpath **ret, const char *path, struct err *err)
{
	size_t len = strlen(path);
	bool braces = len > 1 && *path == '{' && path[len - 1] == '}';
	autofree char *inner = braces ? xstrndup(path + 1, len - 2) : xstrdup(path);
	autofree char *whole =
	    xasprintf("{%s%s}", strchr(".[$@ ", *inner) && *inner ? "" : ".", inner);
	struct jsonpath *p;
	int r = jsonpath_parse(&p, whole, err);

	if (r < 0)
		return r;
	if (!p->first || p->first->type != NODE_EXPR || p->first->next) {
		jsonpath_free(p);
		return err_set(err, ERR_BAD_REQUEST, "'%s' is not one path", path);
	}
	*ret = p;
	return 0;
}
