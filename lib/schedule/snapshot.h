#ifndef ORCH_SCHEDULE_SNAPSHOT_H
#define ORCH_SCHEDULE_SNAPSHOT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "control/map.h"
#include "schedule/schedule.h"

/* What lib/schedule/ knows, for its own files alone. */

/* The first resources; others get the next numbers as they appear. */
enum { CPU, MEMORY, STORAGE, PODS, FIRST_EXTENDED };
enum { MAX_TABLES = 256 };   /* verdicts take memory, classes times nodes */
enum { MAX_RESOURCES = 30 }; /* a bit of a verdict each; what comes later shares the last */

struct taint {
	const char *key, *value, *effect; /* in the node object */
	unsigned text;			  /* the reason it gives, in scheduler.texts */
};

struct port {
	int number;
	const char *protocol, *ip; /* in the pod object; ip "" for all */
};

struct image {
	int64_t size;
	size_t nodes; /* how many have it */
};

/* Pods in any order; each knows its places in three of these. */
struct members {
	struct placed **item;
	size_t n, cap;
};

/* A label key of nodes, see topology.h. */
struct topology {
	char *key;
	struct map values; /* -> number + 1 */
	size_t n;
};

struct node {
	char *name;  /* NULL: the place is free */
	json_t *obj; /* NULL: pods say they are on it, but there is no such Node */
	uint64_t hash;
	int64_t *can, *used; /* allocatable and requested, by resource number */
	int64_t guess[2];    /* cpu and memory as scores see them: something for those that ask for
				nothing */
	struct taint *taint;
	size_t ntaints;
	bool unschedulable, has_images;
	struct members members;
	int32_t *domain; /* by topology */
};

enum { OF_NODE, OF_CLASS, OF_GROUP, MEMBERSHIPS };

/* A pod that takes room on a node. */
struct placed {
	struct class *class;
	json_t *obj;
	struct group *group;
	size_t node;		/* its place */
	size_t at[MEMBERSHIPS]; /* in the members of its node, class and group */
	bool assumed;		/* we decided so, the API has not said so yet */
	bool leaving;		/* is being deleted */
};

/* Placed pods with the same namespace, labels and controller: what terms about pods look at. */
struct group {
	json_t *pod; /* the first of them */
	struct members members;
	char *key;
	size_t keylen;
};

/* What one node is for one class of pods. */
struct verdict {
	unsigned char filter;	  /* the first that refused, counted from 1 in filters[]; 0: fits */
	uint32_t reason;	  /* what that filter made of it */
	int32_t score;		  /* those that depend on this node alone, weighted */
	int16_t spread, interpod; /* 0 to 100 */
	int32_t taints, affinity; /* raw, to be set against the best and worst node */
};

struct request {
	unsigned resource;
	int64_t amount;
};

/* Pods that ask the same of a node. */
struct class
{
	json_t *pod; /* the first of them */
	size_t refs;
	struct request *request; /* of what is not zero; pods among them */
	size_t nrequests;
	int64_t guess[2];
	bool best_effort; /* asks for nothing */
	const json_t *tolerations;
	bool selects;		 /* has a nodeSelector or required node affinity */
	bool prefers;		 /* has preferred node affinity */
	struct members members;	 /* those placed */
	struct related *related; /* to other pods (relate.h), or NULL */
	struct port *port;
	size_t nports;
	char *key;
	size_t keylen;

	struct verdict *verdict; /* by node; NULL: not computed or dropped again */
	size_t nverdicts;
	size_t seen; /* scheduler.log up to here is in the verdicts */
	uint64_t epoch, last_used;
};

struct scheduler {
	const char *name;
	enum scoring scoring;
	struct node *node;
	size_t nnodes, nodes_cap; /* places */
	size_t *freed;		  /* places that are free */
	size_t nfreed, freed_cap;
	size_t known;	    /* nodes that have an object */
	struct map by_name; /* -> place + 1 */
	struct map pods;    /* "ns\0name" -> placed */
	struct map classes;
	struct map images;     /* -> image */
	struct map namespaces; /* -> labels */
	char **resource;
	size_t nresources, resources_cap;
	char **texts; /* reasons, each once */
	size_t ntexts, texts_cap;
	struct map groups;
	struct class **guard; /* classes with placed pods that have terms about other pods */
	size_t nguards, guards_cap;
	struct topology *topology;
	size_t ntopologies, topologies_cap;
	struct class *table[MAX_TABLES]; /* classes with verdicts */
	size_t ntables;
	/* Which places changed, for the classes to catch up; a new epoch makes them start over. */
	uint32_t *log;
	size_t nlog, log_cap;
	uint64_t epoch, clock;
};

unsigned resource_number(struct scheduler *s, const char *name);
unsigned text_number(struct scheduler *s, const char *text);
void node_changed(struct scheduler *s, size_t place);
void everything_changed(struct scheduler *s);

/* class.c: the class of a pod, with a reference to be given back. */
struct class *class_of(struct scheduler *s, const json_t *pod);
void class_put(struct scheduler *s, struct class *c);
void class_table(struct scheduler *s, struct class *c); /* room for a verdict on every node */
void classes_release(struct scheduler *s);
int64_t class_asks(const struct class *c, unsigned resource);

/* snapshot.c */
struct placed *placed_find(const struct scheduler *s, const char *ns, const char *name);
void place(struct scheduler *s, const json_t *pod, const char *node, bool assumed);

/* node.c: what a Node object says. */
bool node_read(struct scheduler *s, struct node *n, const json_t *obj); /* anything new? */
void node_forget(struct scheduler *s, struct node *n);		  /* its object, not its pods */
const char *image_name(const char *name, char *buf, size_t size); /* with a tag */

/* filter.c: the filters in the order they run. */
struct filter {
	const char *name;
	/* Does it refuse?  Then *reason is its own business, for reason(). */
	bool (*refuses)(const struct scheduler *s, const struct class *c, const struct node *n,
	    uint32_t *reason);
	/* The i-th thing that is wrong, NULL after the last. */
	const char *(*why)(
	    const struct scheduler *s, uint32_t reason, int i, char *buf, size_t size);
};
extern const struct filter filters[];
/* Those before these are asked node by node; the two see all nodes at once (relate.h). */
enum { OWN_FILTERS = 5, FILTER_SPREAD, FILTER_INTERPOD };
bool tolerates(const json_t *tolerations, const char *key, const char *value, const char *effect);

/* affinity.c */
bool affinity_required(const json_t *pod, const struct node *n); /* and nodeSelector */
int32_t affinity_preferred(const json_t *pod, const struct node *n);
int32_t preference_weight(const json_t *preference);
bool node_selector_term(const json_t *term, const struct node *n);

/* decide.c */
struct choice {
	size_t node;			    /* place; nnodes: none fits */
	size_t fits;			    /* how many do */
	int32_t most_taints, most_affinity; /* among those that fit */
	uint64_t seed;
	const struct verdict *verdict; /* by node; the class's, or `own` */
	struct verdict *own;
};
void choice_release(struct choice *choice);
void decide(struct scheduler *s, struct class *c, const json_t *pod, struct choice *choice);
int32_t total(const struct choice *choice, const struct verdict *v);
char *refusal(
    const struct scheduler *s, const struct choice *choice); /* "0/3 nodes are available: ..." */
json_t *explain(const struct scheduler *s, const struct class *c, const json_t *pod,
    const struct choice *choice);

/* score.c: 0 to 100 each, times their weight in the sum. */
enum {
	WEIGHT_TAINTS = 3,
	WEIGHT_AFFINITY = 2,
	WEIGHT_FIT = 1,
	WEIGHT_BALANCED = 1,
	WEIGHT_IMAGES = 1,
	WEIGHT_SPREAD = 2,
	WEIGHT_INTERPOD = 2
};
int score_fit(const struct scheduler *s, const struct class *c, const struct node *n);
int score_balanced(const struct class *c, const struct node *n);
int score_images(const struct scheduler *s, const struct class *c, const struct node *n);
int score_taints(const struct class *c, const struct node *n); /* raw: fewer is better */
int score_normal(int32_t raw, int32_t most, bool reverse);

#endif
