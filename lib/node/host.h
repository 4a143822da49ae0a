#ifndef ORCH_NODE_HOST_H
#define ORCH_NODE_HOST_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/opt.h"
#include "node/cgroup.h"
#include "node/image.h"
#include "node/image_collect.h"
#include "node/reserve.h"
#include "node/shutdown.h"

/*
 * What a node stands on: its data folder and the programs of this machine that it uses.
 *
 *	DATA/images/		the image store (image.h)
 *	DATA/pods/UID/		a pod: pod.json, state.json, ns/ (its namespaces, pinned), etc/,
 *volumes/, containers/NAME-ATTEMPT/ (bundle, overlay)
 *	DATA/log/pods/NAMESPACE_NAME_UID/CONTAINER/N.log	what containers say, in CRI format
 *	DATA/seccomp/		profiles that pods may name (Localhost)
 *	DATA/run/		the runtime's own state, exit files of conmon (scratch.h)
 *	DATA/cni/		addresses in use (host-local)
 */
struct host_options {
	const char *name; /* of the node; with `cleaning` it may be NULL */
	const char *data;
	const char *images;   /* the folder whose image store it uses; NULL: data */
	const char *runtime;  /* "crun", "runc", a path, or NULL: the first that works */
	struct list handlers; /* more of them, each "NAME=PATH"; see runtime.h */
	const char *conmon;   /* NULL: from PATH */
	const char *cni_path; /* NULL: /usr/lib/cni, /opt/cni/bin */
	const char *pod_cidr;
	const char *address;	    /* the node's address */
	const char *cluster_dns;    /* "IP,..." for pods that are to ask it first, or NULL */
	const char *cluster_domain; /* NULL: cluster.local */
	const char *auth_file;	    /* registry logins; see registry.h */
	const char *registries;	    /* rules for registries, or NULL; see registry.h */
	bool insecure;		    /* registries in plain HTTP */
	double pull_deadline;	    /* seconds a pull may go without progress; 0: registry.h's */
	long pids;		    /* processes a pod may have; 0: no bound */
	int max_pods;		    /* 0: 110 */
	struct reserve reserve;
	struct shutdown_rules shutdown; /* n 0: pods do not end before the machine does */
	bool keep_logs;			/* of pods that have gone */
	bool cleaning;			/* only to remove things: no runtime is needed */
	bool seccomp_default;		/* who names no seccomp profile has RuntimeDefault */
	const char *sysctls; /* unsafe ones that pods may set: "kernel.msg*,net.core.somaxconn" */
	struct collect_rules collect; /* of images */
	double collect_every;	      /* seconds; 0: never */
	double
	    runtime_timeout; /* seconds that a call of the runtime or a plugin may take; 0: 120 */
	double backoff;	     /* seconds before the second restart of a container, doubling to 300 */
	int64_t log_size;    /* bytes after which a log is turned over; 0: never */
	long log_files;	     /* of one log, at most */
	double log_every;    /* seconds between looks at their sizes */
	double renew;	     /* seconds between looks at what volumes are made of */
};

struct host {
	struct host_options o;	 /* its texts are the host's own, absolute where they are paths */
	char *key;		 /* the node's name and a hash of its folder: "n1-1a2b3c4d" */
	struct handler *handler; /* the runtimes: the first is o.runtime, named "" */
	size_t handlers;
	struct cgroups cgroups;
	struct images *images;
	int port;		  /* of the node's own server; 0: there is none */
	int64_t pressed[SIGNALS]; /* when there was too little of it last, by clock_boot() */
	char *runtime_down;	  /* why the Node is not ready, or NULL */
	bool shutting_down;	  /* the machine is about to go down: the Node is not ready */
	char *pin;		  /* and what its key is known by */
	int lock;
};

/* Checks all of it: a missing or broken program is UNAVAILABLE and named; a folder that another
 * orch-node uses is CONFLICT. */
int host_open(struct host **ret, const struct host_options *o, struct err *err);
void host_close(struct host *h); /* accepts NULL */

/* A look at the folder of a node that may be running: for host_path() and runtime_run() alone. */
int host_peek(struct host **ret, const char *data, const char *runtime, struct err *err);

/* Where pods get their addresses from, when it was not known at host_open; recorded for host_open
 * with `cleaning`. */
int host_set_cidr(struct host *h, const char *cidr, struct err *err);
/* The one that this folder's node had the last time, when it was recorded. */
void host_last_cidr(struct host *h);

/* The node's own server is there (server.h): what the Node says of it. */
void host_set_server(struct host *h, int port, const char *pin);

char *host_path(const struct host *h, const char *fmt, ...)
    PRINTF(2, 3); /* below the data folder */

/*
 * The cgroup of a pod: "/orch/KEY/podUID" for the guaranteed, below "/orch/KEY/burstable" and
 * "/orch/KEY/besteffort" for the others.  Where it is, as far as it is anywhere.
 */
char *host_cgroup(const struct host *h, const char *uid);
char *host_cgroup_of(const struct host *h, const json_t *pod); /* else where it is to be */

char *host_monitors(const struct host *h); /* where every conmon is: "/orch/KEY/monitors" */

/* A mount namespace for what the runtime must see: in a forked process only. */
int host_private_mounts(const struct host *h, struct err *err);

#endif
