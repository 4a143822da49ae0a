#ifndef ORCH_API_ZONE_H
#define ORCH_API_ZONE_H

#include <stdbool.h>

/* Is this the name of a time zone, as "Europe/Berlin" is? */
bool zone_known(const char *name);

#endif
