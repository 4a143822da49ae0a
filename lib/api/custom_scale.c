/* What the subresource scale asks of a custom object: where its numbers and its selector stand. */
#include <limits.h>
#include <string.h>

#include "api/cause.h"
#include "api/custom.h"
#include "api/golang.h"
#include "base/mem.h"

static char *
unexpected(const char *path, size_t len, const json_t *v, const char *want)
{
	autobuf struct buf is = BUF_INIT;

	go_print(&is, v);
	return xasprintf(".%.*s accessor error: %s is of the type %s, expected %s", (int)len, path,
	    is.data, go_value_type(v), want);
}

/* The value at "spec.replicas"; NULL when there is none, or when something on the way is no object:
 * *why says so. */
static const json_t *
value_at(const json_t *obj, const char *path, char **why)
{
	const json_t *v = obj;
	const char *at = path;

	*why = NULL;
	while (v && *at) {
		size_t n = strcspn(at, ".");

		if (json_is_null(v))
			return NULL;
		if (!json_is_object(v)) {
			*why =
			    unexpected(path, (size_t)(at - path) + n, v, "map[string]interface {}");
			return NULL;
		}
		v = json_object_getn(v, at, n);
		at += n + (at[n] == '.');
	}
	return v;
}

static const json_t *
number_at(const json_t *obj, const char *path, char **why)
{
	const json_t *v = value_at(obj, path, why);

	if (v && !json_is_integer(v))
		*why = unexpected(path, strlen(path), v, "int64");
	return v;
}

static void
selector_at(const json_t *obj, const char *path, char **why)
{
	const json_t *v = value_at(obj, path, why);

	if (v && !json_is_string(v))
		*why = unexpected(path, strlen(path), v, "string");
}

static void
check_number(struct causes *out, const json_t *obj, const char *path)
{
	autofree char *why = NULL, *field = xasprintf(".%s", path);
	const struct path at = { NULL, field, NULL, 0 };
	json_int_t n = json_integer_value(number_at(obj, path, &why));

	if (why)
		refuse_number(out, &at, 0, "%s", why);
	else if (n < 0)
		refuse_number(out, &at, n, "should be a non-negative integer");
	else if (n > INT_MAX)
		refuse_number(out, &at, n, "should be less than or equal to %d", INT_MAX);
}

static void
check_selector(struct causes *out, const json_t *obj, const char *path)
{
	autofree char *why = NULL, *field = xasprintf(".%s", path);
	const struct path at = { NULL, field, NULL, 0 };

	selector_at(obj, path, &why);
	if (why)
		refuse_text(out, &at, "", "%s", why);
}

void
custom_check_scale(const struct custom *x, const json_t *obj, bool status, struct causes *out)
{
	if (!x->scale[0])
		return;
	if (!status)
		check_number(out, obj, x->scale[0]);
	check_number(out, obj, x->scale[1]);
	if (x->scale[2] && *x->scale[2])
		check_selector(out, obj, x->scale[2]);
}

char *
custom_scale_fault(const struct custom *x, const json_t *obj)
{
	char *why = NULL;

	(void)number_at(obj, x->scale[0], &why);
	if (!why)
		(void)number_at(obj, x->scale[1], &why);
	if (!why && x->scale[2] && *x->scale[2])
		selector_at(obj, x->scale[2], &why);
	return why;
}
