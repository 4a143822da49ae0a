#ifndef ORCH_FUZZ_TAR_H
#define ORCH_FUZZ_TAR_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Checksums keep a fuzzer out of a tar: put them right. */
static inline void
mend(uint8_t *data, size_t size)
{
	for (size_t at = 0; at + 512 <= size;) {
		char digits[13] = { 0 }, sum[16];
		unsigned total = 0;
		size_t body;

		memcpy(digits, data + at + 124, 12);
		memset(data + at + 148, ' ', 8);
		for (size_t i = 0; i < 512; i++)
			total += data[at + i];
		snprintf(sum, sizeof sum, "%06o", total);
		memcpy(data + at + 148, sum, 7);
		body = strtoul(digits, NULL, 8);
		at += 512 + (body > size ? 0 : (body + 511) / 512 * 512);
	}
}

#endif
