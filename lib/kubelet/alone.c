#include "kubelet/alone.h"

#include <string.h>

#include "api/meta.h"
#include "api/object.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "control/world.h"
#include "kubelet/given.h"
#include "node/objects.h"

struct alone {
	char *node;
	json_t *pods;
	struct world *world; /* all but the pods */
	bool failed;
};

struct alone *
alone_new(const char *node)
{
	struct alone *a = xcalloc(1, sizeof *a);

	a->node = xstrdup(node);
	a->pods = json_array();
	a->world = world_new();
	return a;
}

void
alone_free(struct alone *a)
{
	if (!a)
		return;
	free(a->node);
	json_decref(a->pods);
	world_free(a->world);
	free(a);
}

int
alone_read(struct alone *a, FILE *f, const char *name, struct err *err)
{
	struct objects *objects = objects_open(f, name);
	json_t *obj;
	int r;

	while ((r = objects_read(objects, &obj, err)) > 0) {
		if (strcmp(text(obj, "kind"), "Pod") == 0) {
			pod_complete(obj, a->node);
			json_array_append_new(a->pods, obj);
			continue;
		}
		given_put(a->world, obj);
	}
	objects_close(objects);
	return r;
}

int
alone_run(struct alone *a, struct agent *agent, struct err *err)
{
	json_t *pod;
	size_t i;
	int r;

	json_array_foreach (a->pods, i, pod) {
		given_bind(a->world, pod);
		if ((r = agent_set(agent, pod, err)) < 0)
			return r;
	}
	return 0;
}

static bool
print_status(void *arg, const json_t *pod, const json_t *status)
{
	struct alone *a = arg;
	json_auto_t *shown = json_copy((json_t *)pod);

	json_object_set(shown, "status", (json_t *)status);
	jsonl_write(stdout, shown);
	fflush(stdout);
	a->failed = a->failed || strcmp(text(status, "phase"), "Failed") == 0;
	return true;
}

static bool
let_go(void *arg, const json_t *pod)
{
	(void)arg;
	(void)pod;
	return true;
}

static json_t *
look_up(void *arg, const char *kind, const char *ns, const char *name)
{
	struct alone *a = arg;

	return given_get(a->world, kind, ns, name);
}

struct agent_hooks
alone_hooks(struct alone *a)
{
	return (struct agent_hooks){
		.arg = a,
		.status = print_status,
		.gone = let_go,
		.lookup = look_up,
	};
}

bool
alone_failed(const struct alone *a)
{
	return a->failed;
}
