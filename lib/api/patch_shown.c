/* What messages show of an object that a patch has made. */
#include <stdio.h>
#include <string.h>

#include "api/meta.h"
#include "api/patch.h"
#include "base/mem.h"

/* Note the way to the last token of a pointer in `touched`, a tree of objects. */
static void
touch(json_t *touched, const char *pointer)
{
	autofree char *copy = xstrdup(pointer);
	char *token = copy, *next;

	if (*token++ != '/')
		return;
	for (; (next = strchr(token, '/')); token = next + 1) {
		json_t *inner;

		*next = '\0';
		if (!(inner = json_object_get(touched, token))) {
			inner = json_object();
			json_object_set_new(touched, token, inner);
		}
		touched = inner;
	}
}

static json_t *
touched_by(const json_t *operations)
{
	json_t *touched = json_object(), *op;
	size_t i;

	json_array_foreach (operations, i, op) {
		touch(touched, text(op, "path"));
		touch(touched, text(op, "from"));
	}
	return touched;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static json_t *show(json_t *v, const json_t *touched);

static json_t *
show_object(const json_t *v, const json_t *touched)
{
	autofree const char **keys = xreallocarray(NULL, json_object_size(v) + 1, sizeof *keys);
	json_t *out = json_object(), *item;
	const char *key;
	size_t n = 0;

	json_object_foreach ((json_t *)v, key, item)
		keys[n++] = key;
	qsort(keys, n, sizeof *keys, by_text);
	for (size_t i = 0; i < n; i++)
		json_object_set_new(out, keys[i],
		    show(json_object_get(v, keys[i]), json_object_get(touched, keys[i])));
	return out;
}

static json_t *
show_array(const json_t *v, const json_t *touched)
{
	json_t *out = json_array(), *item;
	char index[24];
	size_t i;

	json_array_foreach (v, i, item) {
		snprintf(index, sizeof index, "%zu", i);
		json_array_append_new(out, show(item, json_object_get(touched, index)));
	}
	return out;
}

static json_t *
show(json_t *v, const json_t *touched)
{
	if (!json_is_object(touched))
		return json_incref(v);
	if (json_is_object(v))
		return show_object(v, touched);
	return json_is_array(v) ? show_array(v, touched) : json_incref(v);
}

json_t *
patch_shown(const json_t *result, const json_t *patch)
{
	json_auto_t *touched =
	    json_is_array(patch) ? touched_by(patch) : json_incref((json_t *)patch);

	return show((json_t *)result, touched);
}
