#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "client/http.h"
#include "client/scale.h"

enum { TRIES = 8 };

/* Whether a kind has the subresource is known of what is built in, else the server says it. */
static int
check_kind(const struct kind *k, struct err *err)
{
	if (kind_find(k->group, k->version, k->kind) == k && !kind_subresource(k, "scale"))
		return err_set(err, ERR_BAD_REQUEST, "a %s cannot be scaled", k->kind);
	return 0;
}

static int
read_scale(struct client *c, const struct kind *k, const char *ns, const char *name, json_t **ret,
    struct err *err)
{
	autofree char *path = client_path(k, ns, name, "scale");
	int r = check_kind(k, err);

	return r < 0 ? r : client_fetch(c, path, ret, err);
}

static int
check(const struct scaling *s, const json_t *scale, struct err *err)
{
	long long have = num(get(scale, "spec", "replicas"), 0);

	if (s->uid && *s->uid && strcmp(s->uid, meta_uid(scale)) != 0)
		return err_set(err, ERR_GONE,
		    "it is another one of the same name: its uid is '%s', the input's '%s'",
		    meta_uid(scale), s->uid);
	if (s->version && strcmp(s->version, meta_version(scale)) != 0)
		return err_set(err, ERR_CONFLICT, "its resourceVersion is %s, not %s",
		    meta_version(scale), s->version);
	if (s->current >= 0 && have != s->current)
		return err_set(
		    err, ERR_DIFFERS, "it has %lld replicas, not %lld", have, s->current);
	return 0;
}

static int
write_scale(struct client *c, const struct kind *k, const char *ns, const char *name,
    const struct scaling *s, json_t *scale, struct err *err)
{
	autofree char *path = client_path(k, ns, name, "scale");
	autofree char *whole =
	    s->query && *s->query ? xasprintf("%s?%s", path, s->query) : xstrdup(path);
	autofree char *body = NULL;
	autobuf struct buf reply = BUF_INIT;
	int status, r;

	put(scale, json_integer(s->replicas), "spec", "replicas");
	body = json_dumps(scale, JSON_COMPACT);
	r = client_request(
	    c, "PUT", whole, "application/json", body, strlen(body), &status, &reply, err);
	if (r < 0)
		return r;
	return status >= 400 ? client_refusal(status, reply.data, reply.len, err) : 1;
}

int
scale_object(struct client *c, const struct kind *k, const char *ns, const char *name,
    const struct scaling *s, struct err *err)
{
	int r = 0;

	for (int try = 0; try < TRIES; try++) {
		json_auto_t *scale = NULL;

		if ((r = read_scale(c, k, ns, name, &scale, err)) < 0 ||
		    (r = check(s, scale, err)) < 0)
			return r;
		/* a number that is missing is 0 in a Scale */
		if (num(get(scale, "spec", "replicas"), 0) == s->replicas)
			return 0;
		if (s->look)
			return 1;
		r = write_scale(c, k, ns, name, s, scale, err);
		if (r != -ERR_CONFLICT || s->version)
			break;
	}
	return r;
}

int
scale_reached(struct client *c, const struct kind *k, const char *ns, const char *name,
    long long replicas, struct buf *why, struct err *err)
{
	json_auto_t *scale = NULL;
	long long have, wanted;
	int r;

	if ((r = read_scale(c, k, ns, name, &scale, err)) < 0)
		return r;
	have = num(get(scale, "status", "replicas"), 0);
	wanted = num(get(scale, "spec", "replicas"), 0);
	if (wanted == replicas && have == replicas)
		return 1;
	if (wanted != replicas)
		buf_printf(why, "somebody has scaled it to %lld", wanted);
	else
		buf_printf(why, "it has %lld of %lld replicas", have, replicas);
	return 0;
}
