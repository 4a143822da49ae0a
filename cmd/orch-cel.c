/* orch-cel - evaluate an expression of the Common Expression Language, on each object or on none;
 * or the rules of a custom kind, with what they cost. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "api/object.h"
#include "api/structural.h"
#include "base/buf.h"
#include "base/cli.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "base/text.h"
#include "cel/cel.h"
#include "cel/library.h"

static struct list files, vars;
static bool none, costs, check_only, exit_code, select_only, unchecked;
static const char *limit_arg = "10000000", *crd_arg, *path_arg;

static const struct opt opts[] = {
	{ 'n', "null-input", NULL, "read nothing: evaluate once", &none, false },
	{ 'f', "file", "FILE", "read this file or folder instead of standard input", &files, true },
	{ 0, "var", "NAME=JSON", "one more variable", &vars, true },
	{ 's', "select", NULL, "pass on the objects for which it is true", &select_only, false },
	{ 'e', "exit-code", NULL, "exit 1 when a value is false or null", &exit_code, false },
	{ 'c', "cost", NULL, "print the cost before each value", &costs, false },
	{ 0, "cost-limit", "N", "give up beyond this cost, 0: never (10000000)", &limit_arg,
	    false },
	{ 'u', "unchecked", NULL, "mistakes in types and names show when they are come to",
	    &unchecked, false },
	{ 0, "check", NULL, "print the type of the expression, and end", &check_only, false },
	{ 0, "crd", "FILE", "the rules of this custom kind, with their cost", &crd_arg, false },
	{ 0, "path", "FIELD", "with --crd: rules of this field only", &path_arg, false },
	{ 0 },
};

const struct program self = {
	.name = "orch-cel",
	.synopsis = "[-s] [-e] [-c] [-u] [-f file] [--var name=json] expression\n"
		    "-n [--var name=json] expression\n"
		    "--check expression\n"
		    "--crd file [-n] [-f file] [--path field]",
	.summary = "Evaluate an expression (CEL) on each object.",
	.opts = opts,
};

struct evaluation {
	struct cel_program *program;
	const char *source;
	size_t self, object;	  /* the variables that are the object itself */
	const json_t **value;	  /* of each variable; NULL: not there */
	struct cel_value *values; /* the same for the evaluation */
	size_t n;
	uint64_t limit;
	struct buf out;
	int status;
};

/* --var: the declaration now, the value for each evaluation. */
static void
add_variables(struct evaluation *ev, struct cel_env *env)
{
	ev->value = xcalloc(vars.n + 2, sizeof *ev->value);
	ev->values = xcalloc(vars.n + 2, sizeof *ev->values);
	ev->self = cel_env_variable(env, "self", &cel_t_dyn);
	ev->object = cel_env_variable(env, "object", &cel_t_dyn);
	ev->n = 2;
	for (size_t i = 0; i < vars.n; i++) {
		const char *eq = strchr(vars.item[i], '=');
		autofree char *name =
		    eq ? xstrndup(vars.item[i], (size_t)(eq - vars.item[i])) : NULL;
		json_error_t why;

		if (!eq || eq == vars.item[i])
			die(NULL, "cannot use --var '%s': it is not NAME=JSON", vars.item[i]);
		if (!(ev->value[ev->n++] = json_loads(eq + 1, JSON_DECODE_ANY, &why)))
			die(NULL, "cannot use --var '%s': %s", name, why.text);
		cel_env_variable(env, name, &cel_t_dyn);
	}
}

/* A value that JSON cannot say is shown as its type. */
static void
print(struct evaluation *ev, struct arena *a, struct cel_value v, uint64_t cost)
{
	json_auto_t *json = cel_to_json(a, v);

	buf_clear(&ev->out);
	if (costs)
		buf_printf(&ev->out, "%llu\t", (unsigned long long)cost);
	if (json)
		json_add(&ev->out, json);
	else if (v.kind == CEL_DOUBLE)
		buf_printf(&ev->out, "%g", v.d);
	else
		buf_puts(&ev->out, cel_type_of(v)->name);
	buf_putc(&ev->out, '\n');
	fwrite(ev->out.data, 1, ev->out.len, stdout);
}

static void
pass(struct objects *in, const json_t *obj)
{
	autobuf struct buf b = BUF_INIT;
	size_t len;
	const char *raw = objects_raw(in, &len);

	if (raw)
		buf_add(&b, raw, len);
	else
		json_add(&b, obj);
	buf_putc(&b, '\n');
	fwrite(b.data, 1, b.len, stdout);
}

static void
evaluate(struct evaluation *ev, struct objects *in, const json_t *obj)
{
	autoarena struct arena a = ARENA_INIT;
	struct cel_value v;
	uint64_t cost;

	ev->value[ev->self] = ev->value[ev->object] = obj;
	for (size_t i = 0; i < ev->n; i++)
		ev->values[i] = ev->value[i] ? cel_from_json(&a, ev->value[i], &cel_t_dyn)
					     : cel_error(&a, "there is no object: -n was given");
	v = cel_eval(ev->program, ev->values, &a, ev->limit, &cost);
	if (v.kind == CEL_ERROR) {
		warn("%s%s%.*s", in ? objects_where(in) : "", in ? ": " : "", (int)v.text.len,
		    v.text.p);
		ev->status = 1;
		return;
	}
	if (exit_code && (v.kind == CEL_NULL || (v.kind == CEL_BOOL && !v.b)))
		ev->status = 1;
	if (!select_only)
		print(ev, &a, v, cost);
	else if (v.kind == CEL_BOOL && v.b)
		pass(in, obj);
}

static int
take(void *arg, struct objects *in, json_t *value, struct err *err)
{
	(void)err;
	evaluate(arg, in, value);
	json_decref(value);
	return ferror(stdout);
}

static void
compile(struct evaluation *ev, const struct cel_env *env)
{
	autobuf struct buf issues = BUF_INIT, type = BUF_INIT;

	if (cel_compile(env, ev->source, &ev->program, &issues) < 0) {
		fprintf(stderr, "%s\n", issues.data);
		die(NULL, "cannot compile the expression");
	}
	if (!check_only)
		return;
	cel_type_print(cel_program_type(ev->program), &type);
	puts(type.data);
	exit(finish(0));
}

/* --- the rules of a custom kind ------------------------------------------------------------------
 */

struct version {
	char *name; /* "group/version" */
	struct structural *schema;
};

struct custom {
	struct version *version;
	size_t n, cap;
	const char *kind; /* of the definition */
	json_t *crd;
	struct objects *in; /* what is read now */
	const char *of;	    /* what the line begins with */
	struct buf out;
	int status;
};

/* "spec.ports[*]" or "spec.ports[0]": is it at the field that --path names, or below? */
static bool
wanted(const char *at)
{
	size_t len = path_arg ? strlen(path_arg) : 0;

	return !len || (strncmp(at, path_arg, len) == 0 && strchr(".[", at[len]));
}

static void
show_rule(struct custom *k, const struct rule_seen *r, const char *word)
{
	json_auto_t *rule = json_string(r->rule);

	buf_clear(&k->out);
	if (r->fault)
		buf_puts(&k->out, "-");
	else if (r->cost == UINT64_MAX)
		buf_puts(&k->out, "*");
	else
		buf_printf(&k->out, "%llu", (unsigned long long)r->cost);
	buf_printf(&k->out, "\t%s\t%s\t%s\t", word, k->of, *r->at ? r->at : ".");
	json_add(&k->out, rule);
	buf_putc(&k->out, '\n');
	fwrite(k->out.data, 1, k->out.len, stdout);
}

static void
estimated(void *arg, const struct rule_seen *r)
{
	struct custom *k = arg;

	if (!wanted(r->at))
		return;
	show_rule(k, r, r->fault ? "broken" : r->dear ? "dear" : "fine");
	if (r->fault)
		warn("%s: %s", *r->at ? r->at : ".", r->fault);
	if (r->fault || r->dear)
		k->status = 1;
}

static void
metered(void *arg, const struct rule_seen *r)
{
	struct custom *k = arg;

	if (!wanted(r->at))
		return;
	show_rule(k, r, r->holds ? "true" : "false");
	if (!r->holds)
		k->status = 1;
}

static int
keep_definition(void *arg, struct objects *in, json_t *value, struct err *err)
{
	struct custom *k = arg;

	if (k->crd || strcmp(text(value, "kind"), "CustomResourceDefinition") != 0) {
		json_decref(value);
		return err_set(err, ERR_BAD_REQUEST, "%s: %s", objects_where(in),
		    k->crd ? "it has a second object" : "it is no CustomResourceDefinition");
	}
	k->crd = value;
	return 0;
}

/* A schema that has something else wrong with it than its rules is refused. */
static void
add_version(struct custom *k, const char *group, const json_t *version)
{
	const json_t *schema =
	    json_object_get(json_object_get(version, "schema"), "openAPIV3Schema");
	struct causes causes = CAUSES_INIT;
	struct structural *s = structural_new(schema, "openAPIV3Schema", &causes);
	bool hopeless = false;

	for (size_t i = 0; i < causes.n && !s; i++)
		if (!strstr(causes.item[i].message, "cost") &&
		    !strstr(causes.item[i].message, "compilation failed")) {
			warn("%s: %s: %s", text(version, "name"), causes.item[i].field,
			    causes.item[i].message);
			hopeless = true;
		}
	causes_release(&causes);
	if (hopeless)
		die(NULL, "cannot use the schema of %s", text(version, "name"));
	GROW(k->version, k->n, k->cap);
	k->version[k->n++] = (struct version){ xasprintf("%s/%s", group, text(version, "name")),
		s ? s : structural_load(schema) };
}

static void
read_kind(struct custom *k)
{
	char *one[] = { (char *)crd_arg };
	struct err err;
	const json_t *spec, *v;
	size_t i;

	if (objects_each(one, 1, ACCEPT_ANY, keep_definition, k, &err) < 0)
		die(&err, "cannot read '%s'", crd_arg);
	spec = json_object_get(k->crd, "spec");
	k->kind = text(json_object_get(spec, "names"), "kind");
	json_array_foreach (json_object_get(spec, "versions"), i, v)
		if (json_object_get(json_object_get(v, "schema"), "openAPIV3Schema"))
			add_version(k, text(spec, "group"), v);
	if (k->n == 0)
		die(NULL, "cannot use '%s': it has no schema", crd_arg);
}

/* The rules that an object of the kind is asked. */
static int
meter(void *arg, struct objects *in, json_t *value, struct err *err)
{
	struct custom *k = arg;
	size_t i = 0;

	(void)err;
	while (i < k->n && strcmp(k->version[i].name, text(value, "apiVersion")) != 0)
		i++;
	k->of = text(json_object_get(value, "metadata"), "name");
	if (i < k->n && strcmp(text(value, "kind"), k->kind) == 0) {
		structural_default(k->version[i].schema, value);
		structural_meter(k->version[i].schema, value, metered, k);
	} else {
		warn("%s: it is no %s", objects_where(in), k->kind);
		k->status = 1;
	}
	json_decref(value);
	return ferror(stdout);
}

static int
rules_of_kind(void)
{
	struct custom k = { .out = BUF_INIT };
	struct err err;
	int r = 0;

	read_kind(&k);
	for (size_t i = 0; i < k.n && none; i++) {
		k.of = k.version[i].name;
		structural_rules(k.version[i].schema, estimated, &k);
	}
	if (!none)
		r = objects_each(
		    (char *const *)files.item, (int)files.n, ACCEPT_ANY, meter, &k, &err);
	for (size_t i = 0; i < k.n; i++) {
		free(k.version[i].name);
		structural_free(k.version[i].schema);
	}
	free(k.version);
	json_decref(k.crd);
	buf_release(&k.out);
	return finish(r < 0 ? complain(&err, "cannot evaluate") : k.status);
}

int
main(int argc, char *argv[])
{
	int first = cli_parse(argc, argv), r = 0;
	struct evaluation ev = { .out = BUF_INIT };
	struct cel_env *env;
	struct err err;

	if (argc - first != !crd_arg || (none && (files.n || select_only)) ||
	    (path_arg && !crd_arg))
		usage();
	if (crd_arg)
		return rules_of_kind();
	ev.source = argv[first];
	ev.limit = (uint64_t)cli_number("cost-limit", limit_arg, 0, INT64_MAX);
	env = cel_env_new(CEL_FREE_HAS | CEL_BINDINGS | (unchecked ? CEL_UNCHECKED : 0));
	cel_env_kubernetes(env);
	cel_env_library(env, cel_lib_strings_new);
	cel_env_library(env, cel_lib_format_new);
	cel_env_library(env, cel_lib_encoders);
	add_variables(&ev, env);
	compile(&ev, env);
	if (none)
		evaluate(&ev, NULL, NULL);
	else
		r = objects_each(
		    (char *const *)files.item, (int)files.n, ACCEPT_ANY, take, &ev, &err);
	cel_program_free(ev.program);
	cel_env_free(env);
	for (size_t i = 2; i < ev.n; i++)
		json_decref((json_t *)ev.value[i]);
	free(ev.value);
	free(ev.values);
	buf_release(&ev.out);
	if (r < 0)
		return finish(complain(&err, "cannot evaluate"));
	return finish(ev.status);
}
