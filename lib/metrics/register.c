/* Making oneself known to an API server. */
#include "metrics/register.h"

#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "base/log.h"
#include "base/mem.h"
#include "metrics/object.h"

#define API_SERVICE METRICS_VERSION "." METRICS_GROUP
#define MANAGER "orch-metrics"

static const struct kind *
kind_of_service(void)
{
	return kind_find("", "v1", "Service");
}

static const struct kind *
kind_of_api(void)
{
	return kind_find("apiregistration.k8s.io", "v1", "APIService");
}

static json_t *
base64(const char *text)
{
	gnutls_datum_t in = { (unsigned char *)text, (unsigned)strlen(text) }, out;
	json_t *v;

	if (gnutls_base64_encode2(&in, &out) < 0)
		abort();
	v = json_stringn((char *)out.data, out.size);
	gnutls_free(out.data);
	return v;
}

static int
apply(struct client *c, const struct kind *k, const char *ns, json_t *obj, struct err *err)
{
	json_auto_t *taken = obj;
	int r = client_patch(c, k, ns, meta_name(obj), NULL, "application/apply-patch+yaml", taken,
	    "fieldManager=" MANAGER, NULL, err);

	return r < 0 ? err_wrap(err, "%s '%s'", k->kind, meta_name(obj)) : 0;
}

int
metrics_register(struct client *c, const char *host, int port, const char *ca, struct err *err)
{
	static const char *const managed = "app.kubernetes.io/managed-by";
	json_t *service =
	    json_pack("{s:s, s:s, s:{s:s, s:s, s:{s:s}}, s:{s:s, s:s}}", "apiVersion", "v1", "kind",
		"Service", "metadata", "name", METRICS_SERVICE, "namespace", METRICS_NAMESPACE,
		"labels", managed, MANAGER, "spec", "type", "ExternalName", "externalName", host);
	json_t *api;
	int r = apply(c, kind_of_service(), METRICS_NAMESPACE, service, err);

	if (r < 0)
		return r;
	api = json_pack(
	    "{s:s, s:s, s:{s:s, s:{s:s}}, s:{s:s, s:s, s:i, s:i, s:o, s:{s:s, s:s, s:i}}}",
	    "apiVersion", "apiregistration.k8s.io/v1", "kind", "APIService", "metadata", "name",
	    API_SERVICE, "labels", managed, MANAGER, "spec", "group", METRICS_GROUP, "version",
	    METRICS_VERSION, "groupPriorityMinimum", 100, "versionPriority", 100, "caBundle",
	    base64(ca), "service", "namespace", METRICS_NAMESPACE, "name", METRICS_SERVICE, "port",
	    port);
	return apply(c, kind_of_api(), NULL, api, err);
}

static void
delete_it(struct client *c, const struct kind *k, const char *ns, const json_t *obj)
{
	json_auto_t *options = json_pack("{s:s, s:s, s:{s:s}}", "apiVersion", "v1", "kind",
	    "DeleteOptions", "preconditions", "uid", meta_uid(obj));
	struct err err;

	if (client_delete(c, k, ns, meta_name(obj), options, NULL, &err) < 0 &&
	    err.code != ERR_NOT_FOUND)
		log_line("cannot take %s '%s' away: %s", k->kind, meta_name(obj), err.msg);
}

/* One of ours: gets the object (new), or NULL.  False: the server does not answer. */
static bool
find(struct client *c, const struct kind *k, const char *ns, const char *name, json_t **ret)
{
	struct err err;

	*ret = NULL;
	return client_get(c, k, ns, name, ret, &err) == 0 || err.code == ERR_NOT_FOUND ||
	       err.code == ERR_FORBIDDEN;
}

void
metrics_unregister(struct client *c)
{
	json_auto_t *api = NULL, *service = NULL;

	if (!find(c, kind_of_api(), NULL, API_SERVICE, &api) ||
	    !find(c, kind_of_service(), METRICS_NAMESPACE, METRICS_SERVICE, &service))
		return; /* the next one puts it right */
	if (strcmp(text(api, "spec", "service", "name"), METRICS_SERVICE) == 0 &&
	    strcmp(text(api, "spec", "service", "namespace"), METRICS_NAMESPACE) == 0)
		delete_it(c, kind_of_api(), NULL, api);
	if (service)
		delete_it(c, kind_of_service(), METRICS_NAMESPACE, service);
}

/* --- who speaks for others -------------------------------------------------------------------- */

static json_t *
words(const json_t *data, const char *key)
{
	json_t *v = json_loads(text(data, key), 0, NULL);

	if (json_is_array(v))
		return v;
	json_decref(v);
	return json_array();
}

int
metrics_front_read(struct client *c, const char *ca, struct metrics_front *ret, struct err *err)
{
	static const char name[] = "extension-apiserver-authentication";
	json_auto_t *map = NULL;
	const json_t *data;
	const char *pem;
	int r;

	if ((r = client_get(c, kind_find("", "v1", "ConfigMap"), "kube-system", name, &map, err)) <
	    0)
		return r;
	data = json_object_get(map, "data");
	pem = text(data, "requestheader-client-ca-file");
	if (!*pem)
		return err_set(err, ERR_UNAVAILABLE,
		    "ConfigMap 'kube-system/%s' has no requestheader-client-ca-file", name);
	if ((r = file_replace(ca, pem, strlen(pem), 0600, err)) < 0)
		return r;
	*ret = (struct metrics_front){ .ca = xstrdup(ca),
		.names = words(data, "requestheader-allowed-names"),
		.users = words(data, "requestheader-username-headers") };
	return 0;
}

void
metrics_front_release(struct metrics_front *f)
{
	free(f->ca);
	json_decref(f->names);
	json_decref(f->users);
	*f = (struct metrics_front){ 0 };
}
