#ifndef ORCH_SIMNODE_PRIVATE_H
#define ORCH_SIMNODE_PRIVATE_H

#include "base/buf.h"
#include "base/metrics.h"
#include "client/sender.h"
#include "control/map.h"
#include "simnode/sim.h"

/* What the files of this folder share; others use sim.h. */

/* --- heap.c: who is due next ----------------------------------------------------- */

struct timer {
	double due;
	size_t at; /* its place in the heap plus one; 0: not in it */
};
struct heap {
	struct timer **item;
	size_t n, cap;
};
void heap_set(struct heap *h, struct timer *t, double due); /* put it in, or move it */
void heap_remove(struct heap *h, struct timer *t);	    /* also one that is not in it */
struct timer *heap_first(const struct heap *h);		    /* NULL when empty */

/* --- nodes ------------------------------------------------------------------------ */

enum node_step {
	NODE_CREATE,
	NODE_LABEL, /* it was there */
	NODE_STATUS,
	LEASE_CREATE,
	LEASE_RENEW,
	NODE_DELETE,
	LEASE_DELETE,
};
struct node {
	struct timer timer; /* first: the heap hands out these */
	struct sim *sim;
	unsigned index;
	enum node_step step;
	bool known;	     /* the server has it */
	bool silent;	     /* until the timer */
	bool back;	     /* others may have thought otherwise of its conditions */
	char *uid;	     /* between its creation and its Lease's */
	double status;	     /* when its whole status is due */
	double heard;	     /* the last heartbeat that was taken */
	double slot;	     /* when this heartbeat should be; 0: no matter */
	unsigned long beats; /* so far */
	uint64_t used[4];    /* the last bytes of its pods' addresses */
};

/* --- pods ------------------------------------------------------------------------- */

enum pod_state {
	POD_NEW,      /* next: say that containers are being made */
	POD_CREATING, /* next: run */
	POD_RUNNING,  /* next, unless it runs for ever: end */
	POD_BACKOFF,  /* next: run again */
	POD_OVER,     /* Succeeded or Failed: nothing */
	POD_STOPPING, /* being deleted; next: say that it has ended */
	POD_STOPPED,  /* next: delete */
	POD_LEFT,     /* the server is to say that it has gone */
	POD_STATES
};
enum pod_end { END_NONE, END_DONE, END_FAILED, END_STOPPED, END_UNKNOWN };
struct pod {
	struct timer timer; /* first */
	struct sim *sim;
	unsigned node;
	unsigned pass;			  /* the listing that last showed it */
	int64_t started;		  /* the run that goes on, or is to end */
	int64_t last_started, last_ended; /* the one before */
	int grace;			  /* seconds */
	unsigned short restarts, containers;
	unsigned char host; /* the last byte of its address; 0: none yet, or the node's */
	unsigned char state;
	unsigned char end;	 /* of the last run */
	bool always, on_failure; /* its restart policy */
	bool host_network;
	bool deleting;
	bool busy;				/* a request about it is under way */
	bool gone;				/* and it has gone meanwhile */
	bool begun;				/* its startTime was said */
	bool ran;				/* once */
	unsigned short ns, name, containers_at; /* where in text; uid is first */
	char text[]; /* "uid\0" "ns\0" "name\0" and for each container "KIND" "name\0" "image\0" */
};
/* KIND of a container. */
#define C_APP 'a'
#define C_INIT 'i'
#define C_SIDECAR 's'

const char *pod_uid(const struct pod *p);
const char *pod_ns(const struct pod *p);
const char *pod_named(const struct pod *p);

/* --- all of it ---------------------------------------------------------------------- */

enum sim_request { REQ_NODE, REQ_STATUS, REQ_LEASE, REQ_POD, REQ_DELETE, REQS };
struct sim_metrics {
	struct metric *requests[REQS], *seconds[REQS], *errors;
	struct metric *nodes, *silent, *pods[POD_STATES], *late, *latest, *events, *watches;
};

struct sim {
	struct sim_options o;
	struct client *client;
	struct sender *sender;
	struct node *node;
	struct map pods; /* by uid */
	struct heap nodes_due, pods_due;
	double began;	       /* heartbeats are spread from here */
	double tokens, filled; /* requests that may go now; when that was counted */
	unsigned turn;
	bool removing;
	unsigned removed;

	/* the server is away */
	unsigned failures; /* one after the other */
	double hold;	   /* nothing until then */
	struct err fatal;

	/* watch.c */
	struct buf line;
	char *version; /* to go on from; NULL: from the beginning */
	unsigned pass;
	bool watching, listed;
	double watch_due;
	unsigned watch_failures;

	struct sim_metrics m;
};

/* Which of our nodes has this name (not ended by a NUL)?  -1: none. */
int sim_node_index(const struct sim *s, const char *name, size_t len);
const char *sim_node_name(const struct sim *s, unsigned index, char buf[static 256]);

/* Send the request that a node, or a pod, is due for. */
void node_act(struct node *n, double now);
void pod_act(struct pod *p, double now);

/* A pod as the watch shows it. */
void pod_seen(struct sim *s, const json_t *obj, double now);
void pod_vanished(struct sim *s, const char *uid);
/* Those that a whole listing did not show. */
void pods_sweep(struct sim *s);

/* The body of a pod's next status: a strategic merge patch. */
char *status_creating(const struct pod *p, int64_t now);
char *status_running(const struct pod *p, int64_t now);
char *status_backoff(const struct pod *p, int64_t now, double wait);
char *status_ended(const struct pod *p, int64_t now);

void watch_start(struct sim *s);

/* An answer has come.  False when the server is away or busy: the same again when due. */
bool sim_answered(struct sim *s, enum sim_request what, const struct sent *a);
/* Chance: the same number in [0,1) for the same seed, key and n. */
double sim_chance(
    const struct sim *s, const char *what, const char *ns, const char *name, unsigned long n);
double sim_between(const struct range *r, double chance);

#endif
