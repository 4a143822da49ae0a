#ifndef ORCH_API_GRID_H
#define ORCH_API_GRID_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/*
 * Text in columns, laid out as kubectl does: three spaces between, the last column as long as it
 * is.  What could disturb a terminal is shown as text; of several lines only the first is shown.
 */
struct grid {
	size_t ncols;
	char **head;   /* ncols headers */
	size_t *width; /* what was used so far: columns never get narrower */
	bool *hidden;  /* columns that are not printed */
	char **cells;  /* rows that are not printed yet */
	size_t ncells, ccells;
	bool headed; /* the header has been printed */
};

void grid_init(struct grid *g);
void grid_release(struct grid *g);

void grid_column(struct grid *g, const char *name);    /* before the first row; upper-cased */
void grid_column_as(struct grid *g, const char *name); /* the same, as it is */

/* Leave a column out, or not, from the next grid_print on. */
void grid_hide(struct grid *g, size_t column, bool hidden);

/* The next cell of a row, left to right. */
void grid_cell(struct grid *g, const char *text);
void grid_value(struct grid *g, const json_t *value); /* text, number, boolean; null is empty */

size_t grid_rows(const struct grid *g); /* not printed yet */

/* Append the rows, with the header before the first ones unless told not to; rows are then
 * forgotten. */
void grid_print(struct grid *g, bool header, struct buf *out);

#endif
