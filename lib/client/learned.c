#include "client/learned.h"

#include "api/meta.h"
#include "base/mem.h"

void
client_learn_kind(struct client *c, struct learn *l, const struct kind **k)
{
	const struct kind *crds =
	    kind_find("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
	const struct kind *known = kind_find((*k)->group, (*k)->version, (*k)->kind);
	char name[128];
	json_t *crd;
	struct err err;

	if (!known && *(*k)->group &&
	    client_get(c, crds, NULL, kind_resource(*k, name), &crd, &err) >= 0) {
		(void)learn_crd(l, crd, "the server", LEARN_LIVE, NULL, &err);
		learn_serve(l);
		json_decref(crd);
		known = kind_find((*k)->group, (*k)->version, (*k)->kind);
	}
	*k = known ? known : *k;
}

void
targets_learn(struct targets *t, struct client *c, struct learn *l)
{
	for (size_t i = 0; i < t->n; i++)
		client_learn_kind(c, l, &t->item[i].kind);
}
