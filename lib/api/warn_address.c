/* Addresses and ranges in forms that are accepted today only. */
#include <string.h>

#include "api/check.h"
#include "api/warn.h"
#include "base/mem.h"

/* Is it an IPv4 address in the clothes of an IPv6 one, ::ffff:10.0.0.1? */
static bool
mapped(const uint8_t byte[static 16], unsigned bits)
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return bits == 128 && memcmp(byte, prefix, sizeof prefix) == 0;
}

/* Of the runs of zero groups, the first longest one of at least two is "::" (RFC 5952, 4.2). */
static void
print_v6(const uint8_t byte[static 16], struct buf *out)
{
	unsigned group[8];
	int start = -1, len = 1;

	for (int i = 0; i < 8; i++)
		group[i] = (unsigned)(byte[2 * i] << 8 | byte[2 * i + 1]);
	for (int i = 0; i < 8; i++) {
		int n = 0;

		while (i + n < 8 && group[i + n] == 0)
			n++;
		if (n > len) {
			start = i;
			len = n;
		}
	}
	for (int i = 0; i < 8; i++) {
		if (i == start) {
			buf_puts(out, "::");
			i += len - 1;
			continue;
		}
		buf_printf(out, "%s%x", i && i != start + len ? ":" : "", group[i]);
	}
}

/* As Go's net package prints it: a mapped address is an IPv4 one. */
static char *
print(const uint8_t byte[static 16], unsigned bits)
{
	const uint8_t *v4 = mapped(byte, bits) ? byte + 12 : byte;
	autobuf struct buf b = BUF_INIT;

	if (bits == 32 || v4 != byte)
		buf_printf(&b, "%u.%u.%u.%u", v4[0], v4[1], v4[2], v4[3]);
	else
		print_v6(byte, &b);
	return buf_detach(&b);
}

/* Leading zeroes: read as decimal by some, as octal by others. */
static bool
has_zeroes(const char *text)
{
	for (const char *p = strrchr(text, ':') ? strrchr(text, ':') + 1 : text; *p && *p != '/';) {
		size_t n = strcspn(p, "./");

		if (n > 1 && *p == '0')
			return true;
		p += n + (p[n] == '.');
	}
	return false;
}

static bool
odd(const char *text, const uint8_t byte[static 16], unsigned bits)
{
	return mapped(byte, bits) || (strchr(text, '.') && has_zeroes(text));
}

void
warn_ip(struct causes *out, const struct path *at, const char *text)
{
	uint8_t byte[16];
	unsigned bits = ip_bytes(text, byte);
	autofree char *right = NULL;

	if (!bits)
		return;
	right = print(byte, bits);
	if (odd(text, byte, bits))
		warn_field(out, at,
		    "non-standard IP address \"%s\" will be considered invalid in a future "
		    "Kubernetes release: use \"%s\"",
		    text, right);
	else if (bits == 128 && strcmp(right, text) != 0)
		warn_field(out, at,
		    "IPv6 address \"%s\" should be in RFC 5952 canonical format (\"%s\")", text,
		    right);
}

/* Clears what is behind the prefix; was anything there? */
static bool
mask(uint8_t byte[static 16], unsigned bits, unsigned prefix)
{
	bool any = false;

	for (unsigned bit = prefix; bit < bits; bit++) {
		uint8_t one = (uint8_t)(0x80 >> bit % 8);

		any = any || (byte[bit / 8] & one);
		byte[bit / 8] &= (uint8_t)~one;
	}
	return any;
}

void
warn_cidr(struct causes *out, const struct path *at, const char *text)
{
	uint8_t byte[16];
	unsigned prefix, bits = cidr_bytes(text, byte, &prefix);
	unsigned shown = bits && mapped(byte, bits) && prefix >= 96 ? prefix - 96 : prefix;
	autofree char *address = NULL, *network = NULL, *range = NULL;
	bool is_odd, ambiguous;

	if (!bits)
		return;
	address = print(byte, bits);
	is_odd = odd(text, byte, bits);
	ambiguous = mask(byte, bits, prefix);
	network = print(byte, bits);
	range = xasprintf("%s/%u", network, shown);
	if (ambiguous)
		warn_field(out, at,
		    "CIDR value \"%s\" is ambiguous in this context (should be \"%s\" or "
		    "\"%s/%u\"?)",
		    text, range, address, bits);
	if (is_odd)
		warn_field(out, at,
		    "non-standard CIDR value \"%s\" will be considered invalid in a future "
		    "Kubernetes release: use \"%s\"",
		    text, range);
	if (!ambiguous && !is_odd && bits == 128 && strcmp(range, text) != 0)
		warn_field(out, at,
		    "IPv6 CIDR value \"%s\" should be in RFC 5952 canonical format (\"%s\")", text,
		    range);
}
