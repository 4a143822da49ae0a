/* What is used here: /stats/summary, /metrics/resource, /metrics/cadvisor. */
#include <string.h>

#include "base/jsonl.h"
#include "base/mem.h"
#include "node/server_private.h"
#include "node/stats.h"

void
server_summary(struct server *s, struct http_exchange *x)
{
	autofree char *only = http_query(x, "only_cpu_and_memory");
	bool less = only && (strcmp(only, "true") == 0 || strcmp(only, "1") == 0);
	autobuf struct buf b = BUF_INIT;
	json_auto_t *summary = NULL;
	struct stats stats;

	stats_collect(s->host, less ? STATS_RATES : STATS_RATES | STATS_DISK, &stats);
	summary = stats_summary(&stats, less);
	stats_release(&stats);
	json_add(&b, summary);
	http_reply_text(x, 200, "application/json", b.data);
}

static void
reply_figures(struct server *s, struct http_exchange *x,
    void (*print)(const struct stats *s, struct buf *out))
{
	autobuf struct buf b = BUF_INIT;
	struct stats stats;

	stats_collect(s->host, 0, &stats);
	print(&stats, &b);
	stats_release(&stats);
	http_reply_text(x, 200, "text/plain; version=0.0.4; charset=utf-8", b.data);
}

void
server_resource(struct server *s, struct http_exchange *x)
{
	reply_figures(s, x, stats_resource);
}

void
server_cadvisor(struct server *s, struct http_exchange *x)
{
	reply_figures(s, x, stats_cadvisor);
}
