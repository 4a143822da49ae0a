#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "client/output.h"

enum { MAX_TEMPLATE = 1 << 20 };

int
output_open(struct output *o, FILE *f, const char *format, const struct printer_options *options,
    struct err *err)
{
	const char *file;

	*o = (struct output){ .f = f, .file = BUF_INIT, .text = BUF_INIT };
	if (options)
		o->options = *options;
	o->options.now = clock_now();
	if (!format)
		format = isatty(fileno(f)) ? "table" : "jsonl";
	if ((file = printer_file(format))) {
		if (buf_read_file(&o->file, file, MAX_TEMPLATE, err) < 0)
			return err_of_input(err);
		o->options.file_text = o->file.data;
	}
	o->tables = strcmp(format, "table") == 0 || strcmp(format, "wide") == 0;
	return printer_new(&o->printer, format, &o->options, err);
}

bool
output_tables(const struct output *o)
{
	return o->tables;
}

static void
write_out(struct output *o)
{
	if (o->text.len > 0)
		fwrite(o->text.data, 1, o->text.len, o->f);
	buf_clear(&o->text);
}

int
output_add(struct output *o, json_t *obj, struct err *err)
{
	int r = printer_add(o->printer, obj, &o->text, err);

	write_out(o);
	return r;
}

void
output_flush(struct output *o)
{
	o->options.now = clock_now();
	printer_flush(o->printer, &o->text);
	write_out(o);
	fflush(o->f);
}

void
output_discard(struct output *o)
{
	printer_free(o->printer);
	buf_release(&o->text);
	buf_release(&o->file);
	*o = (struct output){ 0 };
}

int
output_close(struct output *o, struct err *err)
{
	int r = printer_end(o->printer, &o->text, err);

	write_out(o);
	output_discard(o);
	return r;
}

int
output_gone(FILE *f)
{
	struct epoll_event ev = { .events = 0 }; /* errors and hang-ups come unasked */
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd >= 0 && epoll_ctl(fd, EPOLL_CTL_ADD, fileno(f), &ev) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

bool
output_is_gone(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return fd >= 0 && poll(&p, 1, 0) > 0;
}
