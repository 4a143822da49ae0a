#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/pull.h"
#include "node/reference.h"
#include "node/registry.h"
#include "node/volume.h"

/* The logins of imagePullSecrets, a document each; the older type has no "auths" around them. */
static json_t *
logins(const json_t *pod, const json_t *sources)
{
	json_t *all = json_array(), *ref;
	size_t i;

	json_array_foreach (get(pod, "spec", "imagePullSecrets"), i, ref) {
		autobuf struct buf b = BUF_INIT, old = BUF_INIT;
		const char *name = text(ref, "name");
		json_t *doc;

		if (source_value(sources, "Secret", name, ".dockerconfigjson", &b) && b.len &&
		    (doc = json_loadb(b.data, b.len, 0, NULL)))
			json_array_append_new(all, doc);
		else if (source_value(sources, "Secret", name, ".dockercfg", &old) && old.len &&
			 (doc = json_loadb(old.data, old.len, 0, NULL)))
			json_array_append_new(all, json_pack("{s:o}", "auths", doc));
	}
	return all;
}

/* Whoever else wants this image waits here until we have it.  Negative: no lock, go on without. */
static int
take_turn(const struct host *h, const char *ref)
{
	autofree char *path =
	    host_path(h, "run/pull.%08x", (unsigned)text_hash(ref, strlen(ref), TEXT_HASH_SEED));
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	while (fd >= 0 && flock(fd, LOCK_EX) < 0 && errno == EINTR)
		;
	return fd;
}

static const char *
policy(const json_t *container, const struct reference *ref)
{
	const char *p = text(container, "imagePullPolicy");

	if (*p)
		return p;
	return ref->tag && strcmp(ref->tag, "latest") == 0 ? "Always" : "IfNotPresent";
}

/* One that is damaged is as good as none; what is wrong with it is told. */
static int
find_whole(const struct host *h, const char *name, struct image *ret, struct err *err)
{
	int r = image_find(h->images, name, ret, err);

	if (r == 0 && (r = image_whole(h->images, ret, err)) < 0)
		image_release(ret);
	return r;
}

static bool
wants_pull(int r)
{
	return r == -ERR_NOT_FOUND || r == -ERR_INTERNAL;
}

static int
pull_it(const struct host *h, const json_t *pod, const char *name, const json_t *sources,
    struct err *err)
{
	json_auto_t *auths = logins(pod, sources);
	struct pull_options o = { .insecure = h->o.insecure,
		.deadline = h->o.pull_deadline,
		.auth_file = h->o.auth_file,
		.registries = h->o.registries,
		.auths = auths };
	struct err damage = *err; /* why it is pulled though it is here */
	int r = image_pull(h->images, name, &o, NULL, err);

	if (r < 0 && damage.code == ERR_INTERNAL) {
		struct err why = *err;

		return err_set(err, why.code, "cannot pull image '%s' again: %s; %s", name, why.msg,
		    damage.msg);
	}
	return r < 0 ? err_wrap(err, "cannot pull image '%s'", name) : 0;
}

static int
find_or_pull(const struct host *h, const json_t *pod, const json_t *container,
    const json_t *sources, struct image *ret, const char **reason, struct err *err)
{
	const char *name = text(container, "image");
	autoclose int turn = -1;
	struct reference ref;
	bool always, never;
	int r;

	*err = (struct err){ 0 };
	*reason = "InvalidImageName";
	if ((r = reference_parse(&ref, name, err)) < 0)
		return r;
	always = strcmp(policy(container, &ref), "Always") == 0;
	never = strcmp(policy(container, &ref), "Never") == 0;
	reference_release(&ref);
	*reason = "ErrImagePull";
	if (!always && ((r = find_whole(h, name, ret, err)) == 0 || never || !wants_pull(r))) {
		*reason = r == -ERR_NOT_FOUND ? "ErrImageNeverPull" : "ImageInspectError";
		return r;
	}
	turn = take_turn(h, name);
	if (!always && ((r = find_whole(h, name, ret, err)) == 0 || !wants_pull(r)))
		return r;
	if ((r = pull_it(h, pod, name, sources, err)) < 0)
		return r;
	return image_find(h->images, name, ret, err);
}

int
pull_if_needed(const struct host *h, const json_t *pod, const json_t *container,
    const json_t *sources, struct image *ret, const char **reason, struct err *err)
{
	int r;

	if (h->o.images)
		images_share(h->images, h->o.data);
	if ((r = find_or_pull(h, pod, container, sources, ret, reason, err)) == 0)
		image_used(h->images, ret);
	return r;
}
