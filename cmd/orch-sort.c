/* orch-sort - objects in the order in which they can be created: what others need comes first. */
#include <stdio.h>
#include <string.h>

#include "api/meta.h"
#include "api/object.h"
#include "base/buf.h"
#include "base/cli.h"
#include "base/jsonl.h"
#include "base/mem.h"

static bool reverse;

static const struct opt opts[] = {
	{ 'r', "reverse", NULL, "the order in which they can be deleted", &reverse, false },
	{ 0 },
};

const struct program self = {
	.name = "orch-sort",
	.synopsis = "[-r] [file ...]",
	.summary = "Sort objects into the order in which they can be created.",
	.opts = opts,
	.operands = "files",
};

/*
 * The order helm installs in, with two kinds of gaps: custom resources after
 * everything that may serve them, and webhooks last of all, for they stand in the
 * way of what is created after them.
 */
static const char *const order[] = {
	"PriorityClass",
	"Namespace",
	"CustomResourceDefinition",
	"NetworkPolicy",
	"ResourceQuota",
	"LimitRange",
	"PodDisruptionBudget",
	"ServiceAccount",
	"Secret",
	"ConfigMap",
	"StorageClass",
	"PersistentVolume",
	"PersistentVolumeClaim",
	"RuntimeClass",
	"ClusterRole",
	"ClusterRoleBinding",
	"Role",
	"RoleBinding",
	"Service",
	"DaemonSet",
	"Pod",
	"ReplicationController",
	"ReplicaSet",
	"Deployment",
	"HorizontalPodAutoscaler",
	"StatefulSet",
	"Job",
	"CronJob",
	"IngressClass",
	"Ingress",
	"APIService",
	NULL, /* every other kind */
	"MutatingAdmissionPolicy",
	"MutatingAdmissionPolicyBinding",
	"ValidatingAdmissionPolicy",
	"ValidatingAdmissionPolicyBinding",
	"MutatingWebhookConfiguration",
	"ValidatingWebhookConfiguration",
};

struct item {
	int rank;
	size_t nth; /* its place in the input: sorting is stable */
	char *line;
	size_t len;
};

struct items {
	struct item *item;
	size_t n, cap;
};

static int
rank(const json_t *obj)
{
	const char *kind = text(obj, "kind");
	int other = 0;

	for (size_t i = 0; i < COUNT(order); i++)
		if (!order[i])
			other = (int)i;
		else if (strcmp(order[i], kind) == 0)
			return (int)i;
	return other;
}

/* Lines are kept, not trees: a tenth of the memory. */
static int
take(void *arg, struct objects *in, json_t *obj, struct err *err)
{
	struct items *all = arg;
	struct buf line = BUF_INIT;
	size_t len;
	const char *raw = objects_raw(in, &len);
	struct item it = { .rank = rank(obj), .nth = all->n };

	(void)err;
	if (raw)
		buf_add(&line, raw, len);
	else
		json_add(&line, obj);
	buf_putc(&line, '\n');
	json_decref(obj);
	it.len = line.len;
	it.line = buf_detach(&line);
	GROW(all->item, all->n, all->cap);
	all->item[all->n++] = it;
	return 0;
}

static int
compare(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->rank != y->rank)
		return (x->rank > y->rank) != reverse ? 1 : -1;
	return (x->nth > y->nth) - (x->nth < y->nth);
}

int
main(int argc, char *argv[])
{
	int first = cli_parse(argc, argv), r;
	struct items all = { 0 };
	struct err err;

	r = objects_each(argv + first, argc - first, ACCEPT_OBJECTS, take, &all, &err);
	if (r < 0)
		die(&err, "cannot sort");
	if (all.n > 0)
		qsort(all.item, all.n, sizeof *all.item, compare);
	for (size_t i = 0; i < all.n; i++) {
		fwrite(all.item[i].line, 1, all.item[i].len, stdout);
		free(all.item[i].line);
	}
	free(all.item);
	return finish(0);
}
