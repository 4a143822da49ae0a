/* Any text as two nodes' figures, one after the other: what is read has all its parts, in order. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/object.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct figures *
one(const uint8_t *data, size_t size, int64_t now)
{
	struct figures *f = NULL;
	struct err err;

	if (figures_read(&f, (const char *)data, size, now, &err) < 0)
		return NULL;
	for (size_t i = 0; i < f->n; i++) {
		const struct entry *e = &f->entry[i];

		if (!*e->pod || !*e->container || e->point.at <= 0 || e->point.cpu == 0)
			abort();
		if (i > 0 && strcmp(f->entry[i - 1].ns, e->ns) > 0)
			abort();
	}
	return f;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *half = memchr(data, '|', size);
	size_t n = half ? (size_t)(half - data) : size;
	struct figures *a = one(data, n, 1000);
	struct figures *b = half ? one(half + 1, size - n - 1, 20000) : NULL;
	json_t *meta = json_pack("{s:s}", "name", "x");

	if (a && b)
		figures_follow(b, a, 15000);
	for (size_t i = 0; b && i < b->n; i += figures_pod(b, i)) {
		json_t *o = metrics_of_pod(&b->entry[i], figures_pod(b, i), meta, 20);

		json_decref(metrics_row(o ? o : meta, true, "Object"));
		json_decref(o);
	}
	figures_unref(a);
	figures_unref(b);
	json_decref(meta);
	return 0;
}
