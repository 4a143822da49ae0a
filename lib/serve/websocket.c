/* The server's side of WebSocket's handshake (RFC 6455, section 4.2). */
#include "serve/websocket.h"

#include <gnutls/gnutls.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "serve/forward.h"

static bool
key_valid(const char *key)
{
	gnutls_datum_t in = { (unsigned char *)key, (unsigned)strlen(key) }, out;
	bool fine;

	if (in.size != 24 || gnutls_base64_decode2(&in, &out) < 0)
		return false;
	fine = out.size == 16;
	gnutls_free(out.data);
	return fine;
}

bool
websocket_asked(const struct http_exchange *x)
{
	const char *upgrade = http_header(x, "Upgrade"), *key = http_header(x, "Sec-WebSocket-Key");
	const char *version = http_header(x, "Sec-WebSocket-Version");

	return http_upgrades(x) && strcasecmp(upgrade, "websocket") == 0 && key && key_valid(key) &&
	       version && strcmp(version, "13") == 0;
}

const char *
websocket_protocol(const struct http_exchange *x, const char *const *ours)
{
	const char *p = http_header(x, "Sec-WebSocket-Protocol");

	while (p && *p) {
		size_t n;

		p += strspn(p, " \t,");
		n = strcspn(p, " \t,");
		for (const char *const *o = ours; *o; o++)
			if (strlen(*o) == n && strncmp(*o, p, n) == 0)
				return *o;
		p += n;
	}
	return NULL;
}

char *
websocket_accept(const struct http_exchange *x, const char *protocol)
{
	autofree char *answer = websocket_answer(http_header(x, "Sec-WebSocket-Key"));

	return xasprintf("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
			 "Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s%s%s\r\n",
	    answer, protocol ? "Sec-WebSocket-Protocol: " : "", protocol ? protocol : "",
	    protocol ? "\r\n" : "");
}
