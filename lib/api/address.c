/* IP addresses and ranges, as text (the formats of Go's netip). */
#include <stdint.h>
#include <string.h>

#include "api/check.h"
#include "base/mem.h"

struct address {
	uint8_t byte[16]; /* an IPv4 address in the first four */
	unsigned bits;	  /* 32 or 128 */
};

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

static bool
parse(const char *s, struct address *a, char end)
{
	memset(a, 0, sizeof *a);
	a->bits = 32;
	if (parse_v4(s, a->byte, end))
		return true;
	a->bits = 128;
	return parse_v6(s, a->byte, end);
}

bool
ip_valid(const char *text)
{
	struct address a;

	return parse(text, &a, '\0');
}

unsigned
ip_bytes(const char *text, uint8_t byte[static 16])
{
	struct address a;

	if (!parse(text, &a, '\0'))
		return 0;
	memcpy(byte, a.byte, sizeof a.byte);
	return a.bits;
}

void
check_ip(struct causes *out, const struct path *at, const char *text)
{
	if (!ip_valid(text))
		refuse_text(
		    out, at, text, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
}

void
check_reachable(struct causes *out, const struct path *at, const char *text)
{
	static const uint8_t none[16], loopback[16] = { [15] = 1 };
	struct address a;
	const char *why = NULL;

	if (!parse(text, &a, '\0'))
		return;
	if (!memcmp(a.byte, none, a.bits / 8)) {
		refuse_text(out, at, text, "may not be unspecified (%s)", text);
		return;
	}
	if (a.bits == 32 ? a.byte[0] == 127 : !memcmp(a.byte, loopback, 16))
		why = "may not be in the loopback range (127.0.0.0/8, ::1/128)";
	else if (a.bits == 32 ? a.byte[0] == 169 && a.byte[1] == 254
			      : a.byte[0] == 0xfe && (a.byte[1] & 0xc0) == 0x80)
		why = "may not be in the link-local range (169.254.0.0/16, fe80::/10)";
	else if (a.bits == 32 ? a.byte[0] == 224 && !a.byte[1] && !a.byte[2]
			      : a.byte[0] == 0xff && (a.byte[1] & 0x0f) == 2)
		why = "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)";
	if (why)
		refuse_text(out, at, text, "%s", why);
}

/* --- ranges ------------------------------------------------------------------- */

static bool
parse_cidr(const char *text, struct address *a, unsigned *prefix)
{
	const char *slash = strchr(text, '/');
	size_t n = slash ? strspn(slash + 1, "0123456789") : 0;

	if (!slash || !n || n > 3 || slash[1 + n] || (n > 1 && slash[1] == '0'))
		return false;
	*prefix = 0;
	for (const char *p = slash + 1; *p; p++)
		*prefix = *prefix * 10 + (unsigned)(*p - '0');
	return parse(text, a, '/') && *prefix <= a->bits;
}

static bool
same_prefix(const struct address *a, const struct address *b, unsigned prefix)
{
	for (unsigned bit = 0; bit < prefix; bit++)
		if ((a->byte[bit / 8] ^ b->byte[bit / 8]) >> (7 - bit % 8) & 1)
			return false;
	return true;
}

bool
cidr_valid(const char *text)
{
	struct address a;
	unsigned prefix;

	return parse_cidr(text, &a, &prefix);
}

unsigned
cidr_bytes(const char *text, uint8_t byte[static 16], unsigned *prefix)
{
	struct address a;

	if (!parse_cidr(text, &a, prefix))
		return 0;
	memcpy(byte, a.byte, sizeof a.byte);
	return a.bits;
}

bool
cidr_inside(const char *part, const char *whole)
{
	struct address a, b;
	unsigned small, large;

	return parse_cidr(part, &a, &small) && parse_cidr(whole, &b, &large) && a.bits == b.bits &&
	       small > large && same_prefix(&a, &b, large);
}

void
check_cidr(struct causes *out, const struct path *at, const char *text)
{
	if (!cidr_valid(text))
		refuse_text(out, at, text,
		    "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
}

/* As above, and no bits behind the prefix. */
void
check_network(struct causes *out, const struct path *at, const char *text)
{
	struct address a;
	unsigned prefix;

	check_cidr(out, at, text);
	if (!parse_cidr(text, &a, &prefix))
		return;
	for (unsigned bit = prefix; bit < a.bits; bit++)
		if (a.byte[bit / 8] >> (7 - bit % 8) & 1) {
			refuse_text(
			    out, at, text, "must not have bits set beyond the prefix length");
			return;
		}
}
