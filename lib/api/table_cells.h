#ifndef ORCH_API_TABLE_CELLS_H
#define ORCH_API_TABLE_CELLS_H

#include <jansson.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * The parts of table.h: one row of cells for each kind that computes what it shows.
 * A cell that is a field says so; the others have a function.
 */
enum cell_type { CELL_TEXT, CELL_INT, CELL_BOOL };

struct cell {
	const char *column; /* as the schema names it; "" for a cell behind all columns */
	json_t *(*make)(const json_t *obj, int64_t now); /* new; NULL: the field at path */
	const char *path;				 /* "status.readyReplicas" */
	enum cell_type type;
	const char *text;  /* for a missing text */
	json_int_t number; /* for a missing number or boolean */
};

#define CELL(column, make)                             \
	{                                              \
		column, make, NULL, CELL_TEXT, NULL, 0 \
	}
#define TEXT(column, path, dflt)                       \
	{                                              \
		column, NULL, path, CELL_TEXT, dflt, 0 \
	}
#define INT(column, path, dflt)                          \
	{                                                \
		column, NULL, path, CELL_INT, NULL, dflt \
	}
#define BOOL(column, path, dflt)                          \
	{                                                 \
		column, NULL, path, CELL_BOOL, NULL, dflt \
	}

struct cells {
	const char *group, *kind;
	const struct cell *cells; /* ended by a NULL column */
};

/* The tables of table_workload.c and the others named so; each ends with a NULL kind. */
extern const struct cells workload_cells[], cluster_cells[], network_cells[], storage_cells[],
    scale_cells[], admission_cells[];

/* --- what they have in common ------------------------------------------------ */

/* How long ago a time was, "<unknown>" when it is missing. */
const char *since(const char *time, int64_t now, char buf[static 40]);
json_t *cell_since(const char *time, int64_t now);
json_t *cell_buf(struct buf *b); /* its text; the buf is released */

/* Append item, parted by sep from what is there. */
void join(struct buf *b, const char *sep, const char *item);
/* The texts under key of every object in a list, joined by commas; key NULL: the items themselves.
 */
void join_all(struct buf *b, const json_t *list, const char *key);
/* "a=1,b=2", sorted, or "<none>". */
void add_labels(struct buf *b, const json_t *labels);
/* A LabelSelector as text, or "<none>". */
json_t *cell_selector(const json_t *label_selector);

/* Follow a dotted path. */
json_t *value_at(const json_t *obj, const char *path);

#endif
