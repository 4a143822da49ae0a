#ifndef ORCH_NODE_IMAGE_H
#define ORCH_NODE_IMAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * The images of a node, below DATA/images:
 *
 *	refs/NAME	one JSON file a reference ('/' written %2F): what it points to
 *	configs/HEX	image configurations, as they came; the file name is their digest
 *	layers/HEX	one unpacked folder a layer, named by the first 24 digits of its diff_id
 *	used/HEX	empty; its time is when the image of that id was last used
 *	users/KEY	links to other data folders whose pods use these images
 *	lock		shared while an image is being added, exclusive while one is removed
 *	partial/HEX	downloads of blobs that broke off; the next pull goes on with them
 *	tmp.*		work in progress; whatever a crash left goes when a node starts, or with the
 *		next images_prune
 *
 * Everything appears by rename, so a crash leaves the old or the new state; several programs may
 *use one folder at a time.  Layers are shared: each is unpacked once, with whiteouts as overlayfs
 *wants them.
 */
struct images;

/* Opens (creates when missing) the image store of a data folder. */
int images_open(struct images **ret, const char *data, struct err *err);
void images_close(struct images *s); /* accepts NULL */

struct image {
	char *ref;	/* completed: docker.io/library/web:1 */
	char *id;	/* digest of the configuration */
	char *digest;	/* digest of the manifest, or "" */
	char *source;	/* "import" or "pull" */
	int64_t size;	/* bytes of its layers as they came */
	int64_t added;	/* when, seconds since the epoch */
	json_t *layers; /* their descriptors in the manifest, or NULL */
	json_t *config; /* the OCI image configuration */
	bool damaged;	/* what is on the disk makes no image: not that it cannot be read now */
};
void image_release(struct image *image);

/* By any reference ("web:1"), or by the id.  NOT_FOUND names the reference; INTERNAL: what the
 * store knows of it is damaged. */
int image_find(struct images *s, const char *ref, struct image *ret, struct err *err);

/* Are all its layers there?  INTERNAL names one that is not. */
int image_whole(struct images *s, const struct image *image, struct err *err);

/* All images in the order of their references; non-zero from `each` ends the walk and is returned.
 * The image is borrowed.  One that is damaged is left out: INTERNAL at the end tells of it. */
int image_each(struct images *s, int (*each)(void *arg, const struct image *image, struct err *err),
    void *arg, struct err *err);

#define VOLUME_IMAGES                                                               \
	"images" /* in a pod's folder: ids and digests that its volumes are made of \
		  */

/* Remove a reference.  Its layers go with the next prune.  FORBIDDEN when a container uses it. */
int image_remove(struct images *s, const char *ref, struct err *err);
/* Remove layers, configurations and temporary files that no reference needs; *freed (may be NULL)
 * counts them and their bytes on the disk. */
struct pruned {
	size_t things;
	int64_t bytes;
};
int images_prune(struct images *s, struct pruned *freed, struct err *err);
/* What a pull or an import has left that was killed: is there any, and away with it.  Does nothing
 * while another is under way, and returns 1 then. */
bool images_left(const struct images *s);
int images_sweep(struct images *s, struct err *err);

/* "docker.io/library/web@sha256:..." as a Pod's status names what runs, or the id; a new string. */
char *image_status_id(const struct image *image);

/*
 * The overlay mount options' lowerdir: topmost layer first, names relative to images_layers(),
 * which must be the working folder of the mount (127 layers do not fit into a page otherwise).
 */
char *image_lowerdir(const struct image *image);
const char *images_layers(const struct images *s);
/* The folder of one layer below that, a new string. */
char *layer_folder(const char *diff_id);

/* --- adding: import.c and registry.c ----------------------------------- */

/* A temporary folder of the store; removed by the caller.  A new string. */
int images_tmp(struct images *s, char **ret, struct err *err);
/* Hold the store against removal while adding; returns a descriptor to close, or negative. */
int images_hold(struct images *s, struct err *err);

bool layer_present(struct images *s, const char *diff_id);
/* Unpack a layer from a file, compressed in any way libarchive knows by its first bytes, and check
 * it against diff_id.  Present already: nothing to do.  Changes the working folder while it runs.
 */
int layer_add(struct images *s, const char *file, const char *diff_id, struct err *err);

/* The digest that a layer's tar has when it is not compressed. */
int layer_diff_id(const char *file, char digest[static 72], struct err *err);

/* An image whose layers are all there becomes known as `ref`.  config are the bytes whose digest is
 * its id. */
struct image_source {
	const char *ref, *digest, *source;
	int64_t size;
	const json_t *layers; /* descriptors, or NULL */
};
int image_commit(struct images *s, const struct buf *config, const struct image_source *from,
    char **id, struct err *err);

/* The checks of an image configuration: an object for linux and this machine with rootfs.diff_ids,
 * as many as `layers`.  *ret gets it. */
int image_config_parse(json_t **ret, const struct buf *raw, size_t layers, struct err *err);
const char *image_architecture(void); /* this machine's, in the words of the specification */

/* Where the parts of an image come from: `fetch` gives the path of a file (a new string) whose size
 * and digest are those of the descriptor. */
struct blobs {
	void *arg;
	int (*fetch)(void *arg, const json_t *descriptor, char **file, struct err *err);
	/* All layers that are missing in one go, or NULL: one after the other by `fetch`. */
	int (*layers)(void *arg, struct images *s, const json_t *layers, const json_t *diff_ids,
	    struct err *err);
};
/* May a layer of this type be had at all? */
int layer_allowed(const json_t *descriptor, const char *diff_id, struct err *err);
/* Add the image of a manifest (assemble.c): configuration, then the layers that are not there yet.
 */
int image_assemble(struct images *s, const struct buf *manifest, const struct blobs *blobs,
    const struct image_source *from, char **id, struct err *err);
/* Parse a manifest or index; says what is wrong with one that is not for us. */
int manifest_parse(json_t **ret, const struct buf *raw, struct err *err);
bool manifest_is_index(const json_t *manifest);
/* The descriptor in an index for this machine (borrowed). */
int index_choose(const json_t *index, const json_t **ret, struct err *err);
/* Check a file against a descriptor's size and digest. */
int blob_verify(const char *file, const json_t *descriptor, struct err *err);

/*
 * Import from fd a tar, compressed or not: an OCI layout, a docker archive, or a root file system,
 * which becomes an image of one layer that says nothing of what to run.  name NULL: by the names
 * written in it; a root file system has none.  `each` hears of every image added.
 */
int image_import(struct images *s, int fd, const char *name,
    int (*each)(void *arg, const char *ref, const char *id, struct err *err), void *arg,
    struct err *err);

#endif
