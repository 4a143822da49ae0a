#include "node/names.h"

#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/files.h"
#include "node/sandbox.h"

/* What resolvers heed, and what Kubernetes allows. */
enum { MAX_SERVERS = 3, MAX_SEARCHES = 32, MAX_SEARCH_CHARS = 2048 };

const char *
pod_hostname(const struct host *h, const json_t *pod, char buf[static HOSTNAME_TEXT])
{
	const char *wanted = text(pod, "spec", "hostnameOverride");
	int most = HOSTNAME_TEXT - 1;

	if (!*wanted) {
		most = 63; /* of a DNS label */
		wanted = pod_host_network(pod)		  ? h->o.name
			 : *text(pod, "spec", "hostname") ? text(pod, "spec", "hostname")
							  : meta_name(pod);
	}
	snprintf(buf, HOSTNAME_TEXT, "%.*s", most, wanted);
	for (size_t n = strlen(buf); n > 0 && strchr("-.", buf[n - 1]); n--)
		buf[n - 1] = '\0'; /* cutting must not leave a separator */
	return buf;
}

static const char *
cluster_domain(const struct host *h)
{
	return h->o.cluster_domain ? h->o.cluster_domain : "cluster.local";
}

char *
pod_domain(const struct host *h, const json_t *pod)
{
	const char *sub = text(pod, "spec", "subdomain");

	if (!*sub || *text(pod, "spec", "hostnameOverride"))
		return NULL;
	return xasprintf("%s.%s.svc.%s", sub, meta_namespace(pod), cluster_domain(h));
}

int
pod_kernel_name(
    const struct host *h, const json_t *pod, char buf[static HOSTNAME_TEXT], struct err *err)
{
	autofree char *domain = pod_domain(h, pod), *whole = NULL;

	pod_hostname(h, pod, buf);
	if (!domain || !truth(get(pod, "spec", "setHostnameAsFQDN")))
		return 0;
	whole = xasprintf("%s.%s", buf, domain);
	if (strlen(whole) >= HOSTNAME_TEXT)
		return err_set(err, ERR_INVALID,
		    "failed to construct FQDN from pod hostname and cluster domain, FQDN %s is too "
		    "long (%d characters is the max, %zu characters requested)",
		    whole, HOSTNAME_TEXT - 1, strlen(whole));
	snprintf(buf, HOSTNAME_TEXT, "%s", whole);
	return 0;
}

/* --- /etc/hosts -------------------------------------------------------------------------- */

char *
pod_hosts(const struct host *h, const json_t *pod, const char *ip)
{
	autofree char *domain = pod_domain(h, pod);
	autobuf struct buf b = BUF_INIT;
	char name[HOSTNAME_TEXT];
	json_t *alias, *one;
	size_t i, k;

	buf_puts(&b, "# written by orch-node\n");
	if (pod_host_network(pod)) {
		struct err ignored;

		buf_read_file(&b, "/etc/hosts", 1 << 20, &ignored);
	} else {
		buf_puts(&b, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
			     "fe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\n"
			     "fe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n");
		pod_hostname(h, pod, name);
		buf_printf(&b, "%s\t", ip);
		if (domain)
			buf_printf(&b, "%s.%s\t", name, domain);
		buf_printf(&b, "%s\n", name);
	}
	json_array_foreach (get(pod, "spec", "hostAliases"), i, alias) {
		buf_puts(&b, text(alias, "ip"));
		json_array_foreach (get(alias, "hostnames"), k, one)
			buf_printf(&b, "\t%s", str(one, ""));
		buf_putc(&b, '\n');
	}
	return buf_detach(&b);
}

/* --- /etc/resolv.conf -------------------------------------------------------------------- */

struct resolver {
	json_t *servers, *searches, *options; /* texts; options: by name, to value or "" */
};

static void
add_once(json_t *list, const char *what)
{
	json_t *one;
	size_t i;

	json_array_foreach (list, i, one)
		if (strcmp(str(one, ""), what) == 0)
			return;
	json_array_append_new(list, json_string(what));
}

static void
set_option(json_t *options, const char *option)
{
	const char *colon = strchr(option, ':');
	autofree char *name = xstrndup(option, colon ? (size_t)(colon - option) : strlen(option));

	json_object_set_new(options, name, json_string(colon ? colon + 1 : ""));
}

/* The node's: of search and options the last line counts (resolv.conf(5)). */
static void
read_node(struct resolver *r, const char *of_node)
{
	autofree char *copy = xstrdup(of_node);
	char *line, *rest = copy;

	while ((line = strsep(&rest, "\n"))) {
		char *what = NULL, *word;
		bool first = true;

		line[strcspn(line, "#;")] = '\0';
		while ((word = strsep(&line, " \t\r"))) {
			size_t n = strlen(word);

			if (n == 0)
				continue;
			if (!what) {
				what = word;
				continue;
			}
			if (strcmp(what, "nameserver") == 0 && first)
				json_array_append_new(r->servers, json_string(word));
			if (strcmp(what, "search") == 0) {
				if (first)
					json_array_clear(r->searches);
				if (n > 1 && word[n - 1] == '.')
					word[n - 1] = '\0';
				json_array_append_new(r->searches, json_string(word));
			}
			if (strcmp(what, "options") == 0) {
				if (first)
					json_object_clear(r->options);
				set_option(r->options, word);
			}
			first = false;
		}
	}
}

/* ClusterFirst: the cluster's servers, and its names before those of the node. */
static void
cluster_first(struct resolver *r, const struct host *h, const json_t *pod)
{
	autofree char *servers = xstrdup(h->o.cluster_dns);
	autofree char *ns = xasprintf("%s.svc.%s", meta_namespace(pod), cluster_domain(h));
	autofree char *svc = xasprintf("svc.%s", cluster_domain(h));
	json_auto_t *of_node = json_copy(r->searches);
	char *one, *rest = servers;
	json_t *search;
	size_t i;

	json_array_clear(r->servers);
	json_array_clear(r->searches);
	json_object_clear(r->options);
	while ((one = strsep(&rest, ",")))
		json_array_append_new(r->servers, json_string(one));
	add_once(r->searches, ns);
	add_once(r->searches, svc);
	add_once(r->searches, cluster_domain(h));
	json_array_foreach (of_node, i, search)
		add_once(r->searches, str(search, ""));
	set_option(r->options, "ndots:5");
}

static void
merge_config(struct resolver *r, const json_t *config)
{
	json_t *one;
	size_t i;

	json_array_foreach (get(config, "nameservers"), i, one)
		add_once(r->servers, str(one, ""));
	json_array_foreach (get(config, "searches"), i, one)
		add_once(r->searches, str(one, ""));
	json_array_foreach (get(config, "options"), i, one)
		json_object_set_new(r->options, text(one, "name"), json_string(text(one, "value")));
}

static size_t
searches_length(const json_t *searches)
{
	size_t len = 0, i;
	json_t *one;

	json_array_foreach (searches, i, one)
		len += strlen(str(one, "")) + (i > 0);
	return len;
}

static bool
trim(json_t *list, size_t most)
{
	bool cut = json_array_size(list) > most;

	while (json_array_size(list) > most)
		json_array_remove(list, json_array_size(list) - 1);
	return cut;
}

static void
print_words(struct buf *b, const json_t *list)
{
	json_t *one;
	size_t i;

	json_array_foreach (list, i, one)
		buf_printf(b, "%s%s", i ? " " : "", str(one, ""));
}

/* Those behind what fits are left out. */
static void
fit(struct resolver *r, struct buf *why)
{
	bool cut = trim(r->searches, MAX_SEARCHES);

	while (searches_length(r->searches) > MAX_SEARCH_CHARS)
		cut = trim(r->searches, json_array_size(r->searches) - 1);
	if (cut) {
		buf_puts(why, "Search Line limits were exceeded, some search paths have been "
			      "omitted, the applied search line is: ");
		print_words(why, r->searches);
	}
	if (trim(r->servers, MAX_SERVERS)) {
		buf_printf(why,
		    "%sNameserver limits were exceeded, some nameservers have been "
		    "omitted, the applied nameserver line is: ",
		    why->len ? "; " : "");
		print_words(why, r->servers);
	}
}

static char *
print(const struct resolver *r)
{
	autobuf struct buf b = BUF_INIT;
	const char *name;
	json_t *one;
	size_t i;

	buf_puts(&b, "");
	if (json_array_size(r->searches)) {
		buf_puts(&b, "search ");
		print_words(&b, r->searches);
		buf_putc(&b, '\n');
	}
	json_array_foreach (r->servers, i, one)
		buf_printf(&b, "nameserver %s\n", str(one, ""));
	if (json_object_size(r->options)) {
		buf_puts(&b, "options");
		json_object_foreach (r->options, name, one)
			buf_printf(&b, " %s%s%s", name, *str(one, "") ? ":" : "", str(one, ""));
		buf_putc(&b, '\n');
	}
	return buf_detach(&b);
}

char *
pod_resolver(const struct host *h, const json_t *pod, const char *of_node, char **exceeded)
{
	const char *policy = text(pod, "spec", "dnsPolicy");
	json_auto_t *servers = json_array(), *searches = json_array(), *options = json_object();
	struct resolver r = { servers, searches, options };
	autobuf struct buf why = BUF_INIT;
	bool cluster =
	    strcmp(policy, "ClusterFirstWithHostNet") == 0 ||
	    ((!*policy || strcmp(policy, "ClusterFirst") == 0) && !pod_host_network(pod));

	if (strcmp(policy, "None") != 0)
		read_node(&r, of_node);
	if (cluster && h->o.cluster_dns && *h->o.cluster_dns)
		cluster_first(&r, h, pod);
	merge_config(&r, get(pod, "spec", "dnsConfig"));
	fit(&r, &why);
	*exceeded = why.len ? buf_detach(&why) : NULL;
	return print(&r);
}

static void
read_resolver(struct buf *b)
{
	struct err none;

	buf_puts(b, "");
	buf_read_file(b, "/etc/resolv.conf", 1 << 20, &none);
}

char *
names_exceeded(const struct host *h, const json_t *pod)
{
	autobuf struct buf of_node = BUF_INIT;
	autofree char *ignored = NULL;
	char *exceeded;

	read_resolver(&of_node);
	ignored = pod_resolver(h, pod, of_node.data, &exceeded);
	return exceeded;
}

int
names_write(const struct host *h, const json_t *pod, const char *ip, struct err *err)
{
	autofree char *etc = host_path(h, "pods/%s/etc", meta_uid(pod)), *ignored = NULL;
	autofree char *hostname = xasprintf("%s/hostname", etc),
		      *hosts = xasprintf("%s/hosts", etc),
		      *resolver = xasprintf("%s/resolv.conf", etc), *line = NULL, *known = NULL,
		      *asked = NULL;
	autobuf struct buf of_node = BUF_INIT;
	char name[HOSTNAME_TEXT];
	int r;

	if ((r = pod_kernel_name(h, pod, name, err)) < 0 || (r = mkdir_all(etc, 0755, err)) < 0)
		return r;
	read_resolver(&of_node);
	line = xasprintf("%s\n", name);
	known = pod_hosts(h, pod, ip);
	asked = pod_resolver(h, pod, of_node.data, &ignored);
	if ((r = file_write(hostname, line, strlen(line), 0644, err)) < 0 ||
	    (r = file_write(hosts, known, strlen(known), 0644, err)) < 0)
		return r;
	return file_write(resolver, asked, strlen(asked), 0644, err);
}
