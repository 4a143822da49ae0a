/* IP addresses and ranges (Kubernetes' library/ip.go and cidr.go). */
#include <string.h>

#include "base/address.h"
#include "cel/library.h"

const struct cel_type cel_ip_type = { .kind = CEL_T_OPAQUE, .name = "net.IP" },
		      cel_cidr_type = { .kind = CEL_T_OPAQUE, .name = "net.CIDR" };

struct range {
	struct address a;
	unsigned prefix;
};

static bool
same_address(const void *x, const void *y)
{
	const struct address *a = x, *b = y;

	return a->bits == b->bits && address_same(a, b, a->bits);
}

static bool
same_range(const void *x, const void *y)
{
	const struct range *a = x, *b = y;

	return a->prefix == b->prefix && same_address(&a->a, &b->a);
}

static struct cel_value
keep_address(struct arena *a, const struct address *ip)
{
	struct address *copy = arena_alloc(a, sizeof *copy);

	*copy = *ip;
	return cel_opaque_of(a, &cel_ip_type, copy, same_address);
}

static struct cel_value
keep_range(struct arena *a, const struct range *r)
{
	struct range *copy = arena_alloc(a, sizeof *copy);

	*copy = *r;
	return cel_opaque_of(a, &cel_cidr_type, copy, same_range);
}

/* Go reads no leading zeroes in IPv4. */
static bool
leading_zero(const char *s)
{
	bool first = true;

	if (strchr(s, ':'))
		s = strrchr(s, ':') + 1;
	if (!strchr(s, '.'))
		return false;
	for (; *s && *s != '/'; s++) {
		if (first && *s == '0' && s[1] >= '0' && s[1] <= '9')
			return true;
		first = *s == '.';
	}
	return false;
}

/* An IPv4 address as one of IPv6: ::ffff:1.2.3.4. */
static bool
mapped(const struct address *a)
{
	static const uint8_t head[12] = { [10] = 0xff, [11] = 0xff };

	return a->bits == 128 && memcmp(a->byte, head, sizeof head) == 0;
}

static struct cel_value
read_address(struct arena *a, struct cel_value text)
{
	const char *s = arena_text(a, text.text.p, text.text.len), *zone;
	struct address ip;

	if ((zone = strchr(s, '%')) && zone[1] && strchr(s, ':') &&
	    address_parse(arena_text(a, s, (size_t)(zone - s)), &ip, '\0'))
		return cel_error(a, "IP address \"%s\" with zone value is not allowed", s);
	if (strlen(s) != text.text.len || leading_zero(s) || !address_parse(s, &ip, '\0'))
		return cel_error(a,
		    "IP Address \"%s\" parse error during conversion from string: "
		    "ParseAddr(\"%s\"): unable to parse IP",
		    s, s);
	if (mapped(&ip))
		return cel_error(a, "IPv4-mapped IPv6 address \"%s\" is not allowed", s);
	return keep_address(a, &ip);
}

static struct cel_value
read_range(struct arena *a, struct cel_value text)
{
	static const char twice[] = "network address parse error during conversion from string: "
				    "network address parse error during conversion from string: ";
	const char *s = arena_text(a, text.text.p, text.text.len);
	struct range r;

	if (strlen(s) != text.text.len || leading_zero(s) || !range_parse(s, &r.a, &r.prefix))
		return cel_error(a, "%snetip.ParsePrefix(\"%s\"): %s", twice, s,
		    strchr(s, '/') ? "unable to parse IP" : "no '/'");
	if (mapped(&r.a))
		return cel_error(a,
		    "network address parse error during conversion from string: "
		    "IPv4-mapped IPv6 address \"%s\" is not allowed",
		    s);
	return keep_range(a, &r);
}

/* --- addresses ------------------------------------------------------------------------------ */

static const struct address *
ip_of(const struct cel_value *v)
{
	return v->opaque->data;
}

CEL_FN(ip)
{
	return read_address(a, arg[0]);
}

CEL_FN(is_ip)
{
	return cel_bool(read_address(a, arg[0]).kind != CEL_ERROR);
}

CEL_FN(ip_string)
{
	char text[ADDRESS_TEXT];

	address_print(ip_of(arg), text);
	return cel_string(a, text);
}

CEL_FN(is_canonical)
{
	struct cel_value v = read_address(a, arg[0]);
	char text[ADDRESS_TEXT];

	if (v.kind == CEL_ERROR)
		return v;
	address_print(ip_of(&v), text);
	return cel_bool(
	    strlen(text) == arg[0].text.len && memcmp(text, arg[0].text.p, arg[0].text.len) == 0);
}

CEL_FN(family)
{
	return cel_int(ip_of(arg)->bits == 32 ? 4 : 6);
}

/* All of its bytes, but the last being `last`. */
static bool
is_small(const struct address *ip, uint8_t last)
{
	unsigned n = ip->bits / 8;

	for (unsigned i = 0; i + 1 < n; i++)
		if (ip->byte[i])
			return false;
	return ip->byte[n - 1] == last;
}

static bool
loopback(const struct address *ip)
{
	return ip->bits == 32 ? ip->byte[0] == 127 : is_small(ip, 1);
}

static bool
link_local(const struct address *ip)
{
	return ip->bits == 32 ? ip->byte[0] == 169 && ip->byte[1] == 254
			      : ip->byte[0] == 0xfe && (ip->byte[1] & 0xc0) == 0x80;
}

static bool
multicast(const struct address *ip)
{
	return ip->bits == 32 ? (ip->byte[0] & 0xf0) == 0xe0 : ip->byte[0] == 0xff;
}

CEL_FN(is_unspecified)
{
	return cel_bool(is_small(ip_of(arg), 0));
}

CEL_FN(is_loopback)
{
	return cel_bool(loopback(ip_of(arg)));
}

CEL_FN(is_link_local_multicast)
{
	const struct address *ip = ip_of(arg);

	return cel_bool(ip->bits == 32 ? ip->byte[0] == 224 && ip->byte[1] == 0 && ip->byte[2] == 0
				       : ip->byte[0] == 0xff && (ip->byte[1] & 0x0f) == 2);
}

CEL_FN(is_link_local_unicast)
{
	return cel_bool(link_local(ip_of(arg)));
}

CEL_FN(is_global_unicast)
{
	static const struct address everyone = { { 255, 255, 255, 255 }, 32 };
	const struct address *ip = ip_of(arg);

	return cel_bool(!is_small(ip, 0) && !same_address(ip, &everyone) && !loopback(ip) &&
			!multicast(ip) && !link_local(ip));
}

/* --- ranges ----------------------------------------------------------------------------------- */

static const struct range *
range_of(const struct cel_value *v)
{
	return v->opaque->data;
}

CEL_FN(cidr)
{
	return read_range(a, arg[0]);
}

CEL_FN(is_cidr)
{
	return cel_bool(read_range(a, arg[0]).kind != CEL_ERROR);
}

CEL_FN(cidr_string)
{
	char text[ADDRESS_TEXT], whole[ADDRESS_TEXT + 8];
	size_t len;

	address_print(&range_of(arg)->a, text);
	len = strlen(text);
	memcpy(whole, text, len);
	whole[len++] = '/';
	for (unsigned by = 100, begun = 0; by; by /= 10) {
		unsigned digit = range_of(arg)->prefix / by % 10;

		if ((begun |= digit) || by == 1)
			whole[len++] = (char)('0' + digit);
	}
	whole[len] = '\0';
	return cel_string(a, whole);
}

static struct cel_value
holds(const struct range *r, const struct address *ip)
{
	return cel_bool(r->a.bits == ip->bits && address_same(&r->a, ip, r->prefix));
}

CEL_FN(contains_ip)
{
	return holds(range_of(arg), ip_of(arg + 1));
}

CEL_FN(contains_ip_text)
{
	struct cel_value v = read_address(a, arg[1]);

	/* a text that is no address is not an argument it has */
	return v.kind == CEL_ERROR ? cel_error(a, "no such overload")
				   : holds(range_of(arg), ip_of(&v));
}

/* Kubernetes compares the masked range with the other's whole address when that has the prefix of
 * the first: netip.PrefixFrom does not mask. */
static struct cel_value
holds_range(const struct range *r, const struct range *other)
{
	struct address masked = r->a;

	address_mask(&masked, r->prefix);
	return cel_bool(same_address(&masked, &other->a) && r->prefix <= other->prefix);
}

CEL_FN(contains_cidr)
{
	return holds_range(range_of(arg), range_of(arg + 1));
}

CEL_FN(contains_cidr_text)
{
	struct cel_value v = read_range(a, arg[1]);

	return v.kind == CEL_ERROR ? v : holds_range(range_of(arg), range_of(&v));
}

CEL_FN(cidr_ip)
{
	return keep_address(a, &range_of(arg)->a);
}

CEL_FN(prefix_length)
{
	return cel_int(range_of(arg)->prefix);
}

CEL_FN(masked_range)
{
	struct range r = *range_of(arg);

	address_mask(&r.a, r.prefix);
	return keep_range(a, &r);
}

/* --- costs --------------------------------------------------------------------------------- */

/* The size of a range is that of its prefix. */
static uint64_t
bytes_of(const struct cel_value *v)
{
	return (range_of(v)->prefix + 7) / 8;
}

CEL_COST(cost_of_containing)
{
	return cel_tenth(2 * bytes_of(arg)) +
	       (arg[1].kind == CEL_STRING ? cel_tenth(cel_size(arg[1])) : 0);
}

CEL_COST(cost_of_containing_range)
{
	return cost_of_containing(arg, n, result) + cel_tenth(bytes_of(arg)) + 1;
}

const struct cel_function cel_lib_address[] = {
	{ "ip", "string_to_ip", "(string) net.IP", ip, cel_cost_scan },
	{ "isIP", "is_ip", "(string) bool", is_ip, cel_cost_scan },
	{ "ip.isCanonical", "ip_is_canonical", "(string) bool", is_canonical, cel_cost_twice },
	{ "family", "ip_family", "net.IP.() int", family, NULL },
	{ "isUnspecified", "ip_is_unspecified", "net.IP.() bool", is_unspecified, NULL },
	{ "isLoopback", "ip_is_loopback", "net.IP.() bool", is_loopback, NULL },
	{ "isLinkLocalMulticast", "ip_is_link_local_multicast", "net.IP.() bool",
	    is_link_local_multicast, NULL },
	{ "isLinkLocalUnicast", "ip_is_link_local_unicast", "net.IP.() bool", is_link_local_unicast,
	    NULL },
	{ "isGlobalUnicast", "ip_is_global_unicast", "net.IP.() bool", is_global_unicast, NULL },
	{ "string", "ip_to_string", "(net.IP) string", ip_string, NULL },
	{ "cidr", "string_to_cidr", "(string) net.CIDR", cidr, cel_cost_scan },
	{ "isCIDR", "is_cidr", "(string) bool", is_cidr, cel_cost_scan },
	{ "containsIP", "cidr_contains_ip_string", "net.CIDR.(string) bool", contains_ip_text,
	    cost_of_containing },
	{ "containsIP", "cidr_contains_ip_ip", "net.CIDR.(net.IP) bool", contains_ip,
	    cost_of_containing },
	{ "containsCIDR", "cidr_contains_cidr_string", "net.CIDR.(string) bool", contains_cidr_text,
	    cost_of_containing_range },
	{ "containsCIDR", "cidr_contains_cidr", "net.CIDR.(net.CIDR) bool", contains_cidr,
	    cost_of_containing_range },
	{ "ip", "cidr_ip", "net.CIDR.() net.IP", cidr_ip, NULL },
	{ "prefixLength", "cidr_prefix_length", "net.CIDR.() int", prefix_length, NULL },
	{ "masked", "cidr_masked", "net.CIDR.() net.CIDR", masked_range, NULL },
	{ "string", "cidr_to_string", "(net.CIDR) string", cidr_string, NULL },
	{ 0 },
};
