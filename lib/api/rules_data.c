/* ConfigMap and Secret (Kubernetes: pkg/apis/core/validation), Lease. */
#include <string.h>

#include "api/golang.h"
#include "api/rules.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "base/text.h"

static const struct path *const top = NULL;

enum { MAX_DATA = 1024 * 1024 };

static size_t
coded_size(const json_t *value)
{
	size_t n = json_string_length(value);
	const char *s = str(value, "");

	return n / 4 * 3 - (n && s[n - 1] == '=') - (n > 1 && s[n - 2] == '=');
}

/* Once immutable is set, neither it nor the data can change. */
static void
check_sealed(struct causes *out, const json_t *obj, const json_t *old, const char *const *keys)
{
	if (!truth(json_object_get(old, "immutable")))
		return;
	if (!truth(json_object_get(obj, "immutable")))
		refuse_forbidden(
		    out, AT(top, "immutable"), "field is immutable when `immutable` is set");
	for (; *keys; keys++)
		if (!same_value(json_object_get(obj, *keys), json_object_get(old, *keys)))
			refuse_forbidden(
			    out, AT(top, *keys), "field is immutable when `immutable` is set");
}

/* --- ConfigMap ------------------------------------------------------------------------------ */

void
config_map_create(struct causes *out, const json_t *obj)
{
	const json_t *data = json_object_get(obj, "data");
	const json_t *binary = json_object_get(obj, "binaryData");
	size_t total = 0;
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)data, key, value) {
		check_config_key(out, KEY(AT(top, "data"), key), key);
		if (json_object_get(binary, key))
			refuse_text(out, KEY(AT(top, "data"), key), key,
			    "duplicate of key present in binaryData");
		total += json_string_length(value);
	}
	json_object_foreach ((json_t *)binary, key, value) {
		check_config_key(out, KEY(AT(top, "binaryData"), key), key);
		total += coded_size(value);
	}
	if (total > MAX_DATA)
		cause_add(out, "FieldValueTooLong", "[]", "Too long: may not be more than %d bytes",
		    MAX_DATA);
}

void
config_map_update(struct causes *out, const json_t *obj, const json_t *old)
{
	static const char *const keys[] = { "data", "binaryData", NULL };

	check_sealed(out, obj, old, keys);
}

/* --- Secret --------------------------------------------------------------------------------- */

typedef void check(struct causes *out, const json_t *obj);

static const json_t *
entry(const json_t *obj, const char *key)
{
	return json_object_get(json_object_get(obj, "data"), key);
}

static void
check_entry(struct causes *out, const json_t *obj, const char *key)
{
	if (!entry(obj, key))
		refuse_required(out, KEY(AT(top, "data"), key), "");
}

static void
account_token(struct causes *out, const json_t *obj)
{
	static const char account[] = "kubernetes.io/service-account.name";
	const char *name = meta_annotation(obj, account);

	if (!name || !*name)
		refuse_required(out, KEY(AT(AT(top, "metadata"), "annotations"), account), "");
}

/* What it holds is JSON, an object; the message must not tell more. */
static void
check_json(struct causes *out, const json_t *obj, const char *key)
{
	static const char hidden[] = "<secret contents redacted>";
	const struct path *at = KEY(AT(top, "data"), key);
	size_t n = 0;
	autofree unsigned char *bytes = NULL;
	json_auto_t *value = NULL;
	char msg[96];

	if (!entry(obj, key)) {
		refuse_required(out, at, "");
		return;
	}
	bytes = bytes_decode(str(entry(obj, key), ""), &n);
	if (go_json_fault(bytes ? (const char *)bytes : "", n, msg)) {
		refuse_text(out, at, hidden, "%s", msg);
		return;
	}
	value = json_loadb((const char *)bytes, n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	if (value && !json_is_object(value) && !json_is_null(value))
		refuse_text(out, at, hidden,
		    "json: cannot unmarshal %s into Go value of type map[string]interface {}",
		    go_json_type(value));
}

static void
docker_config(struct causes *out, const json_t *obj)
{
	check_json(out, obj, ".dockercfg");
}

static void
docker_config_json(struct causes *out, const json_t *obj)
{
	check_json(out, obj, ".dockerconfigjson");
}

static void
basic_auth(struct causes *out, const json_t *obj)
{
	if (entry(obj, "username") || entry(obj, "password"))
		return;
	check_entry(out, obj, "username");
	check_entry(out, obj, "password");
}

static void
ssh_auth(struct causes *out, const json_t *obj)
{
	if (!*str(entry(obj, "ssh-privatekey"), ""))
		refuse_required(out, KEY(AT(top, "data"), "ssh-privatekey"), "");
}

static void
tls(struct causes *out, const json_t *obj)
{
	check_entry(out, obj, "tls.crt");
	check_entry(out, obj, "tls.key");
}

void
secret_create(struct causes *out, const json_t *obj)
{
	static const struct {
		const char *type;
		check *run;
	} types[] = {
		{ "kubernetes.io/service-account-token", account_token },
		{ "kubernetes.io/dockercfg", docker_config },
		{ "kubernetes.io/dockerconfigjson", docker_config_json },
		{ "kubernetes.io/basic-auth", basic_auth },
		{ "kubernetes.io/ssh-auth", ssh_auth },
		{ "kubernetes.io/tls", tls },
	};
	size_t total = 0;
	const char *key;
	json_t *value;

	json_object_foreach (json_object_get(obj, "data"), key, value) {
		check_config_key(out, KEY(AT(top, "data"), key), key);
		total += coded_size(value);
	}
	if (total > MAX_DATA)
		refuse_too_long(out, AT(top, "data"), MAX_DATA);
	for (size_t i = 0; i < COUNT(types); i++)
		if (!strcmp(text(obj, "type"), types[i].type))
			types[i].run(out, obj);
}

void
secret_update(struct causes *out, const json_t *obj, const json_t *old)
{
	static const char *const keys[] = { "data", NULL };

	if (strcmp(text(obj, "type"), text(old, "type")))
		refuse_text(out, AT(top, "type"), text(obj, "type"), "field is immutable");
	check_sealed(out, obj, old, keys);
}

/* --- Lease ---------------------------------------------------------------------------------- */

static void
check_strategy(struct causes *out, const struct path *at, const char *strategy)
{
	static const char *const known[] = { "OldestEmulationVersion", NULL };

	if (strchr(strategy, '/'))
		check_qualified_name(out, AT(at, "strategy"), strategy);
	else if (*strategy && !text_in(strategy, known))
		refuse_unsupported(out, AT(at, "strategy"), strategy, known);
}

void
lease_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec");
	const struct path *at = AT(top, "spec");

	const json_t *duration = json_object_get(spec, "leaseDurationSeconds");

	if (duration && num(duration, 0) <= 0)
		refuse_value(
		    out, AT(at, "leaseDurationSeconds"), duration, "must be greater than 0");
	check_not_negative(out, at, spec, "leaseTransitions");
	check_strategy(out, AT(at, "strategy"), text(spec, "strategy"));
	if (*text(spec, "preferredHolder") && !*text(spec, "strategy"))
		refuse_forbidden(out, AT(at, "preferredHolder"),
		    "may only be specified if `strategy` is defined");
}
