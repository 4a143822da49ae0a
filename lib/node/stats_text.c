/* The figures for Prometheus, under the kubelet's names. */
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "node/stats.h"

struct figure {
	const char *name, *type, *help;
	double (*value)(const struct usage *u, int64_t started);
	bool cpu; /* it is known when processor time is, else when memory is */
};

static double
cpu_seconds(const struct usage *u, int64_t started)
{
	(void)started;
	return (double)u->cpu / 1e9;
}

static double
working_set(const struct usage *u, int64_t started)
{
	(void)started;
	return (double)u->working;
}

static double
memory_used(const struct usage *u, int64_t started)
{
	(void)started;
	return (double)u->memory;
}

static double
memory_rss(const struct usage *u, int64_t started)
{
	(void)started;
	return (double)u->rss;
}

static double
memory_limit(const struct usage *u, int64_t started)
{
	(void)started;
	return (double)u->limit;
}

static double
start_time(const struct usage *u, int64_t started)
{
	(void)u;
	return (double)started;
}

static bool
known(const struct figure *f, const struct usage *u, int64_t started)
{
	return f->value == start_time ? started > 0 : f->cpu ? u->cpu_known : u->memory_known;
}

static void
head(struct buf *out, const struct figure *f)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name, f->type);
}

/* A label's value: with what the format wants escaped. */
static void
label(struct buf *out, const char *name, const char *value, bool more)
{
	buf_printf(out, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			buf_putc(out, '\\');
		buf_putc(out, *value);
	}
	buf_puts(out, more ? "\"," : "\"");
}

static void
value(const struct stats *s, struct buf *out, const struct figure *f, const struct usage *u,
    int64_t started)
{
	buf_printf(out, " %.17g %lld\n", f->value(u, started), (long long)(s->at / 1000));
}

/* --- /metrics/resource --------------------------------------------------------------------- */

static void
of_containers(const struct stats *s, struct buf *out, const struct figure *f)
{
	head(out, f);
	for (size_t i = 0; i < s->n; i++)
		for (size_t k = 0; k < s->pod[i].n; k++) {
			const struct stats_container *c = &s->pod[i].c[k];

			if (!known(f, &c->use, c->started))
				continue;
			buf_printf(out, "%s{", f->name);
			label(out, "container", c->name, true);
			label(out, "namespace", s->pod[i].ns, true);
			label(out, "pod", s->pod[i].name, false);
			buf_putc(out, '}');
			value(s, out, f, &c->use, c->started);
		}
}

static void
of_node(const struct stats *s, struct buf *out, const struct figure *f)
{
	if (!known(f, &s->node, 0))
		return;
	head(out, f);
	buf_puts(out, f->name);
	value(s, out, f, &s->node, 0);
}

static void
of_pods(const struct stats *s, struct buf *out, const struct figure *f)
{
	head(out, f);
	for (size_t i = 0; i < s->n; i++) {
		const struct stats_pod *p = &s->pod[i];

		if (!known(f, &p->use, p->started))
			continue;
		buf_printf(out, "%s{", f->name);
		label(out, "namespace", p->ns, true);
		label(out, "pod", p->name, false);
		buf_putc(out, '}');
		value(s, out, f, &p->use, p->started);
	}
}

static bool
all_known(const struct stats *s)
{
	bool ok = s->node.cpu_known && s->node.memory_known;

	for (size_t i = 0; i < s->n; i++)
		ok = ok && s->pod[i].use.cpu_known && s->pod[i].use.memory_known;
	return ok;
}

void
stats_resource(const struct stats *s, struct buf *out)
{
	static const struct {
		void (*of)(const struct stats *s, struct buf *out, const struct figure *f);
		struct figure f;
	} figures[] = {
		{ of_containers,
		    { "container_cpu_usage_seconds_total", "counter",
			"Processor time of a container, in core-seconds.", cpu_seconds, true } },
		{ of_containers, { "container_memory_working_set_bytes", "gauge",
				     "Working set of a container.", working_set, false } },
		{ of_containers,
		    { "container_start_time_seconds", "gauge",
			"When a container was started, since the epoch.", start_time, false } },
		{ of_node,
		    { "node_cpu_usage_seconds_total", "counter",
			"Processor time of the node, in core-seconds.", cpu_seconds, true } },
		{ of_node, { "node_memory_working_set_bytes", "gauge", "Working set of the node.",
			       working_set, false } },
		{ of_pods, { "pod_cpu_usage_seconds_total", "counter",
			       "Processor time of a pod, in core-seconds.", cpu_seconds, true } },
		{ of_pods, { "pod_memory_working_set_bytes", "gauge", "Working set of a pod.",
			       working_set, false } },
	};
	static const char *const errors[] = { "resource_scrape_error", "scrape_error" };

	for (size_t i = 0; i < COUNT(figures); i++)
		figures[i].of(s, out, &figures[i].f);
	for (size_t i = 0; i < COUNT(errors); i++) /* the second is its name of before 1.29 */
		buf_printf(out,
		    "# HELP %s 1 when a figure could not be read, else 0.\n# TYPE %s gauge\n%s "
		    "%d\n",
		    errors[i], errors[i], errors[i], all_known(s) ? 0 : 1);
}

/* --- /metrics/cadvisor --------------------------------------------------------------------- */

static void
row(const struct stats *s, struct buf *out, const struct figure *f, const struct stats_pod *p,
    const struct stats_container *c)
{
	const struct usage *u = c ? &c->use : &p->use;
	int64_t started = c ? c->started : p->started;

	if (!known(f, u, started))
		return;
	buf_printf(out, "%s{", f->name);
	label(out, "container", c ? c->name : "", true);
	if (f->cpu)
		label(out, "cpu", "total", true);
	label(out, "id", c ? c->group : p->group, true);
	label(out, "image", c ? c->image : "", true);
	label(out, "name", c ? c->id : "", true);
	label(out, "namespace", p->ns, true);
	label(out, "pod", p->name, false);
	buf_putc(out, '}');
	value(s, out, f, u, started);
}

void
stats_cadvisor(const struct stats *s, struct buf *out)
{
	static const struct figure figures[] = {
		{ "container_cpu_usage_seconds_total", "counter", "Processor time, in seconds.",
		    cpu_seconds, true },
		{ "container_memory_usage_bytes", "gauge", "Memory in use, caches too.",
		    memory_used, false },
		{ "container_memory_working_set_bytes", "gauge", "Working set.", working_set,
		    false },
		{ "container_memory_rss", "gauge", "Memory that no file is behind.", memory_rss,
		    false },
		{ "container_spec_memory_limit_bytes", "gauge", "Memory limit, 0: none.",
		    memory_limit, false },
		{ "container_start_time_seconds", "gauge", "Start, since the epoch.", start_time,
		    false },
	};

	for (size_t i = 0; i < COUNT(figures); i++) {
		head(out, &figures[i]);
		for (size_t k = 0; k < s->n; k++) {
			row(s, out, &figures[i], &s->pod[k], NULL);
			for (size_t n = 0; n < s->pod[k].n; n++)
				row(s, out, &figures[i], &s->pod[k], &s->pod[k].c[n]);
		}
	}
	buf_printf(out,
	    "# HELP machine_cpu_cores Processors.\n# TYPE machine_cpu_cores gauge\n"
	    "machine_cpu_cores %ld\n# HELP machine_memory_bytes Memory.\n"
	    "# TYPE machine_memory_bytes gauge\nmachine_memory_bytes %llu\n",
	    sysconf(_SC_NPROCESSORS_ONLN), (unsigned long long)s->node.limit);
}
