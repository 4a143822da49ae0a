#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/names.h"
#include "node/spec.h"
#include "node/volume.h"

static const char *
lookup(const json_t *env, const char *name, size_t len)
{
	for (size_t i = json_array_size(env); i-- > 0;) {
		const char *pair = str(json_array_get(env, i), "");

		if (strncmp(pair, name, len) == 0 && pair[len] == '=')
			return pair + len + 1;
	}
	return NULL;
}

char *
environment_expand(const char *s, const json_t *env)
{
	autobuf struct buf b = BUF_INIT;

	buf_puts(&b, "");
	while (*s) {
		const char *close = s[0] == '$' && s[1] == '(' ? strchr(s, ')') : NULL;
		const char *value = close ? lookup(env, s + 2, (size_t)(close - s - 2)) : NULL;

		if (s[0] == '$' && s[1] == '$') {
			buf_putc(&b, '$');
			s += 2;
		} else if (value) {
			buf_puts(&b, value);
			s = close + 1;
		} else {
			buf_putc(&b, *s++); /* an unknown name stays as it stands */
		}
	}
	return buf_detach(&b);
}

/* A Secret may hold bytes that are no text: good for a volume, not for an environment. */
static int
check_text(const char *value, const char *kind, const char *name, const char *key, struct err *err)
{
	json_auto_t *ok = json_string(value);

	return ok ? 0
		  : err_set(
			err, ERR_INVALID, "%s '%s', key '%s' is no UTF-8 text", kind, name, key);
}

void
environment_set(json_t *env, const char *name, const char *value)
{
	autofree char *pair = xasprintf("%s=%s", name, value);
	size_t len = strlen(name);
	json_t *item = json_string(pair);

	for (size_t i = 0; i < json_array_size(env); i++) {
		const char *have = str(json_array_get(env, i), "");

		if (strncmp(have, name, len) == 0 && have[len] == '=') {
			json_array_set_new(env, i, item);
			return;
		}
	}
	json_array_append_new(env, item);
}

/* Nobody can say now whether there is one (volume.h): not even an optional one is left out then. */
static int
unknown(const char *kind, const char *name, struct err *err)
{
	return err_set(err, ERR_UNAVAILABLE, "%s '%s' cannot be had now", kind, name);
}

static int
add_from(const struct making_of *m, const json_t *from, json_t *env, struct err *err)
{
	bool secret = get(from, "secretRef") != NULL;
	const json_t *ref = get(from, secret ? "secretRef" : "configMapRef");
	const char *kind = secret ? "Secret" : "ConfigMap", *key;
	autofree char *id = xasprintf("%s/%s", kind, text(ref, "name"));
	json_t *obj = json_object_get(m->sources, id), *value;
	int r;

	if (json_is_true(obj))
		return unknown(kind, text(ref, "name"), err);
	if (!json_is_object(obj))
		return truth(get(ref, "optional")) ? 0
						   : err_set(err, ERR_INVALID, "%s '%s' not found",
							 kind, text(ref, "name"));
	json_object_foreach (get(obj, "data"), key, value) {
		autofree char *name = xasprintf("%s%s", text(from, "prefix"), key);
		autobuf struct buf b = BUF_INIT;

		buf_puts(&b, "");
		source_value(m->sources, kind, text(ref, "name"), key, &b);
		if ((r = check_text(b.data, kind, text(ref, "name"), key, err)) < 0)
			return r;
		environment_set(env, name, b.data);
	}
	return 0;
}

/* valueFrom with a key of a ConfigMap or Secret: 1 a value, 0 none and none is needed. */
static int
keyed(const struct making_of *m, const char *kind, const json_t *ref, struct buf *value,
    struct err *err)
{
	autofree char *id = xasprintf("%s/%s", kind, text(ref, "name"));

	if (source_value(m->sources, kind, text(ref, "name"), text(ref, "key"), value)) {
		int r = check_text(value->data, kind, text(ref, "name"), text(ref, "key"), err);

		return r < 0 ? r : 1;
	}
	if (json_is_true(json_object_get(m->sources, id)))
		return unknown(kind, text(ref, "name"), err);
	if (truth(get(ref, "optional")))
		return 0;
	return err_set(err, ERR_INVALID, "%s '%s' with key '%s' not found", kind, text(ref, "name"),
	    text(ref, "key"));
}

static int
value_from(const struct making_of *m, const json_t *from, struct buf *value, struct err *err)
{
	autofree char *found = NULL;
	const json_t *ref;

	if ((ref = get(from, "configMapKeyRef")))
		return keyed(m, "ConfigMap", ref, value, err);
	if ((ref = get(from, "secretKeyRef")))
		return keyed(m, "Secret", ref, value, err);
	if ((ref = get(from, "fieldRef")))
		found = pod_field(m->host, m->pod, m->ip, text(ref, "fieldPath"));
	else if ((ref = get(from, "resourceFieldRef")))
		found = container_resource(m->host, m->container, ref);
	if (!found)
		return err_set(err, ERR_INVALID, "valueFrom: nothing this node can look up");
	buf_puts(value, found);
	return 1;
}

int
environment_make(const struct making_of *m, json_t **ret, struct err *err)
{
	json_auto_t *env = json_array();
	json_t *e, *from;
	char name[HOSTNAME_TEXT];
	size_t i;
	int r;

	environment_set(
	    env, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	if ((r = pod_kernel_name(m->host, m->pod, name, err)) < 0)
		return r;
	environment_set(env, "HOSTNAME", name);
	if (truth(get(m->container, "tty")))
		environment_set(env, "TERM", "xterm");
	json_array_foreach (get(m->image->config, "config", "Env"), i, e) {
		const char *pair = str(e, ""), *equals = strchr(pair, '=');
		autofree char *key = equals ? xstrndup(pair, (size_t)(equals - pair)) : NULL;

		if (key)
			environment_set(env, key, equals + 1);
	}
	environment_links(env, m->pod, json_object_get(m->sources, "Services"));
	json_array_foreach (get(m->container, "envFrom"), i, e)
		if ((r = add_from(m, e, env, err)) < 0)
			return r;
	json_array_foreach (get(m->container, "env"), i, e) {
		autobuf struct buf b = BUF_INIT;
		autofree char *value = NULL;

		buf_puts(&b, "");
		if ((from = get(e, "valueFrom"))) {
			if ((r = value_from(m, from, &b, err)) < 0)
				return err_wrap(err, "env '%s'", text(e, "name"));
			if (r > 0)
				environment_set(env, text(e, "name"), b.data);
			continue;
		}
		value = environment_expand(text(e, "value"), env);
		environment_set(env, text(e, "name"), value);
	}
	*ret = steal(env);
	return 0;
}
