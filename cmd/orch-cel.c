/* orch-cel - evaluate an expression of the Common Expression Language, on each object or on none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/object.h"
#include "base/buf.h"
#include "base/cli.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "cel/cel.h"
#include "cel/library.h"

static struct list files, vars;
static bool none, costs, check_only, exit_code, select_only, unchecked;
static const char *limit_arg = "10000000";

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
	{ 0 },
};

const struct program self = {
	.name = "orch-cel",
	.synopsis = "[-s] [-e] [-c] [-u] [-f file] [--var name=json] expression\n"
		    "-n [--var name=json] expression\n"
		    "--check expression",
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

int
main(int argc, char *argv[])
{
	int first = cli_parse(argc, argv), r = 0;
	struct evaluation ev = { .out = BUF_INIT };
	struct cel_env *env;
	struct err err;

	if (argc - first != 1 || (none && (files.n || select_only)))
		usage();
	ev.source = argv[first];
	ev.limit = (uint64_t)cli_number("cost-limit", limit_arg, 0, INT64_MAX);
	env = cel_env_new(CEL_FREE_HAS | CEL_BINDINGS | (unchecked ? CEL_UNCHECKED : 0));
	cel_env_kubernetes(env);
	cel_env_library(env, cel_lib_strings_new);
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
