#ifndef ORCH_CLIENT_VERB_H
#define ORCH_CLIENT_VERB_H

#include "client/address.h"
#include "client/write.h"

/*
 * What the programs share that change objects one by one: which objects, what is said of each,
 * and the worst exit status.
 *
 *	struct verb v = { .name = "scale", .complain = complain, .flush = flush_output };
 *	if (verb_open(&v, n, words, &err) < 0) die(...);
 *	verb_each(&v, scale_one, arg);
 *	return finish(verb_close(&v));
 *
 * The library prints nothing by itself: what was done goes to v.writer's file, and what goes
 * wrong to `complain`, which is base/cli.h's.
 */
struct verb {
	const char *name; /* "scale": of "cannot scale deployment.apps/web: ..." */
	int (*complain)(const struct err *err, const char *fmt, ...) PRINTF(2, 3);
	bool (*flush)(void);

	struct client *client;
	struct targets targets;
	struct writer writer;
	int worst;
};

/* -f FILE (verb_opts) and --all (all_opts); program.shared has write_opts beside them. */
struct verb_options {
	struct list files;
	bool all;
};
extern struct verb_options verb_options;
extern const struct opt verb_opts[];
extern const struct opt all_opts[];

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
 * came with: else GONE. */
int verb_read(struct verb *v, const struct subject *s, json_t **ret, struct err *err);

/* Say that an object was "scaled", or print it, by writer_report(); obj may be NULL when
 * v->writer.printing is not set. */
int verb_report(
    struct verb *v, const struct subject *s, const json_t *obj, const char *what, struct err *err);

/* Ends the output; returns the exit status. */
int verb_close(struct verb *v);

#endif
