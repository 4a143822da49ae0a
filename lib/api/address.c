/* IP addresses and ranges, as text (the formats of Go's netip). */
#include <stdint.h>
#include <string.h>

#include "api/check.h"
#include "base/address.h"
#include "base/mem.h"

bool
ip_valid(const char *text)
{
	struct address a;

	return address_parse(text, &a, '\0');
}

unsigned
ip_bytes(const char *text, uint8_t byte[static 16])
{
	struct address a;

	if (!address_parse(text, &a, '\0'))
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

	if (!address_parse(text, &a, '\0'))
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

bool
cidr_valid(const char *text)
{
	struct address a;
	unsigned prefix;

	return range_parse(text, &a, &prefix);
}

unsigned
cidr_bytes(const char *text, uint8_t byte[static 16], unsigned *prefix)
{
	struct address a;

	if (!range_parse(text, &a, prefix))
		return 0;
	memcpy(byte, a.byte, sizeof a.byte);
	return a.bits;
}

bool
cidr_inside(const char *part, const char *whole)
{
	struct address a, b;
	unsigned small, large;

	return range_parse(part, &a, &small) && range_parse(whole, &b, &large) &&
	       a.bits == b.bits && small > large && address_same(&a, &b, large);
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
	if (!range_parse(text, &a, &prefix))
		return;
	for (unsigned bit = prefix; bit < a.bits; bit++)
		if (a.byte[bit / 8] >> (7 - bit % 8) & 1) {
			refuse_text(
			    out, at, text, "must not have bits set beyond the prefix length");
			return;
		}
}
