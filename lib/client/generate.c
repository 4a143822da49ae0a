#include "client/generate.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"

struct generate_options generate_options;

const struct opt generate_opts[] = {
	{ 0, "from-file", "KEY=PATH", "configmap, secret: a file or folder; KEY= can be left out",
	    &generate_options.files, true },
	{ 0, "from-literal", "KEY=VALUE", "configmap, secret: a value", &generate_options.literals,
	    true },
	{ 0, "from-env-file", "PATH", "configmap, secret: lines KEY=VALUE",
	    &generate_options.env_files, true },
	{ 0, "type", "TYPE", "secret, service: its type", &generate_options.type, false },
	{ 0, "cert", "PATH", "secret: a certificate, with --key", &generate_options.cert, false },
	{ 0, "key", "PATH", "secret: its private key", &generate_options.key, false },
	{ 0, "image", "IMAGE", "deployment, job, cronjob: a container's image",
	    &generate_options.images, true },
	{ 0, "replicas", "N", "deployment: how many", &generate_options.replicas, false },
	{ 0, "port", "PORT", "deployment: what the container listens on", &generate_options.port,
	    false },
	{ 0, "schedule", "WHEN", "cronjob: as in '*/5 * * * *'", &generate_options.schedule,
	    false },
	{ 0, "from", "CRONJOB", "job: as cronjob/NAME would make it now", &generate_options.from,
	    false },
	{ 0, "tcp", "PORT:TARGET", "service: a port; :TARGET can be left out",
	    &generate_options.ports, true },
	{ 0, "clusterip", "IP", "service: its address, or None", &generate_options.cluster_ip,
	    false },
	{ 0, "external-name", "HOST", "service: of type ExternalName",
	    &generate_options.external_name, false },
	{ 0 },
};

struct wish {
	const struct kind *kind;
	const char *name;
	const char *type; /* of kubectl's second word, or NULL */
	char *const *command;
	int ncommand;
};

/* --- parts -------------------------------------------------------------------------------- */

static json_t *
manifest(const struct wish *w)
{
	char version[128];

	return json_pack("{s:s, s:s, s:{s:s}}", "apiVersion", kind_api_version(w->kind, version),
	    "kind", w->kind->kind, "metadata", "name", w->name);
}

static int
number(const char *option, const char *value, long long max, json_t **ret, struct err *err)
{
	long long n;

	if (!text_int(value, &n) || n < 0 || n > max)
		return err_set(err, ERR_BAD_REQUEST, "--%s: '%s' is not a number from 0 to %lld",
		    option, value, max);
	*ret = json_integer(n);
	return 0;
}

/* "registry:5000/team/web:1.2@sha256:..." is called "web". */
static char *
container_name(const char *image)
{
	const char *slash = strrchr(image, '/'), *base = slash ? slash + 1 : image;
	char *name = xstrndup(base, strcspn(base, ":@")), *end;

	for (char *p = name; *p; p++)
		*p = isalnum((unsigned char)*p) ? (char)tolower((unsigned char)*p) : '-';
	for (end = name + strlen(name); end > name && end[-1] == '-'; end--)
		end[-1] = '\0';
	return name;
}

static json_t *
container(const struct wish *w, const char *name, const char *image)
{
	json_t *c = json_pack("{s:s, s:s}", "name", name, "image", image), *command;

	if (w->ncommand == 0)
		return c;
	command = json_array();
	for (int i = 0; i < w->ncommand; i++)
		json_array_append_new(command, json_string(w->command[i]));
	json_object_set_new(c, "command", command);
	return c;
}

/* --- kinds -------------------------------------------------------------------------------- */

static int
make_plain(const struct wish *w, json_t *obj, struct err *err)
{
	(void)w, (void)obj, (void)err;
	return 0;
}

static int
make_configmap(const struct wish *w, json_t *obj, struct err *err)
{
	(void)w;
	return generate_data(obj, false, err);
}

static int
make_secret(const struct wish *w, json_t *obj, struct err *err)
{
	const struct generate_options *o = &generate_options;
	const char *type = o->type ? o->type : w->type;

	if (!o->cert != !o->key)
		return err_set(err, ERR_BAD_REQUEST, "--cert and --key go together");
	if (!type)
		type = o->cert ? "kubernetes.io/tls" : "Opaque";
	json_object_set_new(obj, "type", json_string(type));
	return generate_data(obj, true, err);
}

static int
make_deployment(const struct wish *w, json_t *obj, struct err *err)
{
	const struct generate_options *o = &generate_options;
	json_t *containers = json_array(), *spec, *n;

	if (o->images.n > 1 && w->ncommand > 0) {
		json_decref(containers);
		return err_set(err, ERR_BAD_REQUEST, "a command goes with one --image only");
	}
	for (size_t i = 0; i < o->images.n; i++) {
		autofree char *name = container_name(o->images.item[i]);

		json_array_append_new(containers, container(w, name, o->images.item[i]));
	}
	put(obj, json_string(w->name), "metadata", "labels", "app");
	spec = json_pack("{s:i, s:{s:{s:s}}, s:{s:{s:{s:s}}, s:{s:o}}}", "replicas", 1, "selector",
	    "matchLabels", "app", w->name, "template", "metadata", "labels", "app", w->name, "spec",
	    "containers", containers);
	json_object_set_new(obj, "spec", spec);
	if (o->replicas) {
		if (number("replicas", o->replicas, 2147483647, &n, err) < 0)
			return -ERR_BAD_REQUEST;
		json_object_set_new(spec, "replicas", n);
	}
	if (o->port) {
		if (number("port", o->port, 65535, &n, err) < 0)
			return -ERR_BAD_REQUEST;
		json_object_set_new(json_array_get(containers, 0), "ports",
		    json_pack("[{s:o}]", "containerPort", n));
	}
	return 0;
}

static json_t *
job_spec(const struct wish *w, const char *restart)
{
	return json_pack("{s:{s:{s:[o], s:s}}}", "template", "spec", "containers",
	    container(w, w->name, generate_options.images.item[0]), "restartPolicy", restart);
}

static int
make_job(const struct wish *w, json_t *obj, struct err *err)
{
	if (generate_options.images.n != 1)
		return err_set(err, ERR_BAD_REQUEST, "one --image is needed, or --from");
	json_object_set_new(obj, "spec", job_spec(w, "Never"));
	return 0;
}

static int
make_cronjob(const struct wish *w, json_t *obj, struct err *err)
{
	const struct generate_options *o = &generate_options;

	if (o->images.n != 1 || !o->schedule)
		return err_set(err, ERR_BAD_REQUEST, "--schedule and one --image are needed");
	json_object_set_new(obj, "spec",
	    json_pack("{s:s, s:{s:o}}", "schedule", o->schedule, "jobTemplate", "spec",
		job_spec(w, "OnFailure")));
	return 0;
}

/* PORT[:TARGET]; a target may be a port's name. */
static json_t *
service_port(const char *text)
{
	const char *colon = strchr(text, ':'), *to = colon ? colon + 1 : text;
	autofree char *from = xstrndup(text, strcspn(text, ":"));
	autofree char *name = colon ? xasprintf("%s-%s", from, to) : xstrdup(from);
	long long port, target;

	if (!text_int(from, &port) || port < 1 || port > 65535 || !*to)
		return NULL;
	return json_pack("{s:s, s:I, s:s, s:o}", "name", name, "port", (json_int_t)port, "protocol",
	    "TCP", "targetPort", text_int(to, &target) ? json_integer(target) : json_string(to));
}

/* In any case, as kubectl's second word has it. */
static const char *
service_type(const char *word)
{
	static const char *const types[] = { "ClusterIP", "NodePort", "LoadBalancer",
		"ExternalName" };

	for (size_t i = 0; i < COUNT(types); i++)
		if (strcasecmp(types[i], word) == 0)
			return types[i];
	return NULL;
}

static int
make_service(const struct wish *w, json_t *obj, struct err *err)
{
	const struct generate_options *o = &generate_options;
	const char *word = o->type ? o->type : w->type ? w->type : NULL;
	const char *type = word		      ? service_type(word)
			   : o->external_name ? "ExternalName"
					      : "ClusterIP";
	json_t *spec = json_pack("{s:s*, s:{s:s}}", "type", type, "selector", "app", w->name);

	put(obj, json_string(w->name), "metadata", "labels", "app");
	json_object_set_new(obj, "spec", spec);
	if (!type)
		return err_set(err, ERR_BAD_REQUEST,
		    "--type: '%s' is none of ClusterIP, NodePort, LoadBalancer, ExternalName",
		    word);
	if (!o->external_name == (strcmp(type, "ExternalName") == 0))
		return err_set(
		    err, ERR_BAD_REQUEST, "--external-name and --type=ExternalName go together");
	if (o->external_name)
		json_object_set_new(spec, "externalName", json_string(o->external_name));
	if (o->cluster_ip)
		json_object_set_new(spec, "clusterIP", json_string(o->cluster_ip));
	for (size_t i = 0; i < o->ports.n; i++) {
		json_t *port = service_port(o->ports.item[i]);

		if (!port)
			return err_set(err, ERR_BAD_REQUEST,
			    "--tcp: '%s' is no PORT or PORT:TARGET", o->ports.item[i]);
		if (!get(spec, "ports"))
			json_object_set_new(spec, "ports", json_array());
		json_array_append_new(get(spec, "ports"), port);
	}
	return 0;
}

/* --- which -------------------------------------------------------------------------------- */

enum {
	DATA = 1,
	TYPE = 2,
	TLS = 4,
	IMAGE = 8,
	SCALE = 16,
	SCHEDULE = 32,
	FROM = 64,
	SERVICE = 128,
	COMMAND = 256,
};

static const struct generator {
	const char *kind, *group;
	unsigned takes, needs;
	int (*make)(const struct wish *w, json_t *obj, struct err *err);
	const char *subtypes[6]; /* kubectl's second word and what type it means */
} generators[] = {
	{ "Namespace", "", 0, 0, make_plain, { NULL } },
	{ "ServiceAccount", "", 0, 0, make_plain, { NULL } },
	{ "ConfigMap", "", DATA, 0, make_configmap, { NULL } },
	{ "Secret", "", DATA | TYPE | TLS, 0, make_secret, { "generic", "tls", NULL } },
	{ "Deployment", "apps", IMAGE | SCALE | COMMAND, IMAGE, make_deployment, { NULL } },
	{ "Job", "batch", IMAGE | FROM | COMMAND, 0, make_job, { NULL } },
	{ "CronJob", "batch", IMAGE | SCHEDULE | COMMAND, IMAGE, make_cronjob, { NULL } },
	{ "Service", "", TYPE | SERVICE, 0, make_service,
	    { "clusterip", "nodeport", "loadbalancer", "externalname", NULL } },
};

static unsigned
given(const struct wish *w)
{
	const struct generate_options *o = &generate_options;

	return (o->files.n + o->literals.n + o->env_files.n ? DATA : 0) | (o->type ? TYPE : 0) |
	       (o->cert || o->key ? TLS : 0) | (o->images.n ? IMAGE : 0) |
	       (o->replicas || o->port ? SCALE : 0) | (o->schedule ? SCHEDULE : 0) |
	       (o->from ? FROM : 0) |
	       (o->ports.n || o->cluster_ip || o->external_name ? SERVICE : 0) |
	       (w->ncommand > 0 ? COMMAND : 0);
}

static const char *
bit_name(unsigned bits)
{
	static const char *const names[] = { "--from-file, --from-literal or --from-env-file",
		"--type", "--cert and --key", "--image", "--replicas or --port", "--schedule",
		"--from", "--tcp, --clusterip or --external-name", "a command" };
	size_t i = 0;

	while (!(bits & 1u << i))
		i++;
	return names[i];
}

static const struct generator *
generator_of(const struct kind *k)
{
	for (size_t i = 0; k && i < COUNT(generators); i++)
		if (strcmp(generators[i].kind, k->kind) == 0 &&
		    strcmp(generators[i].group, k->group) == 0)
			return &generators[i];
	return NULL;
}

/* "secret generic NAME", "service nodeport NAME": kubectl's way is understood. */
static bool
is_subtype(const struct generator *g, const char *word)
{
	for (const char *const *s = g->subtypes; *s; s++)
		if (strcmp(*s, word) == 0)
			return true;
	return false;
}

static int
parse_words(int n, char *const words[], struct wish *w, const struct generator **g, struct err *err)
{
	const char *slash = n > 0 ? strchr(words[0], '/') : NULL;
	autofree char *kind = NULL;
	int used = slash ? 1 : 2;

	if (n < used)
		return err_set(err, ERR_BAD_REQUEST, "say KIND and NAME");
	kind = slash ? xstrndup(words[0], (size_t)(slash - words[0])) : xstrdup(words[0]);
	w->kind = kind_of_word(kind);
	if (!(*g = generator_of(w->kind)))
		return err_set(err, ERR_BAD_REQUEST,
		    "'%s' is none of namespace, serviceaccount, configmap, secret, deployment, "
		    "job, cronjob, service; others come as manifests",
		    kind);
	w->name = slash ? slash + 1 : words[1];
	if (!slash && n > 2 && is_subtype(*g, words[1])) {
		w->type = (*g)->takes & SERVICE		 ? words[1]
			  : strcmp(words[1], "tls") == 0 ? "kubernetes.io/tls"
							 : NULL;
		w->name = words[2];
		used = 3;
	}
	w->command = words + used;
	w->ncommand = n - used;
	return 0;
}

int
generate(int n, char *const words[], json_t **ret, struct err *err)
{
	struct wish w = { 0 };
	const struct generator *g;
	unsigned wrong;
	json_t *obj;
	int r;

	if ((r = parse_words(n, words, &w, &g, err)) < 0)
		return r;
	if ((wrong = given(&w) & ~g->takes))
		return err_set(err, ERR_BAD_REQUEST, "%s does not go with %s", bit_name(wrong),
		    w.kind->singular);
	if ((wrong = g->needs & ~given(&w)))
		return err_set(
		    err, ERR_BAD_REQUEST, "%s is needed for %s", bit_name(wrong), w.kind->singular);
	obj = manifest(&w);
	if (!generate_options.from && (r = g->make(&w, obj, err)) < 0) {
		json_decref(obj);
		return r;
	}
	*ret = obj;
	return 0;
}

json_t *
generate_job_of(const json_t *cronjob, const char *name)
{
	json_t *job = json_deep_copy(get(cronjob, "spec", "jobTemplate"));
	json_t *owner = meta_owner_ref(cronjob);

	/* it would take the right to change the cronjob's finalizers */
	json_object_del(owner, "blockOwnerDeletion");
	if (!job)
		job = json_object();
	json_object_set_new(job, "apiVersion", json_string("batch/v1"));
	json_object_set_new(job, "kind", json_string("Job"));
	put(job, json_string(name), "metadata", "name");
	put(job, json_string("manual"), "metadata", "annotations",
	    "cronjob.kubernetes.io/instantiate");
	put(job, json_pack("[o]", owner), "metadata", "ownerReferences");
	return job;
}
