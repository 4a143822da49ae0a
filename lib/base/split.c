#include <string.h>

#include "base/json.h"
#include "base/split.h"

/* Skip the inside of a string: true behind its closing quote. */
static bool
skip_string(const char *text, size_t len, struct split *s)
{
	for (; s->at < len; s->at++) {
		if (s->escaped) {
			s->escaped = false;
		} else if (text[s->at] == '\\') {
			s->escaped = true;
		} else if (text[s->at] == '"') {
			s->at++;
			s->string = false;
			return true;
		}
	}
	return false;
}

bool
split_json(const char *text, size_t len, struct split *s)
{
	while (s->at < len) {
		if (s->string && !skip_string(text, len, s))
			return false;
		if (s->at >= len)
			return false;
		switch (text[s->at++]) {
		case '"':
			s->string = true;
			break;
		case '{':
		case '[':
			if (++s->depth > JSON_DEPTH)
				return true;
			break;
		case '}':
		case ']':
			if (--s->depth <= 0)
				return true;
			break;
		default:
			break;
		}
	}
	return false;
}

/* Is this line a marker, "---" or "..." with white space behind it?  -1 when that cannot be seen
 * yet. */
static int
is_marker(const char *line, size_t len, bool eof)
{
	if (len < 4 && !eof)
		return -1;
	if (len < 3 || (memcmp(line, "---", 3) != 0 && memcmp(line, "...", 3) != 0))
		return 0;
	return len == 3 || strchr(" \t\r\n", line[3]) != NULL;
}

bool
split_yaml(const char *text, size_t len, bool eof, struct split *s)
{
	while (s->at < len) {
		const char *line = text + s->at, *nl = memchr(line, '\n', len - s->at);
		int marker = is_marker(line, len - s->at, eof);

		if (marker < 0)
			return false;
		if (marker && *line == '-' && s->at > 0)
			return true;
		if (!nl && !eof)
			return false;
		s->at = nl ? (size_t)(nl + 1 - text) : len;
		if (marker && *line == '.')
			return true;
	}
	return eof;
}
