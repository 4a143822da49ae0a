#ifndef ORCH_NODE_IMAGE_STORE_H
#define ORCH_NODE_IMAGE_STORE_H

#include <stddef.h>

#include <stdbool.h>

#include "base/err.h"

struct image;

/* What image*.c, layer.c and import.c share; others use image.h. */
struct images {
	char *data, *root, *layers;
};

struct names {
	char **item;
	size_t n, cap;
};

/* By the file of its reference.  When that fails *ret has what could be read, and whether it is
 * damaged: release it anyway. */
int image_load(struct images *s, const char *path, struct image *ret, struct err *err);
int store_lock(struct images *s, int how, struct err *err); /* flock(2); a descriptor to close */
/* The names in a folder of the store, sorted. */
int store_names(const struct images *s, const char *folder, struct names *out, struct err *err);
void names_release(struct names *n);
/* Does a pod use it, of this data folder or one that shares its images? */
bool store_in_use(struct images *s, const struct image *image);
char *store_ref_path(
    const struct images *s, const char *ref); /* of a completed one; a new string */

/* The folder of a layer: 24 digits of its diff_id, short so that many fit into one mount call. */
enum { LAYER_NAME = 32 };
const char *layer_name(const char *diff_id, char buf[static LAYER_NAME]);

#endif
