/* orch-down - end a cluster that orch-up started, and leave nothing behind. */
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <string.h>

#include "base/cli.h"
#include "base/mem.h"
#include "cluster/cluster.h"

static const char *data_arg;
static bool purge;

static const struct opt opts[] = {
	{ 'd', "data", "DIR", "the data folder given to orch-up", &data_arg },
	{ 0, "purge", NULL, "remove the data folder too: objects, images, logs", &purge },
	{ 0 },
};

const struct program self = {
	.name = "orch-down",
	.synopsis = "[--data DIR] [--purge]",
	.summary = "End a cluster that orch-up started, and leave nothing behind.",
	.opts = opts,
};

static int
end_keeper(const struct cluster *c)
{
	struct err err;

	if (proc_signal(&c->keeper, SIGTERM, &err) < 0)
		return complain(&err, "cannot end the cluster");
	if (!proc_wait_gone(&c->keeper, 60)) {
		complain(
		    NULL, "cannot end the cluster: its keeper, pid %d, goes on", c->keeper.pid);
		return 3;
	}
	return 0;
}

/* The containers: what runs under conmon outlives its orch-node. */
static int
clean_nodes(const struct cluster *c)
{
	autofree char *prog = proc_sibling("orch-node");
	int status = 0;

	for (int i = 1; i <= c->nodes; i++) {
		autofree char *dir = xasprintf("%s/node-%d", c->dir, i);
		const char *argv[] = { prog, "--data", dir, "--clean", NULL };
		struct err err;

		if (access(dir, F_OK) == 0 && proc_run(argv, NULL, NULL, &err) < 0)
			status = complain(&err, "cannot clean up node-%d", i);
	}
	return status;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	return (type == FTW_DP ? rmdir(path) : unlink(path)) < 0 && errno != ENOENT ? -1 : 0;
}

/* Never across a mount: what a container still has mounted there is not ours to empty. */
static int
remove_tree(const char *path)
{
	if (access(path, F_OK) < 0)
		return 0;
	if (nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) == 0)
		return 0;
	complain(NULL, "cannot remove '%s': %s", path, strerror(errno));
	return 3;
}

int
main(int argc, char *argv[])
{
	autofree char *dir = NULL, *run = NULL;
	struct cluster c;
	struct err err;
	int status = 0, s;

	argv += cli_parse(argc, argv);
	if (argv[0])
		usage();
	dir = data_arg ? xstrdup(data_arg) : cluster_default_dir();
	cluster_init(&c, dir);
	run = cluster_file(&c, "run");
	if (cluster_load(&c, &err) < 0 && !(purge && err.code == ERR_NOT_FOUND))
		die(&err, "cannot end the cluster");
	if ((s = end_keeper(&c)) != 0)
		return finish(s);
	if (cluster_load(&c, &err) < 0 && err.code != ERR_NOT_FOUND) /* the keeper's last word */
		status = complain(&err, "cannot end the cluster");
	if (cluster_stop(&c, &err) < 0)
		status = complain(&err, "cannot end the cluster");
	if ((s = clean_nodes(&c)) != 0)
		status = s;
	if (c.nodes > 0 && cluster_network_down(&c, &err) < 0)
		status = complain(&err, "cannot remove the network");
	if (status == 0)
		status = remove_tree(purge ? c.dir : run);
	cluster_release(&c);
	return finish(status);
}
