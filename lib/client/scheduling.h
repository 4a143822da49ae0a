#ifndef ORCH_CLIENT_SCHEDULING_H
#define ORCH_CLIENT_SCHEDULING_H

#include "client/client.h"
#include "schedule/schedule.h"

/*
 * lib/schedule for ever: watch Pods, Nodes and Namespaces, place every pending Pod as it appears,
 * highest priority first.  A pod that fits nowhere is tried again when something changed that
 * could make room, with back-off, and every five minutes.  What was decided counts at once, until
 * the cache shows it; a refused binding is taken back and decided anew.
 */
struct scheduling_options {
	const char *name; /* spec.schedulerName */
	enum scoring scoring;
	const char *metrics;		      /* HOST:PORT for /metrics, or NULL */
	void (*explained)(const json_t *why); /* what to do with explanations, or NULL for none */
};

/* Runs until SIGTERM or SIGINT (returns 0). */
int scheduling_run(struct client *c, const struct scheduling_options *o, struct err *err);

#endif
