#ifndef ORCH_KUBELET_SHOWN_H
#define ORCH_KUBELET_SHOWN_H

#include <jansson.h>

#include "node/host.h"

/*
 * What the containers of one pod say, as it comes: to stdout and stderr, by the name of the
 * container when there are several.
 */
struct shown;

/* Before the containers are started. */
int shown_open(struct shown **ret, const struct host *h, const json_t *pod, struct err *err);
void shown_close(struct shown *s);   /* accepts NULL */
int shown_fd(const struct shown *s); /* readable when there is more */
/* Print what there is. */
void shown_print(struct shown *s);

#endif
