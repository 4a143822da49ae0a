#ifndef ORCH_CLIENT_WRITE_H
#define ORCH_CLIENT_WRITE_H

#include <jansson.h>
#include <stdio.h>

#include "api/schema.h"
#include "base/opt.h"
#include "client/output.h"

/*
 * What every program that writes objects takes, spelled the same everywhere: -o/--output FORMAT,
 * --dry-run[=server|client|none] and --field-manager NAME; and how it says what it did.
 */
enum dry {
	DRY_NO,
	DRY_SERVER, /* the server does all but write; what --dry-run alone means */
	DRY_CLIENT, /* nothing but reading is asked of it */
};

/* The word behind --dry-run; NULL when it is not given, "" when alone. */
int dry_of(const char *word, enum dry *ret, struct err *err);

struct write_options {
	const char *format, *dry, *manager;
};
extern struct write_options write_options;
extern const struct opt write_opts[]; /* for program.shared */

struct writer {
	enum dry dry;
	const char *manager; /* --field-manager, else the program's own */
	char *query;	     /* "fieldManager=orch-apply&dryRun=All", for the client_ calls */
	bool printing;	     /* objects, by -o, instead of a line for each */
	FILE *f;
	struct output output;
};

/* By write_options; manager is the program's own.  f is stdout but in tests. */
int writer_open(struct writer *w, FILE *f, const char *manager, struct err *err);

/* Say that an object was "created", "labeled": "deployment.apps/web created (dry run)", or
 * print it.  The caller flushes. */
int writer_report(
    struct writer *w, const struct kind *k, const json_t *obj, const char *what, struct err *err);
int writer_close(struct writer *w, struct err *err); /* prints what waited for the end */

#endif
