#ifndef ORCH_CLIENT_VERB_H
#define ORCH_CLIENT_VERB_H

#include "client/address.h"
#include "client/apply.h"
#include "client/output.h"

/*
 * What the programs share that change objects one by one: which objects, the options of every
 * such program, what is printed, and the worst exit status.
 *
 *	struct verb v = { .name = "scale", .complain = complain };
 *	if (verb_open(&v, n, words, &err) < 0) die(...);
 *	verb_each(&v, scale_one, arg);
 *	return finish(verb_close(&v));
 *
 * The library prints nothing by itself: what is printed goes to v.output's file, and what goes
 * wrong to `complain`, which is base/cli.h's.
 */
struct verb {
	const char *name; /* "scale": of "cannot scale deployment.apps/web: ..." */
	int (*complain)(const struct err *err, const char *fmt, ...) PRINTF(2, 3);
	bool (*flush)(void);

	struct client *client;
	struct targets targets;
	struct output output;
	enum apply_dry dry;
	int worst;
};

/* -f FILE and -o FORMAT; and for those that write: --dry-run[=MODE], --field-manager, --all. */
struct verb_options {
	struct list files;
	const char *output, *dry, *manager;
	bool all;
};
extern struct verb_options verb_options;
extern const struct opt verb_opts[];  /* -f, -o */
extern const struct opt write_opts[]; /* the others */

/* One object that the verb is to work on. */
struct subject {
	const struct kind *kind;
	const char *ns, *name;
	json_t *obj; /* as a stream gave it or a list has just shown it; NULL: only named */
	bool live;   /* a list has shown it */
	const char *where;
};

/* Connects and gathers the targets: operands, -f files or stdin.  verb_close() goes with it also
 * after a failure. */
int verb_open(struct verb *v, int n, char *const words[], struct err *err);

/* A target that names a kind alone means all of it only with --all or a selector: else
 * BAD_REQUEST. */
int verb_needs_names(const struct verb *v, struct err *err);

/* Call `one` for each object.  When it fails v->complain says so, and the next one follows. */
void verb_each(struct verb *v,
    int (*one)(struct verb *v, const struct subject *s, void *arg, struct err *err), void *arg);

/* Remember a failure of which people have been told. */
void verb_failed(struct verb *v, int status);

/* The object of a subject as the server has it; new.  A stream's object must have the uid that it
 * came with. */
int verb_read(struct verb *v, const struct subject *s, json_t **ret, struct err *err);

/* "deployment.apps/web WHAT" on a line; with -o the object instead (borrowed). */
int verb_report(
    struct verb *v, const struct subject *s, json_t *obj, const char *what, struct err *err);

/* The query of a write: field manager ("orch-scale" by default) and dry run; a new string. */
char *verb_query(const struct verb *v);

/* Ends the output; returns the exit status. */
int verb_close(struct verb *v);

#endif
