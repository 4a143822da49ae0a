#ifndef ORCH_KUBELET_KUBELET_PRIVATE_H
#define ORCH_KUBELET_KUBELET_PRIVATE_H

#include "base/metrics.h"
#include "client/cache.h"
#include "kubelet/kubelet.h"
#include "node/job.h"

/* What the files of this folder share; others use kubelet.h. */
struct kubelet {
	struct host *host;
	const char *name; /* the host's */
	struct client *client;
	struct cache *cache;
	struct agent *agent;
	const char *cidr; /* as the administrator wants it, or NULL */
	int port;	  /* of the node's server, as told last */
	bool joined;	  /* the Node is registered, watches are open */
	double join_at;	  /* when that is to be tried again */
	bool settled;
	json_t *events;	  /* to be posted when nothing is more urgent */
	double events_at; /* not before that time, after one was refused so many times */
	int event_tries;
	double beat, full; /* when the next heartbeat, the next whole status is due */
	bool not_ready;	   /* as the Node said last */
	struct job asking; /* is the server back? */
	double ask_at;
	int epoll;    /* its end, and what kubelet_step() is to look at; -1 */
	bool refused; /* the server did not take the last status: said so */
	bool silent;  /* the server did not take the last heartbeat: said so */
	json_t *seen; /* what pods were made of, as last seen: "Kind/namespace/name" */
	struct metric *statuses, *errors;

	struct manifests *manifests; /* NULL: no static pods */
	json_t *statics;	     /* by uid, as manifests_read() gave them */
	json_t *static_status;	     /* theirs, by uid */
	json_t *mirrors;	     /* the server's, by "namespace/name" */
	double mirrors_due;	     /* when mirrors are to be looked at again */
};

const struct kind *core_kind(const char *kind); /* of group "", version v1 */

/* join.c: register and watch, when the server is there.  0 also when it is not; an error is for
 * good.
 */
int join_step(struct kubelet *k, struct err *err);

/* report.c: the Node and its Lease. */
int report_register(struct kubelet *k, struct err *err);
void report_beat(struct kubelet *k); /* sets k->beat */

/* statics.c: static pods and their mirrors. */
void statics_step(struct kubelet *k);
bool statics_is_mirror(const json_t *pod);
void statics_mirror(struct kubelet *k, const char *type, const json_t *mirror); /* heard of */
/* The status of a static pod: true when it is one. */
bool statics_status(struct kubelet *k, const json_t *pod, const json_t *status);

/* services.c: what containers are told of Services. */
json_t *object_identity(const json_t *obj); /* who it is, of which version; new */
json_t *services_keep(const json_t *service);
json_t *services_list(void *arg, const json_t *pod); /* the agent's hook */

/* hooks.c */
bool hooks_post_events(struct kubelet *k); /* true: there are more */

/*
 * away.c: the server does not answer.  Nothing here waits for it: requests fail at once, and a
 * process of its own asks until it is back.
 */
enum { PATIENCE = 3 }; /* seconds, for the request that finds that out */
void away_step(struct kubelet *k);
/* What to wait for besides the server: fd, and that process. */
int away_fd(struct kubelet *k, int fd);
double away_wait(const struct kubelet *k, double seconds); /* at most */

#endif
