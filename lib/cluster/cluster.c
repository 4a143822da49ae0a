/* A cluster's description, in memory and in DIR/run/cluster.json. */
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "cluster/cluster.h"

/* By the current folder alone: the name stays the same before and after the folder exists. */
static char *
absolute(const char *dir)
{
	autofree char *cwd = NULL;
	size_t n = strlen(dir);

	while (n > 1 && dir[n - 1] == '/')
		n--;
	if (dir[0] == '/')
		return xstrndup(dir, n);
	cwd = getcwd(NULL, 0);
	return xasprintf("%s/%.*s", cwd ? cwd : "", (int)n, dir);
}

void
cluster_init(struct cluster *c, const char *dir)
{
	*c = (struct cluster){ .dir = absolute(dir) };
	snprintf(c->id, sizeof c->id, "%06x",
	    (unsigned)(text_hash(c->dir, strlen(c->dir), TEXT_HASH_SEED) & 0xffffff));
}

char *
cluster_default_dir(void)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (geteuid() == 0)
		return xstrdup("/var/lib/orch");
	if (state && *state)
		return xasprintf("%s/orch", state);
	return xasprintf("%s/.local/state/orch", home ? home : ".");
}

static char **
copy_strings(const char *const *s)
{
	size_t n = 0;
	char **copy;

	while (s && s[n])
		n++;
	copy = xcalloc(n + 1, sizeof *copy);
	for (size_t i = 0; i < n; i++)
		copy[i] = xstrdup(s[i]);
	return copy;
}

static void
free_strings(char **s)
{
	for (size_t i = 0; s && s[i]; i++)
		free(s[i]);
	free(s);
}

static void
forget_processes(struct cluster *c)
{
	while (c->nprocess > 0) {
		struct process *p = &c->process[--c->nprocess];

		free(p->name);
		free_strings(p->argv);
		free_strings(p->env);
	}
}

void
cluster_release(struct cluster *c)
{
	forget_processes(c);
	free(c->dir);
	free(c->listen);
	*c = (struct cluster){ 0 };
}

char *
cluster_file(const struct cluster *c, const char *name)
{
	return xasprintf("%s/%s", c->dir, name);
}

void
cluster_add(struct cluster *c, const char *name, const char *const *argv, const char *const *env)
{
	if (c->nprocess == CLUSTER_PROCESSES)
		abort();
	c->process[c->nprocess++] = (struct process){
		.name = xstrdup(name), .argv = copy_strings(argv), .env = copy_strings(env)
	};
}

static json_t *
strings_json(char **s)
{
	json_t *a = json_array();

	for (; s && *s; s++)
		json_array_append_new(a, json_string(*s));
	return a;
}

static json_t *
proc_json(const struct proc *p)
{
	return json_pack("{s:i, s:I}", "pid", (int)p->pid, "start", (json_int_t)p->start);
}

/* Pids and start times mean something until the next boot only; the caller frees it. */
static char *
boot_id(void)
{
	autobuf struct buf b = BUF_INIT;
	struct err ignored;

	if (buf_read_file(&b, "/proc/sys/kernel/random/boot_id", 256, &ignored) < 0 || !b.data)
		return xstrdup("");
	return xstrndup(b.data, strcspn(b.data, "\n"));
}

int
cluster_save(const struct cluster *c, struct err *err)
{
	autofree char *file = cluster_file(c, "run/cluster.json"), *body = NULL;
	autofree char *boot = boot_id();
	json_auto_t *doc = json_pack("{s:s, s:s, s:s, s:i, s:b, s:i, s:o}", "dir", c->dir, "boot",
	    boot, "listen", c->listen ? c->listen : "", "nodes", c->nodes, "namespaces",
	    c->namespaces, "block", c->block, "keeper", proc_json(&c->keeper));
	json_t *list = json_array();

	for (size_t i = 0; i < c->nprocess; i++) {
		const struct process *p = &c->process[i];

		json_array_append_new(
		    list, json_pack("{s:s, s:o, s:i, s:o, s:o}", "name", p->name, "process",
			      proc_json(&p->proc), "restarts", (int)p->restarts, "argv",
			      strings_json(p->argv), "env", strings_json(p->env)));
	}
	json_object_set_new(doc, "processes", list);
	body = json_dumps(doc, JSON_INDENT(1));
	return file_replace(file, body, strlen(body), 0644, err);
}

static struct proc
proc_of_json(const json_t *v)
{
	return (struct proc){ .pid = (pid_t)json_integer_value(json_object_get(v, "pid")),
		.start = (uint64_t)json_integer_value(json_object_get(v, "start")) };
}

/* An array of strings into a NULL-terminated vector whose strings stay json's; the caller frees the
 * vector. */
static const char **
strings_of_json(const json_t *a)
{
	const char **s = xcalloc(json_array_size(a) + 1, sizeof *s);
	size_t n = 0, i;
	json_t *v;

	json_array_foreach (a, i, v)
		if (json_is_string(v))
			s[n++] = json_string_value(v);
	return s;
}

int
cluster_load(struct cluster *c, struct err *err)
{
	autofree char *file = cluster_file(c, "run/cluster.json"), *boot = boot_id();
	json_error_t jerr;
	bool same_boot;
	json_auto_t *doc = NULL;
	json_t *p, *b;
	size_t i;

	if (access(file, F_OK) < 0)
		return err_set(err, ERR_NOT_FOUND, "no cluster in '%s'", c->dir);
	if (!(doc = json_load_file(file, 0, &jerr)))
		return err_set(
		    err, ERR_INTERNAL, "cannot read '%s': line %d: %s", file, jerr.line, jerr.text);
	forget_processes(c);
	free(c->listen);
	c->listen = xstrdup(json_is_string(json_object_get(doc, "listen"))
				? json_string_value(json_object_get(doc, "listen"))
				: "");
	c->nodes = (int)json_integer_value(json_object_get(doc, "nodes"));
	c->namespaces = json_is_true(json_object_get(doc, "namespaces"));
	c->block = (int)json_integer_value(json_object_get(doc, "block"));
	b = json_object_get(doc, "boot"); /* an older orch-up did not write it */
	same_boot = !json_is_string(b) || strcmp(json_string_value(b), boot) == 0;
	c->keeper = same_boot ? proc_of_json(json_object_get(doc, "keeper")) : (struct proc){ 0 };
	json_array_foreach (json_object_get(doc, "processes"), i, p) {
		autofree const char **argv = strings_of_json(json_object_get(p, "argv"));
		autofree const char **env = strings_of_json(json_object_get(p, "env"));
		const char *name = json_string_value(json_object_get(p, "name"));

		if (!name || !argv[0] || c->nprocess == CLUSTER_PROCESSES)
			continue;
		cluster_add(c, name, argv, env);
		c->process[c->nprocess - 1].restarts =
		    (unsigned)json_integer_value(json_object_get(p, "restarts"));
		if (same_boot)
			c->process[c->nprocess - 1].proc =
			    proc_of_json(json_object_get(p, "process"));
	}
	return 0;
}
