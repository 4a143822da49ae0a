#ifndef ORCH_NODE_IDRANGE_H
#define ORCH_NODE_IDRANGE_H

#include "node/host.h"

/*
 * The user and group ids of pods with a user namespace of their own: 65536 each, which no other
 * pod of this machine has, whatever node runs it.
 *
 *	DATA/pods/UID/ns/ids	the first of a pod's ids; it goes with the sandbox
 *	IDS_FOLDER/FIRST	whose they are: "DATA/pods/UID"; of no account when that pod says
 *				otherwise
 *
 * They are out of the range that /etc/subuid and /etc/subgid give to the user "kubelet", as with
 * a kubelet; without such a line all from 65536 to 2147483647.
 */
enum { IDS_PER_POD = 65536 };
#define IDS_FOLDER "/run/orch/ids"

struct id_range {
	unsigned first, count;
};

/* The range of a user by a file like /etc/subuid: its first line of that name; INVALID when that
 * is not of whole pods.  No such line, or no such file: *ret stays. */
int id_range_read(const char *file, const char *user, struct id_range *ret, struct err *err);

/* Ids for a pod whose folder DATA/pods/UID/ns is there; those that it has, when it has some. */
int ids_take(const struct host *h, const char *uid, unsigned *first, struct err *err);
bool ids_have(const struct host *h, const char *uid, unsigned *first);
void ids_free(const struct host *h, const char *uid); /* nothing of it may run any more */

#endif
