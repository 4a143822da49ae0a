/* What volumes and environments are filled from: ConfigMaps, Secrets, the pod's own fields
 * (volume.h). */
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "api/quantity.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/machine.h"
#include "node/volume_private.h"

static void
want(json_t *sources, const char *kind, const json_t *name)
{
	if (json_is_string(name)) {
		autofree char *ref = xasprintf("%s/%s", kind, json_string_value(name));

		json_object_set_new(sources, ref, json_null());
	}
}

char *
token_ref(const json_t *projection)
{
	return xasprintf("Token/%lld/%s",
	    (long long)num(get(projection, "expirationSeconds"), TOKEN_SECONDS),
	    text(projection, "audience"));
}

static void
want_token(json_t *sources, const json_t *projection)
{
	autofree char *ref = projection ? token_ref(projection) : NULL;

	if (ref)
		json_object_set_new(sources, ref, json_null());
}

static void
want_environment(json_t *sources, const json_t *containers)
{
	json_t *c, *e;
	size_t i, k;

	json_array_foreach (containers, i, c) {
		json_array_foreach (get(c, "envFrom"), k, e) {
			want(sources, "ConfigMap", get(e, "configMapRef", "name"));
			want(sources, "Secret", get(e, "secretRef", "name"));
		}
		json_array_foreach (get(c, "env"), k, e) {
			want(sources, "ConfigMap", get(e, "valueFrom", "configMapKeyRef", "name"));
			want(sources, "Secret", get(e, "valueFrom", "secretKeyRef", "name"));
		}
	}
}

static void
want_volumes(json_t *sources, const json_t *volumes)
{
	json_t *v, *part;
	size_t i, k;

	json_array_foreach (volumes, i, v) {
		want(sources, "ConfigMap", get(v, "configMap", "name"));
		want(sources, "Secret", get(v, "secret", "secretName"));
		json_array_foreach (get(v, "projected", "sources"), k, part) {
			want(sources, "ConfigMap", get(part, "configMap", "name"));
			want(sources, "Secret", get(part, "secret", "name"));
			want_token(sources, get(part, "serviceAccountToken"));
		}
	}
}

json_t *
volume_sources(const json_t *pod)
{
	json_t *sources = json_object();

	want_volumes(sources, get(pod, "spec", "volumes"));
	return sources;
}

json_t *
pod_sources(const json_t *pod)
{
	json_t *sources = volume_sources(pod), *v;
	size_t i;

	want_environment(sources, get(pod, "spec", "initContainers"));
	want_environment(sources, get(pod, "spec", "containers"));
	want_environment(sources, get(pod, "spec", "ephemeralContainers"));
	json_array_foreach (get(pod, "spec", "imagePullSecrets"), i, v)
		want(sources, "Secret", get(v, "name"));
	claim_sources(sources, pod);
	return sources;
}

static bool
decode(const char *base64, struct buf *out)
{
	gnutls_datum_t in = { (unsigned char *)base64, (unsigned)strlen(base64) }, raw;

	if (in.size == 0)
		return true;
	if (gnutls_base64_decode2(&in, &raw) < 0)
		return false;
	buf_add(out, raw.data, raw.size);
	gnutls_free(raw.data);
	return true;
}

int
source_value(
    const json_t *sources, const char *kind, const char *name, const char *key, struct buf *out)
{
	autofree char *ref = xasprintf("%s/%s", kind, name);
	json_t *obj = json_object_get(sources, ref), *value;

	if (strcmp(kind, "ConfigMap") == 0 && (value = get(obj, "data", key))) {
		buf_puts(out, str(value, ""));
		return 1;
	}
	value =
	    strcmp(kind, "ConfigMap") == 0 ? get(obj, "binaryData", key) : get(obj, "data", key);
	if (value)
		return decode(str(value, ""), out);
	return 0;
}

void
secret_complete(json_t *secret)
{
	json_t *value;
	const char *key;

	json_object_foreach (get(secret, "stringData"), key, value) {
		const char *text = str(value, "");
		gnutls_datum_t raw = { (unsigned char *)text, (unsigned)strlen(text) }, b64;

		if (raw.size == 0) {
			put(secret, json_string(""), "data", key);
			continue;
		}
		if (gnutls_base64_encode2(&raw, &b64) < 0)
			abort();
		put(secret, json_stringn((char *)b64.data, b64.size), "data", key);
		gnutls_free(b64.data);
	}
	json_object_del(secret, "stringData");
}

/* metadata.labels whole: key="value" a line, as the downward API writes it. */
static char *
lines(const json_t *map)
{
	autobuf struct buf b = BUF_INIT;
	const char *key;
	json_t *value;

	buf_puts(&b, "");
	json_object_foreach ((json_t *)map, key, value) {
		autofree char *quoted = json_dumps(value, JSON_ENCODE_ANY);

		buf_printf(&b, "%s%s=%s", b.len ? "\n" : "", key, quoted);
	}
	return buf_detach(&b);
}

char *
pod_field(const struct host *h, const json_t *pod, const char *ip, const char *path)
{
	const struct {
		const char *path, *value;
	} plain[] = { { "metadata.name", meta_name(pod) },
		{ "metadata.namespace", meta_namespace(pod) }, { "metadata.uid", meta_uid(pod) },
		{ "spec.nodeName", h->o.name },
		{ "spec.serviceAccountName", text(pod, "spec", "serviceAccountName") },
		{ "status.hostIP", h->o.address ? h->o.address : "" },
		{ "status.hostIPs", h->o.address ? h->o.address : "" }, { "status.podIP", ip },
		{ "status.podIPs", ip } };
	static const char *const maps[] = { "labels", "annotations" };

	for (size_t i = 0; i < COUNT(plain); i++)
		if (strcmp(path, plain[i].path) == 0)
			return xstrdup(plain[i].value);
	for (size_t i = 0; i < COUNT(maps); i++) {
		autofree char *whole = xasprintf("metadata.%s", maps[i]);
		size_t n = strlen(whole);

		if (strcmp(path, whole) == 0)
			return lines(get(pod, "metadata", maps[i]));
		if (strncmp(path, whole, n) == 0 && text_starts(path + n, "['") &&
		    text_ends(path, "']")) {
			autofree char *key = xstrndup(path + n + 2, strlen(path + n) - 4);

			return xstrdup(text(pod, "metadata", maps[i], key));
		}
	}
	return NULL;
}

char *
container_resource(const struct host *h, const json_t *container, const json_t *ref)
{
	const char *resource = text(ref, "resource"), *name = strchr(resource, '.');
	int64_t divisor = get(ref, "divisor") ? quantity_milli(get(ref, "divisor")) : 0, value;
	json_t *group;

	if (!name)
		return NULL;
	group =
	    get(container, "resources", text_starts(resource, "limits") ? "limits" : "requests");
	value = quantity_milli(get(group, name + 1));
	if (value <= 0 && text_starts(resource, "limits")) { /* it may have what the node has */
		json_auto_t *all = machine_allocatable(h);

		value = quantity_milli(get(all, name + 1));
	}
	if (divisor <= 0)
		divisor = 1000;
	return xasprintf("%lld", (long long)(value / divisor + (value % divisor > 0)));
}
