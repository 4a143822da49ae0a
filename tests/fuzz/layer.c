/* Layers of images as a registry might send them: nothing is written outside of their folder. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "node/digest.h"
#include "node/files.h"
#include "node/image.h"

#include "tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char top[] = "/dev/shm/fuzz-layer.XXXXXX";
static struct images *store;

static void
leave(void)
{
	struct err ignored;

	images_close(store);
	tree_remove(top, &ignored);
}

static void
begin(void)
{
	struct err err;

	if (!mkdtemp(top) || images_open(&store, top, &err) < 0)
		abort();
	if (geteuid() == 0 && chown(top, 65534, 65534) < 0)
		abort();
	atexit(leave);
}

/* The store has its own folders and nothing else, and nobody is at work any more. */
static void
check(void)
{
	autofree char *outside = xasprintf("%s/images/x", top);
	struct stat st;

	if (lstat(outside, &st) == 0 || stat(top, &st) < 0 || st.st_nlink != 3)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree uint8_t *copy = xmalloc(size + 1);
	char digest[DIGEST_TEXT] = "";
	struct err err;
	int r;

	if (!store)
		begin();
	memcpy(copy, data, size);
	mend(copy, size);
	autofree char *file = xasprintf("%s/layer", top), *layers = xstrdup(images_layers(store));

	if (file_write(file, copy, size, 0644, &err) < 0)
		abort();
	/* Without root's rights: whatever gets out of the folder does no harm to this machine. */
	autofree char *images = xasprintf("%s/images", top);

	if (geteuid() == 0 && (chown(images, 65534, 65534) < 0 || chown(layers, 65534, 65534) < 0))
		abort();
	r = layer_diff_id(file, digest, &err);
	setfsuid(65534);
	if (r == 0 && layer_add(store, file, digest, &err) == 0) {
		autofree char *folder = layer_folder(digest),
			      *path = xasprintf("%s/%s", layers, folder);

		if (!layer_present(store, digest))
			abort();
		setfsuid(geteuid());
		tree_remove(path, &err);
	}
	setfsuid(geteuid());
	check();
	return 0;
}
