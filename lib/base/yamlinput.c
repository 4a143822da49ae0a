#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/yamlinput.h"

void
yaml_input_reader(
    struct yaml_input *in, ssize_t (*read)(void *arg, char *buf, size_t size), void *arg)
{
	*in = (struct yaml_input){ .read = read, .arg = arg, .line = 1, .column = 1 };
}

static ssize_t
from_memory(void *arg, char *buf, size_t size)
{
	struct yaml_input *in = arg;

	if (size > in->len)
		size = in->len;
	if (size)
		memcpy(buf, in->data, size);
	in->data += size;
	in->len -= size;
	return (ssize_t)size;
}

void
yaml_input_memory(struct yaml_input *in, const char *data, size_t len)
{
	yaml_input_reader(in, from_memory, in);
	in->data = data;
	in->len = len;
}

static ssize_t
from_file(void *arg, char *buf, size_t size)
{
	size_t n = fread(buf, 1, size, arg);

	return n == 0 && ferror((FILE *)arg) ? -1 : (ssize_t)n;
}

void
yaml_input_file(struct yaml_input *in, FILE *f)
{
	yaml_input_reader(in, from_file, f);
}

void
yaml_input_release(struct yaml_input *in)
{
	free(in->piece);
	in->piece = NULL;
}

/* Move line and column over these bytes. */
static void
advance(unsigned long *line, unsigned long *column, const char *p, size_t len)
{
	const char *end, *nl;

	if (len == 0)
		return;
	end = p + len;
	while (p < end && (nl = memchr(p, '\n', (size_t)(end - p)))) {
		(*line)++;
		*column = 1;
		p = nl + 1;
	}
	for (; p < end; p++)
		*column += (*p & 0xc0) != 0x80;
}

int
yaml_input_feed(void *arg, unsigned char *buf, size_t size, size_t *got)
{
	struct yaml_input *in = arg;
	ssize_t n = in->read(in->arg, (char *)buf, size);

	if (n < 0) {
		in->errnum = errno ? errno : EIO;
		return 0;
	}
	advance(&in->line, &in->column, in->piece, in->piece_len);
	in->piece_offset += in->piece_len;
	in->piece = xrealloc(in->piece, (size_t)n);
	memcpy(in->piece, buf, (size_t)n);
	in->piece_len = (size_t)n;
	*got = (size_t)n;
	return 1;
}

void
yaml_input_place(
    const struct yaml_input *in, size_t offset, unsigned long *line, unsigned long *column)
{
	size_t ahead = offset > in->piece_offset ? offset - in->piece_offset : 0;

	*line = in->line;
	*column = in->column;
	advance(line, column, in->piece, ahead < in->piece_len ? ahead : in->piece_len);
}
