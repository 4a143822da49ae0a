#ifndef ORCH_BASE_TEXT_H
#define ORCH_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Small questions about text, all pure. */
bool text_int(const char *s, long long *ret); /* a whole decimal number and nothing else */
bool text_duration(
    const char *s, double *seconds); /* Go durations ("1h30m", "250ms"), or plain seconds */
bool text_starts(const char *s, const char *prefix);
bool text_ends(const char *s, const char *suffix);
bool text_in(const char *s, const char *const *words); /* words ends with NULL */

/* The shapes of DNS names in lower case (RFC 1123, section 2.1), whatever their length: one label
 * of n bytes; labels with dots between. */
bool text_dns_label(const char *s, size_t n);
bool text_dns_subdomain(const char *s, size_t n);

/* The length of the UTF-8 sequence at p (RFC 3629: no surrogates, nothing overlong), 0 when it is
 * none. */
size_t text_utf8(const char *p, size_t len);
/* A copy in which each byte that is no UTF-8 is U+FFFD, as Go's encoder of JSON has it. */
char *text_mend(const char *s);

/* Append s with %XX for all but the unreserved characters of RFC 3986, section 2.3: a part of a
 * path, or a value of a query. */
void text_percent(struct buf *out, const char *s);

/* FNV-1a; for names and tables, not against attackers. */
uint64_t text_hash(const void *data, size_t len, uint64_t seed);
#define TEXT_HASH_SEED UINT64_C(14695981039346656037)

#endif
