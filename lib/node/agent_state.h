#ifndef ORCH_NODE_AGENT_STATE_H
#define ORCH_NODE_AGENT_STATE_H

#include "node/agent.h"
#include "node/pod.h"
#include "node/pressure.h"

/* What agent.c, work.c and adopt.c share; others use agent.h. */
struct agent {
	struct host *host;
	struct agent_hooks hooks;
	struct pod **pod;
	size_t n, cap;
	char **ended; /* uids of pods we have let go, until their end is heard of: what still
			 says that they are wanted is old news */
	size_t nended, ended_cap;
	int epoll;
	struct job collecting; /* images */
	double collect_at;     /* when that is due again */
	bool collect_failed;
	double rotate_at; /* when the sizes of logs are looked at */
	double wake;	  /* the earliest time at which something is due */
	double wall;	  /* what the clock is ahead of now_seconds(), as seen last */
	double look_at;	  /* when to look for what is short */
	struct strain strain[URGENCIES][SIGNALS];
	bool felt[CONDITIONS]; /* of the Node, as was told last */
	struct job relief;     /* makes room on the disk, and counts what pods store */
	enum signal_of relief_of;
	int relief_urgency;
	double relief_at, relief_since; /* not before this time again; when it was begun */
	struct shutdown shutdown;
	struct job health; /* is the runtime there? */
	double health_at;  /* when it is asked next */
	double healthy_at; /* when it answered last */
	int64_t weighed;   /* what the burstable pods asked for when their cgroup was told last */
};

double now_seconds(void);		       /* clock_boot(): every timer here goes by it */
void text_replace(char **s, const char *with); /* with may be NULL */
void watch(struct agent *a, int fd);
void unwatch(struct agent *a, int fd);
void tell(struct agent *a, const struct pod *p, const char *type, const char *reason,
    const char *fmt, ...) PRINTF(5, 6);
/* The same of one container. */
void tell_of(struct agent *a, const struct pod *p, const struct container *c, const char *type,
    const char *reason, const char *fmt, ...) PRINTF(6, 7);
void tell_pulling(struct agent *a, const struct pod *p, struct container *c); /* if it will be */
void tell_pulled(
    struct agent *a, const struct pod *p, const struct container *c, const json_t *result);

/* record.c: on the disk, so that a node that is started again goes on with it.  That it cannot be
 * done is told once, and tried again. */
int pod_record(struct agent *a, struct pod *p, double now, struct err *err);
/* Pass on a status that differs from the last one, and record it. */
void pod_report(struct agent *a, struct pod *p, double now);

/* work.c: carry out a step, and take in how it ended. */
void work_begin(struct agent *a, struct pod *p, enum step step, size_t which, double now);
void work_done(struct agent *a, struct pod *p, double now);
/* A container runs: what container_start() says of it. */
void work_started(
    struct agent *a, struct pod *p, struct container *c, const json_t *result, double now);
/* One whose start nobody heard the end of: if it runs already, or ran, it counts as started.  With
 * unhooked also when its postStart hook was not through. */
void work_found(struct agent *a, struct pod *p, struct container *c, bool unhooked);
/* Images that nobody needs (collect.c). */
void collect_begin(struct agent *a);
void collect_step(struct agent *a, double now);
void collect_done(struct agent *a);

/* An image that a container cannot have is told of, by its reason; and while we wait for the next
 * try ErrImagePull becomes ImagePullBackOff (pull_events.c). */
void image_missing(struct agent *a, struct pod *p, struct container *c, const char *reason);
void image_wait(struct agent *a, struct pod *p, double now);
/* Likewise a container that could not be started goes from RunContainerError to CrashLoopBackOff.
 */
void start_wait(struct agent *a, struct pod *p, double now);
void tell_backoff(struct agent *a, const struct pod *p, const struct container *c);

/* conmon has ended, so the container has. */
void work_exit(struct agent *a, struct pod *p, struct container *c);
void work_watch(struct agent *a, struct container *c);		       /* from its monitor */
void work_hooked(struct agent *a, struct pod *p, struct container *c); /* preStop is done */
/* Ask a container to end: its preStop hook first, within the same grace period. */
void work_ask(struct agent *a, struct pod *p, struct container *c);

/* work_probe.c: probes that are due; lowers *wake to the next one. */
void work_probes(struct agent *a, struct pod *p, double now, double *wake);
void work_probed(struct agent *a, struct pod *p, struct container *c, int which, double now);

/* Each of the sources (volume.h), which are null, as it is now; tokens only for who writes them
 * down: they are made anew each time. */
void work_fetch(struct agent *a, const struct pod *p, json_t *sources, bool tokens);
/* All that a pod refers to, in the same way; new. */
json_t *work_sources(struct agent *a, const struct pod *p, bool tokens);
/*
 * The Services that a container is to know of, among the sources.  What its pod's first one was
 * told is kept with the pod: it begins again also when this node was restarted and the server is
 * away.
 */
int work_fetch_services(struct agent *a, const struct pod *p, json_t *sources, struct err *err);

/* renew.c: the volumes of a pod follow what they are made of, and its tokens are replaced in time.
 */
void renew_later(struct pod *p, double now);  /* they were made just now */
void renew_tokens(struct pod *p, double now); /* not by their time, but now */
void renew_due(struct agent *a, struct pod *p, double now, double *wake);
void renew_done(struct pod *p, int r, const struct err *err);

/* measure.c: what a pod may store. */
void measure_due(struct agent *a, struct pod *p, double now, double *wake);
/* It ends at once when the pod has something else to do. */
void measure_yields(struct agent *a, struct pod *p, double now);
void measure_done(
    struct agent *a, struct pod *p, int r, const json_t *stored, const struct err *err, double now);
/* It fails as a whole, and has ended after so many seconds. */
void pod_evict(struct agent *a, struct pod *p, const char *message, double grace, double now);

/* pace.c: may another pod be made, started, looked at or taken down now?  Else a->wake is when to
 * ask again, if none of those at work has ended before. */
bool pace_allows(struct agent *a, double now);

/* weigh.c: what the pods ask for of the node together. */
bool uses_resources(const struct pod *p); /* does it still hold what it asks for? */
void weigh_burstable(struct agent *a);
/* Is there no room for it beside the others, or does it want another node?  The reason, or NULL,
 * and *message, both new. */
char *weigh_refuses(struct agent *a, const struct pod *p, char **message);
/* The room alone, for a pod of the node if it were `as` this object. */
char *weigh_room(struct agent *a, const struct pod *p, const json_t *as, char **message);

/* health.c: does the runtime answer at all? */
void health_due(struct agent *a, double now);
void health_done(struct agent *a, double now);

/* rotate.c: logs that are too large are turned over. */
void rotate_due(struct agent *a, double now);

/* respec.c: what the images of its containers are; and what follows when they were others. */
json_t *respec_images(const struct pod *p);
void respec(struct agent *a, struct pod *p, const json_t *before, double now);
/* End a container for it to begin again: as the kubelet does, whatever its restartPolicy, and with
 * no back-off of what it was before. */
#define RESPEC_AGAIN "definition changed, will be restarted"
void begin_again(struct agent *a, struct pod *p, struct container *c, const char *why, double now);

/* adopt.c */
int agent_adopt(struct agent *a, struct err *err);

#endif
