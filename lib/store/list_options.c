/* What lists, watches and deletions of collections are asked with: selectors and versions. */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "store/call.h"

int
call_filter(struct call *c, struct filter *f)
{
	autofree char *labels = http_query(c->x, "labelSelector");
	autofree char *fields = http_query(c->x, "fieldSelector");
	struct err err;

	*f = (struct filter){ .kind = c->kind };
	if (*c->target.namespace)
		f->namespace = xstrdup(c->target.namespace);
	if (filter_parse(f, labels, fields, &err) == 0)
		return 0;
	filter_release(f);
	reply_status(c, 400, "BadRequest", err.msg, NULL);
	return -1;
}

int
call_too_new(struct call *c, uint64_t want)
{
	if (want <= cache_revision(c->server->cache))
		return 0;

	autofree char *msg = xasprintf("Timeout: Too large resource version: %llu, current: %llu",
	    (unsigned long long)want, (unsigned long long)cache_revision(c->server->cache));

	reply_status(c, 504, "Timeout", msg,
	    json_pack("{s:[{s:s,s:s}],s:i}", "causes", "reason", "ResourceVersionTooLarge",
		"message", "Too large resource version", "retryAfterSeconds", 1));
	return -1;
}

static int
refuse_version(struct call *c, const char *v)
{
	autofree char *msg = xasprintf("resourceVersion: Invalid value: \"%s\": strconv.ParseUint: "
				       "parsing \"%s\": invalid syntax",
	    v, v);

	reply_status(c, 500, NULL, msg, NULL);
	return -1;
}

int
call_version(struct call *c, uint64_t *ret)
{
	autofree char *v = http_query(c->x, "resourceVersion");
	char *end;

	*ret = 0;
	if (!v || !*v)
		return 0;
	errno = 0;
	*ret = strtoull(v, &end, 10);
	if (*end || errno || *v == '-' || *v == '+' || *v == ' ')
		return refuse_version(c, v);
	return 0;
}

/* Answers 422 for a ListOptions with these causes (released); 0 when there is none. */
int
list_options_refuse(struct call *c, struct causes *causes)
{
	autobuf struct buf msg = BUF_INIT;

	if (causes->n == 0)
		return 0;
	buf_printf(&msg, "ListOptions.meta.k8s.io \"\" is invalid: %s", causes->n > 1 ? "[" : "");
	for (size_t i = 0; i < causes->n; i++)
		buf_printf(&msg, "%s%s: %s", i ? ", " : "", causes->item[i].field,
		    causes->item[i].message);
	if (causes->n > 1)
		buf_putc(&msg, ']');
	reply_status(c, 422, "Invalid", msg.data,
	    json_pack("{s:s,s:s,s:o}", "group", "meta.k8s.io", "kind", "ListOptions", "causes",
		causes_json(causes)));
	causes_release(causes);
	return -1;
}
