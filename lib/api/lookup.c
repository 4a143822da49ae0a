#include "api/lookup.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

const struct type *
type_inside(const struct type *t)
{
	while (t->elem)
		t = t->elem;
	return t;
}

/* Edits (insert, delete, replace, swap neighbours) between two words, in any case. */
static size_t
distance(const char *a, const char *b)
{
	enum { LONGEST = 48 };
	size_t row[3][LONGEST + 1], n = strlen(a), m = strlen(b);

	if (n > LONGEST || m > LONGEST)
		return LONGEST;
	for (size_t j = 0; j <= m; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t *now = row[i % 3], *up = row[(i - 1) % 3], *before = row[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= m; j++) {
			int x = tolower((unsigned char)a[i - 1]),
			    y = tolower((unsigned char)b[j - 1]);

			now[j] = up[j - 1] + (x != y);
			if (up[j] + 1 < now[j])
				now[j] = up[j] + 1;
			if (now[j - 1] + 1 < now[j])
				now[j] = now[j - 1] + 1;
			if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
			    y == tolower((unsigned char)a[i - 2]) && before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
		}
	}
	return row[n % 3][m];
}

const struct field *
field_like(const struct type *t, const char *name)
{
	size_t best = strlen(name) < 6 ? 2 : 3; /* fewer edits than this make a likeness */
	const struct field *found = NULL;

	for (size_t i = 0; i < t->nfields; i++) {
		size_t d = distance(name, t->fields[i].name);

		if (d < best) {
			best = d;
			found = &t->fields[i];
		}
	}
	/* "cont" is the beginning of just one field. */
	for (size_t i = 0, n = strlen(name); !found && n > 2 && i < t->nfields; i++)
		if (!strncasecmp(t->fields[i].name, name, n))
			found = &t->fields[i];
	return found;
}

static int
no_field(const struct type *t, const char *name, struct err *err)
{
	const struct field *like = field_like(t, name);
	const char *dot = strrchr(t->name, '.'), *type = dot ? dot + 1 : t->name;

	if (!t->nfields)
		return err_set(err, ERR_NOT_FOUND, "no field '%s': a %s has no fields", name, type);
	return err_set(err, ERR_NOT_FOUND, "no field '%s' in %s%s%s%s", name, type,
	    like ? " (did you mean '" : "", like ? like->name : "", like ? "'?)" : "");
}

/* The next name of a path into *name (new); what follows it, after any "[...]" and the dot. */
static const char *
next_name(const char *path, char **name)
{
	size_t n = strcspn(path, ".[");

	*name = xstrndup(path, n);
	path += n;
	while (*path == '[') {
		path += strcspn(path, "]");
		path += *path == ']';
	}
	return path + (*path == '.');
}

int
field_at(const struct field **ret, const struct type *t, const char *path, struct err *err)
{
	const struct field *f = NULL;

	while (*path) {
		autofree char *name = NULL;

		path = next_name(path, &name);
		t = type_inside(f ? f->type : t);
		f = type_field(t, name);
		if (!f)
			return no_field(t, name, err);
	}
	*ret = f;
	return 0;
}

const struct kind *
kind_of_path(const char *text, const char **path)
{
	autofree char *word = xstrdup(text);

	for (;;) {
		const struct kind *k = kind_of_word(word);
		size_t n = strlen(word);
		char *dot;

		if (k) {
			*path = text + n + (text[n] == '.');
			return k;
		}
		if (!(dot = strrchr(word, '.')))
			return NULL;
		*dot = '\0';
	}
}
