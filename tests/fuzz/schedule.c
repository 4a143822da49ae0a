/* Any JSON as Nodes and Pods: the scheduler decides on it without harm, and twice the same. */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "control/world.h"
#include "schedule/schedule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static json_t *
decide_all(const struct world *w)
{
	struct scheduler *s = scheduler_new("default-scheduler", SCORE_LEAST);
	struct plan plan;
	const json_t **pods;
	size_t n;

	plan_init(&plan, "schedule", "");
	scheduler_read(s, w);
	pods = schedule_pending(s, w, &n);
	for (size_t i = 0; i < n; i++) {
		json_t *why;

		schedule_pod(s, w, pods[i], &plan, &why);
		if (!why)
			abort();
		json_decref(why);
	}
	free(pods);
	scheduler_free(s);
	return plan.actions;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *lines = xstrndup((const char *)data, size);
	struct world *w = world_new();
	char *rest = lines, *line;

	while ((line = strsep(&rest, "\n"))) {
		json_t *obj = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

		if (json_is_object(obj) && *text(obj, "kind") && *meta_name(obj))
			world_put(w, obj);
		else
			json_decref(obj);
	}
	json_t *once = decide_all(w), *twice = decide_all(w);

	if (!json_equal(once, twice))
		abort();
	json_decref(once);
	json_decref(twice);
	world_free(w);
	return 0;
}
