#ifndef ORCH_METRICS_OBJECT_H
#define ORCH_METRICS_OBJECT_H

#include "metrics/figures.h"

/* The objects of metrics.k8s.io/v1beta1, out of figures: pure. */
#define METRICS_GROUP "metrics.k8s.io"
#define METRICS_VERSION "v1beta1"

/*
 * NodeMetrics and PodMetrics, new; NULL when there are no two points of it, or of one of its
 * containers.  meta is the metadata of the Node or Pod (its labels are shown), now in seconds.
 */
json_t *metrics_of_node(const struct figures *f, const json_t *meta, int64_t now);
json_t *metrics_of_pod(const struct entry *e, size_t n, const json_t *meta, int64_t now);

/*
 * For a Table of them: the columnDefinitions that metrics-server has (swap: with one for that), and
 * the row of one.  What stands in its `object`, includeObject says: "None", "Object", else the
 * metadata.
 */
json_t *metrics_columns(bool swap);
json_t *metrics_row(const json_t *item, bool swap, const char *include);

/* Does any point tell of swap space? */
bool figures_swap(const struct figures *f);

#endif
