#ifndef ORCH_CONTROL_NAME_H
#define ORCH_CONTROL_NAME_H

#include <jansson.h>
#include <stdint.h>

/* Names that controllers give.  Kubernetes' alphabet: no vowels, so no words. */

/* Mix text (with its end) or a number into a hash that began as TEXT_HASH_SEED (base/text.h). */
uint64_t name_mix(uint64_t hash, const char *text);
uint64_t name_mix_number(uint64_t hash, int64_t n);
/* n letters from a hash into buf, which has room for n + 1; n is 13 at most.  Returns buf. */
const char *name_letters(uint64_t hash, size_t n, char *buf);

/* A value as bytes that do not depend on the order of keys or on null members; new. */
char *name_canonical(const json_t *value);

#endif
