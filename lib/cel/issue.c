/* Mistakes, as cel-go shows them (common/errors.go): in the order of where they are. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cel/ast.h"

enum { MOST_SHOWN = 100 };

static size_t
characters(const char *p, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += (p[i] & 0xc0) != 0x80;
	return n;
}

void
cel_issue(struct cel_issues *is, size_t at, const char *fmt, ...)
{
	struct cel_issue_item *it;
	va_list ap;

	GROW(is->item, is->n, is->cap);
	it = &is->item[is->n];
	*it = (struct cel_issue_item){ .at = at, .order = is->n++ };
	va_start(ap, fmt);
	if (vasprintf(&it->msg, fmt, ap) < 0)
		abort();
	va_end(ap);
	for (size_t i = is->n > 8 ? is->n - 8 : 0; i + 1 < is->n;
	     i++) /* a word may be read twice */
		if (is->item[i].at == at && strcmp(is->item[i].msg, it->msg) == 0) {
			free(it->msg);
			is->n--;
			break;
		}
}

static int
by_place(const void *x, const void *y)
{
	const struct cel_issue_item *a = x, *b = y;

	if (a->at != b->at) /* of nowhere: before all */
		return a->at + 1 < b->at + 1 ? -1 : 1;
	return a->order < b->order ? -1 : 1;
}

static void
show(const char *source, const struct cel_issue_item *it, struct buf *out)
{
	size_t line = 1, begin = 0, column, len;

	if (it->at == CEL_NOWHERE) {
		buf_printf(out, "ERROR: <input>:-1:0: %s", it->msg);
		return;
	}
	for (size_t i = 0; i < it->at && source[i]; i++) {
		if (source[i] == '\n') {
			line++;
			begin = i + 1;
		}
	}
	column = characters(source + begin, it->at - begin);
	len = strcspn(source + begin, "\n");
	buf_printf(out, "ERROR: <input>:%zu:%zu: %s\n | ", line, column + 1, it->msg);
	for (size_t i = 0; i < len; i++)
		buf_putc(out, source[begin + i] == '\t' ? ' ' : source[begin + i]);
	buf_puts(out, "\n | ");
	/* what takes several bytes is taken to be wide */
	for (const char *p = source + begin; p < source + it->at; p++)
		if (((unsigned char)*p & 0xc0) != 0x80)
			buf_puts(out, (unsigned char)*p < 0x80 ? "." : "\uff0e");
	buf_puts(out, (unsigned char)source[it->at] < 0x80 ? "^" : "\uff3e");
}

void
cel_issues_show(struct cel_issues *is, struct buf *out)
{
	if (is->n)
		qsort(is->item, is->n, sizeof *is->item, by_place);
	for (size_t i = 0; i < is->n && i < MOST_SHOWN; i++) {
		if (i)
			buf_putc(out, '\n');
		show(is->source, &is->item[i], out);
	}
	if (is->n > MOST_SHOWN)
		buf_printf(out, "\n%zu more errors were truncated", is->n - MOST_SHOWN);
}

void
cel_issues_release(struct cel_issues *is)
{
	for (size_t i = 0; i < is->n; i++)
		free(is->item[i].msg);
	free(is->item);
	*is = (struct cel_issues){ .source = is->source };
}
