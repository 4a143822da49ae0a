#ifndef ORCH_CLIENT_ADDRESS_H
#define ORCH_CLIENT_ADDRESS_H

#include <jansson.h>
#include <stdio.h>

#include "base/opt.h"
#include "client/client.h"

/*
 * The addressing language of orch(7): which objects a program is to work on.
 *
 *	deployment/web svc/web		objects
 *	deployment web api		objects of one kind (of several: pods,services web)
 *	pods  pods,deployments		all of a kind, in the scope of -n, -A, -l, --field-selector
 *	nodes pods			several kinds, when each is the plural name of one
 *	-f FILE, -f DIR, -f -		the objects that a stream names
 */
struct target {
	const struct kind *kind;
	char *ns;    /* "": not namespaced, or all namespaces */
	char *name;  /* "": all of the collection */
	json_t *obj; /* when a stream gave it, else NULL */
	char *where; /* the stream's "web.yaml:12", or the operand as it was typed */
};

struct targets {
	struct target *item;
	size_t n, cap;
};

void targets_release(struct targets *t);

/* From operands. Names together with a selector or -A are refused. */
int targets_of_words(
    struct targets *t, struct client *c, int n, char *const words[], struct err *err);

/* From files, folders (their *.yaml, *.yml and *.json, by name) and "-" for stdin. */
int targets_of_files(
    struct targets *t, struct client *c, const struct list *files, struct err *err);

/* Operands, else -f files, else stdin: what get, delete and wait take. */
int targets_gather(struct targets *t, struct client *c, int n, char *const words[],
    const struct list *files, struct err *err);

/* Read what a target names from the server; `each` takes the objects. */
int target_each(struct client *c, const struct target *t,
    int (*each)(void *arg, json_t *obj, struct err *err), void *arg, struct err *err);

/* The namespace that an object goes to or is looked for in: "" when its kind has none.  -n and the
 * object's own must agree. */
int target_namespace(const struct client *c, const struct kind *k, const json_t *obj,
    const char **ret, struct err *err);

/* "deployment.apps/web", for people; a new string. */
char *target_name(const struct kind *k, const char *name);

/* What -l and --field-selector say, for a list or watch. */
struct list_options scope_list_options(void);

#endif
