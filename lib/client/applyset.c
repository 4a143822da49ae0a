#include "client/applyset.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

#include "api/meta.h"
#include "base/bytes.h"
#include "base/jsonl.h"
#include "base/mem.h"

#define ID_LABEL "applyset.kubernetes.io/id"
#define TOOLING "applyset.kubernetes.io/tooling"
#define KINDS "applyset.kubernetes.io/contains-group-kinds"
#define NAMESPACES "applyset.kubernetes.io/additional-namespaces"

static const char tool[] = "orch-apply";

/* applyset-<base64(sha256(<name>.<namespace>.<kind>.<group>))>-v1, in the URL-safe alphabet without
 * padding. */
static int
make_id(struct applyset *s, struct err *err)
{
	autofree char *plain =
	    xasprintf("%s.%s.%s.%s", s->name, s->ns, s->kind->kind, s->kind->group);
	unsigned char hash[32];
	autofree char *text = NULL;

	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, plain, strlen(plain), hash) < 0)
		return err_set(err, ERR_INTERNAL, "cannot hash the applyset's name");
	text = bytes_encode(hash, sizeof hash);
	for (char *p = text; *p; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
	s->id = xasprintf("applyset-%.*s-v1", (int)strcspn(text, "="), text);
	return 0;
}

static json_t *
set_of(const char *list)
{
	autofree char *copy = xstrdup(list ? list : "");
	char *rest = copy, *word;
	json_t *set = json_object();

	while ((word = strsep(&rest, ",")))
		if (*word)
			json_object_set_new(set, word, json_true());
	return set;
}

static char *
list_of(const json_t *set, const char *but)
{
	size_t n;
	autofree const char **keys = json_sorted_keys(set, &n);
	struct buf b = BUF_INIT;

	buf_puts(&b, "");
	for (size_t i = 0; i < n; i++)
		if (strcmp(keys[i], but) != 0)
			buf_printf(&b, "%s%s", b.len ? "," : "", keys[i]);
	return buf_detach(&b);
}

/* The KEP's conditions for using an object that is there. */
static int
check_parent(const struct applyset *s, const json_t *parent, struct err *err)
{
	const char *tooling = meta_annotation(parent, TOOLING), *id = meta_label(parent, ID_LABEL);
	const char *slash = tooling ? strrchr(tooling, '/') : NULL;
	size_t len = slash ? (size_t)(slash - tooling) : tooling ? strlen(tooling) : 0;

	if (!id)
		return err_set(err, ERR_BAD_REQUEST,
		    "%s '%s' is there and no applyset: it has no label %s", s->kind->singular,
		    s->name, ID_LABEL);
	if (strcmp(id, s->id) != 0)
		return err_set(err, ERR_BAD_REQUEST, "label %s of %s '%s' is '%s', not '%s'",
		    ID_LABEL, s->kind->singular, s->name, id, s->id);
	if (!tooling || len != strlen(tool) || strncmp(tooling, tool, len) != 0)
		return err_set(err, ERR_BAD_REQUEST,
		    "%s '%s' is kept by '%s', not by %s (annotation %s)", s->kind->singular,
		    s->name, tooling ? tooling : "", tool, TOOLING);
	if (!meta_annotation(parent, KINDS))
		return err_set(err, ERR_BAD_REQUEST, "%s '%s' has no annotation %s",
		    s->kind->singular, s->name, KINDS);
	return 0;
}

static int
read_parent(struct applyset *s, struct client *c, struct err *err)
{
	json_auto_t *parent = NULL;
	int r = client_get(c, s->kind, s->ns, s->name, &parent, err);

	if (r < 0 && r != -ERR_NOT_FOUND)
		return r;
	s->there = r >= 0;
	if (s->there && (r = check_parent(s, parent, err)) < 0)
		return r;
	s->kinds = set_of(meta_annotation(parent, KINDS));
	s->namespaces = set_of(meta_annotation(parent, NAMESPACES));
	if (s->there)
		json_object_set_new(s->namespaces, s->ns, json_true());
	return 0;
}

int
applyset_open(struct applyset *s, struct client *c, const char *word, struct err *err)
{
	const char *slash = strchr(word, '/'), *name = slash ? slash + 1 : word;
	autofree char *kind = slash ? xstrndup(word, (size_t)(slash - word)) : xstrdup("secret");
	int r;

	*s = (struct applyset){ .kind = kind_of_word(kind) };
	if (!s->kind || *s->kind->group ||
	    (strcmp(s->kind->kind, "Secret") != 0 && strcmp(s->kind->kind, "ConfigMap") != 0))
		return err_set(err, ERR_BAD_REQUEST,
		    "an applyset is kept in a secret or configmap, not in a '%s'", kind);
	if (!client_name_fits(name))
		return err_set(err, ERR_BAD_REQUEST, "'%s' cannot be a name", name);
	s->ns = xstrdup(client_namespace(c));
	s->name = xstrdup(name);
	if ((r = make_id(s, err)) < 0 || (r = read_parent(s, c, err)) < 0)
		applyset_release(s);
	return r;
}

void
applyset_release(struct applyset *s)
{
	free(s->ns);
	free(s->name);
	free(s->id);
	json_decref(s->kinds);
	json_decref(s->namespaces);
	*s = (struct applyset){ 0 };
}

int
applyset_may_take(const struct applyset *s, const json_t *live, struct err *err)
{
	const char *set = meta_label(live, APPLYSET_PART_OF);

	if (set && strcmp(set, s->id) != 0)
		return err_set(err, ERR_FORBIDDEN, "it is part of another applyset, '%s'", set);
	return 0;
}

int
applyset_label(const struct applyset *s, json_t *obj, struct err *err)
{
	int r = applyset_may_take(s, obj, err);

	if (r >= 0)
		put(obj, json_string(s->id), "metadata", "labels", APPLYSET_PART_OF);
	return r;
}

json_t *
applyset_parent(const struct applyset *s, const json_t *kinds, const json_t *namespaces)
{
	autofree char *in = list_of(kinds, ""), *places = list_of(namespaces, s->ns);
	json_t *annotations = json_object();

	json_object_set_new(annotations, TOOLING, json_string("orch-apply/" ORCH_VERSION));
	json_object_set_new(annotations, KINDS, json_string(in));
	json_object_set_new(annotations, NAMESPACES, json_string(places));
	return json_pack("{s:s, s:s, s:{s:s, s:s, s:{s:s}, s:o}}", "apiVersion", "v1", "kind",
	    s->kind->kind, "metadata", "name", s->name, "namespace", s->ns, "labels", ID_LABEL,
	    s->id, "annotations", annotations);
}
