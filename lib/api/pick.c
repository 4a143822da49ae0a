#include <string.h>
#include <strings.h>

#include "api/meta.h"
#include "api/pick.h"
#include "api/registry.h"
#include "api/schema.h"
#include "base/mem.h"
#include "base/text.h"

struct word {
	char *text;		 /* without the name */
	char *name;		 /* or NULL for any */
	const struct kind *kind; /* or NULL when the schema does not know the word */
};

struct pick {
	struct word *words;
	size_t n, cap;
	uint64_t generation; /* of the registry when the words were looked up */
};

struct pick *
pick_new(void)
{
	return xcalloc(1, sizeof(struct pick));
}

void
pick_free(struct pick *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++) {
		free(p->words[i].text);
		free(p->words[i].name);
	}
	free(p->words);
	free(p);
}

static int
add_word(struct pick *p, const char *text, size_t len, struct err *err)
{
	const char *slash = memchr(text, '/', len);
	size_t kind_len = slash ? (size_t)(slash - text) : len;
	struct word w = { 0 };

	if (kind_len == 0 || (slash && kind_len + 1 == len))
		return err_set(
		    err, ERR_BAD_REQUEST, "'%.*s' is not KIND or KIND/NAME", (int)len, text);
	w.text = xstrndup(text, kind_len);
	w.name = slash ? xstrndup(slash + 1, len - kind_len - 1) : NULL;
	w.kind = kind_of_word(w.text);
	p->generation = registry_generation();
	GROW(p->words, p->n, p->cap);
	p->words[p->n++] = w;
	return 0;
}

int
pick_add(struct pick *p, const char *operand, struct err *err)
{
	for (;;) {
		size_t len = strcspn(operand, ",");
		int r = add_word(p, operand, len, err);

		if (r < 0)
			return r;
		if (operand[len] == '\0')
			return 0;
		operand += len + 1;
	}
}

/* The word without the ending of a plural: "widgets" is "widget", "policies" "policy". */
static bool
same_noun(const char *word, size_t len, const char *kind)
{
	size_t k = strlen(kind);

	if (len == k)
		return strncasecmp(word, kind, k) == 0;
	if (k > 1 && len == k + 2 && strncasecmp(word + k - 1, "ies", 3) == 0)
		return strncasecmp(word, kind, k - 1) == 0 && (kind[k - 1] | 0x20) == 'y';
	if (strncasecmp(word, kind, k) != 0)
		return false;
	return (len == k + 1 && (word[k] | 0x20) == 's') ||
	       (len == k + 2 && strncasecmp(word + k, "es", 2) == 0);
}

/* By the text alone: "Widget", "widgets", "widgets.example.com". */
static bool
match_text(const char *word, const json_t *obj)
{
	size_t len = strcspn(word, ".");
	char buf[128];
	const char *group;

	if (!same_noun(word, len, text(obj, "kind")))
		return false;
	if (word[len] == '\0')
		return true;
	group = strchr(meta_group_kind(obj, buf), '.');
	return group && strcasecmp(group, word + len) == 0;
}

static bool
match_word(const struct word *w, const struct kind *kind, const json_t *obj)
{
	char a[128], b[128];

	if (w->name && strcmp(w->name, meta_name(obj)) != 0)
		return false;
	if (w->kind && strcmp(kind_group_kind(w->kind, a), meta_group_kind(obj, b)) == 0)
		return true;
	if (kind && kind->categories && text_in(w->text, kind->categories))
		return true;
	/* what the schema does not know; never a known kind by another's name */
	return !kind && match_text(w->text, obj);
}

/* Kinds may have been learned since. */
static void
look_up_again(struct pick *p)
{
	if (p->generation == registry_generation())
		return;
	p->generation = registry_generation();
	for (size_t i = 0; i < p->n; i++)
		p->words[i].kind = kind_of_word(p->words[i].text);
}

bool
pick_match(struct pick *p, const json_t *obj)
{
	const struct kind *kind = kind_of_object(text(obj, "apiVersion"), text(obj, "kind"));

	look_up_again(p);
	for (size_t i = 0; i < p->n; i++)
		if (match_word(&p->words[i], kind, obj))
			return true;
	return p->n == 0;
}
