#ifndef ORCH_CLIENT_PODS_H
#define ORCH_CLIENT_PODS_H

#include "base/opt.h"
#include "client/client.h"

/*
 * Which pods a program means that works inside of them:
 *
 *	web-1  pod/web-1		that one
 *	deployment/web  service/web	those that it selects
 *	-l app=web			those with these labels
 *	a stream of objects		pods, or what selects them
 */
struct pods {
	json_t **item;
	size_t n, cap;
};
void pods_release(struct pods *p);

int pods_of_word(struct pods *p, struct client *c, const char *word, struct err *err);
int pods_of_scope(struct pods *p, struct client *c, struct err *err); /* -n, -A, -l */
int pods_of_files(struct pods *p, struct client *c, const struct list *files, struct err *err);

/* The one of them to be asked first: ready before running before any; borrowed, NULL of none. */
json_t *pods_best(const struct pods *p);

/* Its container: the one called `name`, or for NULL the one that its annotation
 * kubectl.kubernetes.io/default-container names, or the first; borrowed. */
int pod_container(const json_t *pod, const char *name, const char **ret, struct err *err);

/* What the pod says of a container of any kind; borrowed, NULL when it has none of that name. */
const json_t *pod_container_spec(const json_t *pod, const char *name);

#endif
