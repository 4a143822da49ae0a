/* Finding kinds, types and fields in the tables that tools/schema.c makes. */
#include "api/schema.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/registry.h"
#include "api/tables.h"
#include "api/version.h"

/* A piece of text that is not ended by a NUL. */
struct span {
	const char *s;
	size_t n;
};

static struct span
span(const char *s)
{
	return (struct span){ s, strlen(s) };
}

static int
span_cmp(struct span a, const char *b)
{
	int c = strncmp(a.s, b, a.n);

	return c ? c : -!!b[a.n];
}

static bool
span_is(struct span a, const char *b)
{
	return !strncasecmp(a.s, b, a.n) && !b[a.n];
}

const struct kind *const *
schema_kinds(size_t *n)
{
	return registry_kinds(n);
}

static const struct kind *
search(size_t from, size_t to, struct span group, struct span version, struct span kind)
{
	while (from < to) {
		size_t mid = from + (to - from) / 2;
		const struct kind *k = &table_of_kinds[mid];
		int c = span_cmp(group, k->group);

		c = c ? c : span_cmp(version, k->version);
		c = c ? c : span_cmp(kind, k->kind);
		if (!c)
			return k;
		if (c < 0)
			to = mid;
		else
			from = mid + 1;
	}
	return NULL;
}

static const struct kind *
search_custom(struct span group, struct span version, struct span kind)
{
	size_t from = 0, to;
	const struct kind *const *custom = registry_custom(&to);

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		const struct kind *k = custom[mid];
		int c = span_cmp(group, k->group);

		c = c ? c : span_cmp(version, k->version);
		c = c ? c : span_cmp(kind, k->kind);
		if (!c)
			return k;
		if (c < 0)
			to = mid;
		else
			from = mid + 1;
	}
	return NULL;
}

static const struct kind *
find(struct span group, struct span version, struct span kind)
{
	const struct kind *k = search(0, served_kinds, group, version, kind);

	k = k ? k : search(served_kinds, all_kinds, group, version, kind);
	return k ? k : search_custom(group, version, kind);
}

bool
group_built_in(const char *group)
{
	for (size_t i = 0; i < served_kinds; i++)
		if (strcmp(table_of_kinds[i].group, group) == 0)
			return true;
	return false;
}

bool
schema_group(const char *group, const char *version)
{
	for (size_t i = 0; i < served_kinds; i++)
		if (strcmp(table_of_kinds[i].group, group) == 0 &&
		    (!version || strcmp(table_of_kinds[i].version, version) == 0))
			return true;
	return registry_group(group, version);
}

const struct kind *
kind_find(const char *group, const char *version, const char *kind)
{
	return find(span(group), span(version), span(kind));
}

const struct kind *
kind_of_object(const char *api_version, const char *kind)
{
	const char *slash = strchr(api_version, '/');
	struct span group = { api_version, slash ? (size_t)(slash - api_version) : 0 };

	return find(group, span(slash ? slash + 1 : api_version), span(kind));
}

static const struct kind *
resource_in(const struct kind *const *kinds, size_t n, const char *group, const char *version,
    const char *plural)
{
	size_t from = 0, to = n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		const struct kind *k = kinds[mid];
		int c = strcmp(group, k->group);

		c = c ? c : strcmp(version, k->version);
		c = c ? c : strcmp(plural, k->plural);
		if (!c)
			return k;
		if (c < 0)
			to = mid;
		else
			from = mid + 1;
	}
	return NULL;
}

const struct kind *
kind_of_resource(const char *group, const char *version, const char *plural)
{
	const struct kind *const *custom, *k;
	size_t n;

	if ((k = resource_in(table_of_resources, served_kinds, group, version, plural)))
		return k;
	custom = registry_resources(&n);
	return resource_in(custom, n, group, version, plural);
}

static bool
named(const struct kind *k, struct span word)
{
	if (span_is(word, k->plural) || span_is(word, k->singular))
		return true;
	for (const char *const *s = k->short_names; *s; s++)
		if (span_is(word, *s))
			return true;
	return false;
}

/*
 * Does what follows the first dot fit: "apps", "v1.apps", "v1." for core, or as
 * kubectl allows the beginning of a group, "networking"?
 */
static bool
qualified(const struct kind *k, const char *rest)
{
	size_t n = strlen(k->version);

	if (!strncasecmp(rest, k->version, n) && rest[n] == '.' &&
	    !strcasecmp(rest + n + 1, k->group))
		return true;
	n = strlen(rest);
	return !strncasecmp(rest, k->group, n) && (!k->group[n] || (n && k->group[n] == '.'));
}

/* Of two versions of one kind, the one that its name alone stands for: built-in groups grow by
 * adding better versions; a definition's are what they say they are. */
static const struct kind *
better(const struct kind *found, const struct kind *k)
{
	bool same = found && k->custom && !strcmp(found->plural, k->plural);

	if (found && k->custom && !same)
		return found;
	return same && version_order(found->version, k->version) < 0 ? found : k;
}

/* The first group wins, and in it the best version. */
static const struct kind *
word_in(const struct kind *const *kinds, size_t n, const char *word)
{
	const char *dot = strchr(word, '.');
	struct span name = { word, dot ? (size_t)(dot - word) : strlen(word) };
	const struct kind *found = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct kind *k = kinds[i];

		if (found && strcmp(found->group, k->group))
			break;
		if (named(k, name) && (!dot || qualified(k, dot + 1)))
			found = better(found, k);
	}
	return found;
}

const struct kind *
kind_of_word(const char *word)
{
	const struct kind *k = word_in(table_of_served, served_kinds, word);
	const struct kind *const *custom;
	size_t n;

	if (k)
		return k;
	custom = registry_custom(&n);
	return word_in(custom, n, word);
}

const char *
kind_api_version(const struct kind *k, char buf[static 128])
{
	snprintf(buf, 128, "%s%s%s", k->group, *k->group ? "/" : "", k->version);
	return buf;
}

const char *
kind_resource(const struct kind *k, char buf[static 128])
{
	snprintf(buf, 128, "%s%s%s", k->plural, *k->group ? "." : "", k->group);
	return buf;
}

const char *
kind_group_kind(const struct kind *k, char buf[static 128])
{
	snprintf(buf, 128, "%s%s%s", k->kind, *k->group ? "." : "", k->group);
	return buf;
}

const struct subresource *
kind_subresource(const struct kind *k, const char *name)
{
	for (size_t i = 0; i < k->nsubresources; i++)
		if (!strcmp(k->subresources[i].name, name))
			return &k->subresources[i];
	return NULL;
}

const struct type *
type_find(const char *name)
{
	size_t from = 0, to = named_types;

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		int c = strcmp(name, table_of_types[mid]->name);

		if (!c)
			return table_of_types[mid];
		if (c < 0)
			to = mid;
		else
			from = mid + 1;
	}
	return NULL;
}

/* The first eight bytes, as a number that sorts as they do. */
static unsigned long long
lead_of(const char *name)
{
	unsigned long long lead = 0;
	int i = 0;

	for (; i < 8 && name[i]; i++)
		lead = lead << 8 | (unsigned char)name[i];
	return lead << 8 * (8 - i) % 64;
}

/* This runs for every key of every object: the numbers lie close together in memory, and names
 * that share one are few. */
const struct field *
type_field(const struct type *t, const char *name)
{
	const unsigned long long lead = lead_of(name);
	size_t from = 0, n = t->nfields;

	while (n > 0) {
		size_t half = n / 2;

		if (t->leads[from + half] < lead) {
			from += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	for (; from < t->nfields && t->leads[from] == lead; from++)
		if (!(lead & 0xff) || !strcmp(name + 8, t->fields[from].name + 8))
			return &t->fields[from]; /* less than eight bytes are all there is */
	return NULL;
}
