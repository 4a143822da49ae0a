/* image: the root of an image, to be read (KEP-4639). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/mem.h"
#include "node/pull.h"
#include "node/stage.h"
#include "node/volume_private.h"

/* The store keeps what a pod uses: here is its list. */
static int
note(const struct making *m, const struct image *image, struct err *err)
{
	autofree char *path = host_path(m->host, "pods/%s/%s", meta_uid(m->pod), VOLUME_IMAGES);
	autofclose FILE *f = fopen(path, "ae");

	if (!f || fprintf(f, "%s %s\n", image->id, image->digest) < 0 || fflush(f) != 0)
		return err_sys(err, errno, "cannot write '%s'", path);
	return 0;
}

static int
mount_image(const struct making *m, const struct image *image, struct err *err)
{
	autofree char *lower = image_lowerdir(image);
	/* Without a layer to write to there must be two to read. */
	autofree char *options =
	    xasprintf("lowerdir=%s%s", lower, strchr(lower, ':') ? "" : ":empty");
	autofree char *layers = host_path(m->host, "pods/%s/layers", meta_uid(m->pod));
	int r;

	if (strlen(options) > 4000)
		return err_set(
		    err, ERR_INVALID, "image '%s' has too many layers for one mount", image->ref);
	if (strcmp(lower, "empty") == 0) /* no layers at all: the folder is as good */
		return 0;
	if ((r = layers_enter(m->host, m->pod, layers, err)) < 0)
		return r;
	if (mount("overlay", m->folder, "overlay", MS_RDONLY | MS_NOEXEC, options) < 0)
		r = err_sys(err, errno, "cannot mount the layers of image '%s'", image->ref);
	layers_leave(m->pod, layers);
	return r;
}

int
volume_image(const struct making *m, struct err *err)
{
	const json_t *source = get(m->volume, "image");
	json_auto_t *asked = json_pack("{s:s, s:s}", "image", text(source, "reference"),
	    "imagePullPolicy", text(source, "pullPolicy"));
	struct image image;
	const char *reason = "";
	int r;

	if ((r = pull_if_needed(m->host, m->pod, asked, m->sources, &image, &reason, err)) < 0)
		return err_wrap(err, "%s", reason);
	if ((r = note(m, &image, err)) == 0)
		r = mount_image(m, &image, err);
	image_release(&image);
	return r;
}
