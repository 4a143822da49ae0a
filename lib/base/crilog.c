#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/crilog.h"
#include "base/mem.h"
#include "base/time.h"

/* Put the file at the beginning of its last n whole lines. */
static int
seek_tail(FILE *f, long long n)
{
	char block[8192];
	off_t end;
	long long lines = 0;

	if (fseeko(f, 0, SEEK_END) < 0 || (end = ftello(f)) < 0)
		return -1;
	for (off_t at = end; at > 0;) {
		size_t len = at > (off_t)sizeof block ? sizeof block : (size_t)at;

		at -= (off_t)len;
		if (fseeko(f, at, SEEK_SET) < 0 || fread(block, 1, len, f) != len)
			return -1;
		for (size_t i = len; i-- > 0;)
			/* the newline at the very end closes the last line */
			if (block[i] == '\n' && at + (off_t)i + 1 < end && ++lines == n)
				return fseeko(f, at + (off_t)i + 1, SEEK_SET);
	}
	return fseeko(f, n > 0 ? 0 : end, SEEK_SET);
}

int
crilog_open(struct crilog *log, const char *path, const struct log_options *o, struct err *err)
{
	*log = (struct crilog){ .options = *o, .line = BUF_INIT };
	log->path = xstrdup(path);
	if (!(log->f = fopen(path, "re")))
		return err_sys(err, errno, "cannot read log '%s'", path);
	if (o->tail >= 0 && seek_tail(log->f, o->tail) < 0)
		return err_sys(err, errno, "cannot read log '%s'", path);
	return 0;
}

void
crilog_close(struct crilog *log)
{
	if (log->f)
		fclose(log->f);
	free(log->path);
	buf_release(&log->line);
}

/* One line of the file; a line that is not in the format is shown as it is. */
static void
print_line(struct crilog *log, const char *line, FILE *out)
{
	const char *stream = strchr(line, ' '), *tag = stream ? strchr(stream + 1, ' ') : NULL;
	const char *text = tag ? strchr(tag + 1, ' ') : NULL;
	bool partial = tag && tag[1] == 'P', fresh = !log->open;
	autofree char *when = xstrndup(line, stream ? (size_t)(stream - line) : 0);
	int64_t at;

	if (!text || !time_parse_micro(when, &at)) {
		fprintf(out, "%s\n", line);
		return;
	}
	if (log->options.since_us && at < log->options.since_us)
		return;
	if (log->options.errors && strncmp(stream, " stderr ", 8) == 0)
		out = log->options.errors;
	if (fresh && log->options.prefix)
		fputs(log->options.prefix, out);
	if (fresh && log->options.timestamps)
		fprintf(out, "%s ", when);
	fputs(text + 1, out);
	if (!partial)
		fputc('\n', out);
	log->open = partial;
}

static int
print_file(struct crilog *log, FILE *out, struct err *err)
{
	char block[65536];
	size_t n;

	clearerr(log->f); /* the end of the file was there only for the time being */
	while ((n = fread(block, 1, sizeof block, log->f)) > 0) {
		const char *p = block, *nl;

		for (; (nl = memchr(p, '\n', n - (size_t)(p - block))); p = nl + 1) {
			buf_add(&log->line, p, (size_t)(nl - p));
			print_line(log, log->line.data, out);
			buf_clear(&log->line);
		}
		buf_add(&log->line, p, n - (size_t)(p - block));
	}
	if (ferror(log->f))
		return err_sys(err, errno, "cannot read the log");
	fflush(out);
	return 0;
}

/* Has the file that was read been put aside, and is there another? */
static bool
turned(const struct crilog *log)
{
	struct stat now, ours;

	return stat(log->path, &now) == 0 && fstat(fileno(log->f), &ours) == 0 &&
	       (now.st_ino != ours.st_ino || now.st_dev != ours.st_dev);
}

int
crilog_print(struct crilog *log, FILE *out, struct err *err)
{
	int r;

	while ((r = print_file(log, out, err)) == 0 && turned(log)) {
		FILE *next = fopen(log->path, "re");

		if (!next)
			return 0;			   /* it was turned once more: next time */
		if ((r = print_file(log, out, err)) < 0) { /* what came before it was closed */
			fclose(next);
			return r;
		}
		fclose(log->f);
		log->f = next;
	}
	return r;
}
