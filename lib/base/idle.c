#include <stddef.h>

#include "base/idle.h"

void (*idle_hook)(void);
