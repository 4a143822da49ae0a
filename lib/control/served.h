#ifndef ORCH_CONTROL_SERVED_H
#define ORCH_CONTROL_SERVED_H

#include <jansson.h>
#include <stdbool.h>

#include "control/map.h"

/*
 * The kinds that an API server has, built in or not.  They come into the world as data: its answer
 * to discovery is an APIGroupDiscovery (apidiscovery.k8s.io/v2) for each group, and these stand in
 * the object stream and in the world like other objects.
 */
#define DISCOVERY "APIGroupDiscovery.apidiscovery.k8s.io"

struct world;

/* One kind, in the version that is looked at: the one that its name alone stands for where it is
 * built in, else the first that the group has it in.  Texts live as long as the discovery object
 * stays. */
struct served {
	const char *group, *version, *kind, *plural;
	bool namespaced;
	unsigned verbs; /* VERB_ bits of api/schema.h */
	bool stale;	/* its server does not answer: this is what it said last */
};

/* NULL: not served; or nothing was discovered (world_discovered). */
const struct served *world_served(const struct world *w, const char *group_kind);
/* All of them, NULL after the last. */
const struct served *world_served_at(const struct world *w, size_t i);
bool world_discovered(const struct world *w);
/* The group versions ("metrics.k8s.io/v1beta1") whose server does not answer, sorted, NULL after
 * the last: what they serve is not known now. */
const char *world_failing(const struct world *w, size_t i);

/* "Widget.example.com", "Pod" into buf; returns buf. */
const char *served_group_kind(const struct served *s, char buf[static 128]);

/* Can objects of it stand in the way of the end of their namespace?  (Events go without being
 * looked at.) */
bool served_is_content(const struct served *s);

/* --- inside the world --- */
struct served_table {
	struct served *item;
	char **failing;
	size_t n, cap, nfailing, failing_cap;
	struct map by_kind; /* group-kind -> place in item + 1 */
	bool current;
};
void served_release(struct served_table *t);
struct served_table *world_served_table(const struct world *w);

#endif
