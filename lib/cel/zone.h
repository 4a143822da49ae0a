#ifndef ORCH_CEL_ZONE_H
#define ORCH_CEL_ZONE_H

#include <stdbool.h>
#include <stdint.h>

/* How many seconds a time zone is ahead of UTC at a time: "UTC", "+05:30", "Europe/Berlin" (from
 * the machine's zoneinfo, RFC 8536).  false: there is no such zone. */
bool zone_offset(const char *name, int64_t at, int64_t *ret);

#endif
