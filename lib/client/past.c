#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/changes.h"
#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "client/http.h"
#include "client/past.h"

enum {
	DELETED_SECONDS = 1, /* a watch that may have nothing more to tell ends after this */
	WATCH_SECONDS = 60,
	MOST_STEPS = 200, /* back from the oldest version that the watch has told of */
};

struct reading {
	struct past *past;
	struct client *client;
	const struct kind *kind;
	const char *ns, *name;
	char *fields;		 /* metadata.name=NAME */
	unsigned long long last; /* the version that ends the watch; 0: the object is gone */
};

static unsigned long long
number_of(const char *version)
{
	char *end;
	unsigned long long n;

	errno = 0;
	n = strtoull(version, &end, 10);
	return *version >= '0' && *version <= '9' && !*end && !errno ? n : 0;
}

void
past_release(struct past *p)
{
	for (size_t i = 0; i < p->n; i++)
		json_decref(p->item[i].obj);
	free(p->item);
	*p = (struct past){ 0 };
}

/* --- the watch ------------------------------------------------------------------------------ */

static void
add(struct past *p, size_t at, enum version_type type, json_t *obj)
{
	GROW(p->item, p->n, p->cap);
	memmove(p->item + at + 1, p->item + at, (p->n - at) * sizeof *p->item);
	p->n++;
	p->item[at] = (struct version){ .number = number_of(meta_version(obj)),
		.type = type,
		.obj = json_incref(obj),
		.who = "" };
}

static int
heard(void *arg, const char *type, json_t *obj, struct err *err)
{
	struct reading *r = arg;
	unsigned long long number = number_of(meta_version(obj));

	(void)err;
	if (strcmp(type, "BOOKMARK") == 0)
		return r->last && number >= r->last;
	stamp_kind(obj, r->kind);
	add(r->past, r->past->n,
	    strcmp(type, "ADDED") == 0	   ? VERSION_CREATED
	    : strcmp(type, "DELETED") == 0 ? VERSION_DELETED
					   : VERSION_CHANGED,
	    obj);
	return r->last && number >= r->last;
}

static int
watch_from(struct reading *r, unsigned long long version, struct err *err)
{
	struct list_options o = { .fields = r->fields };
	char text[24];
	int n;

	snprintf(text, sizeof text, "%llu", version);
	n = client_watch(r->client, r->kind, r->ns, &o, text,
	    r->last ? WATCH_SECONDS : DELETED_SECONDS, heard, r, err);
	return n > 0 ? 0 : n;
}

/* "too old resource version: 1 (4711)": the version in parentheses is one to begin from. */
static unsigned long long
beginning(const struct err *err)
{
	const char *open = strrchr(err->msg, '(');
	char *end;
	unsigned long long n;

	if (!open)
		return 0;
	n = strtoull(open + 1, &end, 10);
	return *end == ')' ? n : 0;
}

/*
 * From the very first version on, and when that is forgotten from where the refusal says.  It may
 * move on meanwhile, so a few times.  When the server does not say it, the lists below have to do.
 */
static int
watch_all(struct reading *r, struct err *err)
{
	unsigned long long from = 1;
	int n = 0;

	for (int try = 0; try < 4; try++) {
		if (r->last && r->last <= from)
			return 0; /* nothing has happened to it since */
		r->past->begin = from;
		n = watch_from(r, from, err);
		if (n != -ERR_EXPIRED && n != -ERR_GONE)
			return n;
		r->past->begin = r->past->now;
		if (beginning(err) <= from || beginning(err) >= r->past->now)
			return 0;
		from = beginning(err);
	}
	return 0;
}

/* --- lists ---------------------------------------------------------------------------------- */

/* The object at a version (0: now) into *ret, NULL when it was not there; new. */
static int
state_at(
    const struct reading *r, unsigned long long version, json_t **ret, char **now, struct err *err)
{
	autofree char *base = client_path(r->kind, r->ns, NULL, NULL);
	struct list_options o = { .fields = r->fields };
	autobuf struct buf path = BUF_INIT;
	json_auto_t *list = NULL;
	char text[24];
	int n;

	snprintf(text, sizeof text, "%llu", version);
	buf_puts(&path, base);
	query_select(&path, &o);
	if (version) {
		query_add(&path, "resourceVersion", text);
		query_add(&path, "resourceVersionMatch", "Exact");
	}
	if ((n = client_fetch(r->client, path.data, &list, err)) < 0)
		return n;
	*ret = json_incref(json_array_get(get(list, "items"), 0));
	if (*ret)
		stamp_kind(*ret, r->kind);
	if (now)
		*now = xstrdup(meta_version(list));
	return 0;
}

/* From the oldest known version one more back, again and again, as far as the server knows. */
static int
step_back(struct reading *r, struct err *err)
{
	struct past *p = r->past;

	for (int step = 0; step < MOST_STEPS; step++) {
		unsigned long long first = p->item[0].number;
		json_auto_t *obj = NULL;
		int n;

		p->begin = p->item[0].type == VERSION_CREATED ? 0 : first;
		if (!p->begin)
			return 0;
		if (first <= 1)
			return 0;
		n = state_at(r, first - 1, &obj, NULL, err);
		if (n == -ERR_EXPIRED || n == -ERR_GONE)
			return 0;
		if (n < 0)
			return n;
		if (!obj) { /* it was created by this very version */
			p->item[0].type = VERSION_CREATED;
			p->begin = 0;
			return 0;
		}
		if (number_of(meta_version(obj)) >= first)
			return 0; /* versions that do not grow: no way to go on */
		add(p, 0, VERSION_CHANGED, obj);
	}
	return 0;
}

/* --- reading -------------------------------------------------------------------------------- */

static void
note_writers(struct past *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct version *v = &p->item[i];
		bool same = i > 0 && v->type == VERSION_CHANGED;
		const char *when;

		if (v->type == VERSION_DELETED) /* who deletes is not written down */
			continue;
		changes_by(same ? p->item[i - 1].obj : NULL, v->obj, &v->who, &when);
		if (!time_parse(when, &v->time))
			v->time = 0;
	}
}

static int
read_all(struct reading *r, struct err *err)
{
	json_auto_t *current = NULL;
	autofree char *now = NULL;
	int n;

	if ((n = state_at(r, 0, &current, &now, err)) < 0)
		return n;
	r->past->now = number_of(now);
	r->last = current ? number_of(meta_version(current)) : 0;
	if (!r->past->now || (current && !r->last))
		return err_set(err, ERR_BAD_REQUEST,
		    "the server's resourceVersion '%s' is no number: its history cannot be read",
		    now);
	if ((n = watch_all(r, err)) < 0)
		return n;
	if (r->past->n == 0 && current)
		add(r->past, 0, VERSION_CHANGED, current);
	if (r->past->n > 0 && (n = step_back(r, err)) < 0)
		return n;
	note_writers(r->past);
	return 0;
}

int
past_read(struct past *p, struct client *c, const struct kind *k, const char *ns, const char *name,
    struct err *err)
{
	autofree char *fields = xasprintf("metadata.name=%s", name);
	struct reading r = { p, c, k, ns, name, fields, 0 };
	int n;

	*p = (struct past){ 0 };
	if ((n = read_all(&r, err)) < 0)
		past_release(p);
	return n;
}

json_t *
past_current(const struct past *p)
{
	const struct version *last = p->n ? &p->item[p->n - 1] : NULL;

	return last && last->type != VERSION_DELETED ? last->obj : NULL;
}

/* --- finding -------------------------------------------------------------------------------- */

static int
forgotten(const struct past *p, const char *text, struct err *err)
{
	if (!p->begin)
		return err_set(err, ERR_NOT_FOUND, "it did not exist at %s", text);
	return err_set(err, ERR_NOT_FOUND, "%s is forgotten: its history begins at revision %llu",
	    text, p->begin);
}

/* The last version up to a number, or up to a time; times that are not known are as the one before.
 */
static int
up_to(const struct past *p, unsigned long long number, int64_t time, const char *text,
    const struct version **ret, struct err *err)
{
	const struct version *found = NULL;
	int64_t at = 0;

	for (size_t i = 0; i < p->n; i++) {
		at = p->item[i].time ? p->item[i].time : at;
		if (number ? p->item[i].number <= number : at <= time)
			found = &p->item[i];
	}
	if (!found)
		return forgotten(p, text, err);
	*ret = found;
	return 0;
}

static int
find_number(const struct past *p, const char *text, const struct version **ret, struct err *err)
{
	unsigned long long number = number_of(text);

	if (!number)
		return err_set(err, ERR_BAD_REQUEST,
		    "'%s' is no version: 123, ~1, @1h or a time such as 2026-01-02T03:04:05Z",
		    text);
	if (number > p->now && number > p->item[p->n - 1].number)
		return err_set(err, ERR_NOT_FOUND,
		    "there is no revision %s yet: the newest is %llu", text, p->now);
	return up_to(p, number, 0, text, ret, err);
}

static int
find_before(const struct past *p, const char *text, const struct version **ret, struct err *err)
{
	long long n = 1;

	if (text[1] && (!text_int(text + 1, &n) || n < 0))
		return err_set(err, ERR_BAD_REQUEST, "'%s' is no number of versions", text);
	if ((unsigned long long)n >= p->n && !p->begin)
		return err_set(
		    err, ERR_NOT_FOUND, "it has only %zu versions, so there is no %s", p->n, text);
	if ((unsigned long long)n >= p->n)
		return forgotten(p, text, err);
	*ret = &p->item[p->n - 1 - (size_t)n];
	return 0;
}

int
past_find(const struct past *p, const char *text, int64_t now, const struct version **ret,
    struct err *err)
{
	const char *rest = *text == '@' ? text + 1 : text;
	double ago;
	int64_t at;

	if (p->n == 0)
		return err_set(err, ERR_NOT_FOUND, "nothing is remembered of it");
	if (*text == '~')
		return find_before(p, text, ret, err);
	if (time_parse(rest, &at)) {
		if (at > now)
			return err_set(err, ERR_BAD_REQUEST, "%s is in the future", text);
		return up_to(p, 0, at, text, ret, err);
	}
	if (*text == '@' && text_duration(rest, &ago) && ago >= 0)
		return up_to(p, 0, now - (int64_t)ago, text, ret, err);
	return find_number(p, text, ret, err);
}
