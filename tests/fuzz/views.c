/*
 * What people are shown of objects, however wrong these are: trees, changes, Events, progress,
 * labels.  The input is JSON values one after the other; what is promised of a tree is checked.
 */
#include <stdint.h>
#include <stdlib.h>

#include "api/changes.h"
#include "api/event.h"
#include "api/meta.h"
#include "api/progress.h"
#include "api/tag.h"
#include "api/tree.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 40 };

static void
count(void *arg, json_t *obj)
{
	(void)obj;
	++*(size_t *)arg;
}

static void
look(const json_t *obj)
{
	struct buf out = BUF_INIT;
	struct event_view e;
	struct err err;

	event_view(&e, obj);
	event_about(&e, "apps", "Deployment", "default", "web", "uid");
	event_seen(&e, 1767226200, &out);
	progress_of(obj, &out, &err);
	progress_trouble(obj, &out);
	buf_release(&out);
}

static void
differ(const json_t *a, const json_t *b)
{
	struct changes c = { 0 };
	struct buf out = BUF_INIT;
	const char *who, *when;

	changes_between(&c, a, b, 20);
	changes_summary(&c, 3, &out);
	changes_by(a, b, &who, &when);
	event_cmp(a, b);
	changes_release(&c);
	buf_release(&out);
}

static void
tag(const json_t *obj)
{
	char *words[] = { "a=b", "c-" };
	json_t *edits = NULL, *missing = NULL, *copy = json_deep_copy(obj);
	struct err err;

	if (tags_parse(&edits, &label_field, words, 2, &err) < 0)
		abort();
	if (tags_missing(&missing, &label_field, edits, obj, true, &err) < 0)
		abort();
	tags_apply(&label_field, missing, copy);
	json_decref(edits);
	json_decref(missing);
	json_decref(copy);
}

/* Every object is in the trees exactly once. */
static void
draw(json_t *const *item, size_t n)
{
	struct tree *t = tree_new();
	struct tree_look text = { .ascii = true };
	struct buf out = BUF_INIT;
	size_t seen = 0;

	for (size_t i = 0; i < n; i++)
		tree_add(t, item[i]);
	tree_print(t, &text, &out);
	tree_each(t, count, &seen);
	if (seen > n || (n > 0 && seen == 0))
		abort();
	buf_release(&out);
	tree_free(t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *item[MOST];
	size_t n = 0, at = 0, used;
	char msg[128];

	while (n < MOST && at < size &&
	       json_decode((const char *)data + at, size - at, &item[n], &used, msg) == JSON_FINE) {
		at += used;
		if (json_is_object(item[n]))
			n++;
		else
			json_decref(item[n]);
	}
	for (size_t i = 0; i < n; i++) {
		look(item[i]);
		tag(item[i]);
		if (i > 0)
			differ(item[i - 1], item[i]);
	}
	draw(item, n);
	for (size_t i = 0; i < n; i++)
		json_decref(item[i]);
	return 0;
}
