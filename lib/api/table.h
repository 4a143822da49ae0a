#ifndef ORCH_API_TABLE_H
#define ORCH_API_TABLE_H

#include <jansson.h>
#include <stdint.h>

#include "api/schema.h"

/*
 * Rows as kubectl shows them.  Kinds without columns of their own have Name and Age.
 */

/* The columns of a kind: its own, or Name and Age. */
const struct column *table_columns(const struct kind *k, size_t *n);

/* The cells of one object, a new array with one value per column (strings and integers, as in a
 * Table's rows), of an IPAddress one more behind them, as Kubernetes has it; ages are relative to
 * `now`. k may be NULL for an unknown kind.
 */
json_t *table_cells(const struct kind *k, const json_t *obj, int64_t now);

/* What a row says of its object beside the cells, a new list; NULL for nothing. */
json_t *table_conditions(const struct kind *k, const json_t *obj);

#endif
