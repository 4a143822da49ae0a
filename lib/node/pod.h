#ifndef ORCH_NODE_POD_H
#define ORCH_NODE_POD_H

#include "base/proc.h"
#include "node/host.h"
#include "node/job.h"
#include "node/probe.h"

/*
 * A pod on this node: what is wanted, what is there, and what happens to it right now.
 * The loop (agent.h) asks pod_next() what to do; that is a pure function of this.
 */
enum container_kind {
	INIT,
	SIDECAR,
	APP,
	EPHEMERAL
}; /* SIDECAR: an init container with restartPolicy Always */
enum container_state { WAITING, RUNNING, EXITED };

struct container {
	json_t *spec; /* borrowed from the pod */
	const char *name;
	enum container_kind kind;
	enum container_state state;
	bool begun;	  /* an attempt was made: `attempt` is its number */
	unsigned attempt; /* of the container that runs, or ran last */
	unsigned restarts;
	struct proc init, monitor;
	int monitor_fd; /* readable when conmon has ended; -1: none */
	int64_t started, finished;
	int code;
	bool oom;
	char *reason, *message; /* of EXITED, or why it is WAITING ("" is ContainerCreating) */
	json_t *last;		/* the `terminated` before this one */
	char *image, *image_id;
	json_t *user;	 /* of its first process: process.user of the OCI runtime's specification */
	double backoff;	 /* seconds that the next restart waits after the end of this run */
	double ended_at; /* as `finished`, for timers: all of these are clock_boot() */
	double begun_at; /* when the last attempt was made */
	double again;	 /* WAITING: not before this time */
	double retry;	 /* seconds between tries to get its image or configuration */
	json_t *actuated; /* the resources that its cgroup was told; NULL: not known */
	bool renewing;	  /* it is ended only to begin again: with other resources, another image */
	int stop_signal;
	double kill_by; /* 0: no; it was asked to end and is to begin again: KILL then */
	bool term_sent, kill_sent;
	bool pulling;	 /* its start was said to pull its image */
	bool backed_off; /* a start that failed is by now shown as waiting for the next */
	double asked_at; /* when it got its signal, after its hook; 0: not yet */
	struct probe probes[PROBES];
	struct job hook; /* preStop; its end sends the signal */
};

/* How far a change of a pod's resources is (resize.h). */
struct resize {
	const char *pending; /* why it is not allocated: "Deferred", "Infeasible"; NULL: it is */
	char *why;
	json_int_t pending_of; /* generation */
	bool going;	       /* allocated, and not all that runs has it yet */
	json_int_t going_of;
	char *error;
	double again;		    /* after an error */
	double decide_at;	    /* what was allocated could not be recorded: not before this */
	struct cgroup_limits group; /* what the pod's cgroup was told */
	json_t *doing;		    /* the object that the job is about */
};

enum sandbox_state { NO_SANDBOX, SANDBOX, SANDBOX_DOWN }; /* DOWN: it was torn down for good */

struct pod {
	const struct host *host;
	json_t *object;	   /* as last given, with the resources that are allocated (resize.h) */
	json_t *given;	   /* with those that are asked for; `object` itself when they are these */
	char *uid, *label; /* label: "namespace/name", for messages */
	bool wanted;	   /* somebody still lists it as bound to this node */
	bool leaving;	   /* to be forgotten when it has ended, whoever still wants it */
	bool stopping;	   /* is to end: deleted, gone, past its deadline */
	bool anew;	   /* wanted again since: when it has ended it begins from nothing */
	double stop_by;	   /* then KILL */
	enum sandbox_state sandbox;
	char *ip;
	char *fail_reason, *fail_message; /* the pod failed as a whole (DeadlineExceeded, ...) */
	int64_t started;		  /* by the clock: for the status */
	double active_since;		  /* the same for timers */
	double again, backoff;		  /* of the sandbox */
	char *trouble;			  /* why the sandbox cannot be made */
	struct container *c; /* init containers, the others, ephemeral ones as they come */
	size_t n;
	json_t *status; /* as last reported */
	struct job job;
	int doing; /* enum step, while job runs */
	double doing_since;
	size_t doing_container;
	double unsaved;	      /* when to try again to record it; 0: it is recorded */
	bool dirty;	      /* the status may have changed */
	double contradict_at; /* the server's word is not ours: say it again then; 0: no */
	double renew_at;      /* its volumes; 0: it is not known how old they are */
	double tokens_by;     /* its tokens are to be replaced then */
	double measure_at;    /* how full its volumes are; 0: not known yet */
	uint64_t made_of;     /* a hash of what its volumes were brought up to; 0: not known */
	uint64_t saved[2];    /* hashes of what the records on disk say; 0: not known */
	bool retired;	      /* finished before we knew it: not ours to run or report */
	struct resize resize;
};

/* From an object bound to this node; INVALID when it cannot be run at all (no uid, no containers).
 */
int pod_new(struct pod **ret, const struct host *h, const json_t *object, struct err *err);
void pod_free(struct pod *p);
/* A newer version of the object; its containers are the same, but ephemeral ones may be new. */
void pod_take(struct pod *p, const json_t *object);
/* The same with other resources; taken. */
void pod_allocate(struct pod *p, json_t *object);

/* The record on disk: pods/UID/pod.json and state.json; a restarted node goes on from there. */
int pod_save(struct pod *p, struct err *err);
int pod_load(struct pod **ret, const struct host *h, const char *uid, struct err *err);
int pod_forget(const struct pod *p, struct err *err); /* remove it, and the logs */

/* Its sandbox has gone, and with it all that was running (recall.c). */
void pod_recall(struct pod *p, int64_t now); /* how far it was, by the status of its object */
void pod_rewind(struct pod *p);		     /* init containers run again in a new sandbox */

bool pod_is_static(const struct pod *p); /* it belongs to this machine, not to the cluster */
void pod_revive(struct pod *p);		 /* it was ended as a whole: begin anew */

/* What to do next.  `wake` gets the time at which to ask again, when that is before anything
 * happens. */
enum step {
	STEP_NONE,
	STEP_SANDBOX,  /* make the sandbox */
	STEP_START,    /* start container `which` */
	STEP_TERM,     /* ask container `which` to end */
	STEP_KILL,     /* end it */
	STEP_TEARDOWN, /* nothing runs: remove containers and sandbox */
	STEP_GONE,     /* nothing is left and nobody wants it: forget it */
	STEP_RENEW,    /* bring its volumes up to date: not said by pod_next, done in between */
	STEP_MEASURE,  /* look how full they are: the same */
	STEP_RESIZE,   /* tell its cgroups what is allocated */
	STEP_AGAIN,    /* end container `which`, for it to begin again with that */
};
enum step pod_next(const struct pod *p, double now, size_t *which, double *wake);

bool pod_over(const struct pod *p); /* every container has ended for good: Succeeded or Failed */
const char *pod_phase(const struct pod *p);
/* Will this container be started again by itself? */
bool container_restarts(const struct pod *p, const struct container *c);
/* Would it be, by its policy and the pod's, after it ended with this code? (restart.c) */
bool container_would_restart(const struct pod *p, const struct container *c, int code);
double container_due(const struct container *c); /* when it is started, if it is to be */
double container_next_backoff(const struct container *c, double initial);

/* A container ended, or could not be started; `when` by the clock. */
void container_ended(struct pod *p, struct container *c, int code, double when);

/* The status as Kubernetes writes it; times out of the pod's last status stay. */
json_t *pod_status(const struct pod *p, int64_t now);
json_t *terminated_state(const struct pod *p, const struct container *c);

#endif
