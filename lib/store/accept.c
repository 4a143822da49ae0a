/* What form an answer may have (RFC 9110, 12.5.1): the first one of the list that we can make. */
#include <string.h>
#include <strings.h>

#include "store/call.h"

static bool
is(const char *s, size_t n, const char *want)
{
	return n == strlen(want) && strncasecmp(s, want, n) == 0;
}

/* One "type/subtype;parameter=value" of the list. */
static int
form_of(const char *s, size_t n, const struct target *t)
{
	size_t type = strcspn(s, ";, \t");
	bool as = memmem(s, n, "as=", 3);

	if (type > n)
		type = n;
	if (is(s, type, "application/yaml"))
		return FORM_YAML;
	if (is(s, type, "*/*") || is(s, type, "application/*"))
		return FORM_JSON;
	if (!is(s, type, "application/json"))
		return -1;
	if (!as)
		return FORM_JSON;
	if ((t->type == TARGET_API || t->type == TARGET_APIS) &&
	    memmem(s, n, "as=APIGroupDiscoveryList", 24) && memmem(s, n, "v=v2;", 5))
		return FORM_AGGREGATED;
	return -1;
}

int
call_negotiate(struct call *c)
{
	const char *accept = http_header(c->x, "Accept");

	if (!accept || !*accept)
		return 0;
	while (*accept) {
		size_t n;
		int form;

		accept += strspn(accept, " \t,");
		n = strcspn(accept, ",");
		if (n > 0 && (form = form_of(accept, n, &c->target)) >= 0) {
			c->form = (enum form)form;
			return 0;
		}
		accept += n;
	}
	reply_status(c, 406, "NotAcceptable",
	    "only the following media types are accepted: application/json, application/yaml",
	    NULL);
	return -1;
}
