/* Environments: what expressions may use; and programs: what was compiled. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cel/env.h"
#include "cel/library.h"

/*
 * The functions of an environment take a hundred times the room of what else is in it, and are the
 * same for nearly all: those stand on one of these, which is made once and never changed.
 */
const struct cel_env *
cel_env_shared(_Atomic(struct cel_env *) *place, void (*fill)(struct cel_env *e))
{
	struct cel_env *e = *place, *none = NULL;

	if (e)
		return e;
	e = xcalloc(1, sizeof *e);
	fill(e);
	if (atomic_compare_exchange_strong(place, &none, e))
		return e;
	cel_env_free(e); /* another thread was faster */
	return none;
}

void
cel_env_standard(struct cel_env *e)
{
	cel_env_library(e, cel_std_operators);
	cel_env_library(e, cel_std_text);
	cel_env_library(e, cel_std_time);
	cel_env_library(e, cel_lib_optional);
}

struct cel_env *
cel_env_new(unsigned bits)
{
	static _Atomic(struct cel_env *) standard;
	struct cel_env *e = xcalloc(1, sizeof *e);

	e->bits = bits;
	e->base = cel_env_shared(&standard, cel_env_standard);
	return e;
}

void
cel_env_free(struct cel_env *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < e->nsets; i++)
		free(e->set[i].overload);
	free(e->set);
	free(e->variable);
	free(e->type);
	arena_release(&e->arena);
	free(e);
}

struct arena *
cel_env_arena(struct cel_env *e)
{
	return &e->arena;
}

static int
by_name(const void *key, const void *set)
{
	return strcmp(key, ((const struct cel_function_set *)set)->name);
}

static struct cel_function_set *
own_set(const struct cel_env *e, const char *name)
{
	return e->nsets ? bsearch(name, e->set, e->nsets, sizeof *e->set, by_name) : NULL;
}

const struct cel_function_set *
cel_env_find(const struct cel_env *e, const char *name)
{
	const struct cel_function_set *s = own_set(e, name);

	return s || !e->base ? s : own_set(e->base, name);
}

/* The set of a name, made where it belongs when there is none: with what the base has of it. */
static struct cel_function_set *
set_of(struct cel_env *e, const char *name)
{
	struct cel_function_set *s = own_set(e, name);
	const struct cel_function_set *shared = s ? NULL : cel_env_find(e, name);
	size_t at = 0;

	if (s)
		return s;
	GROW(e->set, e->nsets, e->sets_cap);
	while (at < e->nsets && strcmp(e->set[at].name, name) < 0)
		at++;
	memmove(e->set + at + 1, e->set + at, (e->nsets - at) * sizeof *e->set);
	e->nsets++;
	e->set[at] = (struct cel_function_set){ .name = name };
	for (size_t i = 0; shared && i < shared->n; i++) {
		GROW(e->set[at].overload, e->set[at].n, e->set[at].cap);
		e->set[at].overload[e->set[at].n++] = shared->overload[i];
	}
	return &e->set[at];
}

/* cel-go knows its own costs by overload, Kubernetes by the function's name. */
static bool
costs_by_overload(const struct cel_function *table)
{
	const struct cel_function *const tables[] = { cel_std_operators, cel_std_text, cel_std_time,
		cel_lib_sets, cel_lib_slices, cel_lib_format, cel_lib_format_new };

	for (size_t i = 0; i < COUNT(tables); i++)
		if (table == tables[i])
			return true;
	return false;
}

/* The overload of that name, which is another's until now, or a new one. */
static struct cel_overload *
overload_of(struct cel_function_set *s, const char *id)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->overload[i].id, id) == 0)
			return &s->overload[i];
	GROW(s->overload, s->n, s->cap);
	return &s->overload[s->n++];
}

void
cel_env_library(struct cel_env *e, const struct cel_function *f)
{
	bool exact = costs_by_overload(f);

	for (; f->name; f++) {
		struct cel_function_set *s = set_of(e, f->name);
		struct cel_overload *o;

		o = overload_of(s, f->overload);
		*o = (struct cel_overload){
			.id = f->overload, .call = f->call, .cost = f->cost, .exact = exact
		};
		cel_signature_parse(&o->sig, f->signature, &e->arena);
	}
}

size_t
cel_env_variable(struct cel_env *e, const char *name, const struct cel_type *type)
{
	GROW(e->variable, e->nvariables, e->variables_cap);
	e->variable[e->nvariables] =
	    (struct cel_variable){ arena_text(&e->arena, name, strlen(name)), type };
	return e->nvariables++;
}

void
cel_env_type(struct cel_env *e, const struct cel_type *type)
{
	GROW(e->type, e->ntypes, e->types_cap);
	e->type[e->ntypes++] = type;
}

void
cel_env_open_types(struct cel_env *e, const char *name)
{
	e->open_types = arena_text(&e->arena, name, strlen(name));
}

/* Object, Object.spec ... */
static const struct cel_type *
open_type(const struct cel_env *e, const char *name, struct arena *a)
{
	size_t len = e->open_types ? strlen(e->open_types) : 0;
	struct cel_type *t;

	if (len == 0 || strncmp(name, e->open_types, len) || (name[len] && name[len] != '.'))
		return NULL;
	t = arena_alloc(a, sizeof *t);
	*t = (struct cel_type){
		.kind = CEL_T_OBJECT, .name = arena_text(a, name, strlen(name)), .open = true
	};
	return t;
}

static const struct cel_type named_list = { .kind = CEL_T_LIST, .name = "list" },
			     named_map = { .kind = CEL_T_MAP, .name = "map" },
			     named_null = { .kind = CEL_T_NULL, .name = "null_type" },
			     named_optional = { .kind = CEL_T_OPTIONAL, .name = "optional_type" },
			     named_timestamp = { .kind = CEL_T_TIMESTAMP,
				     .name = "google.protobuf.Timestamp" },
			     named_duration = { .kind = CEL_T_DURATION,
				     .name = "google.protobuf.Duration" };

const struct cel_type *
cel_env_type_named(const struct cel_env *e, const char *name, struct arena *a)
{
	static const struct cel_type *const known[] = { &cel_t_bool, &cel_t_int, &cel_t_uint,
		&cel_t_double, &cel_t_string, &cel_t_bytes, &cel_t_type, &named_list, &named_map,
		&named_null, &named_optional, &named_timestamp, &named_duration };
	const struct cel_well_known *message;

	for (size_t i = 0; i < COUNT(known); i++)
		if (strcmp(known[i]->name, name) == 0)
			return known[i];
	for (const struct cel_env *in = e; in; in = in->base)
		for (size_t i = 0; i < in->ntypes; i++)
			if (strcmp(in->type[i]->name, name) == 0)
				return in->type[i];
	if ((message = cel_well_known(name)))
		return message->type;
	return open_type(e, name, a);
}

/* --- programs ------------------------------------------------------------------------------- */

int
cel_compile(
    const struct cel_env *e, const char *source, struct cel_program **ret, struct buf *issues)
{
	struct cel_program *p = xcalloc(1, sizeof *p);
	struct cel_issues is = { 0 }, dropped = { 0 };

	p->source = arena_text(&p->arena, source, strlen(source));
	p->bits = e->bits;
	p->nvariables = e->nvariables;
	p->used = arena_alloc(&p->arena, e->nvariables + 1);
	memset(p->used, 0, e->nvariables + 1);
	p->root = cel_parse(&p->arena, p->source, e->bits, &is);
	if (p->root)
		cel_check(e, p, e->bits & CEL_UNCHECKED ? &dropped : &is);
	cel_issues_release(&dropped);
	if (is.n == 0 && e->bits & CEL_LITERALS)
		cel_check_literals(p, &is);
	if (is.n == 0) {
		*ret = p;
		return 0;
	}
	cel_issues_show(&is, issues);
	cel_issues_release(&is);
	cel_program_free(p);
	return -1;
}

void
cel_program_free(struct cel_program *p)
{
	if (!p)
		return;
	arena_release(&p->arena);
	free(p);
}

const struct cel_type *
cel_program_type(const struct cel_program *p)
{
	return p->root->type;
}

const char *
cel_program_source(const struct cel_program *p)
{
	return p->source;
}

size_t
cel_program_size(const struct cel_program *p)
{
	return p ? sizeof *p + p->arena.total : 0;
}

bool
cel_program_uses(const struct cel_program *p, size_t variable)
{
	return variable < p->nvariables && p->used[variable];
}
