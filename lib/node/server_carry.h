#ifndef ORCH_NODE_SERVER_CARRY_H
#define ORCH_NODE_SERVER_CARRY_H

#include "base/buf.h"
#include "serve/streams.h"

/* The near ends of a process (or of conmon, which has it), and what goes on between them and a
 * client. */
struct ends {
	int in, out, err;	/* of the process, -1: not there or over */
	int control;		/* where a new size of the terminal goes, -1: none */
	int resizes;		/* of conmon's, -1: none: sizes that it has yet to set */
	bool seqpacket;		/* out is conmon's socket, and each packet names its stream */
	struct buf waiting;	/* for `in` */
	bool in_ended, refused; /* the client ends its input; the process does not take it */
};

/* Until the process has closed its outputs; false: the client has gone before. */
bool carry(struct streams *s, struct ends *e);

/* How it ended, as Kubernetes' clients read it: an exit status, or why it never began. */
void say_exit(struct streams *s, int code);
void say_failure(struct streams *s, const char *message);

#endif
