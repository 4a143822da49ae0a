#ifndef ORCH_BASE_DECIMAL_H
#define ORCH_BASE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * Exact decimals as texts have them with a suffix: "100m", "1.5Gi", "2e3" (the numbers behind
 * apimachinery's resource.Quantity): digits[0] the most significant, times 10^exponent.  At most
 * nine decimals are kept (rounded away from zero) and, where Kubernetes' fast path does not
 * hold, at most 2^63 - 1.
 */
enum quantity_format { QUANTITY_DECIMAL, QUANTITY_BINARY, QUANTITY_EXPONENT };

struct decimal {
	bool negative;
	unsigned char *digits; /* released with free(3) */
	size_t n;	       /* 0: the number is 0 */
	long exponent;
	enum quantity_format format;
	bool fits;  /* Kubernetes keeps it as an int64 times ... */
	long scale; /* ... 10^scale, as it was written */
};

/* d->digits must be released also on failure. */
int decimal_parse(struct decimal *d, const char *text, struct err *err);
void decimal_of(struct decimal *d, int64_t v);
bool decimal_zero(const struct decimal *d);

/* |d| x 10^shift as a whole number, rounded up; INT64_MAX when it is more.  Changes d. */
int64_t decimal_magnitude(struct decimal *d, long shift);
bool decimal_int(const struct decimal *d, int64_t *ret); /* when Kubernetes holds it as one */
double decimal_double(const struct decimal *d);

int decimal_compare(const struct decimal *x, const struct decimal *y); /* -1, 0, 1 */
/* x + y, new; -1 when that has too many digits. */
int decimal_add(struct decimal *sum, const struct decimal *x, const struct decimal *y);

/* The canonical text, new: "1024Mi" is "1Gi". */
char *decimal_print(const struct decimal *d);
char *decimal_print_number(int64_t v, long exponent, enum quantity_format format);

#endif
