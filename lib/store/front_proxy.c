/* Speaking for others by headers, and believing who does. */
#include "store/front_proxy.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/jsonl.h"
#include "base/mem.h"
#include "store/pki.h"
#include "store/user_words.h"

/* --- options --- */

/* All the words of a list of lists, NULL-terminated; of dflt (may be NULL) when there are none. */
static char **
words_of(const struct list *l, const char *dflt)
{
	char **all = NULL;
	size_t n = 0, cap = 0;

	for (size_t i = 0; i <= l->n; i++) {
		const char *s = i < l->n ? l->item[i] : n == 0 && dflt ? dflt : "";

		while (*s) {
			size_t len;

			s += strspn(s, ", ");
			len = strcspn(s, ", ");
			if (len > 0) {
				GROW(all, n, cap);
				all[n++] = xstrndup(s, len);
			}
			s += len;
		}
	}
	GROW(all, n, cap);
	all[n] = NULL;
	return all;
}

int
front_proxy_open(
    struct front_proxy **ret, const char *dir, const struct front_options *o, struct err *err)
{
	autobuf struct buf ca = BUF_INIT;
	struct front_proxy *f;
	int r = 0;

	if (!o->ca != !o->crt || !o->crt != !o->key)
		return err_set(err, ERR_BAD_REQUEST,
		    "--requestheader-client-ca-file, --proxy-client-cert-file and "
		    "--proxy-client-key-file go together");
	if (!o->ca && (r = pki_front(dir, err)) < 0)
		return r;
	f = xcalloc(1, sizeof *f);
	f->ca_file = o->ca ? xstrdup(o->ca) : xasprintf("%s/pki/front-proxy-ca.crt", dir);
	f->crt = o->crt ? xstrdup(o->crt) : xasprintf("%s/pki/%s.crt", dir, PKI_FRONT);
	f->key = o->key ? xstrdup(o->key) : xasprintf("%s/pki/%s.key", dir, PKI_FRONT);
	f->allowed = words_of(&o->allowed, o->ca ? NULL : PKI_FRONT);
	f->users = words_of(&o->users, "X-Remote-User");
	f->uids = words_of(&o->uids, "X-Remote-Uid");
	f->groups = words_of(&o->groups, "X-Remote-Group");
	f->extras = words_of(&o->extras, "X-Remote-Extra-");
	if ((r = buf_read_file(&ca, f->ca_file, 1 << 20, err)) < 0) {
		front_proxy_free(f);
		return r;
	}
	f->ca = xstrndup(ca.data, ca.len);
	*ret = f;
	return 0;
}

static void
free_words(char **w)
{
	for (char **p = w; p && *p; p++)
		free(*p);
	free(w);
}

void
front_proxy_free(struct front_proxy *f)
{
	if (!f)
		return;
	free(f->crt);
	free(f->key);
	free(f->ca_file);
	free(f->ca);
	free_words(f->allowed);
	free_words(f->users);
	free_words(f->uids);
	free_words(f->groups);
	free_words(f->extras);
	free(f);
}

/* --- believing --- */

static bool
is_allowed(const struct front_proxy *f, const char *name)
{
	bool any = !*f->allowed;

	for (char **p = f->allowed; *p && !any; p++)
		any = strcmp(*p, name) == 0;
	return any;
}

/* The first of these headers that says something. */
static const char *
first_of(const struct call *c, char *const *names)
{
	for (; *names; names++) {
		const char *v = http_header(c->x, *names);

		if (v && *v)
			return v;
	}
	return NULL;
}

static void
add_groups(struct words *w, const struct call *c, char *const *names, const char *user)
{
	const struct http_header *h = c->req->headers;

	for (; *names; names++)
		for (size_t i = 0; i < c->req->nheaders; i++)
			if (strcasecmp(h[i].name, *names) == 0 && *h[i].value)
				words_add(w, h[i].value);
	if (strcmp(user, "system:anonymous") != 0 && !words_has(w, "system:authenticated") &&
	    !words_has(w, "system:unauthenticated"))
		words_add(w, "system:authenticated");
}

static void
add_extras(struct words *w, const struct call *c, char *const *prefixes)
{
	const struct http_header *h = c->req->headers;

	for (; *prefixes; prefixes++) {
		size_t len = strlen(*prefixes);

		for (size_t i = 0; i < c->req->nheaders; i++) {
			if (strncasecmp(h[i].name, *prefixes, len) != 0)
				continue;
			words_add_key(w, h[i].name + len);
			words_add(w, h[i].value);
		}
	}
}

int
front_proxy_authenticate(struct call *c, struct err *err)
{
	const struct front_proxy *f = c->server->front;
	const struct http_peer *peer = &c->req->peer;
	const char *user = f && peer->front ? first_of(c, f->users) : NULL;
	struct words w = WORDS_INIT;
	size_t groups;

	if (!f || !peer->front)
		return 0;
	if (!user || !is_allowed(f, peer->front)) /* then it is a client like others, or none */
		return peer->common_name ? 0 : err_set(err, ERR_UNAUTHORIZED, "Unauthorized");
	add_groups(&w, c, f->groups, user);
	groups = w.n;
	add_extras(&w, c, f->extras);
	c->user = (struct user){ .name = user, .uid = first_of(c, f->uids) };
	words_user(&w, groups, &c->user);
	return 1;
}

/* --- speaking --- */

static int
add_line(struct buf *out, const char *name, const char *value, struct err *err)
{
	for (const char *p = value; *p; p++)
		if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f)
			return err_set(err, ERR_BAD_REQUEST,
			    "net/http: invalid header field value for \"%s\"", name);
	buf_printf(out, "%s%s: %s", out->len ? "\r\n" : "", name, value);
	return 0;
}

/* What cannot stand in a header's name (RFC 9110, section 5.6.2), and the percent sign itself, is
 * percent-encoded. */
static void
extra_name(struct buf *b, const char *key)
{
	buf_puts(b, "X-Remote-Extra-");
	for (; *key; key++) {
		unsigned char c = (unsigned char)*key;
		bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
			     strchr("!#$&'*+-.^_`|~", c);

		buf_printf(b, plain ? "%c" : "%%%02X", c);
	}
}

int
front_proxy_headers(const struct user *u, struct buf *out, struct err *err)
{
	int r = add_line(out, "X-Remote-User", u->name, err);

	if (r == 0 && u->uid && *u->uid)
		r = add_line(out, "X-Remote-Uid", u->uid, err);
	for (const char *const *g = u->groups; r == 0 && *g; g++)
		r = add_line(out, "X-Remote-Group", *g, err);
	for (const char *const *e = u->extra; r == 0 && e && *e; e += 2) {
		autobuf struct buf name = BUF_INIT;

		extra_name(&name, e[0]);
		r = add_line(out, name.data, e[1], err);
	}
	return r;
}

const char **
front_proxy_drops(const struct front_proxy *f)
{
	char **const lists[] = { f->users, f->uids, f->groups, f->extras };
	const char **all = NULL;
	size_t n = 0, cap = 0;

	for (size_t i = 0; i < COUNT(lists); i++)
		for (char **p = lists[i]; *p; p++) {
			GROW(all, n, cap);
			all[n++] = *p;
		}
	GROW(all, n, cap);
	all[n] = NULL;
	return all;
}

/* --- telling --- */

static void
set_words(json_t *data, const char *key, char *const *words)
{
	json_auto_t *list = json_array();
	autofree char *text = NULL;

	for (; *words; words++)
		json_array_append_new(list, json_string(*words));
	text = json_dumps(list, JSON_COMPACT);
	json_object_set_new(data, key, json_string(text));
}

json_t *
front_proxy_data(const struct front_proxy *f)
{
	json_t *data = json_pack("{s:s}", "requestheader-client-ca-file", f->ca);

	set_words(data, "requestheader-allowed-names", f->allowed);
	set_words(data, "requestheader-username-headers", f->users);
	set_words(data, "requestheader-uid-headers", f->uids);
	set_words(data, "requestheader-group-headers", f->groups);
	set_words(data, "requestheader-extra-headers-prefix", f->extras);
	return data;
}
