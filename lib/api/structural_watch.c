/* The rules of a custom kind, shown to people with what they cost. */
#include <stdlib.h>
#include <string.h>

#include "api/structural_rule.h"
#include "base/mem.h"
#include "base/text.h"

struct watcher {
	void (*see)(void *arg, const struct rule_seen *r);
	void *arg;
	bool schema; /* paths are of the schema, not of a value */
};

/* "properties[spec].items.x-kubernetes-validations[0]": "spec[*]". */
static char *
field_of(const char *path)
{
	static const char named[] = "properties[", items[] = "items",
			  values[] = "additionalProperties", rules[] = "x-kubernetes-validations[";
	struct buf b = BUF_INIT;

	buf_puts(&b, "");
	while (*path && !text_starts(path, rules)) {
		if (text_starts(path, named)) {
			const char *name = path + strlen(named), *end = strchr(name, ']');
			size_t len = end ? (size_t)(end - name) : strlen(name);

			buf_printf(&b, "%s%.*s", b.len ? "." : "", (int)len, name);
			path = name + len + (end != NULL);
		} else if (text_starts(path, items) || text_starts(path, values)) {
			buf_puts(&b, "[*]");
			path += strlen(text_starts(path, items) ? items : values);
		} else {
			path++;
		}
	}
	return buf_detach(&b);
}

static void
show(void *arg, const struct path *at, const struct rule *r, uint64_t cost, bool holds)
{
	struct watcher *w = arg;
	autofree char *path = at ? path_print(at) : xstrdup("");
	autofree char *field = w->schema ? field_of(path) : NULL;

	w->see(w->arg, &(struct rule_seen){ .at = field ? field : path,
			   .rule = r->source,
			   .fault = r->fault,
			   .cost = cost,
			   .dear = cost > RULE_LIMIT,
			   .holds = holds });
}

void
structural_rules(struct structural *s, void (*see)(void *arg, const struct rule_seen *r), void *arg)
{
	struct watcher w = { see, arg, true };

	rules_estimate(s, &(struct rule_watch){ show, &w });
}

void
structural_meter(const struct structural *s, const json_t *obj,
    void (*see)(void *arg, const struct rule_seen *r), void *arg)
{
	struct watcher w = { see, arg, false };

	rules_meter(s, obj, &(struct rule_watch){ show, &w });
}
