#include <string.h>

#include "api/schema.h"
#include "control/control.h"

extern const struct controller deployment_controller, replicaset_controller, namespace_controller,
    garbage_controller, node_controller, podgc_controller, pvc_protection_controller,
    pv_protection_controller, vac_protection_controller, serviceaccount_controller,
    rootca_controller, resourcequota_controller, disruption_controller;

const struct controller *const controllers[] = {
	&deployment_controller,
	&replicaset_controller,
	&namespace_controller,
	&garbage_controller,
	&node_controller,
	&podgc_controller,
	&pvc_protection_controller,
	&pv_protection_controller,
	&vac_protection_controller,
	&serviceaccount_controller,
	&rootca_controller,
	&resourcequota_controller,
	&disruption_controller,
	NULL,
};

const struct controller *
controller_find(const char *name)
{
	const struct kind *k = kind_of_word(name);
	const struct controller *found = NULL;
	char buf[128];

	for (size_t i = 0; controllers[i]; i++)
		if (strcmp(controllers[i]->name, name) == 0)
			return controllers[i];
	for (size_t i = 0; k && controllers[i]; i++) {
		if (strcmp(controllers[i]->kind, kind_group_kind(k, buf)) != 0)
			continue;
		if (found && strcmp(found->name, k->singular) != 0)
			return NULL; /* several work on this kind: which one was meant? */
		found = found ? found : controllers[i];
	}
	return found;
}
