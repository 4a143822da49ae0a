#ifndef ORCH_CLIENT_NODE_EDIT_H
#define ORCH_CLIENT_NODE_EDIT_H

#include "client/verb.h"

/*
 * What orch-cordon, orch-taint and orch-drain share: operands that are names of nodes, and a change
 * of one field of a node's spec.
 */

/* Operands for verb_open(): "n1" becomes "nodes/n1", none with a selector or --all "nodes"; a new
 * array whose strings node_words_free() frees. */
char **node_words(int *n, char *const words[]);
void node_words_free(char **words);

/* Everything addressed must be a node: else BAD_REQUEST. */
int node_targets(const struct targets *t, struct err *err);

struct node_edit {
	const char *field; /* of spec: "unschedulable" */
	/* What the field is to be, new (json_null() to remove it), and what is then said
	 * ("cordoned"); *ret stays NULL where it is so already. */
	int (*edit)(const struct node_edit *e, const json_t *node, json_t **ret, const char **what,
	    struct err *err);
	const void *arg;
	bool whole;	     /* the new value follows from the old one: nobody's change between is
				overwritten */
	const char *version; /* only if the node has this resourceVersion; NULL: any */
};

/* spec.unschedulable: set, or taken back. */
struct node_edit node_cordon(bool undo);

/* For verb_each(), arg is a struct node_edit. */
int node_change(struct verb *v, const struct subject *s, void *arg, struct err *err);

/* The same as a filter, without a server: nodes (or events) of the -f files, changed, as JSON Lines
 * or in write_options.format.  What -l does not select and what is no node is passed on. */
int node_stream(const struct node_edit *e, struct err *err);

#endif
