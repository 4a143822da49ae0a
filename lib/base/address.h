#ifndef ORCH_BASE_ADDRESS_H
#define ORCH_BASE_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

/* IP addresses and ranges as bytes. */
struct address {
	uint8_t byte[16]; /* an IPv4 address in the first four */
	unsigned bits;	  /* 32 or 128 */
};

enum { ADDRESS_TEXT = 48 };

/* The address that stands before `end` ('\0', or '/' of a range).  Leading zeroes in IPv4 are
 * read as decimal. */
bool address_parse(const char *s, struct address *a, char end);
bool range_parse(const char *text, struct address *a, unsigned *prefix); /* "10.0.0.0/8" */
bool address_same(const struct address *a, const struct address *b, unsigned prefix);
void address_mask(struct address *a, unsigned prefix); /* zeroes behind the prefix */
void address_print(const struct address *a, char out[static ADDRESS_TEXT]); /* RFC 5952 */

#endif
