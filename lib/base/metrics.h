#ifndef ORCH_BASE_METRICS_H
#define ORCH_BASE_METRICS_H

#include <stdint.h>

#include "base/err.h"

/*
 * Figures of a daemon, and the tiny HTTP responder behind --metrics HOST:PORT.  It answers
 * GET /metrics (Prometheus text format) and GET /healthz, nothing else, and never blocks.
 *
 * A metric is registered once and lives for ever; adding and setting are atomic, from any
 * thread.  One whose name ends in _seconds or _seconds_total counts microseconds.
 */
struct metric {
	const char *name, *type, *help;
	char *labels; /* "queue=\"pods\"" or NULL */
	_Atomic int64_t value;
	struct metric *next;
};

/* type "counter" or "gauge".  name and help are borrowed for ever; labels are copied and may be
 * NULL.  Asking for the same name and labels again gives the same metric. */
struct metric *metric_new(const char *name, const char *type, const char *help, const char *labels);
void metric_add(struct metric *m, int64_t n);
void metric_set(struct metric *m, int64_t n);

/*
 * Listen on "127.0.0.1:9100", "[::1]:0" or ":9100".  One descriptor for the caller's poll
 * loop: when metrics_fd() is readable, call metrics_serve().  For a daemon
 * without a poll loop, metrics_thread() serves from a thread of its own.
 */
struct metrics_server;
int metrics_open(struct metrics_server **ret, const char *address, struct err *err);
void metrics_close(struct metrics_server *s);	  /* accepts NULL */
int metrics_port(const struct metrics_server *s); /* the port bound */
int metrics_fd(const struct metrics_server *s);
void metrics_serve(struct metrics_server *s);
int metrics_thread(struct metrics_server *s, struct err *err);

#endif
