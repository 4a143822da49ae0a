/* orch-validate - pass on the objects that a Kubernetes API would accept, and say what is wrong
 * with the others. */
#include <stdio.h>
#include <string.h>

#include "api/custom.h"
#include "api/lookup.h"
#include "api/meta.h"
#include "api/object.h"
#include "api/validate.h"
#include "base/buf.h"
#include "base/cli.h"
#include "base/json.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "client/crds.h"
#include "client/options.h"

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
static const struct opt *const shared[] = { crds_opts, client_opts, NULL };

const struct program self = {
	.name = "orch-validate",
	.synopsis = "[-dq] [--unknown=error|warn|ignore] [--crds file] [-f file] [file ...]",
	.summary = "Check objects against the Kubernetes API and pass on the valid ones.",
	.opts = opts,
	.shared = shared,
	.operands = "files",
};

static enum { ERROR, WARN, IGNORE } unknown;

struct check {
	struct learn *learn;
	bool invalid; /* something was */

	/* of the object that is looked at */
	const char *where;
	const struct kind *kind;
	const json_t *obj;

	/* What waits for the end of the input, as the definition of a kind may still come; and
	 * what has come behind it. */
	struct held *held;
	size_t nheld, cap, size;
	struct buf line;
};

/* A line that goes out in its turn, or an object of a kind that was unknown when it came. */
struct held {
	char *line, *where; /* where NULL: it was looked at, and goes out */
	size_t len;
};
enum { HELD_MOST = 64 << 20 }; /* bytes of lines */

/* `web.yaml:12: Deployment.apps "web"`: what every message begins with. */
static const char *
subject(const struct check *c, char buf[static 512])
{
	char kind[128];

	snprintf(
	    buf, 512, "%s: %s \"%s\"", c->where, meta_group_kind(c->obj, kind), meta_name(c->obj));
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
	const char *kind = text(c->obj, "kind"), *version = text(c->obj, "apiVersion");
	autofree char *why = learn_why(c->learn, version, kind);
	const char *colon = why ? ": " : "";
	char who[512];

	if (unknown == WARN)
		warn("%s: no kind '%s' in '%s'%s%s", subject(c, who), kind, version, colon,
		    why ? why : "");
	else if (unknown == ERROR)
		complain(NULL, "%s: no kind '%s' in '%s'%s%s", subject(c, who), kind, version,
		    colon, why ? why : "");
	return unknown != ERROR;
}

/* --- one object ---------------------------------------------------------------------------- */

static void
say_undecoded(const struct check *c, const struct err *err)
{
	/* The server's words begin with the kind, which stands here already. */
	const char *why = strstr(err->msg, " cannot be handled as a ");
	char who[512];

	why = why ? strstr(why, ": ") : NULL;
	complain(NULL, "%s is invalid: %s", subject(c, who), why ? why + 2 : err->msg);
}

/* The definition that was looked at counts from here on. */
static void
learn(const struct check *c, const json_t *full, bool bad)
{
	autofree char *before = NULL;
	struct err err;
	char who[512];

	if (bad)
		learn_refused(c->learn, full, c->where, "it is invalid");
	else if (learn_crd(c->learn, full, c->where, LEARN_CHECKED, &before, &err) < 0)
		warn("%s makes no kinds: %s", subject(c, who), err.msg);
	else if (before)
		warn("%s is another one than at %s, and counts from here on", subject(c, who),
		    before);
}

/* Rules are about complete objects, so the checks see one with defaults, which goes out under -d.
 */
static bool
valid(struct check *c, json_t *full)
{
	struct causes fields = CAUSES_INIT, causes = CAUSES_INIT;
	struct err err;
	char who[512];
	bool bad;

	if (!c->kind)
		return unknown_kind(c);
	if (validate_decode(c->kind, full, &fields, &err) < 0) {
		say_undecoded(c, &err);
		bad = true;
	} else {
		normalize(c->kind, full);
		defaults_apply(c->kind, full);
		validate_sent(c->kind, full, &causes);
		if (c->kind->custom && c->kind->custom->warning)
			warn("%s: %s", subject(c, who), c->kind->custom->warning);
		bad = report_unknown(c, &fields);
		bad |= report_invalid(c, &causes);
	}
	if (is_definition(full))
		learn(c, full, bad);
	causes_release(&fields);
	causes_release(&causes);
	return !bad;
}

/* Is it valid?  Then *line gets what goes out; raw is the line it came in, or NULL.  Takes obj. */
static bool
judge(struct check *c, json_t *obj, const char *raw, size_t len, struct buf *line)
{
	json_auto_t *full = obj;

	buf_clear(line);
	/* the checks complete the object: as it came it is written down before */
	if (!defaults && !quiet && raw)
		buf_add(line, raw, len);
	else if (!defaults && !quiet)
		json_add(line, obj);
	learn_serve(c->learn);
	c->obj = full;
	c->kind = kind_of_object(text(obj, "apiVersion"), text(obj, "kind"));
	if (!valid(c, full)) {
		c->invalid = true;
		return false;
	}
	if (defaults && !quiet)
		json_add(line, full);
	if (!quiet)
		buf_putc(line, '\n');
	return true;
}

/* --- what waits ----------------------------------------------------------------------------- */

static void
hold(struct check *c, struct buf *line, const char *where)
{
	GROW(c->held, c->nheld, c->cap);
	c->size += line->len;
	c->held[c->nheld].len = line->len;
	c->held[c->nheld].line = buf_detach(line);
	c->held[c->nheld++].where = where ? xstrdup(where) : NULL;
}

static bool
judge_held(struct check *c, const struct held *h, struct buf *line)
{
	char msg[128];
	json_t *obj;
	size_t used;

	c->where = h->where;
	(void)json_decode(h->line, h->len, &obj, &used, msg); /* it was read once already */
	return judge(c, obj, h->line, h->len, line);
}

/* Whatever was held is judged by what is known now, and goes out in its order. */
static void
release(struct check *c)
{
	autobuf struct buf line = BUF_INIT;

	for (size_t i = 0; i < c->nheld; i++) {
		struct held *h = &c->held[i];

		if (!h->where)
			fwrite(h->line, 1, h->len, stdout);
		else if (judge_held(c, h, &line) && line.len) /* nothing with --quiet */
			fwrite(line.data, 1, line.len, stdout);
		free(h->line);
		free(h->where);
	}
	c->nheld = c->size = 0;
}

/* Does this object wait for a definition?  Who ignores unknown kinds waits for none. */
static bool
early(const struct check *c, const json_t *obj)
{
	learn_serve(c->learn);
	return unknown != IGNORE && !is_definition(obj) &&
	       !kind_of_object(text(obj, "apiVersion"), text(obj, "kind"));
}

static int
take(void *arg, struct objects *in, json_t *obj, struct err *err)
{
	struct check *c = arg;
	struct buf *line = &c->line;
	size_t len;
	const char *raw = objects_raw(in, &len);

	(void)err;
	c->where = objects_where(in);
	if (early(c, obj)) {
		buf_clear(line);
		if (raw)
			buf_add(line, raw, len);
		else
			json_add(line, obj);
		json_decref(obj);
		hold(c, line, c->where);
	} else if (judge(c, obj, raw, len, line) && !quiet) {
		if (c->nheld > 0)
			hold(c, line, NULL);
		else
			fwrite(line->data, 1, line->len, stdout);
	}
	if (c->size > HELD_MOST)
		release(c);
	return ferror(stdout);
}

static void
set_unknown(void)
{
	if (!strcmp(unknown_arg, "warn"))
		unknown = WARN;
	else if (!strcmp(unknown_arg, "ignore"))
		unknown = IGNORE;
	else if (strcmp(unknown_arg, "error"))
		die(NULL, "--unknown is error, warn or ignore, not '%s'", unknown_arg);
}

int
main(int argc, char *argv[])
{
	struct check c = { .learn = learn_new(), .line = BUF_INIT };
	struct err err;
	int r;

	for (int i = cli_parse(argc, argv); i < argc; i++) {
		GROW(files.item, files.n, files.cap);
		files.item[files.n++] = argv[i];
	}
	set_unknown();
	if (crds_learn(c.learn, NULL, warn, &err) < 0)
		die(&err, "cannot validate");
	r = objects_each((char *const *)files.item, (int)files.n, ACCEPT_OBJECTS, take, &c, &err);
	release(&c); /* also what came before a mistake */
	free(c.held);
	buf_release(&c.line);
	free(files.item);
	learn_free(c.learn);
	if (r < 0)
		return finish(complain(&err, "cannot validate"));
	return finish(c.invalid ? 2 : 0);
}
