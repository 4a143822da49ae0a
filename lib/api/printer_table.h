#ifndef ORCH_API_PRINTER_TABLE_H
#define ORCH_API_PRINTER_TABLE_H

#include "api/printer.h"

/* The parts of printer.h that make columns: a table for each kind, and custom columns. */
struct tables;

struct tables *tables_new(bool wide, const struct printer_options *o);
void tables_free(struct tables *t); /* accepts NULL */
void tables_add(struct tables *t, json_t *obj);
void tables_print(struct tables *t, struct buf *out); /* what was not printed yet */

struct custom;

/* "NAME:.metadata.name,..." or what a custom-columns-file holds: headers on one line, paths on the
 * next. */
int custom_new(struct custom **ret, const char *spec, bool from_file,
    const struct printer_options *o, struct err *err);
void custom_free(struct custom *c); /* accepts NULL */
int custom_add(struct custom *c, json_t *obj, struct err *err);
void custom_print(struct custom *c, struct buf *out);

#endif
