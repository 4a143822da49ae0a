#ifndef ORCH_NODE_IMAGE_STORE_H
#define ORCH_NODE_IMAGE_STORE_H

#include <stddef.h>

/* What image.c, layer.c and import.c share; others use image.h. */
struct images {
	char *data, *root, *layers;
};

struct names {
	char **item;
	size_t n, cap;
};

/* The folder of a layer: 24 digits of its diff_id, short so that many fit into one mount call. */
enum { LAYER_NAME = 32 };
const char *layer_name(const char *diff_id, char buf[static LAYER_NAME]);

#endif
