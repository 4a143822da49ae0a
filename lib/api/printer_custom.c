/* custom-columns=NAME:.metadata.name,IMAGE:.spec.containers[*].image */
#include <string.h>

#include "api/grid.h"
#include "api/jsonpath.h"
#include "api/printer_table.h"
#include "base/mem.h"

struct custom {
	bool no_headers;
	struct grid grid;
	struct jsonpath **path; /* one a column */
	size_t n, cap;
};

void
custom_free(struct custom *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++)
		jsonpath_free(c->path[i]);
	free(c->path);
	grid_release(&c->grid);
	free(c);
}

static int
add_column(struct custom *c, const char *head, const char *path, struct err *err)
{
	struct jsonpath *p;
	int r = jsonpath_parse_path(&p, path, err);

	if (r < 0)
		return err_wrap(err, "column '%s'", head);
	GROW(c->path, c->n, c->cap);
	c->path[c->n++] = p;
	grid_column(&c->grid, head);
	return 0;
}

/* The length up to the next comma that is in no brackets and no quotes. */
static size_t
column_len(const char *s)
{
	int depth = 0;
	char quote = 0;
	size_t i;

	for (i = 0; s[i] && (s[i] != ',' || depth > 0 || quote); i++) {
		if (quote)
			quote = s[i] == quote ? 0 : quote;
		else if (s[i] == '"' || s[i] == '\'')
			quote = s[i];
		else if (s[i] == '[' || s[i] == '(')
			depth++;
		else if ((s[i] == ']' || s[i] == ')') && depth > 0)
			depth--;
	}
	return i;
}

static int
from_text(struct custom *c, const char *spec, struct err *err)
{
	while (*spec) {
		size_t len = column_len(spec);
		autofree char *one = xstrndup(spec, len);
		char *colon = strchr(one, ':');

		if (!colon || colon == one || colon[1] == '\0')
			return err_set(err, ERR_BAD_REQUEST,
			    "'%s' is not HEADER:PATH, as in NAME:.metadata.name", one);
		*colon = '\0';
		if (add_column(c, one, colon + 1, err) < 0)
			return -(int)err->code;
		spec += len + (spec[len] == ',');
	}
	return 0;
}

/* The next word of a line, or NULL at its end; *p moves behind it. */
static char *
word(const char **p)
{
	size_t len;
	char *w;

	*p += strspn(*p, " \t\r");
	len = strcspn(*p, " \t\r\n");
	w = len > 0 ? xstrndup(*p, len) : NULL;
	*p += len;
	return w;
}

static int
from_lines(struct custom *c, const char *text, struct err *err)
{
	const char *heads = text + strspn(text, " \t\r\n"), *paths = strchr(heads, '\n');

	for (paths = paths ? paths + 1 : "";;) {
		autofree char *head = word(&heads), *path = word(&paths);

		if (!head && !path)
			return 0;
		if (!head || !path)
			return err_set(err, ERR_BAD_REQUEST,
			    "the file needs a line of headers and a line with as many paths");
		if (add_column(c, head, path, err) < 0)
			return -(int)err->code;
	}
}

int
custom_new(struct custom **ret, const char *spec, bool from_file, const struct printer_options *o,
    struct err *err)
{
	struct custom *c = xcalloc(1, sizeof *c);
	int r;

	c->no_headers = o->no_headers;
	grid_init(&c->grid);
	r = from_file ? from_lines(c, spec, err) : from_text(c, spec, err);
	if (r == 0 && c->n == 0)
		r = err_set(err, ERR_BAD_REQUEST, "custom-columns needs at least one HEADER:PATH");
	if (r < 0) {
		custom_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

int
custom_add(struct custom *c, json_t *obj, struct err *err)
{
	for (size_t i = 0; i < c->n; i++) {
		autobuf struct buf b = BUF_INIT;
		struct found f = FOUND_INIT;
		int r = jsonpath_find(c->path[i], obj, &f, err);

		for (size_t k = 0; k < f.n && r == 0; k++) {
			if (k > 0)
				buf_putc(&b, ',');
			if (json_is_null(f.item[k]))
				buf_puts(&b, "<none>");
			else
				jsonpath_text(&b, f.item[k]);
		}
		if (f.n == 0)
			buf_puts(&b, "<none>");
		found_release(&f);
		if (r < 0)
			return r;
		buf_puts(&b, "");
		grid_cell(&c->grid, b.data);
	}
	return 0;
}

void
custom_print(struct custom *c, struct buf *out)
{
	grid_print(&c->grid, !c->no_headers, out);
}
