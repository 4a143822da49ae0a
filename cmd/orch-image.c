/* orch-image - the container images of this machine: import, pull, list, remove. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/cli.h"
#include "base/clock.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "node/image.h"
#include "node/registry.h"

static const char *data = "/var/lib/orch";
static const char *auth_file, *format;
static bool insecure;

static const char *const formats[] = { "table", "jsonl", "name", NULL };
static const struct opt opts[] = {
	{ 0, "root", "DIR", "images are below DIR, a node's data (default: /var/lib/orch)", &data,
	    false },
	{ 0, "data", "DIR", "the same", &data, false },
	{ 'o', "output", "FORMAT", "list: table, jsonl or name", &format, false },
	{ 0, "insecure", NULL, "pull: plain HTTP, and TLS without checks", &insecure, false },
	{ 0, "auth-file", "FILE", "pull: credentials (default: ~/.docker/config.json)", &auth_file,
	    false },
	{ 0 },
};

const struct program self = {
	.name = "orch-image",
	.synopsis = "[--root DIR] [-o FORMAT] list [IMAGE...]\n"
		    "[--root DIR] import [FILE|- [NAME:TAG]]\n"
		    "[--root DIR] [--insecure] [--auth-file FILE] pull IMAGE...\n"
		    "[--root DIR] remove IMAGE...\n"
		    "[--root DIR] prune",
	.summary = "Import, pull, list and remove the container images of this machine.",
	.opts = opts,
	.operands = "files",
	.commands = "list import pull remove prune",
};

static int
print_added(void *arg, const char *ref, const char *id, struct err *err)
{
	json_auto_t *line = json_pack("{s:s, s:s}", "image", ref, "id", id);

	(void)arg;
	(void)err;
	jsonl_write(stdout, line);
	return 0;
}

static int
do_import(struct images *s, const char *file, const char *name)
{
	bool in = strcmp(file, "-") == 0;
	autoclose int fd = in ? dup(STDIN_FILENO) : open(file, O_RDONLY | O_CLOEXEC);
	struct err err;

	if (fd < 0) {
		err_sys(&err, errno, "cannot open");
		return complain(&err, "cannot import '%s'", file);
	}
	if (image_import(s, fd, name, print_added, NULL, &err) < 0)
		return complain(&err, "cannot import '%s'", in ? "standard input" : file);
	return 0;
}

/* How far a pull is: one line that is written over, on a terminal. */
static void
show_progress(void *arg, const struct pull_progress *p)
{
	fprintf(stderr, "\r\033[K%.40s: %.1f of %.1f MB, %d %%, %.1f MB/s, %zu of %zu layers",
	    (const char *)arg, (double)p->bytes / 1e6, (double)p->total / 1e6,
	    p->total ? (int)(100 * p->bytes / p->total) : 100, p->speed / 1e6, p->ready, p->layers);
}

static int
do_pull(struct images *s, const char *ref)
{
	bool terminal = isatty(STDERR_FILENO);
	struct pull_options o = { .insecure = insecure,
		.auth_file = auth_file,
		.progress = terminal ? show_progress : NULL,
		.arg = (void *)ref };
	autofree char *id = NULL;
	struct err err;
	int r = image_pull(s, ref, &o, &id, &err);

	if (terminal)
		fputs("\r\033[K", stderr);
	if (r < 0)
		return complain(&err, "cannot pull '%s'", ref);
	return print_added(NULL, ref, id, &err);
}

static int
do_remove(struct images *s, const char *ref)
{
	struct err err;

	if (image_remove(s, ref, &err) < 0 || images_prune(s, NULL, &err) < 0)
		return complain(&err, "cannot remove '%s'", ref);
	return 0;
}

static json_t *
describe(const struct image *image)
{
	char added[TIME_TEXT];

	return json_pack("{s:s, s:s, s:s, s:I, s:i, s:s, s:s, s:O?}", "image", image->ref, "id",
	    image->id, "digest", image->digest, "size", (json_int_t)image->size, "layers",
	    (int)json_array_size(get(image->config, "rootfs", "diff_ids")), "source", image->source,
	    "added", time_print(image->added, added), "config", get(image->config, "config"));
}

static void
show_row(const struct image *image, bool *heading)
{
	char age[TIME_TEXT];

	if (!*heading)
		printf("%-52s %-14s %9s %s\n", "IMAGE", "ID", "SIZE", "ADDED");
	*heading = true;
	printf("%-52s %-14.12s %8.1fM %s\n", image->ref, image->id + strlen("sha256:"),
	    (double)image->size / 1e6, duration_print(clock_now() - image->added, age));
}

static int
show(void *arg, const struct image *image, struct err *err)
{
	(void)err;
	if (strcmp(format, "table") == 0) {
		show_row(image, arg);
	} else if (strcmp(format, "name") == 0) {
		puts(image->ref);
	} else {
		json_auto_t *line = describe(image);

		jsonl_write(stdout, line);
	}
	return 0;
}

static int
do_list(struct images *s, char *refs[])
{
	bool heading = false;
	struct err err;
	int status = 0;

	if (!refs[0] && image_each(s, show, &heading, &err) < 0)
		return complain(&err, "cannot list the images");
	for (; *refs; refs++) {
		struct image image;

		if (image_find(s, *refs, &image, &err) < 0) {
			status = complain(&err, "cannot list '%s'", *refs);
			continue;
		}
		show(&heading, &image, &err);
		image_release(&image);
	}
	return status;
}

/* One after the other; the worst exit status wins. */
static int
for_each(struct images *s, char *args[], int (*work)(struct images *, const char *))
{
	int status = 0;

	if (!args[0])
		usage();
	for (; *args; args++) {
		int r = work(s, *args);

		if (r > status)
			status = r;
	}
	return status;
}

int
main(int argc, char *argv[])
{
	struct images *s;
	const char *verb;
	struct err err;
	int status = 0;

	argv += cli_parse(argc, argv);
	if (!(verb = *argv++))
		usage();
	if (format && strcmp(verb, "list") != 0)
		die(NULL, "-o is for list, not for '%s'", verb);
	if (!format)
		format = isatty(STDOUT_FILENO) ? "table" : "jsonl";
	if (!text_in(format, formats))
		die(NULL, "-o '%s' is none of table, jsonl, name", format);
	if (images_open(&s, data, &err) < 0)
		die(&err, "cannot open the images of '%s'", data);
	if (strcmp(verb, "list") == 0)
		status = do_list(s, argv);
	else if (strcmp(verb, "import") == 0 && argv[0] && argv[1] && argv[2])
		usage();
	else if (strcmp(verb, "import") == 0)
		status = do_import(s, argv[0] ? argv[0] : "-", argv[0] ? argv[1] : NULL);
	else if (strcmp(verb, "pull") == 0)
		status = for_each(s, argv, do_pull);
	else if (strcmp(verb, "remove") == 0)
		status = for_each(s, argv, do_remove);
	else if (strcmp(verb, "prune") != 0)
		die(NULL, "'%s' is none of list, import, pull, remove, prune", verb);
	else if (images_prune(s, NULL, &err) < 0)
		status = complain(&err, "cannot prune the images of '%s'", data);
	images_close(s);
	return finish(status);
}
