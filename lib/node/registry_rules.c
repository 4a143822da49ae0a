#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/registry_rules.h"

enum { MAX_FILE = 1 << 20 };

struct rule {
	char *host, *verb, *value; /* in the file's text */
};

struct rules {
	struct buf text;
	struct rule *item;
	size_t n, cap;
};

static int
parse_line(struct rules *rules, char *line, const char *file, int number, struct err *err)
{
	static const char blank[] = " \t\r";
	struct rule r;
	char *rest, *more;

	line[strcspn(line, "#")] = '\0';
	if (!(r.host = strtok_r(line, blank, &rest)))
		return 0;
	r.verb = strtok_r(NULL, blank, &rest);
	r.value = strtok_r(NULL, blank, &rest);
	more = strtok_r(NULL, blank, &rest);
	if (!r.verb || more || (strcmp(r.verb, "insecure") == 0) != !r.value)
		return err_set(err, ERR_INVALID,
		    "'%s' line %d: a rule is 'HOST mirror URL', 'HOST insecure' or 'HOST ca FILE'",
		    file, number);
	if (strcmp(r.verb, "mirror") == 0 && !text_starts(r.value, "http://") &&
	    !text_starts(r.value, "https://"))
		return err_set(err, ERR_INVALID,
		    "'%s' line %d: mirror '%s' is no http:// or https:// URL", file, number,
		    r.value);
	if (strcmp(r.verb, "mirror") != 0 && strcmp(r.verb, "insecure") != 0 &&
	    strcmp(r.verb, "ca") != 0)
		return err_set(err, ERR_INVALID,
		    "'%s' line %d: '%s' is none of mirror, insecure, ca", file, number, r.verb);
	GROW(rules->item, rules->n, rules->cap);
	rules->item[rules->n++] = r;
	return 0;
}

static int
load(struct rules *rules, const char *file, bool must, struct err *err)
{
	char *line, *rest;
	int r, number = 1;

	if ((r = buf_read_file(&rules->text, file, MAX_FILE, err)) == -ERR_NOT_FOUND && !must)
		return 0;
	if (r < 0)
		return err_wrap(err, "cannot read the rules for registries");
	rest = rules->text.data;
	while ((line = strsep(&rest, "\n")))
		if ((r = parse_line(rules, line, file, number++, err)) < 0)
			return r;
	return 0;
}

static const struct rule *
find(const struct rules *rules, const char *host, const char *verb)
{
	for (size_t i = 0; i < rules->n; i++)
		if (strcmp(rules->item[i].host, host) == 0 &&
		    strcmp(rules->item[i].verb, verb) == 0)
			return &rules->item[i];
	return NULL;
}

static bool
loopback(const char *domain)
{
	size_t host = strcspn(domain, ":");

	return (host == 9 && text_starts(domain, "localhost")) || text_starts(domain, "127.") ||
	       text_starts(domain, "[::1]");
}

/* url NULL: the registry itself. */
static void
add(struct endpoints *e, const struct rules *rules, const char *domain, const char *url,
    bool insecure)
{
	const char *host = url ? strstr(url, "://") + 3 : domain, *path, *ca = NULL;
	size_t len = strcspn(host, "/");
	struct endpoint *p;

	GROW(e->item, e->n, e->cap);
	p = &e->item[e->n++];
	*p = (struct endpoint){ .domain = xstrndup(host, len) };
	p->insecure = insecure || find(rules, p->domain, "insecure");
	if (find(rules, p->domain, "ca"))
		ca = find(rules, p->domain, "ca")->value;
	p->ca = ca ? xstrdup(ca) : NULL;
	path = host + len + strspn(host + len, "/");
	len = strlen(path);
	while (len > 0 && path[len - 1] == '/')
		len--;
	p->prefix = url && len ? xasprintf("%.*s/", (int)len, path) : xstrdup("");
	if (url)
		p->root = xstrndup(url, (size_t)(host - url) + strcspn(host, "/"));
	else
		p->root = xasprintf("%s://%s", p->insecure || loopback(domain) ? "http" : "https",
		    strcmp(domain, "docker.io") == 0 ? "registry-1.docker.io" : domain);
}

int
endpoints_find(struct endpoints *ret, const char *file, bool must, const char *domain,
    bool insecure, struct err *err)
{
	struct rules rules = { .text = BUF_INIT };
	int r = load(&rules, file, must, err);

	*ret = (struct endpoints){ 0 };
	for (size_t i = 0; r == 0 && i < rules.n; i++)
		if (strcmp(rules.item[i].verb, "mirror") == 0 &&
		    strcmp(rules.item[i].host, domain) == 0)
			add(ret, &rules, domain, rules.item[i].value, insecure);
	if (r == 0)
		add(ret, &rules, domain, NULL, insecure);
	buf_release(&rules.text);
	free(rules.item);
	return r;
}

void
endpoints_release(struct endpoints *e)
{
	for (size_t i = 0; i < e->n; i++) {
		free(e->item[i].domain);
		free(e->item[i].root);
		free(e->item[i].prefix);
		free(e->item[i].ca);
	}
	free(e->item);
}
