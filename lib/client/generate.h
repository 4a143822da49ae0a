#ifndef ORCH_CLIENT_GENERATE_H
#define ORCH_CLIENT_GENERATE_H

#include <jansson.h>

#include "api/schema.h"
#include "base/err.h"
#include "base/opt.h"

/*
 * Manifests made from a few options: what `orch-create KIND NAME ...` makes.  The options are one
 * table; each kind takes some of them and refuses the others.
 */
struct generate_options {
	struct list files, literals, env_files; /* configmap, secret */
	const char *type;			/* secret, service */
	const char *cert, *key;			/* secret */
	struct list images;			/* deployment; one for job and cronjob */
	const char *replicas, *port;		/* deployment */
	const char *schedule;			/* cronjob */
	const char *from;			/* job: of a cronjob, which the caller reads */
	struct list ports;			/* service */
	const char *cluster_ip, *external_name; /* service */
};
extern struct generate_options generate_options;
extern const struct opt generate_opts[]; /* for program.shared */

/*
 * A new manifest.  words are KIND NAME, "KIND/NAME", or kubectl's "secret generic NAME" and
 * "service nodeport NAME"; behind them the command of a container.
 */
int generate(int n, char *const words[], json_t **ret, struct err *err);

/* A Job as its cronjob would make it now. */
json_t *generate_job_of(const json_t *cronjob, const char *name);

/* generate_data.c: the data of a configmap or secret, by the options, in place. */
int generate_data(json_t *obj, bool secret, struct err *err);

#endif
