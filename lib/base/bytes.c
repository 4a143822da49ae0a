#include "base/bytes.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *
bytes_encode(const void *data, size_t len)
{
	const unsigned char *in = data;
	char *text = xmalloc((len + 2) / 3 * 4 + 1), *out = text;

	for (size_t i = 0; i < len; i += 3) {
		uint32_t v = (uint32_t)in[i] << 16;

		if (i + 1 < len)
			v |= (uint32_t)in[i + 1] << 8;
		if (i + 2 < len)
			v |= in[i + 2];
		*out++ = digits[v >> 18];
		*out++ = digits[v >> 12 & 63];
		*out++ = i + 1 < len ? digits[v >> 6 & 63] : '=';
		*out++ = i + 2 < len ? digits[v & 63] : '=';
	}
	*out = '\0';
	return text;
}

bool
bytes_valid(const char *text, size_t *bad)
{
	size_t n = 0, padding = 0, i;

	for (i = 0; text[i]; i++) {
		if (text[i] == '\n' || text[i] == '\r')
			continue;
		*bad = i;
		if (text[i] == '=' && n % 4 >= 2)
			padding++;
		else if (padding || !strchr(digits, text[i]))
			return false;
		n++;
		if (padding && n % 4 == 0)
			break;
	}
	for (i += text[i] != '\0'; text[i]; i++)
		if (text[i] != '\n' && text[i] != '\r') {
			*bad = i;
			return false;
		}
	*bad = i - n % 4; /* Go names the beginning of what is not complete */
	return n % 4 == 0;
}

unsigned char *
bytes_decode(const char *text, size_t *len)
{
	unsigned char *data, *out;
	uint32_t v = 0;
	size_t n = 0, bad;

	if (!bytes_valid(text, &bad))
		return NULL;
	data = out = xmalloc(strlen(text) / 4 * 3 + 1);
	for (; *text && *text != '='; text++) {
		if (*text == '\n' || *text == '\r')
			continue;
		v = v << 6 | (uint32_t)(strchr(digits, *text) - digits);
		n++;
		if (n % 4 != 1)
			*out++ = (unsigned char)(v >> (6 - 2 * ((n - 1) % 4)));
	}
	*len = (size_t)(out - data);
	return data;
}
