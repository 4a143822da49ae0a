#ifndef ORCH_METRICS_FIGURES_H
#define ORCH_METRICS_FIGURES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * What a node told of itself and its containers, the last time and the time before: pure.
 *
 * Processor time is told as a sum since the start, so what is used now takes two points; of the one
 * before no more is kept than that.
 */
struct point {
	int64_t at;	 /* milliseconds since the epoch; 0: not told */
	int64_t started; /* the same; 0: not told */
	uint64_t cpu;	 /* nanoseconds */
	uint64_t memory; /* bytes: the working set */
	int64_t swap;	 /* bytes; -1: not told */
	/* the point before; before_at 0: there is none that this one can be compared with */
	int64_t before_at;
	uint64_t before_cpu;
};

struct entry {
	const char *ns, *pod, *container; /* in figures.words */
	struct point point;
};

/* Of one node: immutable once it is shared. */
struct figures {
	_Atomic unsigned refs;
	struct point node;
	struct entry *entry; /* sorted by namespace, pod, container */
	size_t n;
	char *words;
};
struct figures *figures_ref(struct figures *f);
void figures_unref(struct figures *f); /* accepts NULL */

/*
 * Read a kubelet's /metrics/resource (the Prometheus text format).  What has no time of its own was
 * told at `now` (milliseconds).  Containers of which processor time or memory is missing or 0 were
 * not measured yet: their pods are left out, as metrics-server has it.
 */
int figures_read(struct figures **ret, const char *text, size_t len, int64_t now, struct err *err);

/*
 * f comes after `before` (NULL: it is the first) of the same node: find for each point the one
 * before.  A container that has started again begins anew.  One that is younger than `resolution`
 * (milliseconds), yet old enough for a fair figure (10 s), is compared with its start.
 */
void figures_follow(struct figures *f, const struct figures *before, int64_t resolution);

/* What is used: billionths of a processor, bytes. */
struct used {
	int64_t at, window; /* milliseconds */
	uint64_t cpu, memory;
	int64_t swap; /* -1: not told */
};
/* False when there is nothing to compare with. */
bool point_used(const struct point *p, struct used *ret);

/* The entries of the pod that f->entry[i] is of: how many from there. */
size_t figures_pod(const struct figures *f, size_t i);

#endif
