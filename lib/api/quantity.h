#ifndef ORCH_API_QUANTITY_H
#define ORCH_API_QUANTITY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/decimal.h"
#include "base/err.h"

/*
 * Resource quantities: "100m", "1.5Gi", "2e3", "128974848" (apimachinery resource.Quantity).
 * Values round up, as Kubernetes does; what does not fit saturates.
 */
int quantity_parse(const char *text, int64_t *milli, enum quantity_format *format, struct err *err);
bool quantity_valid(const char *text);

int64_t quantity_value(const json_t *v); /* whole units, rounded up; 0 when missing or bad */
int64_t quantity_milli(const json_t *v); /* thousandths, rounded up */

/* The canonical text of a whole or milli value: 1536 MiB is "1536Mi", 1500 milli "1500m". */
char *quantity_print_value(int64_t value, enum quantity_format format);
char *quantity_print_milli(int64_t milli, enum quantity_format format);

/* The canonical form of any valid text ("1024Mi" is "1Gi", "0.5" is "500m"); new, NULL when
 * invalid. */
char *quantity_canonical(const char *text);

#endif
