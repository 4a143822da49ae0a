/* orch-down - end a cluster that orch-up started, and leave nothing behind. */
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <string.h>

#include "base/cli.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
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

/* End the keeper, also one that an orch-up is about to start; from then on nobody else starts one.
 */
static int
take_over(struct cluster *c, int *lock)
{
	double until = clock_monotonic() + 60;
	struct err err;
	int s;

	for (;;) {
		if ((s = end_keeper(c)) != 0)
			return s;
		if (cluster_lock(c, false, lock, &err) == 0)
			break;
		if (err.code != ERR_CONFLICT || clock_monotonic() > until)
			return complain(&err, "cannot end the cluster");
		usleep(20000);
		if (cluster_load(c, &err) < 0)
			return complain(&err, "cannot end the cluster");
	}
	if (cluster_load(c, &err) < 0) /* the keeper's last word */
		return complain(&err, "cannot end the cluster");
	return 0;
}

static int
end_all(struct cluster *c)
{
	struct err err;
	int status = 0;

	if (cluster_stop(c, &err) < 0)
		status = complain(&err, "cannot end the cluster");
	if (cluster_clean_nodes(c, &err) < 0)
		status = complain(&err, "cannot end the cluster");
	if (c->nodes > 0 && cluster_network_down(c, &err) < 0)
		status = complain(&err, "cannot remove the network");
	cluster_network_release(c);
	return status;
}

/* The lock goes last: an orch-up that waits for it must not find half of what was there. */
static const char *lock_file;

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (lock_file && strcmp(path, lock_file) == 0)
		return 0;
	if ((type == FTW_DP ? rmdir(path) : unlink(path)) == 0 || errno == ENOENT)
		return 0;
	return type == FTW_DP && errno == ENOTEMPTY && lock_file && text_starts(lock_file, path)
		   ? 0
		   : -1;
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

static int
remove_files(const struct cluster *c)
{
	autofree char *run = cluster_file(c, "run"), *lock = cluster_file(c, "run/lock");
	int status;

	lock_file = lock;
	status = remove_tree(purge ? c->dir : run);
	lock_file = NULL;
	if (status != 0)
		return status;
	unlink(lock);
	rmdir(run); /* not empty: an orch-up was waiting */
	if (purge)
		rmdir(c->dir);
	return 0;
}

int
main(int argc, char *argv[])
{
	autofree char *dir = NULL;
	struct cluster c;
	struct err err;
	autoclose int lock = -1;
	int status = 0;

	argv += cli_parse(argc, argv);
	if (argv[0])
		usage();
	dir = data_arg ? xstrdup(data_arg) : cluster_default_dir();
	cluster_init(&c, dir);
	if (cluster_load(&c, &err) == 0) {
		if ((status = take_over(&c, &lock)) == 0)
			status = end_all(&c);
	} else if (!purge || err.code != ERR_NOT_FOUND) {
		die(&err, "cannot end the cluster");
	}
	if (status == 0)
		status = remove_files(&c);
	cluster_release(&c);
	return finish(status);
}
