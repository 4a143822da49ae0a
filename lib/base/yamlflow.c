#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/yaml.h"
#include "base/yamlflow.h"

enum { DEPTH = 20 };

static const bool name_char[256] = { ['a' ... 'z'] = true,
	['A' ... 'Z'] = true,
	['0' ... '9'] = true,
	['_'] = true,
	['.'] = true,
	['/'] = true,
	['-'] = true };

const char *
yaml_quoted(const char **p, struct buf *scratch, size_t *len)
{
	static const char from[] = "nt\"\\/", to[] = "\n\t\"\\/";
	char quote = *(*p)++;

	buf_clear(scratch);
	for (;;) {
		size_t n = strcspn(*p, quote == '"' ? "\"\\\n" : "'\n");
		const char *e;

		buf_add(scratch, *p, n);
		*p += n;
		if (**p == '\n')
			return NULL;
		if (**p == '\\') {
			if (!(e = strchr(from, (*p)[1])) || *e == '\0')
				return NULL;
			buf_putc(scratch, to[e - from]);
			*p += 2;
		} else if (quote == '\'' && (*p)[1] == '\'') {
			buf_putc(scratch, '\'');
			*p += 2;
		} else {
			++*p;
			*len = scratch->len;
			return scratch->data;
		}
	}
}

/* A word without spaces; inside it a colon, as in image:tag. */
static size_t
word(const char *p)
{
	size_t n = 0;

	if (*p == '-' && !name_char[(unsigned char)p[1]])
		return 0;
	while (name_char[(unsigned char)p[n]] || (n > 0 && (p[n] == '=' || p[n] == '+')) ||
	       (n > 0 && p[n] == ':' && name_char[(unsigned char)p[n + 1]]))
		n++;
	return n;
}

static json_t *
element(const char **p, struct buf *scratch, int depth)
{
	const char *text;
	struct err err;
	json_t *v;
	size_t len;

	*p += strspn(*p, " ");
	if (**p == '[' || **p == '{')
		return yaml_flow(p, scratch, depth + 1);
	if (**p == '"' || **p == '\'') {
		text = yaml_quoted(p, scratch, &len);
		return text ? json_stringn_nocheck(text, len) : NULL;
	}
	if ((len = word(*p)) == 0)
		return NULL;
	v = yaml_scalar(*p, len, &err);
	*p += len;
	return v;
}

/* A key and its colon: a new string. */
static char *
key(const char **p, struct buf *scratch)
{
	const char *text;
	char *name;
	size_t len = 0;

	*p += strspn(*p, " ");
	if (**p == '"' || **p == '\'') {
		text = yaml_quoted(p, scratch, &len);
		if (!text || **p != ':')
			return NULL;
		name = xstrndup(text, len);
	} else {
		while (name_char[(unsigned char)(*p)[len]])
			len++;
		if (len == 0 || **p == '-' || (*p)[len] != ':' || (*p)[len + 1] != ' ' ||
		    yaml_is_special(*p, len))
			return NULL;
		name = xstrndup(*p, len);
		*p += len;
	}
	++*p;
	return name;
}

/* Behind an element: 1 at a comma, 0 at the closing bracket, -1 at anything else. */
static int
more(const char **p, char close)
{
	*p += strspn(*p, " ");
	if (**p != ',' && **p != close)
		return -1;
	return *(*p)++ == ',';
}

static json_t *
flow_list(const char **p, struct buf *scratch, int depth)
{
	json_t *list = json_array(), *v;
	int r;

	do {
		if (!(v = element(p, scratch, depth)))
			break;
		json_array_append_new(list, v);
		if ((r = more(p, ']')) == 0)
			return list;
	} while (r > 0);
	json_decref(list);
	return NULL;
}

static json_t *
flow_map(const char **p, struct buf *scratch, int depth)
{
	json_t *map = json_object(), *v;
	int r;

	do {
		autofree char *name = key(p, scratch);
		size_t before = json_object_size(map);

		if (!name || !(v = element(p, scratch, depth)))
			break;
		json_object_set_new_nocheck(map, name, v);
		if (json_object_size(map) == before)
			break; /* a duplicate */
		if ((r = more(p, '}')) == 0)
			return map;
	} while (r > 0);
	json_decref(map);
	return NULL;
}

json_t *
yaml_flow(const char **p, struct buf *scratch, int depth)
{
	bool list = *(*p)++ == '[';

	if (depth > DEPTH)
		return NULL;
	*p += strspn(*p, " ");
	if (**p == (list ? ']' : '}')) {
		++*p;
		return list ? json_array() : json_object();
	}
	return list ? flow_list(p, scratch, depth) : flow_map(p, scratch, depth);
}
