/* orch-validate - pass on the objects that a Kubernetes API would accept, and say what is wrong
 * with the others. */
#include <stdio.h>
#include <string.h>

#include "api/lookup.h"
#include "api/meta.h"
#include "api/object.h"
#include "api/validate.h"
#include "base/cli.h"
#include "base/jsonl.h"
#include "base/mem.h"

static struct list files;
static const char *unknown_arg = "error";
static bool defaults, quiet;

static const struct opt opts[] = {
	{ 'd', "defaults", NULL, "fill in what the objects leave open", &defaults, false },
	{ 'f', "file", "FILE", "read this file or folder instead of standard input", &files, true },
	{ 'q', "quiet", NULL, "pass nothing on: only the exit status and messages", &quiet, false },
	{ 0, "unknown", "HOW", "unknown fields and kinds: error, warn or ignore", &unknown_arg,
	    false },
	{ 0 },
};

const struct program self = {
	.name = "orch-validate",
	.synopsis = "[-dq] [--unknown=error|warn|ignore] [-f file] [file ...]",
	.summary = "Check objects against the Kubernetes API and pass on the valid ones.",
	.opts = opts,
	.operands = "files",
};

static enum { ERROR, WARN, IGNORE } unknown;

struct check {
	struct objects *in;
	const struct kind *kind;
	const json_t *obj;
	bool invalid; /* something was */
};

/* `web.yaml:12: Deployment.apps "web"`: what every message begins with. */
static const char *
subject(const struct check *c, char buf[static 512])
{
	char kind[128];

	snprintf(buf, 512, "%s: %s \"%s\"", objects_where(c->in), meta_group_kind(c->obj, kind),
	    meta_name(c->obj));
	return buf;
}

/* Unknown fields: with a hint, as most are misspelt.  Returns whether that refuses the object. */
static bool
report_unknown(const struct check *c, const struct causes *fields)
{
	char who[512];

	for (size_t i = 0; i < fields->n && unknown != IGNORE; i++) {
		const struct field *f;
		struct err err;
		const char *hint = "";

		if (field_at(&f, c->kind->type, fields->item[i].field, &err) < 0 &&
		    (hint = strstr(err.msg, " (did you mean")) == NULL)
			hint = "";
		if (unknown == WARN)
			warn("%s: %s%s", subject(c, who), fields->item[i].message, hint);
		else
			complain(NULL, "%s: %s%s", subject(c, who), fields->item[i].message, hint);
	}
	return fields->n && unknown == ERROR;
}

static bool
report_invalid(const struct check *c, const struct causes *causes)
{
	char who[512];

	for (size_t i = 0; i < causes->n; i++)
		complain(NULL, "%s is invalid: %s: %s", subject(c, who), causes->item[i].field,
		    causes->item[i].message);
	return causes->n > 0;
}

/* A kind that the schema does not have can be a custom resource: only --unknown knows. */
static bool
unknown_kind(const struct check *c)
{
	char who[512];

	const char *kind = text(c->obj, "kind"), *version = text(c->obj, "apiVersion");

	if (unknown == WARN)
		warn("%s: no kind '%s' in '%s'", subject(c, who), kind, version);
	else if (unknown == ERROR)
		complain(NULL, "%s: no kind '%s' in '%s'", subject(c, who), kind, version);
	return unknown != ERROR;
}

/* Rules are about complete objects, so the checks see one with defaults, which goes out under -d.
 */
static bool
valid(struct check *c, json_t *full)
{
	struct causes fields = CAUSES_INIT, causes = CAUSES_INIT;
	struct err err;
	const char *why;
	char who[512];
	bool bad;

	if (!c->kind)
		return unknown_kind(c);
	if (validate_types(c->kind, c->obj, &fields, &err) < 0) {
		/* The server's words begin with the kind, which stands here already. */
		why = strstr(err.msg, " cannot be handled as a ");
		why = why ? strstr(why, ": ") : NULL;
		complain(NULL, "%s is invalid: %s", subject(c, who), why ? why + 2 : err.msg);
		causes_release(&fields);
		return false;
	}
	normalize(c->kind, full);
	defaults_apply(c->kind, full);
	validate_create(c->kind, full, &causes);
	bad = report_unknown(c, &fields);
	bad |= report_invalid(c, &causes);
	causes_release(&fields);
	causes_release(&causes);
	return !bad;
}

static int
take(void *arg, struct objects *in, json_t *obj, struct err *err)
{
	struct check *c = arg;
	size_t len;
	const char *raw = defaults || quiet ? NULL : objects_raw(in, &len);
	/* The checks complete the object: what is passed on as it came is kept apart, if not as
	 * text. */
	bool spare = !defaults && !quiet && !raw;
	json_auto_t *full = obj, *given = spare ? json_deep_copy(obj) : NULL;

	(void)err;
	c->in = in;
	c->obj = full;
	c->kind = kind_of_object(text(obj, "apiVersion"), text(obj, "kind"));
	if (!valid(c, full))
		c->invalid = true;
	else if (raw)
		fwrite(raw, 1, len, stdout), putchar('\n');
	else if (!quiet)
		jsonl_write(stdout, spare ? given : full);
	return ferror(stdout);
}

int
main(int argc, char *argv[])
{
	struct check c = { 0 };
	struct err err;
	int r;

	for (int i = cli_parse(argc, argv); i < argc; i++) {
		GROW(files.item, files.n, files.cap);
		files.item[files.n++] = argv[i];
	}
	if (!strcmp(unknown_arg, "warn"))
		unknown = WARN;
	else if (!strcmp(unknown_arg, "ignore"))
		unknown = IGNORE;
	else if (strcmp(unknown_arg, "error"))
		die(NULL, "--unknown is error, warn or ignore, not '%s'", unknown_arg);
	r = objects_each((char *const *)files.item, (int)files.n, ACCEPT_OBJECTS, take, &c, &err);
	free(files.item);
	if (r < 0)
		return finish(complain(&err, "cannot validate"));
	return finish(c.invalid ? 2 : 0);
}
