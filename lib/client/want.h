#ifndef ORCH_CLIENT_WANT_H
#define ORCH_CLIENT_WANT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * What orch-wait waits for:
 *	condition=Ready, condition=Ready=False	a status condition has this value ("True")
 *	jsonpath={.status.phase}=Running	an expression has this value, or any when none is
 *given rollout					a Deployment, StatefulSet, DaemonSet or ReplicaSet
 *is complete create, delete				it exists; it does not
 */
enum want_kind { WANT_CONDITION, WANT_JSONPATH, WANT_ROLLOUT, WANT_CREATE, WANT_DELETE };

struct want {
	enum want_kind kind;
	char *what, *value; /* value NULL: any */
};

int want_parse(struct want *w, const char *text, struct err *err);
void want_release(struct want *w);

/*
 * Does this object have it?  1, 0 with the reason appended to `why`, negative when it never will (a
 * failed rollout is DIFFERS, a kind that has none BAD_REQUEST).  Not for create and delete, which
 * no object answers.
 */
int want_met(const struct want *w, json_t *obj, struct buf *why, struct err *err);

#endif
