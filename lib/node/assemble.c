/* From manifests to images: what importing and pulling have in common (OCI image-spec: manifest,
 * index). */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/digest.h"
#include "node/image.h"

enum { MAX_JSON = 8 << 20, MAX_LAYERS = 127 };

int
manifest_parse(json_t **ret, const struct buf *raw, struct err *err)
{
	json_error_t where;
	json_auto_t *m = json_loadb(raw->data, raw->len, 0, &where);

	if (!json_is_object(m))
		return err_set(err, ERR_INVALID, "its manifest is not a JSON object");
	if (num(get(m, "schemaVersion"), 2) != 2)
		return err_set(err, ERR_INVALID,
		    "its manifest has schema version %d, which nobody should use any more",
		    (int)num(get(m, "schemaVersion"), 0));
	if (!json_is_array(get(m, "manifests")) && !json_is_array(get(m, "layers")))
		return err_set(err, ERR_INVALID, "its manifest lists neither layers nor manifests");
	*ret = steal(m);
	return 0;
}

bool
manifest_is_index(const json_t *manifest)
{
	return json_is_array(get(manifest, "manifests"));
}

int
index_choose(const json_t *index, const json_t **ret, struct err *err)
{
	json_t *d;
	size_t i;

	json_array_foreach (get(index, "manifests"), i, d) {
		const char *os = text(d, "platform", "os");
		const char *arch = text(d, "platform", "architecture");

		if ((!*os || strcmp(os, "linux") == 0) &&
		    (!*arch || strcmp(arch, image_architecture()) == 0) &&
		    digest_valid(text(d, "digest"))) {
			*ret = d;
			return 0;
		}
	}
	return err_set(err, ERR_NOT_FOUND, "it has no variant for linux/%s", image_architecture());
}

static int
hash_file(const char *file, char digest[static DIGEST_TEXT], int64_t *size, struct err *err)
{
	autoclose int fd = open(file, O_RDONLY | O_CLOEXEC);
	autofree char *block = xmalloc(1 << 16);
	struct digest d;
	ssize_t n;

	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s'", file);
	digest_init(&d);
	*size = 0;
	while ((n = read(fd, block, 1 << 16)) > 0) {
		digest_add(&d, block, (size_t)n);
		*size += n;
	}
	digest_end(&d, digest);
	return n < 0 ? err_sys(err, errno, "cannot read '%s'", file) : 0;
}

int
blob_verify(const char *file, const json_t *descriptor, struct err *err)
{
	const char *want = text(descriptor, "digest");
	char digest[DIGEST_TEXT];
	int64_t size = 0;
	int r;

	if (!digest_valid(want))
		return err_set(err, ERR_INVALID, "'%.80s' is no sha256 digest", want);
	if ((r = hash_file(file, digest, &size, err)) < 0)
		return r;
	if (size != num(get(descriptor, "size"), size))
		return err_set(err, ERR_INVALID,
		    "blob %.19s has %lld bytes, its descriptor says %lld", want, (long long)size,
		    (long long)num(get(descriptor, "size"), 0));
	if (strcmp(digest, want) != 0)
		return err_set(
		    err, ERR_INVALID, "blob %.19s is damaged: its digest is %.19s", want, digest);
	return 0;
}

int
layer_allowed(const json_t *descriptor, const char *diff_id, struct err *err)
{
	const char *type = text(descriptor, "mediaType");

	if (!digest_valid(text(descriptor, "digest")))
		return err_set(
		    err, ERR_INVALID, "'%.80s' is no sha256 digest", text(descriptor, "digest"));
	if (strstr(type, "foreign") || strstr(type, "nondistributable"))
		return err_set(
		    err, ERR_INVALID, "layer %.19s may not be distributed ('%s')", diff_id, type);
	if (text_ends(type, "+encrypted"))
		return err_set(err, ERR_INVALID, "layer %.19s is encrypted", diff_id);
	return 0;
}

static int
add_layer(struct images *s, const json_t *descriptor, const char *diff_id,
    const struct blobs *blobs, struct err *err)
{
	autofree char *file = NULL;
	int r;

	if (layer_present(s, diff_id))
		return 0;
	if ((r = layer_allowed(descriptor, diff_id, err)) < 0 ||
	    (r = blobs->fetch(blobs->arg, descriptor, &file, err)) < 0)
		return r;
	return layer_add(s, file, diff_id, err);
}

/* Charts, signatures and other things are kept in registries too. */
static int
check_kind(const json_t *manifest, struct err *err)
{
	const char *type = text(manifest, "config", "mediaType");

	if (!*type || text_starts(type, "application/vnd.oci.image.config.") ||
	    text_starts(type, "application/vnd.docker.container.image.") ||
	    strcmp(type, "application/octet-stream") == 0)
		return 0;
	return err_set(err, ERR_INVALID,
	    "it is no container image: its configuration is of type '%.100s'", type);
}

int
image_assemble(struct images *s, const struct buf *manifest, const struct blobs *blobs,
    const struct image_source *from, char **id, struct err *err)
{
	json_auto_t *m = NULL, *config = NULL;
	autobuf struct buf raw = BUF_INIT;
	struct image_source source = *from;
	autofree char *file = NULL;
	json_t *layers, *layer, *diff_ids;
	size_t i;
	int r;

	if ((r = manifest_parse(&m, manifest, err)) < 0 || (r = check_kind(m, err)) < 0)
		return r;
	layers = get(m, "layers");
	if (manifest_is_index(m) || json_array_size(layers) > MAX_LAYERS)
		return err_set(
		    err, ERR_INVALID, "its manifest must list at most %d layers", MAX_LAYERS);
	if ((r = blobs->fetch(blobs->arg, get(m, "config"), &file, err)) < 0)
		return err_wrap(err, "its configuration");
	if ((r = buf_read_file(&raw, file, MAX_JSON, err)) < 0 ||
	    (r = image_config_parse(&config, &raw, json_array_size(layers), err)) < 0)
		return r;
	source.layers = layers;
	diff_ids = get(config, "rootfs", "diff_ids");
	if (blobs->layers && (r = blobs->layers(blobs->arg, s, layers, diff_ids, err)) < 0)
		return r;
	json_array_foreach (layers, i, layer) {
		if (!blobs->layers &&
		    (r = add_layer(s, layer, str(json_array_get(diff_ids, i), ""), blobs, err)) < 0)
			return r;
		source.size += num(get(layer, "size"), 0);
	}
	return image_commit(s, &raw, &source, id, err);
}
