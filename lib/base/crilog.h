#ifndef ORCH_BASE_CRILOG_H
#define ORCH_BASE_CRILOG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Container logs as the CRI defines their files: "TIME stdout|stderr P|F TEXT" a line, P for a
 * line that goes on in the next.
 */
struct log_options {
	long long tail;	    /* last lines only; negative: all */
	int64_t since_us;   /* only what is not older than this; 0: all */
	bool timestamps;    /* the time before each line */
	const char *prefix; /* put before each line, or NULL */
	FILE *errors;	    /* where lines of stderr go; NULL: with the others */
};

struct crilog {
	FILE *f;
	char *path;
	struct log_options options;
	struct buf line; /* an unfinished line of the file */
	bool open;	 /* the last text printed was a partial one */
};

int crilog_open(struct crilog *log, const char *path, const struct log_options *o, struct err *err);
void crilog_close(struct crilog *log);

/* Print what there is (once more: what has come since); when another file has taken the path, as
 * logs are turned over, the old one to its end and then that. */
int crilog_print(struct crilog *log, FILE *out, struct err *err);

#endif
