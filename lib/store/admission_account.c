/*
 * ServiceAccount: a Pod runs as an account that exists, with a token of it, and pulls images with
 * the account's secrets.
 */
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/admission.h"

#define TOKEN_FOLDER "/var/run/secrets/kubernetes.io/serviceaccount"
#define TOKEN_VOLUME "kube-api-access-"

/* How long the loop that makes the "default" account of a new namespace is waited for, in s. */
static const double patience = 1;
enum { NAP = 10000 }; /* microseconds of a worker, then others have their turn */

static const char *const lists[] = { "initContainers", "containers", "ephemeralContainers" };

static bool
mirror(const struct admission *a)
{
	return meta_annotation(a->obj, "kubernetes.io/config.mirror");
}

/* Of updates only ephemeral containers matter: the rest cannot change any more. */
static bool
matters(const struct admission *a)
{
	return a->op == OP_CREATE ? !*a->sub : strcmp(a->sub, "ephemeralcontainers") == 0;
}

/* --- the account --- */

/* The whole call again, when others have had their turn. */
static int
come_again(struct admission *a)
{
	struct call *c = a->c;

	object_unref(c->old);
	c->old = NULL;
	usleep(NAP);
	call_defer(c, c->run);
	return -1;
}

/* The Pod's account into *ret, new; waits for one that is about to be made. */
static int
find_account(struct admission *a, bool wait, json_t **ret)
{
	const char *name = text(a->obj, "spec", "serviceAccountName");
	const char *ns = a->c->target.namespace;

	*ret = admission_get(a, "", "ServiceAccount", ns, name);
	if (*ret)
		return 0;
	if (wait && strcmp(name, "default") == 0 && clock_monotonic() < a->c->began + patience)
		return come_again(a);
	return admission_forbid(a,
	    "error looking up service account %s/%s: serviceaccount \"%s\" not found", ns, name,
	    name);
}

/* --- secrets that a Pod names --- */

/* The name of the secret behind a volume, "" for none. */
static const char *
volume_secret(const json_t *volume)
{
	static const char *const kinds[] = { "cephfs", "cinder", "flexVolume", "iscsi", "rbd",
		"scaleIO", "storageos" };
	const char *name;

	if (*(name = text(volume, "secret", "secretName")) ||
	    *(name = text(volume, "azureFile", "secretName")) ||
	    *(name = text(volume, "csi", "nodePublishSecretRef", "name")))
		return name;
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (*(name = text(volume, kinds[i], "secretRef", "name")))
			return name;
	return "";
}

static bool
projects(const json_t *volumes, const char *what)
{
	json_t *v, *source;
	size_t i, k;

	json_array_foreach (volumes, i, v)
		json_array_foreach (get(v, "projected", "sources"), k, source)
			if (get(source, what))
				return true;
	return false;
}

static bool
names_secrets(const json_t *spec)
{
	json_t *item, *e;
	size_t i, k;

	if (json_array_size(get(spec, "imagePullSecrets")) > 0 ||
	    projects(get(spec, "volumes"), "secret"))
		return true;
	json_array_foreach (get(spec, "volumes"), i, item)
		if (*volume_secret(item))
			return true;
	for (size_t l = 0; l < COUNT(lists); l++)
		json_array_foreach (get(spec, lists[l]), i, item) {
			json_array_foreach (get(item, "env"), k, e)
				if (get(e, "valueFrom", "secretKeyRef"))
					return true;
			json_array_foreach (get(item, "envFrom"), k, e)
				if (get(e, "secretRef"))
					return true;
		}
	return false;
}

static int
check_mirror(struct admission *a)
{
	const json_t *spec = get(a->obj, "spec");

	if (*text(spec, "serviceAccountName"))
		return admission_forbid(a, "a mirror pod may not reference service accounts");
	if (names_secrets(spec))
		return admission_forbid(a, "a mirror pod may not reference secrets");
	if (projects(get(spec, "volumes"), "serviceAccountToken"))
		return admission_forbid(
		    a, "a mirror pod may not use ServiceAccountToken volume projections");
	return 0;
}

/* --- an account that lists the secrets its Pods may name --- */

static bool
strict(const json_t *account)
{
	static const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True", NULL };
	const char *v = meta_annotation(account, "kubernetes.io/enforce-mountable-secrets");

	return v && text_in(v, yes);
}

static bool
listed(const json_t *list, const char *name)
{
	json_t *item;
	size_t i;

	json_array_foreach (list, i, item)
		if (strcmp(text(item, "name"), name) == 0)
			return true;
	return false;
}

#define NOT_REFERENCED                                                                             \
	"referencing secret.secretName=\"%s\" is not allowed because service account %s does not " \
	"reference that secret"

static int
check_environment(
    struct admission *a, const json_t *account, const json_t *container, const char *what)
{
	const json_t *allowed = get(account, "secrets");
	const char *name, *who = text(container, "name");
	json_t *e;
	size_t i;

	json_array_foreach (get(container, "env"), i, e) {
		if (!get(e, "valueFrom", "secretKeyRef"))
			continue;
		name = text(e, "valueFrom", "secretKeyRef", "name");
		if (!listed(allowed, name))
			return admission_forbid(a, "%s %s with envVar %s " NOT_REFERENCED, what,
			    who, text(e, "name"), name, meta_name(account));
	}
	json_array_foreach (get(container, "envFrom"), i, e) {
		if (!get(e, "secretRef"))
			continue;
		name = text(e, "secretRef", "name");
		if (!listed(allowed, name))
			return admission_forbid(a, "%s %s with envFrom " NOT_REFERENCED, what, who,
			    name, meta_name(account));
	}
	return 0;
}

static int
check_secrets(struct admission *a, const json_t *account)
{
	static const char *const what[] = { "init container", "container", "ephemeral container" };
	const json_t *spec = get(a->obj, "spec");
	json_t *item;
	size_t i;

	json_array_foreach (get(spec, "volumes"), i, item) {
		const char *name = text(item, "secret", "secretName");

		if (get(item, "secret") && !listed(get(account, "secrets"), name))
			return admission_forbid(a,
			    "volume with secret.secretName=\"%s\" is not allowed because service "
			    "account %s does not reference that secret",
			    name, meta_name(account));
	}
	for (size_t l = 0; l < COUNT(lists); l++)
		json_array_foreach (get(spec, lists[l]), i, item)
			if (check_environment(a, account, item, what[l]) < 0)
				return -1;
	json_array_foreach (get(spec, "imagePullSecrets"), i, item)
		if (!listed(get(account, "imagePullSecrets"), text(item, "name")))
			return admission_forbid(a,
			    "imagePullSecrets[%zu].name=\"%s\" is not allowed because service "
			    "account %s does not reference that imagePullSecret",
			    i, text(item, "name"), meta_name(account));
	return 0;
}

/* --- the token --- */

static bool
wants_token(const json_t *account, const json_t *pod)
{
	const json_t *own = get(pod, "spec", "automountServiceAccountToken");
	const json_t *theirs = get(account, "automountServiceAccountToken");

	return own ? json_is_true(own) : !theirs || json_is_true(theirs);
}

/* The token, the certificates to check the API server by, and the namespace. */
static json_t *
token_volume(const char *name)
{
	return json_pack("{s:s, s:{s:[{s:{s:i, s:s}}, {s:{s:s, s:[{s:s, s:s}]}}, "
			 "{s:{s:[{s:s, s:{s:s, s:s}}]}}], s:i}}",
	    "name", name, "projected", "sources", "serviceAccountToken", "expirationSeconds", 3607,
	    "path", "token", "configMap", "name", "kube-root-ca.crt", "items", "key", "ca.crt",
	    "path", "ca.crt", "downwardAPI", "items", "path", "namespace", "fieldRef", "apiVersion",
	    "v1", "fieldPath", "metadata.namespace", "defaultMode", 0644);
}

static bool
mounts(const json_t *container, const char *path)
{
	json_t *m;
	size_t i;

	json_array_foreach (get(container, "volumeMounts"), i, m)
		if (strcmp(text(m, "mountPath"), path) == 0)
			return true;
	return false;
}

/* Mounts it in all containers of a list that have nothing at its place; were there any? */
static bool
mount_token(json_t *containers, const char *volume)
{
	bool any = false;
	json_t *c;
	size_t i;

	json_array_foreach (containers, i, c) {
		if (mounts(c, TOKEN_FOLDER))
			continue;
		if (!get(c, "volumeMounts"))
			json_object_set_new(c, "volumeMounts", json_array());
		json_array_append_new(
		    get(c, "volumeMounts"), json_pack("{s:s, s:b, s:s}", "name", volume, "readOnly",
						true, "mountPath", TOKEN_FOLDER));
		any = true;
	}
	return any;
}

static void
give_token(json_t *pod)
{
	json_t *spec = json_object_get(pod, "spec"), *v;
	autofree char *name = NULL;
	bool needed, there = false;
	size_t i;

	json_array_foreach (get(spec, "volumes"), i, v)
		if (strncmp(text(v, "name"), TOKEN_VOLUME, strlen(TOKEN_VOLUME)) == 0) {
			there = true;
			name = xstrdup(text(v, "name"));
			break;
		}
	if (!there)
		name = name_generate(TOKEN_VOLUME);
	needed = mount_token(get(spec, "initContainers"), name);
	needed = mount_token(get(spec, "containers"), name) || needed;
	if (there || !needed)
		return;
	if (!get(spec, "volumes"))
		json_object_set_new(spec, "volumes", json_array());
	json_array_append_new(get(spec, "volumes"), token_volume(name));
}

/* --- the plugin --- */

static void
set_default(json_t *pod)
{
	json_t *spec = json_object_get(pod, "spec");

	if (*text(spec, "serviceAccountName"))
		return;
	json_object_set_new(spec, "serviceAccountName", json_string("default"));
	json_object_set_new(spec, "serviceAccount", json_string("default"));
}

int
service_account_mutate(struct admission *a)
{
	json_auto_t *account = NULL;
	json_t *secrets;

	if (!matters(a) || a->op == OP_UPDATE)
		return matters(a) ? service_account_validate(a) : 0;
	if (mirror(a))
		return check_mirror(a);
	set_default(a->obj);
	if (find_account(a, true, &account) < 0)
		return -1;
	if (wants_token(account, a->obj))
		give_token(a->obj);
	secrets = get(account, "imagePullSecrets");
	if (!json_array_size(get(a->obj, "spec", "imagePullSecrets")) && json_array_size(secrets))
		put(a->obj, json_incref(secrets), "spec", "imagePullSecrets");
	return strict(account) ? check_secrets(a, account) : 0;
}

int
service_account_validate(struct admission *a)
{
	json_auto_t *account = NULL;

	if (!matters(a))
		return 0;
	if (mirror(a))
		return check_mirror(a);
	if (!*text(a->obj, "spec", "serviceAccountName"))
		return admission_forbid(a, "no service account specified for pod %s/%s",
		    a->c->target.namespace, meta_name(a->obj));
	if (find_account(a, false, &account) < 0)
		return -1;
	return strict(account) ? check_secrets(a, account) : 0;
}
