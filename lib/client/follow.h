#ifndef ORCH_CLIENT_FOLLOW_H
#define ORCH_CLIENT_FOLLOW_H

#include "client/cache.h"
#include "control/control.h"
#include "control/map.h"

/*
 * Inside the loop: which kinds the cache keeps.  Those that controllers name it keeps whole, and is
 * nothing without them.  For controllers that read "*" it keeps the metadata of all others that can
 * be listed and deleted, built in, custom and of extension servers, as discovery tells, and puts
 * what discovery told into the world (control/served.h).  A change of a definition or of an
 * APIService has it ask again, soon and for a while, for they are served a little after they are
 * there; and it asks every half a minute, for what no event tells.
 */
struct follow {
	struct client *client;
	struct cache *cache;
	bool all;	/* some controller reads "*" */
	json_t *whole;	/* group-kind -> true: named by a controller */
	json_t *served; /* group -> its discovery object */
	struct map fed; /* group-kind -> struct kind whose metadata is kept */
	double due;	/* when to ask next; 0: never */
	double changed; /* the last change of a definition */
	double took;	/* the last asking */
	unsigned failures;
	bool asked;
};

int follow_start(struct follow *f, struct client *c, struct cache *cache,
    const struct controller *const *which, struct err *err);
void follow_release(struct follow *f);

/* Something has changed; cheap when it is not about kinds. */
void follow_changed(struct follow *f, const json_t *obj);
double follow_due(const struct follow *f); /* seconds until follow_ask(); negative: never */
/* Ask if it is time to.  `told` hears of each group that is not what it was. */
void follow_ask(struct follow *f, void (*told)(void *arg, const json_t *group), void *arg);

#endif
