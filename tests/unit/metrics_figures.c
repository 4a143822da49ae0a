/* Figures of nodes: what is read, what is compared with what. */
#include <assert.h>
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "metrics/object.h"

static struct figures *
read_ok(const char *text)
{
	struct figures *f = NULL;
	struct err err;

	assert(figures_read(&f, text, strlen(text), 5000, &err) == 0);
	return f;
}

static void
refused(const char *text, const char *line)
{
	struct figures *f = NULL;
	struct err err;

	assert(figures_read(&f, text, strlen(text), 5000, &err) < 0 && f == NULL);
	assert(err.code == ERR_INVALID && strstr(err.msg, line));
}

/* Containers, in any order of labels and lines, with and without times. */
static void
reading(void)
{
	struct figures *f =
	    read_ok("# HELP x y\n# TYPE node_cpu_usage_seconds_total counter\n"
		    "node_cpu_usage_seconds_total 12.5 7000\n"
		    "node_memory_working_set_bytes 1e+06 7000\n"
		    "other_series{a=\"}\"} NaN\n"
		    "  container_cpu_usage_seconds_total{ container = \"b\" , "
		    "pod=\"p\",namespace=\"n\", } 1.25 6000  \n"
		    "\n"
		    "container_memory_working_set_bytes{pod=\"p\",container=\"b\","
		    "namespace=\"n\"} 4096\n"
		    "container_cpu_usage_seconds_total{namespace=\"n\",pod=\"p\","
		    "container=\"a\"} 2\n"
		    "container_memory_working_set_bytes{namespace=\"n\",pod=\"p\","
		    "container=\"a\"} 8192\n"
		    "container_start_time_seconds{namespace=\"n\",pod=\"p\","
		    "container=\"a\"} 3.5 1\n"
		    "container_cpu_usage_seconds_total{namespace=\"n\",pod=\"a\\\"\\n\","
		    "container=\"c\"} 1\n"
		    "container_memory_working_set_bytes{namespace=\"n\","
		    "pod=\"a\\\"\\n\",container=\"c\"} 1");

	assert(f->node.cpu == 12500000000 && f->node.at == 7000 && f->node.memory == 1000000);
	assert(f->n == 3 && strcmp(f->entry[0].pod, "a\"\n") == 0);
	assert(strcmp(f->entry[1].container, "a") == 0 && f->entry[1].point.cpu == 2000000000);
	assert(f->entry[1].point.at == 5000 && f->entry[1].point.started == 3500);
	assert(strcmp(f->entry[2].container, "b") == 0 && f->entry[2].point.at == 6000);
	assert(f->entry[2].point.memory == 4096 && f->entry[2].point.swap == -1);
	assert(figures_pod(f, 1) == 2 && f->entry[1].pod == f->entry[2].pod);
	figures_unref(f);
}

/* What was not measured takes its pod along; what is no number was not measured. */
static void
incomplete(void)
{
	struct figures *f = read_ok(
	    "container_cpu_usage_seconds_total{namespace=\"n\",pod=\"p\",container=\"a\"} 2\n"
	    "container_memory_working_set_bytes{namespace=\"n\",pod=\"p\",container=\"a\"} 2\n"
	    "container_cpu_usage_seconds_total{namespace=\"n\",pod=\"p\",container=\"b\"} NaN\n"
	    "container_memory_working_set_bytes{namespace=\"n\",pod=\"p\",container=\"b\"} 2\n"
	    "container_cpu_usage_seconds_total{namespace=\"n\",pod=\"q\",container=\"a\"} 2\n"
	    "container_memory_working_set_bytes{namespace=\"n\",pod=\"q\",container=\"a\"} 2\n"
	    "container_memory_working_set_bytes{namespace=\"n\",pod=\"r\",container=\"a\"} 2\n"
	    "container_cpu_usage_seconds_total{namespace=\"n\",pod=\"\",container=\"a\"} 2\n"
	    "node_cpu_usage_seconds_total -1\n");

	assert(f->n == 1 && strcmp(f->entry[0].pod, "q") == 0);
	assert(f->node.at == 0);
	figures_unref(f);
	f = read_ok("");
	assert(f->n == 0);
	figures_unref(f);
	refused("node_cpu_usage_seconds_total\n", "line 1");
	refused("\nnode_cpu_usage_seconds_total 1 2 3\n", "line 2");
	refused("node_cpu_usage_seconds_total{a=\"b} 1", "line 1");
	refused("node_cpu_usage_seconds_total{a=\"b\" c=\"d\"} 1", "line 1");
	refused("node_cpu_usage_seconds_total{a=\"b\\", "line 1");
	refused("node_cpu_usage_seconds_total{a", "line 1");
	refused("node_cpu_usage_seconds_total 1x", "line 1");
	refused("<html>", "line 1");
}

/* One container at a time, in milliseconds and hundredths of a second of processor time. */
static struct figures *
at(int64_t ms, unsigned hundredths, int started)
{
	autofree char *text = xasprintf(
	    "container_cpu_usage_seconds_total{namespace=\"n\",pod=\"p\",container=\"c\"} %u.%02u "
	    "%lld\n"
	    "container_memory_working_set_bytes{namespace=\"n\",pod=\"p\",container=\"c\"} 2048 1\n"
	    "container_start_time_seconds{namespace=\"n\",pod=\"p\",container=\"c\"} %d\n",
	    hundredths / 100, hundredths % 100, (long long)ms, started);

	return read_ok(text);
}

static void
compare(struct figures *before, struct figures *f, int64_t window, uint64_t cpu)
{
	struct used u = { 0 };

	figures_follow(f, before, 15000);
	assert(point_used(&f->entry[0].point, &u) == (window > 0));
	assert(u.window == window && u.cpu == cpu);
	figures_unref(before);
	figures_unref(f);
}

static void
comparing(void)
{
	struct figures *a, *b;

	compare(at(100000, 100, 1), at(110000, 350, 1), 10000, 250000000);
	compare(NULL, at(100000, 100, 1), 0, 0);		 /* the first */
	compare(at(100000, 100, 1), at(110000, 50, 1), 0, 0);	 /* less than before */
	compare(at(100000, 100, 1), at(110000, 150, 101), 0, 0); /* started in between */
	compare(at(100000, 100, 1), at(110000, 150, 2), 0, 0);	 /* another run */
	compare(at(100000, 100, 1), at(99000, 150, 1), 0, 0);	 /* the clock was set back */
	compare(NULL, at(112000, 300, 100), 12000, 250000000);	 /* young, not too young */
	compare(NULL, at(109000, 300, 100), 0, 0);
	compare(NULL, at(116000, 300, 100), 0, 0);
	/* the same point again: what it was compared with stands */
	a = at(100000, 100, 1);
	b = at(110000, 350, 1);
	figures_follow(b, a, 15000);
	compare(b, at(110000, 350, 1), 10000, 250000000);
	figures_unref(a);
}

static void
objects(void)
{
	struct figures *a = at(100000, 100, 1), *b = at(165500, 165, 1);
	json_auto_t *meta = json_pack("{s:s,s:s}", "name", "p", "namespace", "n"), *o, *row;

	figures_follow(b, a, 15000);
	o = metrics_of_pod(b->entry, 1, meta, 200);
	assert(strcmp(text(o, "window"), "1m5.5s") == 0);
	assert(strcmp(text(o, "timestamp"), "1970-01-01T00:02:45Z") == 0);
	assert(
	    strcmp(text(json_array_get(get(o, "containers"), 0), "usage", "cpu"), "9923664n") == 0);
	assert(
	    strcmp(text(json_array_get(get(o, "containers"), 0), "usage", "memory"), "2Ki") == 0);
	row = metrics_row(o, false, "");
	assert(json_array_size(get(row, "cells")) == 4);
	assert(strcmp(text(row, "object", "kind"), "PartialObjectMetadata") == 0);
	assert(metrics_of_pod(a->entry, 1, meta, 200) == NULL);
	figures_unref(a);
	figures_unref(b);
}

int
main(void)
{
	reading();
	incomplete();
	comparing();
	objects();
	return 0;
}
