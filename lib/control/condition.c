#include <string.h>

#include "api/meta.h"
#include "control/condition.h"

void
condition_remove(json_t *obj, const char *type)
{
	json_t *all = get(obj, "status", "conditions");
	size_t i;
	json_t *c;

	json_array_foreach (all, i, c)
		if (strcmp(text(c, "type"), type) == 0) {
			json_array_remove(all, i);
			break;
		}
	if (json_is_array(all) && json_array_size(all) == 0)
		json_object_del(get(obj, "status"), "conditions");
}
