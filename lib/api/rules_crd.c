/* CustomResourceDefinitions: names, versions, how they are converted (apiextensions validation). */
#include <ctype.h>
#include <string.h>

#include "api/rules.h"
#include "base/mem.h"

void
check_kind_word(struct causes *out, const struct path *at, const char *kind)
{
	struct causes said = CAUSES_INIT;
	autofree char *lower = xstrdup(kind);

	for (char *p = lower; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	check_dns_1035(&said, NULL, lower);
	for (size_t i = 0; i < said.n; i++) {
		const char *why = strstr(said.item[i].message, "\": ");

		refuse_text(out, at, kind, "may have mixed case, but should otherwise match: %s",
		    why ? why + 3 : said.item[i].message);
	}
	causes_release(&said);
}
