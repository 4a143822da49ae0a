#include "control/portion.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "control/number.h"

bool
portion(const json_t *v, int64_t total, bool up, int64_t *ret)
{
	const char *word = str(v, "");
	autofree char *digits = NULL;
	long long n;

	if (json_is_integer(v)) {
		*ret = json_integer_value(v) < 0 ? 0 : clamp32(json_integer_value(v));
		return true;
	}
	digits = xstrndup(word, strcspn(word, "%"));
	if (!text_ends(word, "%") || !text_int(digits, &n) || n < 0 || n > 1000000)
		return false;
	*ret = clamp32((n * total + (up ? 99 : 0)) / 100);
	return true;
}
