/*
 * One value after the other from JSON of any layout or from YAML.
 *
 * Bytes are taken with read(2) as they come, never more than are there: a line
 * that arrives through a pipe is delivered at once.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/idle.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/split.h"
#include "base/stream.h"
#include "base/yaml.h"
#include "base/yamlblock.h"

enum { PIECE = 128 << 10 };
#define VALUE_LIMIT ((size_t)1 << 30) /* a value longer than this is refused */

enum mode { MODE_UNKNOWN, MODE_JSON, MODE_YAML };

struct stream {
	FILE *f;
	char *name;
	struct buf in; /* what was read; [pos, len) is still to come */
	size_t pos;
	size_t eol;		    /* no newline stands between pos and here */
	unsigned long line, column; /* of pos */
	bool eof, ended;
	enum mode mode;
	struct yaml *yaml; /* when it reads all the rest */

	unsigned long value_line, index;
	size_t raw, raw_len; /* the value last read, in `in`; length 0 for none */
};

struct stream *
stream_open(FILE *f, const char *name)
{
	struct stream *s = xcalloc(1, sizeof *s);

	s->f = f;
	s->name = xstrdup(name);
	s->line = s->column = 1;
	return s;
}

void
stream_close(struct stream *s)
{
	if (!s)
		return;
	yaml_close(s->yaml);
	buf_release(&s->in);
	free(s->name);
	free(s);
}

unsigned long
stream_line(const struct stream *s)
{
	return s->value_line;
}

unsigned long
stream_index(const struct stream *s)
{
	return s->index;
}

const char *
stream_raw(const struct stream *s, size_t *len)
{
	*len = s->raw_len;
	return s->raw_len ? s->in.data + s->raw : NULL;
}

/* --- bytes ------------------------------------------------------------------- */

static ssize_t
read_some(struct stream *s, char *p, size_t size)
{
	int fd = fileno(s->f);
	ssize_t n;

	if (idle_hook)
		idle_hook();
	if (fd < 0) { /* a FILE without a descriptor, such as fmemopen's */
		n = (ssize_t)fread(p, 1, size, s->f);
		return n == 0 && ferror(s->f) ? -1 : n;
	}
	for (;;) {
		n = read(fd, p, size);
		if (n < 0 && errno == EAGAIN) /* somebody made it non-blocking */
			poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, -1);
		else if (n >= 0 || errno != EINTR)
			return n;
	}
}

/* More bytes behind those that are left: 1, 0 at the end of the input. */
static int
fill(struct stream *s, struct err *err)
{
	ssize_t n;

	if (s->eof)
		return 0;
	if (s->pos > 0) {
		s->eol = s->eol > s->pos ? s->eol - s->pos : 0;
		s->in.len -= s->pos;
		memmove(s->in.data, s->in.data + s->pos, s->in.len);
		s->pos = 0;
	}
	if (s->in.len > VALUE_LIMIT)
		return err_set(err, ERR_TOO_LARGE, "%s:%lu: a value of more than %zu MiB", s->name,
		    s->line, VALUE_LIMIT >> 20);
	buf_reserve(&s->in, PIECE);
	n = read_some(s, s->in.data + s->in.len, PIECE);
	if (n < 0)
		return err_sys(err, errno, "cannot read '%s'", s->name);
	s->in.len += (size_t)n;
	s->in.data[s->in.len] = '\0';
	s->eof = n == 0;
	return n > 0;
}

/* At least n bytes at pos? */
static int
have(struct stream *s, size_t n, struct err *err)
{
	while (s->in.len - s->pos < n) {
		int r = fill(s, err);

		if (r <= 0)
			return r;
	}
	return 1;
}

/* Move pos on, counting lines; columns count characters. */
static void
advance(struct stream *s, size_t n)
{
	const char *p = s->in.data + s->pos, *end = p + n, *nl;

	while ((nl = memchr(p, '\n', (size_t)(end - p)))) {
		s->line++;
		s->column = 1;
		p = nl + 1;
	}
	for (; p < end; p++)
		s->column += (*p & 0xc0) != 0x80;
	s->pos += n;
}

/* An error at the byte `ahead` of pos. */
static int
bad(struct stream *s, size_t ahead, struct err *err, const char *cause)
{
	advance(s, ahead);
	return err_set(err, ERR_BAD_REQUEST, "%s:%lu:%lu: %s", s->name, s->line, s->column, cause);
}

/* --- JSON -------------------------------------------------------------------- */

/* Whitespace, and a byte order mark at the very start: 1 when something else follows, 0 at the end.
 */
static int
skip_space(struct stream *s, struct err *err)
{
	int r;

	if (s->index == 0 && s->line == 1 && s->column == 1 && (r = have(s, 1, err)) > 0 &&
	    s->in.data[s->pos] == '\xef' && (r = have(s, 3, err)) > 0 &&
	    memcmp(s->in.data + s->pos, "\xef\xbb\xbf", 3) == 0)
		s->pos += 3;
	for (;;) {
		size_t n;

		if ((r = have(s, 1, err)) <= 0)
			return r;
		n = strspn(s->in.data + s->pos, " \t\r\n");
		advance(s, n);
		if (s->pos < s->in.len)
			return 1;
	}
}

/* The value at pos was read, in so many bytes. */
static int
deliver(struct stream *s, size_t len)
{
	s->value_line = s->line;
	s->index++;
	s->raw = s->pos;
	s->raw_len = memchr(s->in.data + s->pos, '\n', len) ? 0 : len;
	advance(s, len);
	return 1;
}

/* The next newline, NULL when none has come yet; nothing is looked at twice. */
static const char *
line_end(struct stream *s)
{
	const char *nl;

	if (s->eol < s->pos)
		s->eol = s->pos;
	nl = memchr(s->in.data + s->eol, '\n', s->in.len - s->eol);
	s->eol = nl ? (size_t)(nl - s->in.data) : s->in.len;
	return nl;
}

/* The rule: a value on one line that is all there.  1, or 0 when it must be looked at closely. */
static int
read_line(struct stream *s, json_t **ret)
{
	const char *p = s->in.data + s->pos;
	const char *nl = line_end(s);
	char msg[128];
	size_t used;

	if (!nl || json_decode(p, (size_t)(nl - p), ret, &used, msg) != JSON_FINE)
		return 0;
	return deliver(s, used);
}

static int
read_json(struct stream *s, json_t **ret, struct err *err)
{
	struct split st = { 0 };
	char msg[128];
	size_t used;
	int r;

	if (read_line(s, ret) > 0)
		return 1;
	while (!split_json(s->in.data + s->pos, s->in.len - s->pos, &st)) {
		unsigned long line = s->line;

		if ((r = fill(s, err)) > 0)
			continue;
		if (r < 0)
			return r;
		/* a mistake before the end says more than that the end is missing */
		if (json_decode(s->in.data + s->pos, s->in.len - s->pos, ret, &used, msg) ==
		    JSON_WRONG)
			return bad(s, used, err, msg);
		advance(s, s->in.len - s->pos);
		return err_set(err, ERR_BAD_REQUEST,
		    "%s:%lu:%lu: the input ends inside a value that began on line %lu", s->name,
		    s->line, s->column, line);
	}
	if (json_decode(s->in.data + s->pos, st.at, ret, &used, msg) != JSON_FINE)
		return bad(s, used, err, msg);
	return deliver(s, used);
}

/* --- YAML -------------------------------------------------------------------- */

static ssize_t
feed_yaml(void *arg, char *buf, size_t size)
{
	struct stream *s = arg;
	struct err err;

	if (s->pos == s->in.len && fill(s, &err) < 0)
		return -1; /* errno says why */
	if (size > s->in.len - s->pos)
		size = s->in.len - s->pos;
	memcpy(buf, s->in.data + s->pos, size);
	s->pos += size;
	return (ssize_t)size;
}

/* libyaml's word on a document or on all the rest. */
static int
ask_yaml(struct stream *s, struct yaml *y, json_t **ret, struct err *err)
{
	int r = yaml_read(y, ret, &s->value_line, err);

	if (r < 0 && err->code == ERR_BAD_REQUEST)
		return err_set(err, err->code, "%s:%s", s->name, err->msg);
	if (r < 0)
		return err_wrap(err, "'%s'", s->name);
	s->index += r > 0;
	return r;
}

/* Not UTF-8, or with a directive that is for what follows: libyaml reads it as a whole. */
static bool
is_special(const struct stream *s)
{
	const char *p = s->in.data + s->pos;

	if (s->in.len - s->pos >= 2 &&
	    (!p[0] || !p[1] || memcmp(p, "\xff\xfe", 2) == 0 || memcmp(p, "\xfe\xff", 2) == 0))
		return true;
	while (*p == '#' || *p == '\n' || *p == '\r') { /* lines before a directive */
		p += strcspn(p, "\n");
		p += *p == '\n';
	}
	return *p == '%';
}

/* The document at pos, in so many bytes: 1, or 0 when it is empty. */
static int
document(struct stream *s, size_t len, json_t **ret, struct err *err)
{
	const char *p = s->in.data + s->pos;
	size_t start;
	json_t *v = yaml_block(p, len, &start);
	struct yaml *y;
	int r;

	if (v && !json_is_null(v)) {
		advance(s, start);
		s->value_line = s->line;
		s->index++;
		advance(s, len - start);
		*ret = v;
		return 1;
	}
	r = 0;
	if (!v) {
		y = yaml_open(p, len, NULL);
		yaml_first_line(y, s->line);
		r = ask_yaml(s, y, ret, err);
		yaml_close(y);
	}
	json_decref(v);
	advance(s, len);
	return r;
}

static int
read_yaml(struct stream *s, json_t **ret, struct err *err)
{
	int r = 0;

	while (r == 0 && !s->yaml) {
		struct split st = { 0 };

		if ((r = have(s, 1, err)) <= 0)
			return r;
		while (!split_yaml(s->in.data + s->pos, s->in.len - s->pos, s->eof, &st))
			if (fill(s, err) < 0)
				return -(int)err->code;
		if (is_special(s))
			s->yaml = yaml_open_reader(feed_yaml, s, s->line);
		else
			r = document(s, st.at, ret, err);
	}
	return s->yaml ? ask_yaml(s, s->yaml, ret, err) : r;
}

/* --- which is it? -------------------------------------------------------------- */

/* The first byte from *at on that is no white space, 0 at the end of the input. */
static int
next_mark(struct stream *s, size_t *at, struct err *err)
{
	int r;

	for (; (r = have(s, *at + 1, err)) > 0; (*at)++)
		if (!strchr(" \t\r\n", s->in.data[*at]) || s->in.data[*at] == '\0')
			return (unsigned char)s->in.data[*at];
	return r;
}

/*
 * Before the first value: JSON begins with '[', or with '{' and a key in quotation marks.  All
 * else is YAML's to judge, also {kind: Pod} in its flow style.
 */
static int
detect(struct stream *s, struct err *err)
{
	size_t at = 0;
	int c;

	if ((c = have(s, 3, err)) > 0 && memcmp(s->in.data, "\xef\xbb\xbf", 3) == 0)
		at = 3;
	if (c < 0 || (c = next_mark(s, &at, err)) < 0)
		return c;
	s->mode = c == '[' ? MODE_JSON : MODE_YAML;
	if (c != '{')
		return 0;
	at++;
	if ((c = next_mark(s, &at, err)) < 0)
		return c;
	s->mode = c == '"' || c == '}' || c == 0 ? MODE_JSON : MODE_YAML;
	return 0;
}

/* Between JSON values.  "---" turns to YAML for the rest, as kubectl does. */
static int
next_json(struct stream *s, json_t **ret, struct err *err)
{
	int r = skip_space(s, err);
	char c;

	if (r <= 0)
		return r;
	c = s->in.data[s->pos];
	if (c == '{' || c == '[')
		return read_json(s, ret, err);
	if (c == '-' && (r = have(s, 3, err)) > 0 && memcmp(s->in.data + s->pos, "---", 3) == 0) {
		s->mode = MODE_YAML;
		return read_yaml(s, ret, err);
	}
	return r < 0 ? r : bad(s, 0, err, "'{' expected: a JSON object");
}

int
stream_read(struct stream *s, json_t **ret, struct err *err)
{
	int r = 0;

	if (s->ended)
		return 0;
	s->raw_len = 0;
	if (s->mode == MODE_UNKNOWN)
		r = detect(s, err);
	if (r == 0)
		r = s->mode == MODE_JSON ? next_json(s, ret, err) : read_yaml(s, ret, err);
	if (r <= 0)
		s->ended = true;
	return r;
}
