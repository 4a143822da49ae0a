/* orch - run one of the toolkit's programs: `orch get pods` is `orch-get pods`. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/text.h"

static const struct opt opts[] = { { 0 } };

const struct program self = {
	.name = "orch",
	.synopsis = "program [argument ...]\nhelp [program]",
	.summary = "Run a program of the toolkit: orch get pods is orch-get pods.",
	.opts = opts,
	.operands = "programs",
};

/* --- which programs there are --------------------------------------------------- */

struct names {
	char **item; /* without "orch-" */
	size_t n, cap;
};

static void
names_release(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->item[i]);
	free(names->item);
}
#define autonames __attribute__((cleanup(names_release)))

static void
add_folder(struct names *names, const char *folder)
{
	DIR *d = opendir(*folder ? folder : ".");
	struct dirent *e;

	while (d && (e = readdir(d))) {
		autofree char *path = xasprintf("%s/%s", *folder ? folder : ".", e->d_name);

		if (!text_starts(e->d_name, "orch-") || access(path, X_OK) != 0)
			continue;
		GROW(names->item, names->n, names->cap);
		names->item[names->n++] = xstrdup(e->d_name + strlen("orch-"));
	}
	if (d)
		closedir(d);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *
own_folder(void)
{
	char *path = realpath("/proc/self/exe", NULL);
	char *slash = path ? strrchr(path, '/') : NULL;

	if (slash)
		*slash = '\0';
	return path ? path : xstrdup("");
}

/* In our own folder and on PATH; sorted, each once. */
static struct names
find_programs(void)
{
	autofree char *own = own_folder();
	autofree char *path = xstrdup(getenv("PATH") ? getenv("PATH") : "");
	struct names all = { 0 };
	size_t kept = 0;
	char *rest = path, *folder;

	add_folder(&all, own);
	while ((folder = strsep(&rest, ":")))
		add_folder(&all, folder);
	if (all.n)
		qsort(all.item, all.n, sizeof *all.item, by_name);
	for (size_t i = 0; i < all.n; i++)
		if (kept && strcmp(all.item[kept - 1], all.item[i]) == 0)
			free(all.item[i]);
		else
			all.item[kept++] = all.item[i];
	all.n = kept;
	return all;
}

/* --- help -------------------------------------------------------------------------- */

/* The line "summary<TAB>..." of what our own programs tell completion. */
static char *
summary(const char *name)
{
	autofree char *file = xasprintf("orch-%s", name);
	autofree char *path = proc_sibling(file);
	autobuf struct buf out = BUF_INIT;
	struct err ignored;
	const char *at;

	if (!strchr(path, '/')) /* somebody else's, on PATH: it is not run for this */
		return xstrdup("");
	if (proc_run((const char *const[]){ path, "--complete", NULL }, "", &out, &ignored) < 0 ||
	    !(at = strstr(out.data, "summary\t")))
		return xstrdup("");
	at += strlen("summary\t");
	return xstrndup(at, strcspn(at, "\n"));
}

static int
list(void)
{
	autonames struct names all = find_programs();

	printf("usage: orch program [argument ...]\n\n");
	for (size_t i = 0; i < all.n; i++) {
		autofree char *text = summary(all.item[i]);

		printf("  %-12s %s\n", all.item[i], text);
	}
	printf("\norch help program says more, man orch-program everything.\n");
	return 0;
}

/* --- a name that is none ------------------------------------------------------------- */

/* Letters to insert, delete, change or swap with the next to get from a to b. */
static size_t
distance(const char *a, const char *b)
{
	enum { LONGEST = 40 };
	size_t row[3][LONGEST + 1], m = strlen(a), n = strlen(b);

	if (m > LONGEST || n > LONGEST)
		return LONGEST;
	for (size_t j = 0; j <= n; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= m; i++) {
		size_t *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);

			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
		}
	}
	return row[m % 3][n];
}

static int
unknown(const char *name)
{
	autonames struct names all = find_programs();
	size_t best = 3;
	autobuf struct buf near = BUF_INIT;

	for (size_t i = 0; *name && i < all.n; i++) {
		size_t d = text_starts(all.item[i], name) ? 1 : distance(name, all.item[i]);

		if (d < best) {
			best = d;
			buf_clear(&near);
		}
		if (d == best && best < 3)
			buf_printf(&near, "%s%s", near.len ? ", " : "", all.item[i]);
	}
	if (near.len)
		return complain(NULL, "there is no program '%s'; the nearest: %s", name, near.data);
	return complain(NULL, "there is no program '%s': orch help lists them", name);
}

/* Returns only when that fails. */
static int
run(const char *name, char *argv[])
{
	autofree char *file = xasprintf("orch-%s", name);
	autofree char *path = proc_sibling(file);

	argv[0] = path;
	errno = ENOENT;
	if (!strchr(name, '/') && *name)
		execvp(path, argv);
	if (errno != ENOENT && errno != ENOTDIR)
		return complain(NULL, "cannot run '%s': %s", path, strerror(errno));
	return unknown(name);
}

int
main(int argc, char *argv[])
{
	int first;

	cli_stop_at_operand();
	first = cli_parse(argc, argv);
	if (first == argc)
		usage();
	if (strcmp(argv[first], "help") != 0)
		return finish(run(argv[first], argv + first));
	if (first + 1 == argc)
		return finish(list());
	return finish(run(argv[first + 1], (char *[]){ NULL, "--help", NULL }));
}
