#include "api/path.h"

#include <string.h>

static void
add(struct buf *b, const struct path *at, bool all)
{
	if (!at)
		return;
	add(b, at->up, all);
	if (at->name)
		buf_printf(b, "%s%s", b->len ? "." : "", at->name);
	else if (all && at->key)
		buf_printf(b, "[%s]", at->key);
	else if (all)
		buf_printf(b, "[%zu]", at->index);
}

static char *
print(const struct path *at, bool all)
{
	struct buf b = BUF_INIT;

	buf_puts(&b, "");
	add(&b, at, all);
	return buf_detach(&b);
}

char *
path_print(const struct path *at)
{
	return print(at, true);
}

char *
path_fields(const struct path *at)
{
	return print(at, false);
}
