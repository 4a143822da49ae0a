/* Files of a volume that change all at once: links, states, what a crash leaves behind. */
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "node/files.h"
#include "node/payload.h"

static int failed;
static char folder[] = "/tmp/payload.XXXXXX";

static void
check(const char *what, bool ok)
{
	if (!ok)
		printf("payload: %s\n", what);
	failed |= !ok;
}

static bool
holds(const char *name, const char *want)
{
	autofree char *path = xasprintf("%s/%s", folder, name);
	autobuf struct buf b = BUF_INIT;
	struct err err;

	return buf_read_file(&b, path, 1000, &err) == 0 && b.len == strlen(want) &&
	       memcmp(b.data ? b.data : "", want, b.len) == 0;
}

/* What stands in the folder, sorted; states count, their names do not. */
static char *
listing(void)
{
	struct dirent **names;
	int n = scandir(folder, &names, NULL, alphasort);
	autobuf struct buf b = BUF_INIT;

	buf_puts(&b, "");
	for (int i = 0; i < n; i++) {
		const char *name = names[i]->d_name;

		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
			buf_printf(&b, " %s", strncmp(name, "..2", 3) == 0 ? "STATE" : name);
		free(names[i]);
	}
	free(names);
	return buf_detach(&b);
}

static void
expect(const char *what, const char *want)
{
	autofree char *got = listing();

	if (strcmp(got, want) != 0)
		printf("payload: %s: got '%s', want '%s'\n", what, got, want);
	failed |= strcmp(got, want) != 0;
}

static void
write_two(const char *a, const char *second, const char *b)
{
	struct payload *p = payload_new();
	struct err err;

	check("add a", payload_add(p, "a", a, strlen(a), 0644, &err) == 0);
	check("add second", payload_add(p, second, b, strlen(b), 0600, &err) == 0);
	check("write", payload_write(p, folder, (gid_t)-1, &err) == 0);
	payload_free(p);
}

static void
states(void)
{
	autofree char *data = xasprintf("%s/..data", folder), *deep = NULL;
	char first[100], again[100];
	struct stat st;
	ssize_t n;

	write_two("one", "dir/b", "two");
	expect("first", " STATE ..data a dir");
	check("contents", holds("a", "one") && holds("dir/b", "two"));
	deep = xasprintf("%s/dir/b", folder);
	check("mode", stat(deep, &st) == 0 && (st.st_mode & 07777) == 0600);
	n = readlink(data, first, sizeof first);
	write_two("one", "dir/b", "two");
	check("nothing is written when nothing changed",
	    n > 0 && readlink(data, again, sizeof again) == n &&
		memcmp(first, again, (size_t)n) == 0);
	write_two("uno", "dir/c", "three");
	expect("another", " STATE ..data a dir");
	check("what is no more has gone",
	    holds("a", "uno") && holds("dir/c", "three") && !holds("dir/b", "two"));
	write_two("uno", "c", "three");
	expect("the last of a folder", " STATE ..data a c");
}

/* Somebody before us was ended in the middle. */
static void
leftovers(void)
{
	autofree char *half = xasprintf("%s/..2020_01_01_00_00_00.000000000/x", folder);
	autofree char *fresh = xasprintf("%s/..data_tmp", folder);
	autofree char *stale = xasprintf("%s/gone", folder), *a = xasprintf("%s/a", folder);
	struct err err;

	check("half", mkdir_all(half, 0755, &err) == 0);
	check("links", symlink("..2020_01_01_00_00_00.000000000", fresh) == 0 &&
			   symlink("..data/gone", stale) == 0);
	unlink(a);
	write_two("uno", "c", "three");
	expect("swept", " STATE ..data a c");
	check("links are back", holds("a", "uno"));
}

static void
kept(void)
{
	struct payload *p = payload_new();
	struct err err;

	check("keep", payload_keep(p, folder, "c"));
	check("what is not there is not kept", !payload_keep(p, folder, "none"));
	check("write", payload_write(p, folder, (gid_t)-1, &err) == 0);
	expect("kept", " STATE ..data c");
	check("as it was", holds("c", "three"));
	payload_free(p);
	p = payload_new();
	check("write nothing", payload_write(p, folder, (gid_t)-1, &err) == 0);
	expect("empty", " STATE ..data");
	payload_free(p);
}

static void
names(void)
{
	static const char *const bad[] = { "", "/x", "../x", "a/../b", "..x", "..data", "a/" };
	struct payload *p = payload_new();
	struct err err;

	for (size_t i = 0; i < COUNT(bad); i++)
		check(bad[i], payload_add(p, bad[i], "", 0, 0644, &err) < 0);
	check(".hidden", payload_add(p, ".hidden", "", 0, 0644, &err) == 0);
	payload_free(p);
}

/* Two files that are read through ..data are of one state. */
static _Atomic bool over;

static void *
reader(void *arg)
{
	bool *torn = arg;

	while (!over) {
		autofree char *data = xasprintf("%s/..data", folder);
		char *real = realpath(data, NULL);
		autofree char *a = real ? xasprintf("%s/a", real) : NULL;
		autofree char *b = real ? xasprintf("%s/b", real) : NULL;
		autobuf struct buf x = BUF_INIT, y = BUF_INIT;
		struct err err;

		/* a state may go while it is read: then it cannot be read at all */
		if (real && buf_read_file(&x, a, 100, &err) == 0 &&
		    buf_read_file(&y, b, 100, &err) == 0)
			*torn = *torn || x.len != y.len || memcmp(x.data, y.data, x.len) != 0;
		free(real);
	}
	return NULL;
}

static void
together(void)
{
	bool torn = false;
	pthread_t t;

	write_two("0", "b", "0");
	pthread_create(&t, NULL, reader, &torn);
	for (int i = 0; i < 300; i++) {
		char text[16];

		snprintf(text, sizeof text, "%d", i);
		write_two(text, "b", text);
	}
	over = true;
	pthread_join(t, NULL);
	check("old and new at the same time", !torn);
}

int
main(void)
{
	struct err err;

	if (!mkdtemp(folder))
		return 1;
	states();
	leftovers();
	kept();
	names();
	together();
	tree_remove(folder, &err);
	return failed;
}
