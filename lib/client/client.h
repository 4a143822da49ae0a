#ifndef ORCH_CLIENT_CLIENT_H
#define ORCH_CLIENT_CLIENT_H

#include <jansson.h>
#include <stdbool.h>

#include "api/schema.h"
#include "base/buf.h"
#include "base/err.h"
#include "client/options.h"

/*
 * A connection to an API server: ours or any Kubernetes.  One client is for one
 * thread; it keeps its connection alive between calls.  Every call may block.
 *
 * Errors carry the server's message and the code of its Status (client_open's
 * are about configuration).  Not reachable is UNAVAILABLE.
 */
struct client;

/* By client_options, environment and kubeconfig (kubeconfig.h). URLs: https://, http://, unix:PATH.
 */
int client_open(struct client **ret, struct err *err);
void client_close(struct client *c); /* accepts NULL */
int client_clone(
    struct client **ret, const struct client *c, struct err *err); /* same server, own connection */
const char *client_namespace(const struct client *c); /* of the context, or "default" */
/* Give up the request that is running, and every later one, when fd is readable (-1: never). */
void client_stop_on(struct client *c, int fd);
/*
 * For one who must not wait: a single request (not a list, stream or watch) may take so many
 * seconds, and is not said again because the server asks for that (429).  After one without an
 * answer, or with that, the client rests: every later one is UNAVAILABLE at once, until
 * client_wake().
 */
void client_hurry(struct client *c, double seconds);
bool client_resting(const struct client *c);
void client_wake(struct client *c);
/* The file of authorities that the server's certificate must be of; NULL: no file was said. */
const char *client_ca(const struct client *c);
const char *client_server(const struct client *c); /* its URL, for messages */

/* One raw request.  Any HTTP status is success here: *status tells. body may be NULL. */
int client_request(struct client *c, const char *method, const char *path, const char *content_type,
    const void *body, size_t len, int *status, struct buf *reply, struct err *err);

/*
 * A request of any kind, and its answer's body handed on piece by piece, for as long as it takes
 * (logs, watches).  Non-zero from `each` ends it and is returned.
 */
struct request {
	const char *method, *path, *content_type;
	const void *body; /* NULL for none */
	size_t len;
	const char *const *headers; /* more, "Name: value", NULL-terminated; or NULL */
};
int client_stream(struct client *c, const struct request *rq, int *status,
    int (*each)(void *arg, int status, const char *data, size_t len, struct err *err), void *arg,
    struct err *err);

/* An answer of status >= 400 as an error, by its Status when it holds one. */
int client_refusal(int status, const char *body, size_t len, struct err *err);

/* The path of a collection or object: "/apis/apps/v1/namespaces/default/deployments/web/status".
 * ns and name may be NULL or "", sub NULL.  A new string. */
char *client_path(const struct kind *k, const char *ns, const char *name, const char *sub);

/* Can a name stand in a path?  "", ".", ".." and what has a '/' or '%' cannot. */
bool client_name_fits(const char *name);

/*
 * The verbs.  Objects and lists given back are new references.  A kind that is not
 * in the built-in schema is found by discovery: client_kind().
 */
int client_kind(struct client *c, const char *word, const struct kind **ret, struct err *err);
int client_kind_of(struct client *c, const json_t *obj, const struct kind **ret, struct err *err);

/*
 * What the server serves, as it is now: an APIGroupDiscovery (control/served.h) for each group,
 * new, in two requests.  client_learn() takes the kinds of such an answer for the ones there are,
 * where nothing built in is meant.
 */
int client_groups(struct client *c, json_t **ret, struct err *err);
void client_learn(struct client *c, const json_t *groups);
/* A kind built in or learned; NULL when neither. */
const struct kind *client_kind_known(
    const struct client *c, const char *group, const char *version, const char *plural);

/* The kinds that can be listed of a category such as "all", built in or the server's own, into a
 * new array ended by NULL.  A word that is no category gives an empty one. */
int client_category(struct client *c, const char *word, const struct kind ***ret, struct err *err);
/* The same of all kinds that can be listed. */
int client_kinds(struct client *c, const struct kind ***ret, struct err *err);

int client_get(struct client *c, const struct kind *k, const char *ns, const char *name,
    json_t **ret, struct err *err);

struct list_options {
	const char *selector, *fields; /* NULL: all */
	int limit;		       /* a page's size; 0 is 500 */
};
/* Every object of a collection (ns "" or NULL: all namespaces), page by page, with apiVersion and
 * kind set; `each` takes the object and stops the walk by returning non-zero, which is
 * returned.  *version (may be NULL) gets the list's resourceVersion, a new string. */
int client_list(struct client *c, const struct kind *k, const char *ns,
    const struct list_options *o, int (*each)(void *arg, json_t *obj, struct err *err), void *arg,
    char **version, struct err *err);

int client_create(
    struct client *c, const json_t *obj, const char *query, json_t **ret, struct err *err);
int client_update(struct client *c, const json_t *obj, const char *sub, const char *query,
    json_t **ret, struct err *err);
int client_patch(struct client *c, const struct kind *k, const char *ns, const char *name,
    const char *sub, const char *content_type, const json_t *patch, const char *query, json_t **ret,
    struct err *err);
/* options: a DeleteOptions or NULL.  *ret gets the object or Status. ret may be NULL in all of
 * these. */
int client_delete(struct client *c, const struct kind *k, const char *ns, const char *name,
    const json_t *options, json_t **ret, struct err *err);

/*
 * Carry out one action of the action stream: what orch-act and the loops do.  Returns 0 when done,
 * 1 when it was so already: what is to be created exists and has the same controller owner, or what
 * is to be deleted has gone.  *ret (may be NULL) gets the object as the server answered (for 1 the
 * one that exists), NULL for none.  dry_run asks the server to check only.
 */
int client_act(struct client *c, const json_t *action, bool dry_run, json_t **ret, struct err *err);

/*
 * Watch a collection from a resourceVersion ("" from now).  `each` gets every event
 * (type and object borrowed); non-zero from it ends the watch and is returned.  Returns 0 when the
 * server ended the watch in the normal way; EXPIRED when the version is too old: list again.
 * timeout in seconds, 0: the server's.
 */
int client_watch(struct client *c, const struct kind *k, const char *ns,
    const struct list_options *o, const char *version, int timeout,
    int (*each)(void *arg, const char *type, json_t *obj, struct err *err), void *arg,
    struct err *err);

#endif
