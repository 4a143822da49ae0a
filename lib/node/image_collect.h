#ifndef ORCH_NODE_IMAGE_COLLECT_H
#define ORCH_NODE_IMAGE_COLLECT_H

#include "node/image.h"

/*
 * Garbage collection of images, as the kubelet does it: when the disk that they are on is fuller
 * than `high` per cent, those that were not used for longest go until it is at `low`.  Never one
 * that a pod uses, nor one that came or was asked for in the last `min_age` seconds.  Times of last
 * use are kept in DATA/images/used.
 */
struct collect_rules {
	int high, low;	/* per cent; high 100: never for want of disk */
	double min_age; /* seconds */
	double max_age; /* what was not used for so long goes anyway; 0: it does not */
};

struct collected {
	size_t images;
	int64_t bytes;
};

/* UNAVAILABLE, in the kubelet's words, when there was not enough to remove; *ret is filled in also
 * then. */
int images_collect(struct images *s, const struct collect_rules *rules, double now,
    struct collected *ret, struct err *err);

/* An image is wanted now. */
void image_used(struct images *s, const struct image *image);

/* The pods of another data folder use these images too. */
void images_share(struct images *s, const char *data);

#endif
