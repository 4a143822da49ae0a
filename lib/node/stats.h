#ifndef ORCH_NODE_STATS_H
#define ORCH_NODE_STATS_H

#include "base/buf.h"
#include "node/host.h"
#include "node/usage.h"

/*
 * What the pods of a node use, told in the kubelet's two ways.  A rate needs two looks: it is since
 * the last time somebody asked, as long as that is one second to five minutes ago; who asks first
 * waits a moment.
 */
struct stats_container {
	char *name, *group, *image, *id;
	struct usage use;
	int64_t started;
	uint64_t rate; /* billionths of a processor */
};

struct stats_pod {
	char *uid, *ns, *name, *group;
	int64_t started;
	struct usage use;
	uint64_t rate, processes;
	json_t *stored;	 /* stored_of() it; NULL: that was not asked for */
	json_t *volumes; /* [{"name", "path", "claim"}]: all it has folders or claims for */
	int init;	 /* pid of a process in its network that is its own; 0: none */
	struct stats_container *c;
	size_t n, cap;
};

struct stats {
	const struct host *host;
	int64_t at; /* microseconds */
	struct usage node, pods;
	uint64_t node_rate, pods_rate;
	char *group; /* of all pods */
	struct stats_pod *pod;
	size_t n, cap;
};

/* What pods store is counted with `disk`, or known from a moment ago. */
enum { STATS_RATES = 1, STATS_DISK = 2 };
void stats_collect(const struct host *h, int what, struct stats *ret);
void stats_release(struct stats *s);

json_t *stats_summary(const struct stats *s, bool only_cpu_and_memory); /* stats/v1alpha1 */
void stats_resource(const struct stats *s, struct buf *out);		/* /metrics/resource */
void stats_cadvisor(const struct stats *s, struct buf *out);		/* /metrics/cadvisor */

struct pod;
/* stats_disk.c: stored_of() a pod, not older than that is worth; counting ends at `until`. */
json_t *stats_stored(const struct host *h, const struct pod *p, double until);
double stats_patience(void);		  /* until when one answer may count */
void stats_forget(const struct stats *s); /* all but the pods of these */

#endif
