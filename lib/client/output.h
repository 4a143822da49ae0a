#ifndef ORCH_CLIENT_OUTPUT_H
#define ORCH_CLIENT_OUTPUT_H

#include <jansson.h>
#include <stdio.h>

#include "api/printer.h"
#include "base/buf.h"

/* A printer that writes to a file: what -o means in the client programs. */
struct output {
	FILE *f;
	struct printer *printer;
	struct printer_options options;
	struct buf file; /* of a jsonpath-file= or custom-columns-file= */
	struct buf text;
	bool tables;
};

/* format NULL: a table on a terminal, else JSON Lines.  options may be NULL. */
int output_open(struct output *o, FILE *f, const char *format,
    const struct printer_options *options, struct err *err);
bool output_tables(const struct output *o); /* does it print the columns of kinds? */
int output_add(struct output *o, json_t *obj, struct err *err); /* borrows obj */
void output_flush(struct output *o);				/* rows so far, for watches */
int output_close(struct output *o, struct err *err);
void output_discard(
    struct output *o); /* instead of output_close: what is not printed yet never is */

/*
 * A descriptor that is readable once nobody reads our output any more, so that `orch-watch | head`
 * ends without waiting for one more event: for cache_wait().  -1 when the output is no pipe.
 */
int output_gone(FILE *f);
bool output_is_gone(int fd); /* is it so? -1: no */

#endif
