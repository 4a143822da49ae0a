#include "client/revert.h"
#include "api/meta.h"
#include "base/mem.h"

/* What the server keeps of an object by itself. */
static const char *const kept[] = { "uid", "creationTimestamp", "generation", "deletionTimestamp",
	"deletionGracePeriodSeconds", "selfLink", "managedFields", "resourceVersion" };

static json_t *
content_for(const json_t *then, const json_t *now)
{
	json_t *obj = json_deep_copy(then), *meta = get(obj, "metadata");

	json_object_del(obj, "status");
	for (size_t i = 0; i < COUNT(kept); i++) {
		json_t *value = get(now, "metadata", kept[i]);

		json_object_del(meta, kept[i]);
		if (value)
			json_object_set(meta, kept[i], value);
	}
	if (get(now, "status"))
		json_object_set(obj, "status", get(now, "status"));
	return obj;
}

int
revert_object(struct client *c, const json_t *then, const json_t *now, const char *query, bool look,
    json_t **ret, struct err *err)
{
	json_auto_t *obj = content_for(then, now);
	int r;

	if (now && json_equal(obj, now)) {
		*ret = steal(obj);
		return 0;
	}
	if (look) {
		*ret = steal(obj);
		return 1;
	}
	json_object_del(get(obj, "metadata"), "managedFields"); /* the server's business */
	r = now ? client_update(c, obj, NULL, query, ret, err)
		: client_create(c, obj, query, ret, err);
	return r < 0 ? r : 1;
}
