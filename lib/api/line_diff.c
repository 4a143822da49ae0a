/* Differences between two texts, line by line. */
#include "api/line_diff.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

struct line {
	const char *text;
	size_t len;
	size_t id; /* of equal lines the same */
	bool popular;
};

struct side {
	struct line *line;
	size_t n, cap;
};

/* A run of equal lines: n of them, from a in the one and from b in the other. */
struct run {
	size_t a, b, n;
};

struct diff {
	struct side a, b;
	struct run *run; /* in order; the last is empty, at both ends */
	size_t n, cap;
};

static void
split(struct side *s, const char *text)
{
	for (const char *p = text; *p;) {
		size_t n = strcspn(p, "\n");

		GROW(s->line, s->n, s->cap);
		s->line[s->n++] = (struct line){ p, n, 0, false };
		p += n + (p[n] == '\n');
	}
}

static bool
same_line(const struct line *x, const struct line *y)
{
	return x->len == y->len && !memcmp(x->text, y->text, x->len);
}

/*
 * Ids: the place where a line first stands in b, or beyond it for lines that only a has.  In a long
 * text, lines that stand in every hundredth place ("},") say nothing about where one is: no run
 * starts from them.
 */
static void
number(struct diff *d)
{
	enum { LONG = 200 };
	size_t *seen = xcalloc(d->b.n + 1, sizeof *seen);

	for (size_t i = 0; i < d->b.n; i++) {
		size_t j = 0;

		while (!same_line(&d->b.line[i], &d->b.line[j]))
			j++;
		d->b.line[i].id = j;
		seen[j]++;
	}
	for (size_t i = 0; i < d->b.n; i++)
		d->b.line[i].popular = d->b.n >= LONG && seen[d->b.line[i].id] > d->b.n / 100 + 1;
	free(seen);
	for (size_t i = 0; i < d->a.n; i++) {
		size_t j = 0;

		while (j < d->b.n && !same_line(&d->a.line[i], &d->b.line[j]))
			j++;
		d->a.line[i].id = j;
	}
}

/* The longest run within a[from.a..to.a] and b[from.b..to.b]; of several the first. */
static struct run
longest(const struct diff *d, const struct run *from, const struct run *to)
{
	size_t *len = xcalloc(d->b.n + 2, sizeof *len); /* of the run ending before a[i], b[j] */
	struct run best = { from->a, from->b, 0 };

	for (size_t i = from->a; i < to->a; i++) {
		/* From behind, so that len[j] is still that of the line before. */
		for (size_t j = to->b; j-- > from->b;) {
			bool equal = !d->b.line[j].popular && d->a.line[i].id == d->b.line[j].id;

			len[j + 1] = equal ? len[j] + 1 : 0;
		}
		for (size_t j = from->b; j < to->b; j++)
			if (len[j + 1] > best.n)
				best = (struct run){ i + 1 - len[j + 1], j + 1 - len[j + 1],
					len[j + 1] };
		len[from->b] = 0;
	}
	free(len);
	while (best.a > from->a && best.b > from->b &&
	       d->a.line[best.a - 1].id == d->b.line[best.b - 1].id)
		best = (struct run){ best.a - 1, best.b - 1, best.n + 1 };
	while (best.a + best.n < to->a && best.b + best.n < to->b &&
	       d->a.line[best.a + best.n].id == d->b.line[best.b + best.n].id)
		best.n++;
	return best;
}

static void
add_run(struct diff *d, struct run r)
{
	struct run *last = d->n ? &d->run[d->n - 1] : NULL;

	if (last && last->a + last->n == r.a && last->b + last->n == r.b) {
		last->n += r.n;
		return;
	}
	GROW(d->run, d->n, d->cap);
	d->run[d->n++] = r;
}

static void
match(struct diff *d, struct run from, struct run to)
{
	struct run r = longest(d, &from, &to);

	if (!r.n)
		return;
	if (from.a < r.a && from.b < r.b)
		match(d, from, r);
	add_run(d, r);
	if (r.a + r.n < to.a && r.b + r.n < to.b)
		match(d, (struct run){ r.a + r.n, r.b + r.n, 0 }, to);
}

static void
add_lines(struct buf *out, char mark, const struct side *s, size_t from, size_t to)
{
	for (; from < to; from++)
		buf_printf(out, "%c%.*s\n", mark, (int)s->line[from].len, s->line[from].text);
}

/* "14,7": where, and how many. */
static void
add_range(struct buf *out, size_t from, size_t to)
{
	size_t n = to - from;

	if (n == 1)
		buf_printf(out, "%zu", from + 1);
	else
		buf_printf(out, "%zu,%zu", n ? from + 1 : from, n);
}

/*
 * Changes stand between runs.  A hunk holds all that are not more than twice `around` lines apart:
 * from the change behind run `first` to the one before run `last`.
 */
static void
add_hunk(struct buf *out, const struct diff *d, size_t first, size_t last, size_t around)
{
	const struct run *head = first ? &d->run[first - 1] : NULL, *tail = &d->run[last];
	size_t before = head ? (head->n < around ? head->n : around) : 0;
	size_t behind = tail->n < around ? tail->n : around;
	size_t a = head ? head->a + head->n : 0, b = head ? head->b + head->n : 0;

	buf_puts(out, "@@ -");
	add_range(out, a - before, tail->a + behind);
	buf_puts(out, " +");
	add_range(out, b - before, tail->b + behind);
	buf_puts(out, " @@\n");
	add_lines(out, ' ', &d->a, a - before, a);
	for (size_t i = first; i <= last; i++) {
		const struct run *r = &d->run[i];
		size_t same = i == last ? behind : r->n;

		add_lines(out, '-', &d->a, a, r->a);
		add_lines(out, '+', &d->b, b, r->b);
		add_lines(out, ' ', &d->a, r->a, r->a + same);
		a = r->a + r->n;
		b = r->b + r->n;
	}
}

static bool
changes_before(const struct diff *d, size_t i)
{
	const struct run *r = &d->run[i];
	size_t a = i ? r[-1].a + r[-1].n : 0, b = i ? r[-1].b + r[-1].n : 0;

	return a < r->a || b < r->b;
}

static void
add_hunks(struct buf *out, const struct diff *d, size_t around)
{
	for (size_t i = 0; i < d->n; i++) {
		size_t last = i;

		if (!changes_before(d, i))
			continue;
		while (
		    last + 1 < d->n && d->run[last].n <= 2 * around && changes_before(d, last + 1))
			last++;
		add_hunk(out, d, i, last, around);
		i = last;
	}
}

char *
line_diff(const char *before, const char *now, size_t around)
{
	struct diff d = { 0 };
	struct buf out = BUF_INIT;

	split(&d.a, before);
	split(&d.b, now);
	number(&d);
	match(&d, (struct run){ 0, 0, 0 }, (struct run){ d.a.n, d.b.n, 0 });
	add_run(&d, (struct run){ d.a.n, d.b.n, 0 });
	buf_puts(&out, "");
	add_hunks(&out, &d, around);
	free(d.a.line);
	free(d.b.line);
	free(d.run);
	return buf_detach(&out);
}
