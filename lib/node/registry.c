/* Pulling images: from a reference to manifests, configuration and layers; OCI distribution-spec,
 * "Pull". */
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/credentials.h"
#include "node/digest.h"
#include "node/files.h"
#include "node/image_store.h"
#include "node/reference.h"
#include "node/registry.h"
#include "node/registry_session.h"

enum { ATTEMPTS = 4, MAX_DEPTH = 4 };

struct pull {
	struct images *store;
	const struct pull_options *options;
	struct reference ref;
	struct session session;
	struct downloads downloads;
	char *tmp; /* our folder in the store */
};

static int
fetch_manifest(struct pull *p, const char *which, struct buf *raw, char digest[static DIGEST_TEXT],
    struct err *err)
{
	autofree char *suffix = xasprintf("manifests/%s", which);
	struct answer a = { .body = BUF_INIT };
	int r;

	if ((r = session_get(&p->session, suffix, "such manifest", &a, err)) == 0) {
		digest_of(a.body.data, a.body.len, digest);
		if (digest_valid(which) && strcmp(which, digest) != 0)
			r = err_set(err, ERR_INVALID,
			    "manifest %.19s is damaged: its digest is %.19s", which, digest);
		else {
			*raw = a.body;
			a.body = (struct buf)BUF_INIT;
		}
	}
	answer_release(&a);
	return r;
}

/* A small blob, the configuration, into a file. */
static int
get_blob(void *arg, const json_t *descriptor, char **file, struct err *err)
{
	struct pull *p = ((struct downloads *)arg)->pull;
	const char *digest = text(descriptor, "digest");
	autofree char *path = NULL, *suffix = NULL;
	struct answer a = { .body = BUF_INIT };
	int r = 0;

	if (!digest_valid(digest))
		return err_set(err, ERR_INVALID, "'%.80s' is no sha256 digest", digest);
	path = xasprintf("%s/%s", p->tmp, digest_hex(digest));
	suffix = xasprintf("blobs/%s", digest);
	for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
		if (attempt > 0)
			usleep(250000u << (attempt - 1));
		answer_release(&a);
		r = session_get(&p->session, suffix, "such blob", &a, err);
		if (r != -ERR_UNAVAILABLE)
			break;
	}
	if (r == 0 && (r = file_write(path, a.body.data, a.body.len, 0600, err)) == 0 &&
	    (r = blob_verify(path, descriptor, err)) == 0)
		*file = steal(path);
	answer_release(&a);
	return r;
}

static int
pull_manifests(struct pull *p, char **id, struct err *err)
{
	autofree char *name = reference_print(&p->ref);
	char digest[DIGEST_TEXT], child[DIGEST_TEXT];
	struct image_source from = { name, digest, "pull", 0, NULL };
	struct blobs blobs = { &p->downloads, get_blob, download_layers };
	autobuf struct buf raw = BUF_INIT;
	json_auto_t *manifest = NULL;
	const json_t *mine;
	int r;

	if ((r = fetch_manifest(p, p->ref.digest ? p->ref.digest : p->ref.tag, &raw, digest, err)) <
		0 ||
	    (r = manifest_parse(&manifest, &raw, err)) < 0)
		return r;
	for (int depth = 0; manifest_is_index(manifest); depth++) { /* one may lead to another */
		autofree char *which = NULL;

		if (depth == MAX_DEPTH)
			return err_set(err, ERR_INVALID, "its index leads to an index, and so on");
		if ((r = index_choose(manifest, &mine, err)) < 0)
			return r;
		which = xstrdup(text(mine, "digest"));
		buf_release(&raw);
		json_decref(manifest);
		manifest = NULL;
		if ((r = fetch_manifest(p, which, &raw, child, err)) < 0 ||
		    (r = manifest_parse(&manifest, &raw, err)) < 0)
			return r;
	}
	return image_assemble(p->store, &raw, &blobs, &from, id, err);
}

/* With one login (NULL: none). */
static int
pull_as(struct pull *p, const struct endpoint *at, const char *login, char **id, struct err *err)
{
	int r;

	session_open(&p->session, at, p->ref.path, login, p->options->deadline);
	p->downloads = (struct downloads){ p, &p->session, p->options, p->tmp };
	r = pull_manifests(p, id, err);
	session_close(&p->session);
	return r;
}

/* With every login that fits, until one is let in. */
static int
pull_from(struct pull *p, const struct endpoint *at, char **id, struct err *err)
{
	autofree char *path = xasprintf("%s%s", at->prefix, p->ref.path);
	json_auto_t *logins =
	    credentials_find(at->domain, path, p->options->auths, p->options->auth_file);
	json_t *login;
	size_t i;
	int r = 0;

	if (json_array_size(logins) == 0)
		return pull_as(p, at, NULL, id, err);
	json_array_foreach (logins, i, login) {
		r = pull_as(p, at, json_string_value(login), id, err);
		/* A registry may well say "not found" to whom it does not know. */
		if (r != -ERR_UNAUTHORIZED && r != -ERR_FORBIDDEN && r != -ERR_NOT_FOUND)
			break;
	}
	return r;
}

/* From its mirrors, then from itself; the last one's error counts, and says what the others had. */
static int
pull_anywhere(struct pull *p, char **id, struct err *err)
{
	autofree char *dflt = xasprintf("%s/registries", p->store->data);
	const char *file = p->options->registries;
	autobuf struct buf before = BUF_INIT;
	struct endpoints e;
	int r = endpoints_find(
	    &e, file ? file : dflt, file != NULL, p->ref.domain, p->options->insecure, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < e.n; i++) {
		/* INTERNAL is this machine's own trouble, a full disk: the same anywhere. */
		if ((r = pull_from(p, &e.item[i], id, err)) == 0 || r == -ERR_INTERNAL)
			break;
		if (i + 1 < e.n)
			buf_printf(&before, "; mirror '%s': %s", e.item[i].root, err->msg);
	}
	if (r < 0 && before.len > 0) {
		struct err last = *err;

		err_set(err, last.code, "%s%s", last.msg, before.data);
	}
	endpoints_release(&e);
	return r;
}

int
image_pull(
    struct images *s, const char *ref, const struct pull_options *o, char **id, struct err *err)
{
	autoclose int hold = images_hold(s, err);
	struct pull p = { .store = s, .options = o };
	struct err ignored;
	int r;

	if (hold < 0)
		return hold;
	if ((r = reference_parse(&p.ref, ref, err)) < 0)
		return r;
	if ((r = images_tmp(s, &p.tmp, err)) == 0) {
		r = pull_anywhere(&p, id, err);
		tree_remove(p.tmp, &ignored);
	}
	reference_release(&p.ref);
	free(p.tmp);
	return r;
}
