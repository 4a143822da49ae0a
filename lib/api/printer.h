#ifndef ORCH_API_PRINTER_H
#define ORCH_API_PRINTER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * The output formats of -o, the same in every program:
 *
 *	table, wide		columns as kubectl shows them, a table per kind
 *	json, yaml		for people: indented, keys sorted
 *	jsonl			the object stream (orch-streams(7))
 *	name			deployment.apps/web
 *	jsonpath=TEMPLATE	kubectl's template language
 *	custom-columns=NAME:PATH,...
 *	jsonpath-file=FILE, custom-columns-file=FILE	the same from a file
 *
 *	printer_new(&p, "wide", &options, &err);
 *	for each object: printer_add(p, obj, &out, &err), write out, buf_clear(&out);
 *	printer_end(p, &out, &err), write out;
 *	printer_free(p);
 *
 * Pure: text comes out in a struct buf.  What can be printed at once is (jsonl, name, yaml); tables
 *and whatever needs to know all objects comes with printer_end(), or with printer_flush().
 */
struct printer;

/* How json, yaml and jsonpath take several objects. */
enum printer_list {
	PRINTER_LIST_AUTO,   /* json, jsonpath: one object as itself, else a v1 List; yaml: "---"
				documents */
	PRINTER_LIST_ALWAYS, /* always a v1 List, also of one or none: what `get KIND` wants */
	PRINTER_LIST_NEVER,  /* each object on its own; jsonpath adds a newline after each */
};

struct printer_options {
	int64_t now; /* for ages */
	enum printer_list list;
	bool no_headers;  /* table, custom-columns */
	bool show_labels; /* table: a last column LABELS */
	bool show_kind;	  /* table: names as "pod/web"; on its own when there are several kinds */
	bool show_namespace; /* table: a first column NAMESPACE; on its own when objects span
				several */
	bool keep_order;     /* json, yaml: keys as they stand in the object */
	const char
	    *label_columns;    /* table: comma-separated label keys, each a column; may be NULL */
	const char *file_text; /* what the file of a -file format holds: see printer_file */
};

/* The file that a "jsonpath-file=F" or "custom-columns-file=F" names, else NULL.  The caller reads
 * it into options.file_text, for this library does no I/O. */
const char *printer_file(const char *format);

/* o (and the texts in it) must outlive the printer.  A bad format or template is BAD_REQUEST. */
int printer_new(
    struct printer **ret, const char *format, const struct printer_options *o, struct err *err);
void printer_free(struct printer *p); /* accepts NULL */

/* Borrows obj; what is kept is kept by reference, so obj must not be changed afterwards. */
int printer_add(struct printer *p, json_t *obj, struct buf *out, struct err *err);
int printer_end(struct printer *p, struct buf *out, struct err *err);

/* For watches: the rows of a table so far; later rows go below them, in the same widths where they
 * fit. */
void printer_flush(struct printer *p, struct buf *out);

/* "deployment.apps/web": lower-case kind, group, name; a new string. */
char *printer_name(const json_t *obj);

#endif
