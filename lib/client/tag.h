#ifndef ORCH_CLIENT_TAG_H
#define ORCH_CLIENT_TAG_H

#include "api/tag.h"
#include "client/verb.h"

/*
 * What orch-label and orch-annotate are: the same on two fields.
 */
struct tagging {
	const struct tag_field *field;
	const char *done;     /* "labeled" */
	json_t *edits;	      /* tags_parse */
	const char *version;  /* only if the object has this resourceVersion; NULL: any */
	bool overwrite, list; /* list: print what there is, change nothing */
	bool named;	      /* list: say of which object each line is */
};
extern const struct opt tag_opts[]; /* --overwrite, --list, --resource-version, --local */
struct tag_options {
	const char *version;
	bool overwrite, list, local;
};
extern struct tag_options tag_options;

/* Part the words: objects first, changes behind them, both in their order; how many objects. */
int tag_split(char *words[], int n);

/* For verb_each(), arg is a struct tagging: a merge patch of the keys that differ and no others. */
int tag_object(struct verb *v, const struct subject *s, void *arg, struct err *err);

/*
 * The same as a filter, without a server: objects (or events) of the -f files, changed, as JSON
 * Lines or in write_options.format.  Those that -l does not select are passed on as they are.
 */
int tag_stream(const struct tagging *t, struct err *err);

#endif
