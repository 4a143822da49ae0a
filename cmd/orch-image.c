/* orch-image - the container images of this machine: import, pull, list, inspect, remove. */
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
#include "node/reference.h"
#include "node/registry.h"

static const char *data = "/var/lib/orch";
static const char *auth_file, *registries, *format, *deadline = "1m";
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
	{ 0, "registries", "FILE", "pull: mirrors and more (default: DIR/registries)", &registries,
	    false },
	{ 0, "progress-deadline", "DURATION", "pull: give up without progress (1m)", &deadline,
	    false },
	{ 0 },
};

const struct program self = {
	.name = "orch-image",
	.synopsis = "[--root DIR] [-o FORMAT] list [IMAGE...]\n"
		    "[--root DIR] inspect IMAGE...\n"
		    "[--root DIR] import [FILE|- [NAME:TAG]]\n"
		    "[--root DIR] [--insecure] [--auth-file FILE] [--registries FILE]\n"
		    "    [--progress-deadline DURATION] pull IMAGE...\n"
		    "[--root DIR] remove IMAGE...\n"
		    "[--root DIR] prune",
	.summary = "Import, pull, inspect and remove the container images of this machine.",
	.opts = opts,
	.operands = "files",
	.commands = "list inspect import pull remove prune",
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
		.registries = registries,
		.deadline = cli_duration("progress-deadline", deadline),
		.progress = terminal ? show_progress : NULL,
		.arg = (void *)ref };
	autofree char *id = NULL, *full = NULL;
	struct err err;
	int r = image_pull(s, ref, &o, &id, &err);

	if (terminal)
		fputs("\r\033[K", stderr);
	if (r < 0 || reference_complete(&full, ref, &err) < 0)
		return complain(&err, "cannot pull '%s'", ref);
	return print_added(NULL, full, id, &err);
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

/* The layers, from the bottom up: what the manifest says and what the configuration says. */
static json_t *
describe_layers(struct images *s, const struct image *image)
{
	json_t *layers = json_array(), *diff;
	size_t i;

	json_array_foreach (get(image->config, "rootfs", "diff_ids"), i, diff) {
		const json_t *d = json_array_get(image->layers, i);
		autofree char *name = layer_folder(str(diff, ""));

		json_array_append_new(layers,
		    json_pack("{s:O, s:O?, s:O?, s:O?, s:o}", "diffID", diff, "digest",
			get(d, "digest"), "size", get(d, "size"), "mediaType", get(d, "mediaType"),
			"folder", json_sprintf("%s/%s", images_layers(s), name)));
	}
	return layers;
}

struct same {
	const struct image *image;
	json_t *refs;
};

static int
add_reference(void *arg, const struct image *image, struct err *err)
{
	struct same *same = arg;

	(void)err;
	if (strcmp(image->id, same->image->id) == 0)
		json_array_append_new(same->refs, json_string(image->ref));
	return 0;
}

static int
do_inspect(struct images *s, const char *ref)
{
	json_auto_t *out = NULL, *refs = json_array();
	struct image image;
	struct err err;
	const char *os;

	if (image_find(s, ref, &image, &err) < 0 ||
	    image_each(s, add_reference, &(struct same){ &image, refs }, &err) < 0)
		return complain(&err, "cannot inspect '%s'", ref);
	out = describe(&image);
	os = text(image.config, "os");
	put(out, json_incref(refs), "references");
	put(out, json_sprintf("%s/%s", *os ? os : "linux", text(image.config, "architecture")),
	    "platform");
	for (size_t i = 0; i < 3; i++) {
		static const char *const keys[] = { "created", "author", "history" };

		if (get(image.config, keys[i]))
			put(out, json_incref(get(image.config, keys[i])), keys[i]);
	}
	put(out, describe_layers(s, &image), "layers");
	jsonl_write(stdout, out);
	image_release(&image);
	return 0;
}

static int
do_prune(struct images *s)
{
	json_auto_t *line = NULL;
	struct pruned freed;
	struct err err;

	if (images_prune(s, &freed, &err) < 0)
		return complain(&err, "cannot prune the images of '%s'", data);
	line = json_pack(
	    "{s:I, s:I}", "removed", (json_int_t)freed.things, "bytes", (json_int_t)freed.bytes);
	jsonl_write(stdout, line);
	return 0;
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
	else if (strcmp(verb, "inspect") == 0)
		status = for_each(s, argv, do_inspect);
	else if (strcmp(verb, "remove") == 0)
		status = for_each(s, argv, do_remove);
	else if (strcmp(verb, "prune") == 0)
		status = do_prune(s);
	else
		die(NULL, "'%s' is none of list, inspect, import, pull, remove, prune", verb);
	images_close(s);
	return finish(status);
}
