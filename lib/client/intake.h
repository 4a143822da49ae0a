#ifndef ORCH_CLIENT_INTAKE_H
#define ORCH_CLIENT_INTAKE_H

#include "api/selector.h"
#include "base/opt.h"
#include "client/applyset.h"
#include "client/bundle.h"
#include "client/prune.h"

/*
 * What orch-apply and orch-diff do alike: which manifests, how they are applied, which applyset
 * they belong to, and what would be pruned.
 */
struct intake_options {
	struct list files;
	const char *applyset, *server_side, *unknown;
	bool force, prune;
};
extern struct intake_options intake_options;
extern const struct opt intake_opts[]; /* for program.shared, beside scope_opts and client_opts */

struct intake {
	int (*complain)(const struct err *err, const char *fmt, ...) PRINTF(2, 3); /* cli.h's */
	const char *manager;
	bool offline, guarded; /* as in struct bundle */
	double patience;

	struct client *client;
	struct selector *labels;
	struct applyset set; /* id NULL: none */
	struct bundle bundle;
	size_t read; /* objects in the input */
	int worst;   /* the exit status of what people have been told */
};

/* Checks the options, connects, and reads all input. */
int intake_open(struct intake *in, struct err *err);
void intake_close(struct intake *in);

/* Remember a failure.  1 would say that something differs: what is not there is bad input. */
void intake_failed(struct intake *in, int status);

/* Look at what is there and try everything out; `in_record` includes the applyset's record, as
 * wide as it was and will be.  Then the items tell. */
void intake_check(struct intake *in, bool in_record);

/* Write the record of what the applyset holds now. */
int intake_record(struct intake *in, struct err *err);

/* Prune by the options.  p has dry, said and arg. */
int intake_prune(struct intake *in, struct prune *p, struct err *err);

#endif
