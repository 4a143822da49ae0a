/*
 * What each kind is asked: tests/rules/NAME.txt, where a line is
 *	= OBJECT	the object that the lines after it start from, in YAML's flow style
 *	+ PATCH		a create of that object with this JSON merge patch
 *	~ PATCH		an update of the object to that
 *	~ PATCH => PATCH	the same, the object to start from being patched itself
 * and the indented lines after it are the causes, in order: none when it is valid.
 *
 * RULES_UPDATE=1 accepts what is answered now.
 */
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "api/patch.h"
#include "api/validate.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/yaml.h"

static int failed;

static json_t *
load(const char *yaml)
{
	struct yaml *y = yaml_open(yaml, strlen(yaml), NULL);
	unsigned long line;
	json_t *v = NULL;
	struct err err;

	if (yaml_read(y, &v, &line, &err) != 1) {
		printf("%s in %s\n", err.msg, yaml);
		exit(1);
	}
	yaml_close(y);
	return v;
}

/* What an API server makes of it before it asks. */
static json_t *
arrived(const struct kind *k, const json_t *base, const json_t *patch)
{
	json_auto_t *change = json_deep_copy(patch);
	json_t *obj = merge_patch(json_deep_copy(base), change);
	struct err err;

	if (validate_types(k, obj, NULL, &err) < 0) {
		autofree char *text = json_dumps(patch, 0);

		printf("%s in %s\n", err.msg, text);
		failed = 1;
	}
	normalize(k, obj);
	defaults_apply(k, obj);
	return obj;
}

static void
print_causes(struct buf *out, const struct causes *causes)
{
	for (size_t i = 0; i < causes->n; i++) {
		const struct cause *c = &causes->item[i];

		buf_printf(out, "\t%s: ", c->field);
		for (const char *p = c->message; *p; p++)
			if (*p == '\n')
				buf_puts(out, "\\n");
			else
				buf_putc(out, *p);
		buf_putc(out, '\n');
	}
}

static void
ask(struct buf *out, const json_t *base, char *line)
{
	const struct kind *k = kind_of_object(text(base, "apiVersion"), text(base, "kind"));
	char *arrow = strstr(line, " => ");
	json_auto_t *first = NULL, *second = NULL, *old = NULL, *obj = NULL;
	struct causes causes = CAUSES_INIT;

	if (arrow)
		*arrow = '\0';
	first = load(line + 2);
	second = arrow ? load(arrow + 4) : NULL;
	old = second ? merge_patch(json_deep_copy(base), first) : json_incref((json_t *)base);
	obj = arrived(k, old, second ? second : first);
	if (*line == '+') {
		validate_create(k, obj, &causes);
	} else {
		json_auto_t *none = json_object();
		json_auto_t *stored = arrived(k, old, none);

		validate_update(k, obj, stored, &causes);
	}
	print_causes(out, &causes);
	causes_release(&causes);
}

/* The whole file as it should be. */
static void
answer(struct buf *out, char *file)
{
	json_auto_t *base = NULL;
	char *line;

	while ((line = strsep(&file, "\n"))) {
		if (*line == '\t' || !file)
			continue;
		buf_printf(out, "%s\n", line);
		if (*line == '=') {
			json_decref(base);
			base = load(line + 2);
		} else if (*line == '+' || *line == '~') {
			ask(out, base, line);
		}
	}
}

static void
show_difference(const char *path, const char *want, const char *got)
{
	size_t i = 0, line = 1;

	for (; want[i] && want[i] == got[i]; i++)
		line += want[i] == '\n';
	while (i && want[i - 1] != '\n')
		i--;
	printf("%s:%zu\n want %.*s\n got  %.*s\n", path, line, (int)strcspn(want + i, "\n"),
	    want + i, (int)strcspn(got + i, "\n"), got + i);
	failed = 1;
}

static void
run(const char *name)
{
	autofree char *path = xasprintf("tests/rules/%s", name);
	autobuf struct buf file = BUF_INIT, out = BUF_INIT;
	struct err err;
	autofree char *copy = NULL;

	if (buf_read_file(&file, path, 1 << 24, &err) < 0) {
		printf("%s\n", err.msg);
		exit(1);
	}
	copy = xstrdup(file.data);
	answer(&out, copy);
	if (!strcmp(file.data, out.data))
		return;
	if (getenv("RULES_UPDATE")) {
		FILE *f = fopen(path, "w");

		if (!f || fputs(out.data, f) < 0 || fclose(f))
			printf("%s: %s\n", path, strerror(errno));
	} else {
		show_difference(path, file.data, out.data);
	}
}

int
main(void)
{
	DIR *d = opendir("tests/rules");
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (strlen(e->d_name) > 4 && !strcmp(e->d_name + strlen(e->d_name) - 4, ".txt"))
			run(e->d_name);
	if (d)
		closedir(d);
	return failed || !d;
}
