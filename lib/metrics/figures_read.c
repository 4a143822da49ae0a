/*
 * /metrics/resource as a kubelet tells it: lines of the Prometheus text format,
 *	NAME{LABEL="VALUE",...} NUMBER [MILLISECONDS]
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "metrics/figures.h"

enum measure { CPU, MEMORY, SWAP, STARTED };

static const struct {
	const char *name;
	bool container;
	enum measure measure;
} series[] = {
	{ "node_cpu_usage_seconds_total", false, CPU },
	{ "node_memory_working_set_bytes", false, MEMORY },
	{ "node_swap_usage_bytes", false, SWAP },
	{ "container_cpu_usage_seconds_total", true, CPU },
	{ "container_memory_working_set_bytes", true, MEMORY },
	{ "container_swap_usage_bytes", true, SWAP },
	{ "container_start_time_seconds", true, STARTED },
};

/* One line that matters; the words are offsets into reading.words. */
struct told {
	size_t ns, pod, container;
	enum measure measure;
	double value;
	int64_t at;
};

struct reading {
	const char *p, *end; /* of the line */
	int64_t now;
	struct buf words;
	struct told *told;
	size_t n, cap;
	struct point node;
};

/* --- one line ------------------------------------------------------------------------------- */

static void
skip_blanks(struct reading *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\t'))
		r->p++;
}

static size_t
name_length(const char *p, const char *end)
{
	const char *start = p;

	while (p < end && (*p == '_' || *p == ':' || (*p >= '0' && *p <= '9') ||
			      (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')))
		p++;
	return (size_t)(p - start);
}

/* A value in quotes, behind the first of them, to r->words. */
static bool
read_value(struct reading *r, size_t *at)
{
	*at = r->words.len;
	for (; r->p < r->end && *r->p != '"'; r->p++) {
		if (*r->p != '\\') {
			buf_putc(&r->words, *r->p);
			continue;
		}
		if (++r->p == r->end)
			return false;
		buf_putc(&r->words, *r->p == 'n' ? '\n' : *r->p);
	}
	buf_putc(&r->words, '\0');
	return r->p < r->end && *r->p++ == '"';
}

/* "{a="b",...}" if there is one; the three labels that matter into t. */
static bool
read_labels(struct reading *r, struct told *t)
{
	if (r->p == r->end || *r->p != '{')
		return true;
	for (r->p++;;) {
		const char *name;
		size_t n, at;

		skip_blanks(r);
		if (r->p < r->end && *r->p == '}') {
			r->p++;
			return true;
		}
		name = r->p;
		n = name_length(r->p, r->end);
		r->p += n;
		skip_blanks(r);
		if (n == 0 || r->end - r->p < 2 || *r->p++ != '=')
			return false;
		skip_blanks(r);
		if (r->p == r->end || *r->p++ != '"' || !read_value(r, &at))
			return false;
		if (n == 9 && memcmp(name, "namespace", n) == 0)
			t->ns = at;
		else if (n == 3 && memcmp(name, "pod", n) == 0)
			t->pod = at;
		else if (n == 9 && memcmp(name, "container", n) == 0)
			t->container = at;
		skip_blanks(r);
		if (r->p < r->end && *r->p == ',')
			r->p++;
		else if (r->p == r->end || *r->p != '}')
			return false;
	}
}

/* A number that a blank or the end follows. */
static bool
read_number(struct reading *r, double *ret)
{
	char word[64], *stop;
	size_t n = 0;

	skip_blanks(r);
	while (r->p < r->end && *r->p != ' ' && *r->p != '\t' && n + 1 < sizeof word)
		word[n++] = *r->p++;
	word[n] = '\0';
	*ret = strtod(word, &stop);
	return n > 0 && *stop == '\0';
}

static void
set(struct point *p, const struct told *t)
{
	/* what is no number, or below 0, is not told */
	double v = isfinite(t->value) && t->value > 0 && t->value < 9e15 ? t->value : 0;

	switch (t->measure) {
	case CPU:
		p->cpu = v < 9e9 ? (uint64_t)(v * 1e9) : 0;
		p->at = t->at;
		break;
	case MEMORY:
		p->memory = (uint64_t)v;
		if (p->at == 0) /* the time of processor time counts */
			p->at = t->at;
		break;
	case SWAP:
		p->swap = (int64_t)v;
		break;
	case STARTED:
		p->started = v < 9e12 ? (int64_t)(v * 1000) : 0;
		break;
	}
}

/* Which of them it is; -1: none that matters. */
static int
find_series(const char *name, size_t n)
{
	for (size_t i = 0; i < COUNT(series); i++)
		if (strlen(series[i].name) == n && memcmp(series[i].name, name, n) == 0)
			return (int)i;
	return -1;
}

static bool
read_line(struct reading *r)
{
	enum { NONE = 0 }; /* words[0] is the empty one */
	struct told t = { NONE, NONE, NONE, CPU, 0, r->now };
	const char *name;
	double at;
	size_t n;
	int i;

	skip_blanks(r);
	if (r->p == r->end || *r->p == '#')
		return true;
	name = r->p;
	if ((n = name_length(r->p, r->end)) == 0)
		return false;
	r->p += n;
	if ((i = find_series(name, n)) < 0)
		return true;
	skip_blanks(r);
	if (!read_labels(r, &t) || !read_number(r, &t.value))
		return false;
	skip_blanks(r);
	if (r->p < r->end) {
		if (!read_number(r, &at) || !(at >= 0 && at < 9e15))
			return false;
		t.at = (int64_t)at;
		skip_blanks(r);
	}
	t.measure = series[i].measure;
	if (!series[i].container) {
		set(&r->node, &t);
	} else {
		GROW(r->told, r->n, r->cap);
		r->told[r->n++] = t;
	}
	return r->p == r->end;
}

/* --- all of them --------------------------------------------------------------------------- */

/* qsort_r's: the words stand in the buffer that `arg` is. */
static int
by_container(const void *a, const void *b, void *arg)
{
	const struct told *x = a, *y = b;
	const char *words = arg;
	int d = strcmp(words + x->ns, words + y->ns);

	if (d == 0)
		d = strcmp(words + x->pod, words + y->pod);
	return d ? d : strcmp(words + x->container, words + y->container);
}

static bool
measured(const struct point *p)
{
	return p->at > 0 && p->cpu > 0 && p->memory > 0;
}

/* Pods of which a container was not measured go. */
static void
drop_incomplete(struct figures *f)
{
	size_t kept = 0;

	for (size_t i = 0, n; i < f->n; i += n) {
		bool whole = true;

		n = figures_pod(f, i);
		for (size_t k = 0; k < n; k++)
			whole = whole && measured(&f->entry[i + k].point);
		if (whole) {
			memmove(&f->entry[kept], &f->entry[i], n * sizeof *f->entry);
			kept += n;
		}
	}
	f->n = kept;
}

/* Only the words of what is left, and those of a pod once: each series told them again. */
static void
pack(struct figures *f)
{
	size_t size = 1;
	char *words, *p;

	for (size_t i = 0; i < f->n; i++)
		size += strlen(f->entry[i].ns) + strlen(f->entry[i].pod) +
			strlen(f->entry[i].container) + 3;
	p = words = xmalloc(size);
	for (size_t i = 0, n; i < f->n; i += n) {
		const char *ns = p, *pod = stpcpy(p, f->entry[i].ns) + 1;

		p = stpcpy(p + strlen(ns) + 1, f->entry[i].pod) + 1;
		n = figures_pod(f, i);
		for (size_t k = i; k < i + n; k++) {
			const char *container = p;

			p = stpcpy(p, f->entry[k].container) + 1;
			f->entry[k].container = container;
		}
		for (size_t k = i; k < i + n; k++) {
			f->entry[k].ns = ns;
			f->entry[k].pod = pod;
		}
	}
	free(f->words);
	f->words = words;
}

/* Put together what is told of each container. */
static struct figures *
gather(struct reading *r)
{
	struct figures *f = xcalloc(1, sizeof *f);
	struct entry *e = NULL;

	if (r->n > 0)
		qsort_r(r->told, r->n, sizeof *r->told, by_container, r->words.data);
	f->refs = 1;
	f->node = measured(&r->node) ? r->node : (struct point){ .swap = -1 };
	f->words = buf_detach(&r->words);
	f->entry = xcalloc(r->n + 1, sizeof *f->entry);
	for (size_t i = 0; i < r->n; i++) {
		const struct told *t = &r->told[i];

		if (f->words[t->pod] == '\0' || f->words[t->container] == '\0')
			continue;
		if (!e || by_container(t, t - 1, f->words) != 0) {
			e = &f->entry[f->n++];
			*e = (struct entry){ f->words + t->ns, f->words + t->pod,
				f->words + t->container, { .swap = -1 } };
		}
		set(&e->point, t);
	}
	drop_incomplete(f);
	pack(f);
	f->entry = xreallocarray(f->entry, f->n + 1, sizeof *f->entry);
	return f;
}

int
figures_read(struct figures **ret, const char *text, size_t len, int64_t now, struct err *err)
{
	struct reading r = { .now = now, .node.swap = -1 };
	const char *stop = text + len;
	int status = 0;
	unsigned line = 1;

	buf_putc(&r.words, '\0');
	for (r.p = text; r.p < stop; r.p = r.end + 1, line++) {
		r.end = memchr(r.p, '\n', (size_t)(stop - r.p));
		if (!r.end)
			r.end = stop;
		if (!read_line(&r)) {
			status = err_set(err, ERR_INVALID, "line %u is not a figure", line);
			break;
		}
	}
	if (status == 0)
		*ret = gather(&r);
	buf_release(&r.words);
	free(r.told);
	return status;
}
