/*
 * The expression language: tests/cel/NAME.txt, where a line is an expression and the indented lines
 * after it are what comes of it.
 *
 * "= VALUE : TYPE, COST of MIN..MAX": as JSON, or a type's name; * is no bound, a "!" at the end
 * says that the cost is outside of its estimate.  "! MESSAGE : TYPE, COST of MIN..MAX": evaluation
 * fails.  "ERROR ...": it cannot be compiled; a backslash and n stand for the end of a line, in an
 * expression, too.
 *
 * The variables are in `world`.  A first line of "kubernetes" asks for its environment, "unchecked"
 * for none of the checker's refusals.  CEL_UPDATE=1 accepts what is answered now.
 */
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "cel/cel.h"
#include "cel/library.h"
#include "cel/type.h"

static int failed;

static const char world[] = "{\"i\": 3, \"s\": \"text\", \"d\": 1.5, \"t\": true, \"n\": null,"
			    "\"l\": [1, 2, 3], \"m\": {\"a\": 1, \"b\": {\"c\": [\"x\"]}}}";

/* What has bounds, as a schema gives them; there is no value. */
static const struct cel_type
    text10 = { .kind = CEL_T_STRING, .name = "string", .bounded = true, .most = 10 },
    texts = { .kind = CEL_T_LIST, .name = "list", .of = { &text10 }, .bounded = true, .most = 5 },
    map = {
	    .kind = CEL_T_MAP, .name = "map", .of = { &text10, &texts }, .bounded = true, .most = 3
    };
static const struct cel_field self_fields[] = { { "s", &text10, NULL }, { "l", &texts, NULL },
	{ "m", &map, NULL }, { "i", &cel_t_int, NULL }, { "u", &cel_t_string, NULL } };
static const struct cel_type self_type = {
	.kind = CEL_T_OBJECT, .name = "Self", .field = self_fields, .nfields = COUNT(self_fields)
};

static char *
unescaped(const char *s)
{
	char *out = xstrdup(s), *p = out;

	for (; *s; s++)
		if (s[0] == '\\' && s[1] == 'n' && s[2] == '\0') {
			*p++ = '\n';
			s++;
		} else {
			*p++ = *s;
		}
	*p = '\0';
	return out;
}

static void
escape(struct buf *out, const char *s)
{
	for (; *s; s++)
		if (*s == '\n')
			buf_puts(out, "\\n");
		else
			buf_putc(out, *s);
}

static void
show_value(struct buf *out, struct arena *a, struct cel_value v)
{
	json_auto_t *json = cel_to_json(a, v);
	autofree char *text = json ? json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
	struct cel_value s = cel_string_of(a, v);

	if (v.kind == CEL_ERROR)
		buf_printf(out, "! %.*s", (int)v.text.len, v.text.p);
	else if (text)
		buf_printf(out, "= %s", text);
	else if (s.kind != CEL_ERROR)
		buf_printf(out, "= %.*s", (int)s.text.len, s.text.p);
	else
		buf_printf(out, "= %s", cel_type_of(v)->name);
}

static void
show_bound(struct buf *out, uint64_t v)
{
	if (v == UINT64_MAX)
		buf_puts(out, "*");
	else
		buf_printf(out, "%llu", (unsigned long long)v);
}

static void
answer(struct buf *out, const struct cel_env *env, const char *source)
{
	autoarena struct arena a = ARENA_INIT;
	autobuf struct buf issues = BUF_INIT, text = BUF_INIT;
	json_auto_t *all = json_loads(world, 0, NULL);
	autofree char *whole = unescaped(source);
	struct cel_program *p;
	struct cel_value values[16], v;
	struct cel_range range;
	uint64_t cost;
	size_t n = 0;
	const char *key;
	json_t *item;

	if (cel_compile(env, whole, &p, &issues) < 0) {
		escape(out, issues.data);
		return;
	}
	json_object_foreach (all, key, item)
		values[n++] = cel_from_json(&a, item, &cel_t_dyn);
	values[n++] = cel_error(&a, "self is not there");
	range = cel_program_cost(p);
	v = cel_eval(p, values, &a, 0, &cost);
	show_value(&text, &a, v);
	escape(out, text.data);
	buf_puts(out, " : ");
	cel_type_print(cel_program_type(p), out);
	buf_printf(out, ", %llu of ", (unsigned long long)cost);
	show_bound(out, range.min);
	buf_puts(out, "..");
	show_bound(out, range.max);
	if (v.kind != CEL_ERROR && (cost < range.min || cost > range.max))
		buf_puts(out, " !");
	cel_program_free(p);
}

static struct cel_env *
environment(const char *name)
{
	struct cel_env *env =
	    cel_env_new(strcmp(name, "kubernetes") == 0	 ? CEL_AS_KUBERNETES
			: strcmp(name, "unchecked") == 0 ? CEL_UNCHECKED | CEL_BINDINGS
							 : CEL_BINDINGS);
	json_auto_t *all = json_loads(world, 0, NULL);
	const char *key;
	json_t *item;

	cel_env_kubernetes(env);
	json_object_foreach (all, key, item)
		cel_env_variable(env, key, &cel_t_dyn);
	cel_env_variable(env, "self", &self_type);
	return env;
}

static void
check(struct buf *all, const char *path, size_t line, const struct cel_env *env, const char *source,
    const char *want)
{
	autobuf struct buf got = BUF_INIT;

	answer(&got, env, source);
	buf_printf(all, "%s\n\t%s\n", source, got.data);
	if (strcmp(got.data, want) == 0 || getenv("CEL_UPDATE"))
		return;
	printf("%s:%zu: %s\n want %s\n got  %s\n", path, line, source, want, got.data);
	failed = 1;
}

static void
run(const char *path)
{
	FILE *f = fopen(path, "r");
	char line[8192], source[8192] = "";
	autobuf struct buf all = BUF_INIT;
	struct cel_env *env = environment("");
	size_t n = 0;

	while (fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = '\0';
		n++;
		if (*line == '\t') {
			check(&all, path, n, env, source, line + 1);
			*source = '\0';
			continue;
		}
		if (*source)
			check(&all, path, n, env, source, "");
		*source = '\0';
		if (n == 1 && (strcmp(line, "kubernetes") == 0 || strcmp(line, "unchecked") == 0)) {
			cel_env_free(env);
			env = environment(line);
		}
		if ((n == 1 && !strpbrk(line, " .(")) || !*line || *line == '#')
			buf_printf(&all, "%s\n", line);
		else
			snprintf(source, sizeof source, "%s", line);
	}
	if (*source)
		check(&all, path, n, env, source, "");
	fclose(f);
	cel_env_free(env);
	if (getenv("CEL_UPDATE") && (f = fopen(path, "w"))) {
		fwrite(all.data, 1, all.len, f);
		fclose(f);
	}
}

/* What goes beyond the limit ends the evaluation, whatever stands around it. */
static void
limits(void)
{
	static const char *const endless[] = {
		"l.map(a, l.map(b, l.map(c, l.map(d, l.map(e, l))))).size() >= 0",
		"l.all(a, l.all(b, l.all(c, l.all(d, l.all(e, e > 0))))) || true",
		"l.map(a, l.map(b, l.map(c, l.map(d, d)))).size() > 0 || true",
	};
	struct cel_env *env = environment("");
	json_auto_t *all = json_loads(world, 0, NULL);

	for (size_t i = 0; i < COUNT(endless); i++) {
		autoarena struct arena a = ARENA_INIT;
		autobuf struct buf issues = BUF_INIT;
		struct cel_value values[16], v;
		struct cel_program *p;
		size_t n = 0;
		uint64_t cost;
		const char *key;
		json_t *item;

		if (cel_compile(env, endless[i], &p, &issues) < 0) {
			printf("%s\n", issues.data);
			failed = 1;
			continue;
		}
		json_object_foreach (all, key, item)
			values[n++] = cel_from_json(&a, item, &cel_t_dyn);
		v = cel_eval(p, values, &a, 100, &cost);
		if (v.kind != CEL_ERROR || !strstr(v.text.p, "actual cost limit exceeded")) {
			printf("not over the limit: %s\n", endless[i]);
			failed = 1;
		}
		cel_program_free(p);
	}
	cel_env_free(env);
}

/* What is cheap by its cost may still be large: it ends in an error, not in the end of memory. */
static void
large(void)
{
	static const char *const bombs[] = {
		"cel.bind(x, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', "
		"cel.bind(y, x.replace('', x).replace('', x), y.replace('', y))).size() > 0",
		"l.map(a, cel.bind(x, l + l, cel.bind(x1, x + x, cel.bind(x2, x1 + x1, "
		"cel.bind(x3, "
		"x2 + x2, cel.bind(x4, x3 + x3, cel.bind(x5, x4 + x4, cel.bind(x6, x5 + x5, "
		"cel.bind(x7, x6 + x6, cel.bind(x8, x7 + x7, cel.bind(x9, x8 + x8, cel.bind(y, x9 "
		"+ "
		"x9, cel.bind(y1, y + y, cel.bind(y2, y1 + y1, cel.bind(y3, y2 + y2, cel.bind(y4, "
		"y3 + y3, cel.bind(y5, y4 + y4, cel.bind(y6, y5 + y5, cel.bind(y7, y6 + y6, "
		"cel.bind(y8, y7 + y7, y8 + y8)))))))))))))))))))).size() > 0",
	};
	struct cel_env *env = environment("");
	json_auto_t *all = json_loads(world, 0, NULL);

	for (size_t i = 0; i < COUNT(bombs); i++) {
		autoarena struct arena a = ARENA_INIT;
		autobuf struct buf issues = BUF_INIT;
		struct cel_value values[16], v;
		struct cel_program *p;
		size_t n = 0;
		const char *key;
		json_t *item;

		if (cel_compile(env, bombs[i], &p, &issues) < 0) {
			printf("%s\n", issues.data);
			failed = 1;
			continue;
		}
		json_object_foreach (all, key, item)
			values[n++] = cel_from_json(&a, item, &cel_t_dyn);
		v = cel_eval(p, values, &a, 10000000, NULL);
		if (v.kind != CEL_ERROR || a.total > (size_t)512 << 20) {
			printf("large: %s\n", bombs[i]);
			failed = 1;
		}
		cel_program_free(p);
	}
	cel_env_free(env);
}

static char *
repeated(const char *first, const char *more, size_t n)
{
	struct buf b = BUF_INIT;

	buf_puts(&b, first);
	while (n--)
		buf_puts(&b, more);
	return buf_detach(&b);
}

/* What goes on for ever is refused, and what a macro doubles at each of many levels is not. */
static void
deep(void)
{
	static const char *const chains[] = { ".b", "[0]", "+l", ".f()", "!=l", "?l:l" };
	struct cel_env *env = environment("");
	autofree char *doubled = repeated("optional.of(1)", ".optMap(x, x)", 200);
	autobuf struct buf none = BUF_INIT;
	struct cel_program *p;

	for (size_t i = 0; i < COUNT(chains); i++) {
		autofree char *source = repeated("l", chains[i], 15000);
		autobuf struct buf issues = BUF_INIT;

		if (cel_compile(env, source, &p, &issues) == 0 ||
		    strcmp(issues.data,
			"ERROR: <input>:-1:0: expression recursion limit exceeded: 250") != 0) {
			printf("deep: %s\n", chains[i]);
			failed = 1;
		}
	}
	if (cel_compile(env, doubled, &p, &none) < 0 || cel_program_cost(p).max < 1000) {
		printf("doubled: %s\n", none.data ? none.data : "");
		failed = 1;
	} else {
		cel_program_free(p);
	}
	cel_env_free(env);
}

int
main(void)
{
	DIR *d = opendir("tests/cel");
	struct dirent *e;

	while ((e = readdir(d))) {
		autofree char *path = xasprintf("tests/cel/%s", e->d_name);

		if (text_ends(e->d_name, ".txt"))
			run(path);
	}
	closedir(d);
	limits();
	large();
	deep();
	return failed;
}
