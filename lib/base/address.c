/* IP addresses and ranges as text (the formats of Go's netip). */
#include "base/address.h"

#include <stdio.h>
#include <string.h>

/* Leading zeroes are read as decimal: Kubernetes accepts them for as long as there are old objects.
 */
static bool
parse_v4(const char *s, uint8_t byte[static 4], char end)
{
	for (int part = 0; part < 4; part++) {
		int n = 0, value = 0;

		for (; s[n] >= '0' && s[n] <= '9' && n < 4; n++)
			value = value * 10 + s[n] - '0';
		if (!n || n > 3 || value > 255 || s[n] != (part < 3 ? '.' : end))
			return false;
		byte[part] = (uint8_t)value;
		s += n + 1;
	}
	return true;
}

/* Up to four hex digits at s; how many, 0 for none. */
static size_t
parse_group(const char *s, unsigned *value)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	for (*value = 0; s[n] && n < 5; n++) {
		const char *digit = strchr(hex, s[n] | ('A' <= s[n] && s[n] <= 'F' ? 32 : 0));

		if (!digit)
			break;
		*value = *value << 4 | (unsigned)(digit - hex);
	}
	return n;
}

/* Eight groups; "::" stands once for groups of zeroes, an IPv4 address for the last two. */
static bool
parse_v6(const char *s, uint8_t byte[static 16], char end)
{
	size_t at = 0, gap = SIZE_MAX;
	bool colon = true; /* one stands before s, or it is the start */

	memset(byte, 0, 16);
	if (*s == ':' && *++s != ':')
		return false;
	while (*s != end && *s) {
		unsigned value;
		size_t n = parse_group(s, &value);

		if (!n && *s == ':' && gap == SIZE_MAX && colon) {
			gap = at;
			s++;
			colon = true;
			continue;
		}
		if (!n || n > 4 || at > 14 || !colon)
			return false;
		if (s[n] == '.') {
			if (at > 12 || !parse_v4(s, byte + at, end))
				return false;
			at += 4;
			s += strcspn(s, "/");
			break;
		}
		byte[at++] = (uint8_t)(value >> 8);
		byte[at++] = (uint8_t)value;
		s += n;
		colon = *s == ':';
		if (colon && s[1] == end)
			return false;
		s += colon;
	}
	if (*s != end || (gap == SIZE_MAX ? at != 16 : at > 14))
		return false;
	if (gap != SIZE_MAX) {
		memmove(byte + 16 - (at - gap), byte + gap, at - gap);
		memset(byte + gap, 0, 16 - at);
	}
	return true;
}

bool
address_parse(const char *s, struct address *a, char end)
{
	memset(a, 0, sizeof *a);
	a->bits = 32;
	if (parse_v4(s, a->byte, end))
		return true;
	a->bits = 128;
	return parse_v6(s, a->byte, end);
}

bool
range_parse(const char *text, struct address *a, unsigned *prefix)
{
	const char *slash = strchr(text, '/');
	size_t n = slash ? strspn(slash + 1, "0123456789") : 0;

	if (!slash || !n || n > 3 || slash[1 + n] || (n > 1 && slash[1] == '0'))
		return false;
	*prefix = 0;
	for (const char *p = slash + 1; *p; p++)
		*prefix = *prefix * 10 + (unsigned)(*p - '0');
	return address_parse(text, a, '/') && *prefix <= a->bits;
}

bool
address_same(const struct address *a, const struct address *b, unsigned prefix)
{
	for (unsigned bit = 0; bit < prefix; bit++)
		if ((a->byte[bit / 8] ^ b->byte[bit / 8]) >> (7 - bit % 8) & 1)
			return false;
	return true;
}

/* --- text ----------------------------------------------------------------------------------- */

/* RFC 5952, section 4.2: "::" stands for the first of the longest runs of at least two groups. */
static void
longest_zeros(const unsigned group[static 8], int *from, int *len)
{
	*from = *len = 0;
	for (int i = 0; i < 8; i++) {
		int n = 0;

		while (i + n < 8 && group[i + n] == 0)
			n++;
		if (n > *len && n >= 2) {
			*from = i;
			*len = n;
		}
	}
}

void
address_print(const struct address *a, char out[static ADDRESS_TEXT])
{
	unsigned group[8];
	int from, len;
	size_t at = 0;

	if (a->bits == 32) {
		snprintf(out, ADDRESS_TEXT, "%u.%u.%u.%u", a->byte[0], a->byte[1], a->byte[2],
		    a->byte[3]);
		return;
	}
	for (int i = 0; i < 8; i++)
		group[i] = (unsigned)a->byte[2 * i] << 8 | a->byte[2 * i + 1];
	longest_zeros(group, &from, &len);
	for (int i = 0; i < 8; i++) {
		if (len && i == from) {
			out[at++] = ':';
			out[at++] = ':';
			out[at] = '\0';
			i += len - 1;
			continue;
		}
		at += (size_t)snprintf(out + at, ADDRESS_TEXT - at, "%s%x",
		    i && (!len || i != from + len) ? ":" : "", group[i]);
	}
}

void
address_mask(struct address *a, unsigned prefix)
{
	for (unsigned bit = prefix; bit < a->bits; bit++)
		a->byte[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
}
