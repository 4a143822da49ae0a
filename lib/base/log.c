#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"

static const char *name = "orch";
static int level;

void
log_open(const char *program, int verbosity)
{
	name = program;
	level = verbosity;
}

/* One write(2) a line, so that lines of many threads and processes do not mix. */
static void
put(const char *fmt, va_list ap)
{
	char line[2048];
	int n, k;

	n = snprintf(line, sizeof line, "%s: ", name);
	k = vsnprintf(line + n, sizeof line - (size_t)n - 1, fmt, ap);
	if (k < 0)
		return;
	n += k;
	if ((size_t)n > sizeof line - 2)
		n = sizeof line - 2;
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return; /* nowhere left to say it */
}

void
log_line(const char *fmt, ...)
{
	va_list ap;

	if (level < 0)
		return;
	va_start(ap, fmt);
	put(fmt, ap);
	va_end(ap);
}

void
log_more(const char *fmt, ...)
{
	va_list ap;

	if (level < 1)
		return;
	va_start(ap, fmt);
	put(fmt, ap);
	va_end(ap);
}
