/* orch-parse - YAML or JSON in, the object stream out: what every pipe of manifests begins with. */
#include <stdio.h>

#include "api/object.h"
#include "base/buf.h"
#include "base/cli.h"
#include "base/jsonl.h"
#include "base/mem.h"

static bool any, where;
static struct list files;

static const struct opt opts[] = {
	{ 'a', "any", NULL, "take any value, not only Kubernetes objects", &any, false },
	{ 'w', "where", NULL, "say on stderr where each object came from", &where, false },
	{ 'f', "file", "FILE", "read this file or folder, as an operand does", &files, true },
	{ 0 },
};

const struct program self = {
	.name = "orch-parse",
	.synopsis = "[-aw] [-f file] [file ...]",
	.summary = "Read YAML or JSON and write one Kubernetes object a line.",
	.opts = opts,
	.operands = "files",
};

/* A line that is JSON already goes out as it came in. */
static int
emit(void *arg, struct objects *in, json_t *obj, struct err *err)
{
	struct buf *out = arg;
	size_t len;
	const char *raw = objects_raw(in, &len);

	(void)err;
	buf_clear(out);
	if (raw) {
		buf_add(out, raw, len);
		buf_putc(out, '\n');
	} else {
		jsonl_add(out, obj);
	}
	json_decref(obj);
	fwrite(out->data, 1, out->len, stdout);
	if (where)
		fprintf(stderr, "%s\n", objects_where(in));
	return ferror(stdout);
}

int
main(int argc, char *argv[])
{
	autobuf struct buf out = BUF_INIT;
	struct err err;
	int r;

	for (int i = cli_parse(argc, argv); i < argc; i++) {
		GROW(files.item, files.n, files.cap);
		files.item[files.n++] = argv[i];
	}
	r = objects_each((char *const *)files.item, (int)files.n, any ? ACCEPT_ANY : ACCEPT_OBJECTS,
	    emit, &out, &err);
	free(files.item);
	return finish(r < 0 ? complain(&err, "cannot parse") : 0);
}
