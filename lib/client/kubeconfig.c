/* kubeconfig files (client-go's clientcmd loading rules), down to one endpoint. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "base/stream.h"
#include "base/text.h"
#include "client/credential.h"
#include "client/kubeconfig.h"

#define ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"

static void
secret_release(struct secret_file *s)
{
	free(s->path);
	if (s->fd >= 0)
		close(s->fd);
}

void
endpoint_release(struct endpoint *e)
{
	char *const strings[] = { e->server, e->shown, e->unix_path, e->namespace, e->tls_name,
		e->proxy, e->token, e->token_file, e->username, e->password, e->impersonate };

	for (size_t i = 0; i < COUNT(strings); i++)
		free(strings[i]);
	secret_release(&e->ca);
	secret_release(&e->cert);
	secret_release(&e->key);
}

/*
 * Data inside the file becomes a file in memory: curl's GnuTLS backend takes no
 * blobs, and a private key must not land on a disk.
 */
int
secret_from_bytes(struct secret_file *s, const void *data, size_t len, struct err *err)
{
	size_t done = 0;
	int fd = memfd_create("orch-secret", MFD_CLOEXEC);

	while (fd >= 0 && done < len) {
		ssize_t n = write(fd, (const char *)data + done, len - done);

		if (n < 0)
			break;
		done += (size_t)n;
	}
	if (fd < 0 || done < len) {
		err_sys(err, errno, "cannot hold credentials in memory");
		if (fd >= 0)
			close(fd);
		return -(int)err->code;
	}
	secret_release(s);
	*s = (struct secret_file){ xasprintf("/proc/self/fd/%d", fd), fd };
	return 0;
}

/* A relative path in a kubeconfig is relative to that file; "dir" notes where it lies. */
static char *
beside(const json_t *part, const char *path)
{
	const char *dir = text(part, "dir");

	return *path == '/' || !*dir ? xstrdup(path) : xasprintf("%s/%s", dir, path);
}

/* KEY-data holds base64, KEY a path; data wins, as in client-go. */
static int
read_secret(struct secret_file *ret, const json_t *part, const char *key, struct err *err)
{
	autofree char *data_key = xasprintf("%s-data", key);
	const char *data = text(part, data_key), *path = text(part, key);

	if (*data) {
		size_t len;
		autofree unsigned char *bytes = bytes_decode(data, &len);

		if (!bytes)
			return err_set(err, ERR_BAD_REQUEST, "%s is not base64", data_key);
		return secret_from_bytes(ret, (char *)bytes, len, err);
	}
	if (*path) {
		ret->path = beside(part, path);
		if (access(ret->path, R_OK) < 0)
			return err_set(err, ERR_BAD_REQUEST, "cannot read %s '%s': %s", key,
			    ret->path, strerror(errno));
	}
	return 0;
}

static char *
optional(const json_t *part, const char *key)
{
	const char *s = text(part, key);

	return *s ? xstrdup(s) : NULL;
}

int
endpoint_server(struct endpoint *e, const char *url, struct err *err)
{
	size_t len = strlen(url);

	while (len > 0 && url[len - 1] == '/')
		len--;
	if (!text_starts(url, "unix:") && !text_starts(url, "http://") &&
	    !text_starts(url, "https://"))
		return err_set(
		    err, ERR_BAD_REQUEST, "server '%s' is not https://, http:// or unix:PATH", url);
	free(e->server);
	free(e->shown);
	free(e->unix_path);
	e->unix_path = NULL;
	e->shown = xstrndup(url, len);
	if (text_starts(url, "unix:")) {
		url += strlen("unix:");
		while (url[0] == '/' && url[1] == '/')
			url++; /* unix:///run/x is the same as unix:/run/x */
		if (!*url || strlen(url) > 107)
			return err_set(
			    err, ERR_BAD_REQUEST, "server '%s' is no usable socket path", e->shown);
		e->unix_path = xstrdup(url);
		e->server = xstrdup("http://localhost");
	} else {
		e->server = xstrndup(url, len);
	}
	return 0;
}

/* --- reading and merging --------------------------------------------------- */

static int
read_file(json_t **ret, const char *path, struct err *err)
{
	autofclose FILE *f = fopen(path, "re");
	struct stream *in;
	json_t *config = NULL;
	int r;

	if (!f)
		return err_set(
		    err, ERR_BAD_REQUEST, "cannot read kubeconfig '%s': %s", path, strerror(errno));
	in = stream_open(f, path);
	r = stream_read(in, &config, err);
	stream_close(in);
	if (r < 0)
		return err_wrap(err, "cannot read kubeconfig");
	if (r > 0 && !json_is_object(config)) {
		json_decref(config);
		return err_set(err, ERR_BAD_REQUEST, "kubeconfig '%s' holds no mapping", path);
	}
	*ret = r > 0 ? config : json_object();
	return 0;
}

/* The folder of a path, "" for the current one. */
static char *
folder(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? xstrndup(path, (size_t)(slash - path)) : xstrdup("");
}

/* config.clusters[name=N].cluster and its like, into merged.cluster.N unless it is there. */
static void
merge_list(
    json_t *merged, const json_t *config, const char *list, const char *part, const char *dir)
{
	json_t *into = get(merged, part), *item;
	size_t i;

	json_array_foreach (get(config, list), i, item) {
		json_t *value = get(item, part);

		if (!json_is_object(value) || json_object_get(into, text(item, "name")))
			continue;
		json_object_set_new(value, "dir", json_string(dir));
		json_object_set(into, text(item, "name"), value);
	}
}

static void
merge(json_t *merged, const json_t *config, const char *path)
{
	autofree char *dir = folder(path);

	if (!*text(merged, "current-context"))
		json_object_set_new(
		    merged, "current-context", json_string(text(config, "current-context")));
	merge_list(merged, config, "clusters", "cluster", dir);
	merge_list(merged, config, "users", "user", dir);
	merge_list(merged, config, "contexts", "context", dir);
}

/* All files of a ':' list.  Missing ones are skipped when several were named. */
static int
read_files(json_t **ret, const char *paths, struct err *err)
{
	json_auto_t *merged = json_pack(
	    "{s:s, s:{}, s:{}, s:{}}", "current-context", "", "cluster", "user", "context");
	bool several = strchr(paths, ':') != NULL;
	autofree char *copy = xstrdup(paths);
	char *rest = copy, *path;

	while ((path = strsep(&rest, ":"))) {
		json_auto_t *config = NULL;
		int r;

		if (!*path || (several && access(path, F_OK) < 0))
			continue;
		if ((r = read_file(&config, path, err)) < 0)
			return r;
		merge(merged, config, path);
	}
	*ret = steal(merged);
	return 0;
}

/* --- from the merged configuration ------------------------------------------ */

static int
read_cluster(struct endpoint *e, const json_t *cluster, struct err *err)
{
	int r;

	if (!*text(cluster, "server"))
		return err_set(err, ERR_BAD_REQUEST, "it names no server");
	if ((r = endpoint_server(e, text(cluster, "server"), err)) < 0)
		return r;
	e->tls_name = optional(cluster, "tls-server-name");
	e->proxy = optional(cluster, "proxy-url");
	e->insecure = truth(get(cluster, "insecure-skip-tls-verify"));
	return read_secret(&e->ca, cluster, "certificate-authority", err);
}

static int
read_user(struct endpoint *e, const json_t *user, struct err *err)
{
	int r;

	if ((r = read_secret(&e->cert, user, "client-certificate", err)) < 0 ||
	    (r = read_secret(&e->key, user, "client-key", err)) < 0)
		return r;
	e->token = optional(user, "token");
	if (*text(user, "tokenFile"))
		e->token_file = beside(user, text(user, "tokenFile"));
	e->username = optional(user, "username");
	e->password = optional(user, "password");
	e->impersonate = optional(user, "as");
	if (get(user, "exec"))
		return credential_exec(e, get(user, "exec"), text(user, "dir"), err);
	return 0;
}

static int
from_config(struct endpoint *e, const json_t *config, const char *context, struct err *err)
{
	const char *name = context && *context ? context : text(config, "current-context");
	const json_t *ctx = get(config, "context", name), *cluster, *user;
	int r;

	if (!*name && json_object_size(get(config, "cluster")) == 0)
		return err_set(err, ERR_BAD_REQUEST,
		    "no server is configured: use -s URL, ORCH_SERVER or a kubeconfig");
	if (!ctx)
		return err_set(err, ERR_BAD_REQUEST, "the kubeconfig has no context '%s'", name);
	cluster = get(config, "cluster", text(ctx, "cluster"));
	user = get(config, "user", text(ctx, "user"));
	if (!cluster)
		return err_set(err, ERR_BAD_REQUEST,
		    "context '%s': the kubeconfig has no cluster '%s'", name, text(ctx, "cluster"));
	if ((r = read_cluster(e, cluster, err)) < 0)
		return err_wrap(err, "cluster '%s'", text(ctx, "cluster"));
	if (*text(ctx, "namespace")) {
		free(e->namespace);
		e->namespace = xstrdup(text(ctx, "namespace"));
	}
	if (!user && *text(ctx, "user"))
		return err_set(err, ERR_BAD_REQUEST,
		    "context '%s': the kubeconfig has no user '%s'", name, text(ctx, "user"));
	if (user && (r = read_user(e, user, err)) < 0)
		return err_wrap(err, "user '%s'", text(ctx, "user"));
	return 0;
}

/* Inside a pod: the service account that the kubelet mounts. */
static int
from_pod(struct endpoint *e, const char *host, struct err *err)
{
	const char *port = getenv("KUBERNETES_SERVICE_PORT");
	autofree char *url = xasprintf(
	    strchr(host, ':') ? "https://[%s]:%s" : "https://%s:%s", host, port ? port : "443");
	autobuf struct buf ns = BUF_INIT;
	struct err ignored;

	e->token_file = xstrdup(ACCOUNT "/token");
	e->ca.path = xstrdup(ACCOUNT "/ca.crt");
	if (buf_read_file(&ns, ACCOUNT "/namespace", 256, &ignored) == 0 && ns.len > 0) {
		free(e->namespace);
		e->namespace = buf_detach(&ns);
		e->namespace[strcspn(e->namespace, "\n")] = '\0';
	}
	return endpoint_server(e, url, err);
}

static int
from_files(struct endpoint *e, const struct client_options *o, const char *paths, struct err *err)
{
	json_auto_t *config = NULL;
	int r;

	if ((r = read_files(&config, paths, err)) < 0)
		return r;
	return from_config(e, config, o->context, err);
}

static int
resolve(struct endpoint *e, const struct client_options *o, struct err *err)
{
	const char *env_server = getenv("ORCH_SERVER"), *files = getenv("KUBECONFIG");
	const char *home = getenv("HOME"), *pod = getenv("KUBERNETES_SERVICE_HOST");
	bool named = o->kubeconfig || o->context;
	autofree char *standard = xasprintf("%s/.kube/config", home ? home : "");
	int r;

	if (o->server && !named)
		return endpoint_server(e, o->server, err);
	if (!named && env_server && *env_server)
		return endpoint_server(e, env_server, err);
	if (!o->kubeconfig && !(files && *files) && access(standard, F_OK) < 0 && !o->context) {
		if (pod && access(ACCOUNT "/token", R_OK) == 0)
			return from_pod(e, pod, err);
		return err_set(err, ERR_BAD_REQUEST,
		    "no server is configured: use -s URL, ORCH_SERVER or a kubeconfig");
	}
	if (o->kubeconfig)
		r = from_files(e, o, o->kubeconfig, err);
	else
		r = from_files(e, o, files && *files ? files : standard, err);
	if (r == 0 && o->server)
		r = endpoint_server(e, o->server, err);
	return r;
}

int
endpoint_resolve(struct endpoint *ret, const struct client_options *o, struct err *err)
{
	struct endpoint e = { .ca.fd = -1, .cert.fd = -1, .key.fd = -1 };
	int r;

	e.namespace = xstrdup("default");
	if ((r = resolve(&e, o, err)) < 0) {
		endpoint_release(&e);
		return r;
	}
	*ret = e;
	return 0;
}
