/* linediff against itself: what it prints makes the second text of the first. */
#include "base/linediff.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Take a text line of *p, without its '\n'. */
static const char *
next(const char **p, size_t *len)
{
	const char *line = *p;

	*len = strcspn(line, "\n");
	*p += *len + ((*p)[*len] == '\n');
	return line;
}

static void
add(struct buf *out, const char *line, size_t len)
{
	buf_add(out, line, len);
	buf_putc(out, '\n');
}

/* Apply a unified diff of texts whose lines all end in '\n', checking the lines it names. */
static char *
patched(const char *from, const char *diff)
{
	struct buf out = BUF_INIT;
	const char *at = from, *p = diff;
	size_t line = 0, len, n;

	buf_puts(&out, "");
	while (*p) {
		const char *d = next(&p, &len), *was;
		long start = 0, count = 1;

		if (*d == '@') {
			assert(sscanf(d, "@@ -%ld,%ld", &start, &count) >= 1);
			for (; line + (count > 0) < (size_t)start; line++) {
				was = next(&at, &n);
				add(&out, was, n);
			}
			continue;
		}
		if (*d != '+') {
			was = next(&at, &n);
			assert(n == len - 1 && memcmp(was, d + 1, n) == 0);
			line++;
		}
		if (*d != '-')
			add(&out, d + 1, len - 1);
	}
	buf_puts(&out, at);
	return buf_detach(&out);
}

static char *
random_text(int lines)
{
	struct buf b = BUF_INIT;

	buf_puts(&b, "");
	for (int i = 0; i < lines; i++)
		buf_printf(&b, "%d\n", rand() % 7);
	return buf_detach(&b);
}

static void
expect(const char *from, const char *to, unsigned context, const char *want)
{
	autobuf struct buf out = BUF_INIT;

	linediff(&out, from, to, context);
	if (strcmp(out.data ? out.data : "", want) != 0) {
		fprintf(stderr, "got:\n%s\nwant:\n%s\n", out.data ? out.data : "", want);
		abort();
	}
}

int
main(void)
{
	expect("", "", 3, "");
	expect("a\n", "a\n", 3, "");
	expect("", "a\n", 3, "@@ -0,0 +1 @@\n+a\n");
	expect("a\n", "", 3, "@@ -1 +0,0 @@\n-a\n");
	expect("a\nb\nc\n", "a\nx\nc\n", 1, "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n");
	expect("a\nb\nc\nd\n", "x\nb\nc\ny\n", 0, "@@ -1 +1 @@\n-a\n+x\n@@ -4 +4 @@\n-d\n+y\n");
	expect("a", "a\n", 3, "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
	for (int i = 0; i < 3000; i++) {
		autofree char *a = random_text(rand() % 30), *b = random_text(rand() % 30), *c;
		autobuf struct buf diff = BUF_INIT;

		linediff(&diff, a, b, (unsigned)rand() % 4);
		c = patched(a, diff.data ? diff.data : "");
		assert(strcmp(b, c) == 0);
	}
	{
		autofree char *a = random_text(20000), *b = random_text(20000);
		autobuf struct buf diff = BUF_INIT;

		linediff(&diff, a, b, 3); /* more edits than are searched for */
		autofree char *c = patched(a, diff.data);
		assert(strcmp(b, c) == 0);
	}
	return 0;
}
