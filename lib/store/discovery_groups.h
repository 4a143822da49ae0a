#ifndef ORCH_STORE_DISCOVERY_GROUPS_H
#define ORCH_STORE_DISCOVERY_GROUPS_H

#include "store/aggregation.h"

/*
 * Which groups and versions there are: those of this server's kinds and those of APIServices, in
 * the order that the priorities of APIServices give them (Kubernetes: kube-aggregator).  What comes
 * first is what clients prefer.
 */
struct api_version {
	char *group, *version, *name; /* name: of its APIService */
	int group_priority, priority;
	bool ours;		 /* this server has kinds of it, and answers */
	bool remote;		 /* another server answers */
	struct bytes *resources; /* what that one said, struct api_seen; or NULL */
	bool current;
};

struct api_group {
	struct api_version *version; /* the preferred one first */
	size_t n;
	const struct api_version *leader; /* which of them says where the group stands */
};

struct api_groups {
	struct api_version *version;
	struct api_group *group;
	size_t n, nversions;
};

/* Of this group (NULL: all but the core).  by_name: groups of one priority stand in the order of
 * their names, and not of their APIServices'. */
void api_groups_list(struct api_groups *ret, struct server *s, const char *group, bool by_name);
void api_groups_release(struct api_groups *g);

#endif
