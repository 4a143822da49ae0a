#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "client/address.h"
#include "client/http.h"
#include "client/write.h"

struct write_options write_options;

const struct opt write_opts[] = {
	{ 'o', "output", "FORMAT", "name, or the objects as they then are: jsonl, yaml, ...",
	    &write_options.format, false },
	{ 0, "dry-run", "[MODE]", "change nothing: server (default), client; none: do change",
	    &write_options.dry, false },
	{ 0, "field-manager", "NAME", "who owns the fields that are written",
	    &write_options.manager, false },
	{ 0 },
};

int
dry_of(const char *word, enum dry *ret, struct err *err)
{
	static const struct {
		const char *word;
		enum dry dry;
	} modes[] = { { "", DRY_SERVER }, { "server", DRY_SERVER }, { "client", DRY_CLIENT },
		{ "none", DRY_NO } };

	*ret = DRY_NO;
	if (!word)
		return 0;
	for (size_t i = 0; i < COUNT(modes); i++)
		if (strcmp(word, modes[i].word) == 0) {
			*ret = modes[i].dry;
			return 0;
		}
	return err_set(
	    err, ERR_BAD_REQUEST, "--dry-run: '%s' is none of server, client, none", word);
}

int
writer_open(struct writer *w, FILE *f, const char *manager, struct err *err)
{
	const struct printer_options options = { .list = PRINTER_LIST_NEVER };
	struct buf query = BUF_INIT;
	int r;

	*w = (struct writer){ .manager = manager, .f = f, .printing = write_options.format };
	if ((r = dry_of(write_options.dry, &w->dry, err)) < 0)
		return r;
	if (write_options.manager) {
		w->manager = write_options.manager;
		if (!*w->manager || strlen(w->manager) > 128)
			return err_set(err, ERR_BAD_REQUEST,
			    "--field-manager: a name of 1 to 128 characters is needed");
	}
	if (w->printing &&
	    (r = output_open(&w->output, f, write_options.format, &options, err)) < 0)
		return r;
	buf_puts(&query, "");
	query_add(&query, "fieldManager", w->manager);
	if (w->dry == DRY_SERVER)
		query_add(&query, "dryRun", "All");
	w->query = xstrdup(query.data + 1); /* the calls put the '?' */
	buf_release(&query);
	return 0;
}

int
writer_report(
    struct writer *w, const struct kind *k, const json_t *obj, const char *what, struct err *err)
{
	autofree char *name = NULL;

	if (w->printing)
		return output_add(&w->output, (json_t *)obj, err);
	name = target_name(k, meta_name(obj));
	fprintf(w->f, "%s %s%s\n", name, what, w->dry ? " (dry run)" : "");
	return 0;
}

int
writer_close(struct writer *w, struct err *err)
{
	int r = w->printing ? output_close(&w->output, err) : 0;

	free(w->query);
	w->query = NULL;
	return r;
}
