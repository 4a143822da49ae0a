/* The objects that an API server makes by itself. */
#include "store/bootstrap.h"

#include "api/apply.h"
#include "api/meta.h"
#include "base/mem.h"
#include "store/service.h"

void
server_object(const struct kind *k, const json_t *old, json_t *obj)
{
	char uid[37], now[40];
	struct apply by = { .kind = k, .subresource = "", .manager = "kube-apiserver" };

	by.now = call_now(now);
	if (!old) {
		new_uid(uid);
		put(obj, json_string(uid), "metadata", "uid");
		put(obj, json_string(now), "metadata", "creationTimestamp");
		if (kind_strategy(k) & HAS_GENERATION)
			put(obj, json_integer(1), "metadata", "generation");
		strategy_create(k, obj);
	}
	defaults_apply(k, obj);
	apply_track(&by, old, obj);
}

/* --- what follows every write --- */

static struct write *
before_write(void *arg, struct write *w)
{
	struct server *s = arg;

	return services_before(s->services, w);
}

static void
after_write(void *arg, struct write *w, bool kept)
{
	struct server *s = arg;

	services_after(s->services, w, kept);
}

int
server_services(struct server *s, const char *ranges, const char *ports, struct err *err)
{
	struct follower f = { before_write, after_write, s };
	int r = services_new(&s->services, s->cache, s->commit, ranges, ports, err);

	if (r < 0)
		return r;
	services_load(s->services);
	commit_follow(s->commit, &f);
	return 0;
}
