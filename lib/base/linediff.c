#include "base/linediff.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

/* More different lines than this are not sought to be kept few: all go, all come. */
enum { MOST_EDITS = 2000 };

struct line {
	const char *text;
	size_t len; /* without the '\n' */
};

struct side {
	struct line *line;
	size_t n;
	bool cut; /* the last line has no '\n' */
	bool *changed;
};

static struct side
split(const char *text)
{
	struct side s = { 0 };
	size_t cap = 0;

	while (*text) {
		size_t len = strcspn(text, "\n");

		GROW(s.line, s.n, cap);
		s.line[s.n++] = (struct line){ text, len };
		s.cut = text[len] == '\0';
		text += len + !s.cut;
	}
	s.changed = xcalloc(s.n + 1, sizeof *s.changed);
	return s;
}

static void
side_free(struct side *s)
{
	free(s->line);
	free(s->changed);
}

/* Lines are the same with their ends: a last one without '\n' is only the same as another such. */
static bool
same(const struct side *a, size_t i, const struct side *b, size_t k)
{
	bool cut = a->cut && i == a->n - 1, other = b->cut && k == b->n - 1;

	return cut == other && a->line[i].len == b->line[k].len &&
	       memcmp(a->line[i].text, b->line[k].text, a->line[i].len) == 0;
}

/* --- which lines have changed --------------------------------------------------------------- */

/* The part of both sides that differs: [a0, a1) and [b0, b1). */
struct span {
	const struct side *a, *b;
	long a0, a1, b0, b1;
};

/* The furthest x on each diagonal k = x - y after d edits is x[d][d + k]. */
static long
furthest(long *const *x, long d, long k)
{
	if (d == 0)
		return 0;
	if (k == -d || (k != d && x[d - 1][d - 1 + k - 1] < x[d - 1][d - 1 + k + 1]))
		return x[d - 1][d - 1 + k + 1]; /* down: a line comes */
	return x[d - 1][d - 1 + k - 1] + 1;	/* right: a line goes */
}

/* The smallest number of edits, with what it takes to find the way back; -1: too many. */
static long
search(const struct span *s, long **x)
{
	long n = s->a1 - s->a0, m = s->b1 - s->b0;

	for (long d = 0; d <= MOST_EDITS && d <= n + m; d++) {
		x[d] = xcalloc((size_t)(2 * d + 1), sizeof **x);
		for (long k = -d; k <= d; k += 2) {
			long at = furthest(x, d, k);

			while (at < n && at - k >= 0 && at - k < m &&
			       same(s->a, (size_t)(s->a0 + at), s->b, (size_t)(s->b0 + at - k)))
				at++;
			x[d][d + k] = at;
			if (at >= n && at - k >= m)
				return d;
		}
	}
	return -1;
}

static void
walk_back(const struct span *s, long *const *x, long d)
{
	long k = (s->a1 - s->a0) - (s->b1 - s->b0);

	for (; d > 0; d--) {
		bool down =
		    k == -d || (k != d && x[d - 1][d - 1 + k - 1] < x[d - 1][d - 1 + k + 1]);
		long at = furthest(x, d, k);

		if (down)
			s->b->changed[s->b0 + at - k - 1] = true;
		else
			s->a->changed[s->a0 + at - 1] = true;
		k += down ? 1 : -1;
	}
}

static void
mark_all(const struct span *s)
{
	for (long i = s->a0; i < s->a1; i++)
		s->a->changed[i] = true;
	for (long i = s->b0; i < s->b1; i++)
		s->b->changed[i] = true;
}

static void
compare(const struct side *a, const struct side *b)
{
	struct span s = { a, b, 0, (long)a->n, 0, (long)b->n };
	long **x, d;

	while (s.a0 < s.a1 && s.b0 < s.b1 && same(a, (size_t)s.a0, b, (size_t)s.b0))
		s.a0++, s.b0++;
	while (s.a0 < s.a1 && s.b0 < s.b1 && same(a, (size_t)s.a1 - 1, b, (size_t)s.b1 - 1))
		s.a1--, s.b1--;
	if (s.a0 == s.a1 || s.b0 == s.b1) {
		mark_all(&s);
		return;
	}
	x = xcalloc(MOST_EDITS + 1, sizeof *x);
	if ((d = search(&s, x)) < 0)
		mark_all(&s);
	else
		walk_back(&s, x, d);
	for (long i = 0; i <= MOST_EDITS; i++)
		free(x[i]);
	free(x);
}

/* --- printing ------------------------------------------------------------------------------- */

static void
print_line(struct buf *out, char mark, const struct side *s, size_t i)
{
	buf_putc(out, mark);
	buf_add(out, s->line[i].text, s->line[i].len);
	buf_putc(out, '\n');
	if (s->cut && i == s->n - 1)
		buf_puts(out, "\\ No newline at end of file\n");
}

/* "12,3": the first line's number and how many; of none the number of the line before. */
static void
print_range(struct buf *out, char mark, size_t from, size_t n)
{
	buf_printf(out, "%c%zu", mark, n == 0 ? from : from + 1);
	if (n != 1)
		buf_printf(out, ",%zu", n);
}

/* Where both are now; what has not changed goes side by side. */
struct place {
	size_t a, b;
};

static bool
at_change(const struct side *a, const struct side *b, struct place p)
{
	return (p.a < a->n && a->changed[p.a]) || (p.b < b->n && b->changed[p.b]);
}

/* The end of the hunk that begins with a change here: behind it are more than 2 * context lines
 * that have not changed. */
static struct place
hunk_end(const struct side *a, const struct side *b, struct place p, unsigned context)
{
	struct place end = p;
	size_t calm = 0;

	while (p.a < a->n || p.b < b->n) {
		if (at_change(a, b, p)) {
			p.a += p.a < a->n && a->changed[p.a];
			p.b += p.b < b->n && b->changed[p.b];
			calm = 0;
			end = p;
			continue;
		}
		if (++calm > 2 * (size_t)context)
			break;
		p.a++, p.b++;
	}
	return end;
}

static void
print_hunk(
    struct buf *out, const struct side *a, const struct side *b, struct place from, struct place to)
{
	buf_puts(out, "@@ ");
	print_range(out, '-', from.a, to.a - from.a);
	print_range((buf_putc(out, ' '), out), '+', from.b, to.b - from.b);
	buf_puts(out, " @@\n");
	for (struct place p = from; p.a < to.a || p.b < to.b;) {
		if (p.a < to.a && a->changed[p.a])
			print_line(out, '-', a, p.a++);
		else if (p.b < to.b && b->changed[p.b])
			print_line(out, '+', b, p.b++);
		else
			print_line(out, ' ', a, p.a), p.a++, p.b++;
	}
}

void
linediff(struct buf *out, const char *from, const char *to, unsigned context)
{
	struct side a = split(from), b = split(to);

	compare(&a, &b);
	for (struct place p = { 0 }; p.a < a.n || p.b < b.n;) {
		struct place begin = p, end;
		size_t lead, tail;

		if (!at_change(&a, &b, p)) {
			p.a++, p.b++;
			continue;
		}
		end = hunk_end(&a, &b, p, context);
		lead = begin.a < context ? begin.a : context;
		lead = begin.b < lead ? begin.b : lead;
		tail = a.n - end.a < context ? a.n - end.a : context;
		print_hunk(out, &a, &b, (struct place){ begin.a - lead, begin.b - lead },
		    (struct place){ end.a + tail, end.b + tail });
		p = end;
	}
	side_free(&a);
	side_free(&b);
}
