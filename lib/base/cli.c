#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cli.h"
#include "base/idle.h"
#include "base/mem.h"
#include "base/text.h"

enum { MAX_OPTS = 64, LONG_ONLY = 256, HELP = 1000, VERSION, COMPLETE };

static bool stop_at_operand;

/* Every option of the program, own and shared, in one walk: NULL at the end. */
static const struct opt *
nth(size_t i)
{
	const struct opt *o;

	for (o = self.opts; o && o->name; o++)
		if (i-- == 0)
			return o;
	for (const struct opt *const *table = self.shared; table && *table; table++)
		for (o = *table; o->name; o++)
			if (i-- == 0)
				return o;
	return NULL;
}

static bool
optional(const struct opt *o)
{
	return o->arg && o->arg[0] == '[';
}

enum { WIDTH = 80, HELP_COLUMN = 28 };

/* Print words from column `at`, going on in column `indent` of the next line where they reach
 * WIDTH. What stands in brackets is one word: "[-n NAMESPACE]". */
static void
wrap(FILE *f, const char *words, size_t len, size_t at, size_t indent)
{
	const char *end = words + len;
	bool first = true;

	while (words < end) {
		const char *p = words;
		int depth = 0;

		for (; p < end && (depth > 0 || *p != ' '); p++)
			depth += *p == '[' ? 1 : *p == ']' ? -1 : 0;
		if (!first && at + 1 + (size_t)(p - words) > WIDTH) {
			fprintf(f, "\n%*s", (int)indent, "");
			at = indent;
		} else if (!first) {
			fputc(' ', f);
			at++;
		}
		fwrite(words, 1, (size_t)(p - words), f);
		at += (size_t)(p - words);
		first = false;
		words = p + (p < end);
	}
	fputc('\n', f);
}

static void
synopsis(FILE *f)
{
	const char *line = self.synopsis;
	const char *lead = "usage:";

	for (;;) {
		size_t len = strcspn(line, "\n"), name = strlen("usage: ") + strlen(self.name) + 1;

		fprintf(f, "%s %s%s", lead, self.name, len ? " " : "");
		wrap(f, line, len, name, name);
		if (line[len] == '\0')
			break;
		line += len + 1;
		lead = "      ";
	}
}

static void
help_line(const char *left, const char *text)
{
	printf("  %-*s", HELP_COLUMN - 2, left);
	if (strlen(left) > HELP_COLUMN - 3) /* one blank at least */
		printf("\n%*s", HELP_COLUMN, "");
	wrap(stdout, text, strlen(text), HELP_COLUMN, HELP_COLUMN);
}

static void
help(void)
{
	char left[64];

	synopsis(stdout);
	fputc('\n', stdout);
	wrap(stdout, self.summary, strlen(self.summary), 0, 0);
	fputc('\n', stdout);
	for (size_t i = 0; nth(i); i++) {
		const struct opt *o = nth(i);
		char letter[8] = "    ", arg[40] = "";

		if (o->letter)
			snprintf(letter, sizeof letter, "-%c, ", o->letter);
		if (optional(o))
			snprintf(arg, sizeof arg, "[=%.*s]", (int)strlen(o->arg) - 2, o->arg + 1);
		else if (o->arg)
			snprintf(arg, sizeof arg, "=%s", o->arg);
		snprintf(left, sizeof left, "%s--%s%s", letter, o->name, arg);
		help_line(left, o->help);
	}
	help_line("    --help", "show this help");
	help_line("    --version", "show the version");
}

/* What completion scripts read: options, then "commands WORDS", "operands WORD" and the summary. */
static void
complete(void)
{
	for (size_t i = 0; nth(i); i++) {
		const struct opt *o = nth(i);

		printf("--%s%s\t%s\n", o->name, o->arg && !optional(o) ? "=" : "", o->help);
		if (o->letter)
			printf("-%c\t%s\n", o->letter, o->help);
	}
	if (self.commands)
		printf("commands\t%s\n", self.commands);
	if (self.operands)
		printf("operands\t%s\n", self.operands);
	printf("summary\t%s\n", self.summary);
}

void
usage(void)
{
	synopsis(stderr);
	exit(2);
}

void
cli_stop_at_operand(void)
{
	stop_at_operand = true;
}

static void
store(const struct opt *o, const char *value)
{
	if (!o->arg) {
		*(bool *)o->var = true;
	} else if (o->many) {
		struct list *list = o->var;

		GROW(list->item, list->n, list->cap);
		list->item[list->n++] = value;
	} else {
		*(const char **)o->var = value ? value : "";
	}
}

/* The tables as getopt_long wants them; an option's code is its letter or its number. */
static void
getopt_tables(struct option *longs, char *shorts)
{
	size_t n = 0;

	*shorts++ = stop_at_operand ? '+' : '-';
	if (!stop_at_operand)
		shorts--;
	for (; nth(n) && n < MAX_OPTS; n++) {
		const struct opt *o = nth(n);
		int has = optional(o) ? optional_argument
			  : o->arg    ? required_argument
				      : no_argument;

		longs[n] = (struct option){ o->name, has, NULL, LONG_ONLY + (int)n };
		if (!o->letter)
			continue;
		*shorts++ = (char)o->letter;
		if (has != no_argument)
			*shorts++ = ':';
		if (has == optional_argument)
			*shorts++ = ':';
	}
	*shorts = '\0';
	longs[n++] = (struct option){ "help", no_argument, NULL, HELP };
	longs[n++] = (struct option){ "version", no_argument, NULL, VERSION };
	longs[n] = (struct option){ "complete", no_argument, NULL, COMPLETE };
}

static const struct opt *
by_letter(int c)
{
	for (size_t i = 0; nth(i); i++)
		if (nth(i)->letter == c)
			return nth(i);
	return NULL;
}

/* Why output failed, which errno no longer says when the program ends. */
static int output_errno = EIO;

bool
flush_output(void)
{
	static bool failed;

	/* errno is fflush's, or still that of the write that failed before */
	if (!failed && (fflush(stdout) != 0 || ferror(stdout))) {
		failed = true;
		output_errno = errno ? errno : EIO;
	}
	return !failed;
}

static void
flush_stdout(void)
{
	flush_output();
}

int
cli_parse(int argc, char *argv[])
{
	struct option longs[MAX_OPTS + 4] = { 0 };
	char shorts[MAX_OPTS * 3 + 2];
	int c;

	getopt_tables(longs, shorts);
	idle_hook = flush_stdout;
	argv[0] = (char *)self.name; /* so that getopt's messages carry our prefix */
	while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct opt *o;

		if (c == HELP || c == VERSION || c == COMPLETE) {
			if (c == HELP)
				help();
			else if (c == VERSION)
				printf("%s %s\n", self.name, ORCH_VERSION);
			else
				complete();
			exit(finish(0));
		}
		o = c >= LONG_ONLY ? nth((size_t)(c - LONG_ONLY)) : by_letter(c);
		if (!o)
			usage();
		store(o, optarg);
	}
	return optind;
}

static int
say(const struct err *err, const char *fmt, va_list ap)
{
	int n;

	flush_output(); /* keep the order of output and messages */
	fprintf(stderr, "%s: ", self.name);
	n = vfprintf(stderr, fmt, ap);
	fprintf(stderr, "%s%s\n", err && n > 0 ? ": " : "", err ? err->msg : "");
	return err ? err_exit(err->code) : 2;
}

void
die(const struct err *err, const char *fmt, ...)
{
	va_list ap;
	int status;

	va_start(ap, fmt);
	status = say(err, fmt, ap);
	va_end(ap);
	exit(status);
}

int
complain(const struct err *err, const char *fmt, ...)
{
	va_list ap;
	int status;

	va_start(ap, fmt);
	status = say(err, fmt, ap);
	va_end(ap);
	return status;
}

void
warn(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s: warning: ", self.name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

int
finish(int status)
{
	if (!flush_output()) {
		fprintf(stderr, "%s: cannot write output: %s\n", self.name, strerror(output_errno));
		return 3;
	}
	return status;
}

long long
cli_number(const char *name, const char *value, long long min, long long max)
{
	long long n;

	if (!text_int(value, &n) || n < min || n > max)
		die(NULL, "--%s: '%s' is not a number from %lld to %lld", name, value, min, max);
	return n;
}

double
cli_duration(const char *name, const char *value)
{
	double seconds;

	if (!text_duration(value, &seconds))
		die(NULL, "--%s: '%s' is not a duration such as 30s, 5m or 1h30m", name, value);
	return seconds;
}
