/* orch-print - the object stream for people and scripts: tables, YAML, JSON, templates. */
#include <stdio.h>
#include <string.h>

#include "api/object.h"
#include "api/printer.h"
#include "base/buf.h"
#include "base/cli.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/time.h"
#include "client/crds.h"
#include "client/options.h"

static const char *format = "table", *label_columns, *time_arg;
static struct list files;
static bool no_headers, show_labels, show_kind, all_namespaces, list, each, keep_order;

static const struct opt opts[] = {
	{ 'o', "output", "FORMAT", "table (default), wide, yaml, json, jsonl, name, ...", &format,
	    false },
	{ 0, "no-headers", NULL, "leave the header of tables out", &no_headers, false },
	{ 0, "show-labels", NULL, "show all labels as the last column", &show_labels, false },
	{ 'L', "label-columns", "KEYS", "show these labels as columns", &label_columns, false },
	{ 0, "show-kind", NULL, "show names as kind/name", &show_kind, false },
	{ 'A', "all-namespaces", NULL, "show the namespace, also when there is one",
	    &all_namespaces, false },
	{ 0, "list", NULL, "json, yaml, jsonpath: always one List", &list, false },
	{ 'e', "each", NULL, "json, jsonpath: each object on its own", &each, false },
	{ 'k', "keep-order", NULL, "json, yaml: do not sort keys", &keep_order, false },
	{ 'f', "file", "FILE", "read this file or folder, as an operand does", &files, true },
	{ 't', "time", "TIME", "count ages to this time (default: now)", &time_arg, false },
	{ 0 },
};
static const struct opt *const shared[] = { crds_opts, client_opts, NULL };

const struct program self = {
	.name = "orch-print",
	.synopsis = "[-o format] [-L keys] [-Aek] [-f file] [file ...]",
	.summary = "Print objects as tables, YAML, JSON, names or by a template.",
	.opts = opts,
	.shared = shared,
	.operands = "files",
};

struct job {
	struct learn *learn; /* NULL: columns are not asked for */
	struct printer *printer;
	struct buf out;
};

static void
write_out(struct buf *out)
{
	if (out->len > 0)
		fwrite(out->data, 1, out->len, stdout);
	buf_clear(out);
}

static int
print(void *arg, struct objects *in, json_t *obj, struct err *err)
{
	struct job *job = arg;
	int r;

	if (job->learn)
		crds_take(job->learn, obj, objects_where(in), warn);
	r = printer_add(job->printer, obj, &job->out, err);
	json_decref(obj);
	write_out(&job->out);
	return r < 0 ? r : ferror(stdout);
}

static void
set_options(struct printer_options *o, struct buf *file)
{
	const char *path = printer_file(format);
	struct err err;

	if (list && each)
		die(NULL, "--list and --each exclude each other");
	*o = (struct printer_options){
		.now = clock_now(),
		.list = list   ? PRINTER_LIST_ALWAYS
			: each ? PRINTER_LIST_NEVER
			       : PRINTER_LIST_AUTO,
		.no_headers = no_headers,
		.show_labels = show_labels,
		.show_kind = show_kind,
		.show_namespace = all_namespaces,
		.keep_order = keep_order,
		.label_columns = label_columns,
	};
	if (time_arg && !time_parse(time_arg, &o->now))
		die(NULL, "--time: '%s' is not a time such as 2026-01-02T03:04:05Z", time_arg);
	if (path && buf_read_file(file, path, 1 << 20, &err) < 0 && err_of_input(&err) < 0)
		die(&err, "cannot read template");
	o->file_text = file->data;
}

int
main(int argc, char *argv[])
{
	autobuf struct buf file = BUF_INIT;
	struct printer_options options;
	struct job job = { .out = BUF_INIT };
	struct err err;
	int r;

	for (int i = cli_parse(argc, argv); i < argc; i++) {
		GROW(files.item, files.n, files.cap);
		files.item[files.n++] = argv[i];
	}
	set_options(&options, &file);
	if (printer_new(&job.printer, format, &options, &err) < 0)
		die(&err, "cannot print");
	if (strcmp(format, "table") == 0 || strcmp(format, "wide") == 0)
		job.learn = learn_new();
	if (job.learn && crds_learn(job.learn, NULL, warn, &err) < 0)
		die(&err, "cannot print");
	r = objects_each(
	    (char *const *)files.item, (int)files.n, ACCEPT_OBJECTS, print, &job, &err);
	free(files.item);
	if (r >= 0)
		r = printer_end(job.printer, &job.out, &err);
	else
		printer_flush(job.printer, &job.out); /* what came before the mistake */
	write_out(&job.out);
	printer_free(job.printer);
	learn_free(job.learn);
	buf_release(&job.out);
	return finish(r < 0 ? complain(&err, "cannot print") : 0);
}
