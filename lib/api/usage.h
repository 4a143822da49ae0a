#ifndef ORCH_API_USAGE_H
#define ORCH_API_USAGE_H

#include "api/grid.h"

/*
 * NodeMetrics and PodMetrics (metrics.k8s.io) for people: in the order and the columns that
 * `kubectl top` has.
 */
struct usage_options {
	bool pods;	  /* else nodes */
	bool namespaces;  /* pods: with their namespaces */
	bool containers;  /* pods: a row for each container */
	bool sum;	  /* pods: a last row for all of them */
	bool capacity;	  /* nodes: shares of capacity, not of what is allocatable */
	bool swap;	  /* with swap space */
	const char *sort; /* "cpu", "memory": the largest first; NULL: by name */
};

/* Put them in order, and the containers of pods as well. */
void usage_sort(json_t **item, size_t n, const struct usage_options *o);

/*
 * The columns, and a row for each (n may be 0).  nodes is an object of the Nodes by name, for
 * shares; one that has no item gets a row that says so.  NULL: nothing is known of them.
 */
void usage_columns(struct grid *g, const struct usage_options *o);
void usage_rows(struct grid *g, json_t *const *item, size_t n, const json_t *nodes,
    const struct usage_options *o);

#endif
