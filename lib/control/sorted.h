#ifndef ORCH_CONTROL_SORTED_H
#define ORCH_CONTROL_SORTED_H

#include <jansson.h>
#include <stddef.h>

/*
 * Inside the world: every object is one `entry`, found by kind, namespace and name.  Each index is
 * a `sorted` list of entries in the order of namespace, name and kind.  What is put in at random is
 * appended and sorted in when the list is next asked for, so that filling a world costs one sort,
 * and a change to a current one a search and a move of pointers.
 */
struct entry {
	json_t *obj;
	const char *kind;      /* lives as long as the world */
	const char *ns, *name; /* in obj */
};

struct sorted {
	const json_t **at;    /* what walks hand out */
	struct entry **entry; /* the same objects, with their keys at hand */
	size_t n, cap;
	size_t sorted; /* the first so many are in order */
};

void sorted_free(void *list);
void sorted_settle(struct sorted *l);
void sorted_add(struct sorted *l, struct entry *e);
void sorted_remove(struct sorted *l, const struct entry *e);
/* Where the entry is; l->n when it is not there. */
size_t sorted_find(struct sorted *l, const struct entry *e);

#endif
