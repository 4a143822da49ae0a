#include <ctype.h>
#include <string.h>

#include "api/grid.h"
#include "api/jsonpath.h"
#include "base/mem.h"

enum { GAP = 3, NARROWEST = 6 };

void
grid_init(struct grid *g)
{
	*g = (struct grid){ 0 };
}

void
grid_release(struct grid *g)
{
	for (size_t i = 0; i < g->ncols; i++)
		free(g->head[i]);
	for (size_t i = 0; i < g->ncells; i++)
		free(g->cells[i]);
	free(g->head);
	free(g->width);
	free(g->hidden);
	free(g->cells);
	grid_init(g);
}

void
grid_column_as(struct grid *g, const char *name)
{
	g->head = xreallocarray(g->head, g->ncols + 1, sizeof *g->head);
	g->width = xreallocarray(g->width, g->ncols + 1, sizeof *g->width);
	g->hidden = xreallocarray(g->hidden, g->ncols + 1, sizeof *g->hidden);
	g->head[g->ncols] = xstrdup(name);
	g->hidden[g->ncols] = false;
	g->width[g->ncols++] = 0;
}

void
grid_column(struct grid *g, const char *name)
{
	grid_column_as(g, name);
	for (char *p = g->head[g->ncols - 1]; *p; p++)
		*p = (char)toupper((unsigned char)*p);
}

void
grid_hide(struct grid *g, size_t column, bool hidden)
{
	g->hidden[column] = hidden;
}

void
grid_cell(struct grid *g, const char *text)
{
	size_t len = strcspn(text, "\n\r\f");
	struct buf b = BUF_INIT;

	buf_reserve(&b, len + 3);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == 0x1b)
			buf_puts(&b, "^[");
		else
			buf_putc(&b, c < 0x20 || c == 0x7f ? ' ' : (char)c);
	}
	if (text[len])
		buf_puts(&b, "...");
	GROW(g->cells, g->ncells, g->ccells);
	g->cells[g->ncells++] = buf_detach(&b);
}

void
grid_value(struct grid *g, const json_t *value)
{
	autobuf struct buf b = BUF_INIT;

	buf_puts(&b, "");
	jsonpath_text(&b, value);
	grid_cell(g, b.data);
}

size_t
grid_rows(const struct grid *g)
{
	return g->ncols ? g->ncells / g->ncols : 0;
}

/* Characters, not bytes. */
static size_t
width(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

static void
widen(struct grid *g, char *const *row)
{
	for (size_t i = 0; i < g->ncols; i++) {
		size_t w = width(row[i]) + GAP;

		if (w < NARROWEST)
			w = NARROWEST;
		if (w > g->width[i])
			g->width[i] = w;
	}
}

static void
print_row(const struct grid *g, char *const *row, struct buf *out)
{
	size_t pad = 0; /* owed to the column before: the last one is not padded */

	for (size_t i = 0; i < g->ncols; i++) {
		if (g->hidden[i])
			continue;
		for (; pad > 0; pad--)
			buf_putc(out, ' ');
		buf_puts(out, row[i]);
		pad = g->width[i] - width(row[i]);
	}
	buf_putc(out, '\n');
}

void
grid_print(struct grid *g, bool header, struct buf *out)
{
	size_t rows = grid_rows(g);

	if (header && !g->headed)
		widen(g, g->head);
	for (size_t r = 0; r < rows; r++)
		widen(g, g->cells + r * g->ncols);
	if (header && !g->headed)
		print_row(g, g->head, out);
	g->headed = g->headed || header;
	for (size_t r = 0; r < rows; r++)
		print_row(g, g->cells + r * g->ncols, out);
	for (size_t i = 0; i < g->ncells; i++)
		free(g->cells[i]);
	g->ncells = 0;
}
