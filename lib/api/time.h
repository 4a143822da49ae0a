/* It has moved; this goes when nobody includes it any more. */
#include "base/time.h"
