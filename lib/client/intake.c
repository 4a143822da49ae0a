#include "client/intake.h"

#include <string.h>

#include "api/meta.h"
#include "api/object.h"
#include "api/order.h"
#include "base/mem.h"

struct intake_options intake_options = { .server_side = "true", .unknown = "error" };

const struct opt intake_opts[] = {
	{ 'f', "filename", "FILE", "a file, a folder, or - for stdin (the default)",
	    &intake_options.files, true },
	{ 0, "force-conflicts", NULL, "take over fields that others manage", &intake_options.force,
	    false },
	{ 0, "applyset", "NAME", "record what belongs together in this secret",
	    &intake_options.applyset, false },
	{ 0, "prune", NULL, "delete what the applyset (or -l) has and the input has not",
	    &intake_options.prune, false },
	{ 0, "unknown", "HOW", "unknown fields: error (default), warn or ignore",
	    &intake_options.unknown, false },
	{ 0, "server-side", "BOOL", "false: merge here, as kubectl apply does",
	    &intake_options.server_side, false },
	{ 0 },
};

void
intake_failed(struct intake *in, int status)
{
	status = status == 1 ? 2 : status;
	in->worst = status > in->worst ? status : in->worst;
}

/* --- options ------------------------------------------------------------------------------------
 */

static int
check_scope(struct err *err)
{
	const char *labels = scope_options.selector;

	if (scope_options.all_namespaces || scope_options.field_selector)
		return err_set(err, ERR_BAD_REQUEST, "-A and --field-selector mean nothing here");
	if (intake_options.applyset && labels)
		return err_set(err, ERR_BAD_REQUEST, "--applyset and -l do not go together");
	if (intake_options.prune && !intake_options.applyset && (!labels || !*labels))
		return err_set(err, ERR_BAD_REQUEST,
		    "--prune needs --applyset, or -l LABELS: it deletes what belongs to these and "
		    "is not in the input");
	return 0;
}

static int
set_bundle(struct intake *in, struct err *err)
{
	const char *side = intake_options.server_side;
	struct bundle *b = &in->bundle;
	int r = unknown_of(intake_options.unknown, &b->unknown, err);

	if (r < 0)
		return r;
	if (strcmp(side, "true") != 0 && strcmp(side, "false") != 0)
		return err_set(
		    err, ERR_BAD_REQUEST, "--server-side: '%s' is neither true nor false", side);
	b->server_side = *side == 't';
	b->manager = in->manager;
	b->force = intake_options.force;
	b->guarded = in->guarded;
	b->offline = in->offline;
	b->patience = in->patience;
	return 0;
}

/* --- reading -------------------------------------------------------------------------------- */

static int
take(void *arg, struct objects *from, json_t *obj, struct err *err)
{
	struct intake *in = arg;
	const char *where = objects_where(from);
	struct err why;

	(void)err;
	in->read++;
	if (!selector_match(in->labels, meta_labels(obj))) {
		json_decref(obj);
	} else if (in->set.id && applyset_label(&in->set, obj, &why) < 0) {
		intake_failed(in, in->complain(&why, "%s", where));
		json_decref(obj);
	} else if (bundle_add(&in->bundle, obj, where, &why) < 0) {
		intake_failed(in, in->complain(&why, "%s", where));
	}
	return 0;
}

int
intake_open(struct intake *in, struct err *err)
{
	const char *labels = scope_options.selector ? scope_options.selector : "";
	const struct list *files = &intake_options.files;
	int r;

	if ((r = check_scope(err)) < 0 || (r = set_bundle(in, err)) < 0)
		return r;
	if ((r = selector_parse(&in->labels, labels, err)) < 0)
		return err_wrap(err, "-l '%s'", labels);
	if ((r = client_open(&in->client, err)) < 0)
		return r;
	in->bundle.client = in->client;
	if (intake_options.applyset &&
	    (r = applyset_open(&in->set, in->client, intake_options.applyset, err)) < 0)
		return err_wrap(err, "cannot use applyset '%s'", intake_options.applyset);
	if ((r = objects_each(
		 (char *const *)files->item, (int)files->n, ACCEPT_OBJECTS, take, in, err)) < 0)
		return r;
	if (intake_options.prune && in->read == 0)
		return err_set(err, ERR_BAD_REQUEST,
		    "the input holds no object, so everything would be pruned; orch-delete -l "
		    "does that");
	return 0;
}

void
intake_close(struct intake *in)
{
	bundle_release(&in->bundle);
	applyset_release(&in->set);
	selector_free(in->labels);
	client_close(in->client);
}

/* --- the applyset's record ---------------------------------------------------------------------
 */

/* The kinds and namespaces of the input; those that only its definitions make are not there before
 * it was written. */
static void
places(const struct bundle *b, bool written, json_t *kinds, json_t *namespaces)
{
	char group_kind[128];

	for (size_t n = 0; n < b->n; n++) {
		const struct item *i = &b->item[n];

		if (i->hidden || !i->kind || (i->later && !written))
			continue;
		json_object_set_new(kinds, kind_group_kind(i->kind, group_kind), json_true());
		if (*item_namespace(i))
			json_object_set_new(namespaces, item_namespace(i), json_true());
	}
}

/* Its namespace may have to come first. */
static int
add_record(struct bundle *b, const struct applyset *set, const json_t *kinds,
    const json_t *namespaces, struct err *err)
{
	autofree char *ns = xasprintf("Namespace//%s", set->ns);
	struct item *i;
	int r =
	    bundle_add(b, applyset_parent(set, kinds, namespaces), "the applyset's record", err);

	if (r < 0)
		return r;
	i = &b->item[b->n - 1];
	i->hidden = true;
	i->manager = APPLYSET_MANAGER;
	i->client_side = false;
	i->rank = json_object_get(b->keys, ns) ? 2 * install_rank("v1", "Namespace") + 1 : -1;
	return 0;
}

/* Before anything is written: what was and what will be, so that nothing is forgotten when we are
 * killed. */
static void
begin_record(struct intake *in)
{
	json_auto_t *kinds = json_copy(in->set.kinds);
	json_auto_t *namespaces = json_copy(in->set.namespaces);
	struct err err;

	places(&in->bundle, true, kinds, namespaces);
	if (add_record(&in->bundle, &in->set, kinds, namespaces, &err) < 0)
		intake_failed(in, in->complain(&err, "cannot record the applyset"));
}

/* What is pruned need not be looked for again. */
int
intake_record(struct intake *in, struct err *err)
{
	json_auto_t *kinds = json_object(), *namespaces = json_object();
	struct bundle b = { .client = in->client, .server_side = true };
	int r;

	b.manager = APPLYSET_MANAGER;
	places(&in->bundle, true, kinds, namespaces);
	if ((r = add_record(&b, &in->set, kinds, namespaces, err)) >= 0) {
		bundle_look(&b);
		bundle_check(&b);
		bundle_write(&b, false);
		if (bundle_failed(&b)) {
			*err = b.item[0].err;
			r = -(int)err->code;
		}
	}
	bundle_release(&b);
	return r;
}

/* Members of other sets are not ours to take. */
static void
check_members(struct intake *in)
{
	for (size_t n = 0; n < in->bundle.n; n++) {
		struct item *i = &in->bundle.item[n];

		if (i->err.code == ERR_OK && i->live && !i->hidden)
			applyset_may_take(&in->set, i->live, &i->err);
	}
}

void
intake_check(struct intake *in, bool in_record)
{
	if (in->set.id && in_record)
		begin_record(in);
	bundle_sort(&in->bundle);
	bundle_look(&in->bundle);
	if (in->set.id)
		check_members(in);
	bundle_check(&in->bundle);
}

int
intake_prune(struct intake *in, struct prune *p, struct err *err)
{
	json_auto_t *kinds = json_object(), *namespaces = json_object();
	autofree char *members = NULL;

	p->client = in->client;
	p->selector = scope_options.selector;
	p->manager = in->manager;
	p->kept = in->bundle.keys;
	p->kinds = kinds;
	p->namespaces = namespaces;
	if (in->set.id) {
		p->applyset = in->set.id;
		p->selector = members = xasprintf(APPLYSET_PART_OF "=%s", in->set.id);
		json_object_update(kinds, in->set.kinds);
		json_object_update(namespaces, in->set.namespaces);
	} else {
		prune_usual_kinds(kinds);
		json_object_set_new(namespaces, client_namespace(in->client), json_true());
	}
	places(&in->bundle, p->dry == DRY_NO, kinds, namespaces);
	return prune_run(p, err);
}
