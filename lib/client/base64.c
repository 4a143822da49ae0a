#include <stdint.h>
#include <string.h>

#include "client/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool
base64_decode(struct buf *out, const char *s)
{
	uint32_t bits = 0;
	int n = 0, pad = 0;

	buf_reserve(out, strlen(s) / 4 * 3 + 3);
	for (; *s; s++) {
		const char *d = strchr(digits, *s);

		if (strchr(" \t\r\n", *s))
			continue;
		if (*s == '=') {
			pad++;
			continue;
		}
		if (!d || pad)
			return false;
		bits = bits << 6 | (uint32_t)(d - digits);
		if (++n == 4) {
			char three[3] = { (char)(bits >> 16), (char)(bits >> 8), (char)bits };

			buf_add(out, three, 3);
			n = 0;
			bits = 0;
		}
	}
	if (n == 1 || (n ? n + pad != 4 : pad != 0))
		return false;
	if (n >= 2)
		buf_putc(out, (char)(bits >> (n == 2 ? 4 : 10)));
	if (n == 3)
		buf_putc(out, (char)(bits >> 2));
	return true;
}

void
base64_encode(struct buf *out, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i += 3) {
		uint32_t bits = (uint32_t)p[i] << 16;
		char four[4];

		if (i + 1 < len)
			bits |= (uint32_t)p[i + 1] << 8;
		if (i + 2 < len)
			bits |= p[i + 2];
		four[0] = digits[bits >> 18 & 63];
		four[1] = digits[bits >> 12 & 63];
		four[2] = i + 1 < len ? digits[bits >> 6 & 63] : '=';
		four[3] = i + 2 < len ? digits[bits & 63] : '=';
		buf_add(out, four, 4);
	}
}
