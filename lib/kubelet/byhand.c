/* The folders of pods that are run by hand. */
#include "kubelet/byhand.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/mem.h"
#include "node/agent.h"
#include "node/files.h"

void
byhand_name(const json_t *pod, char buf[static 512])
{
	const char *ns = meta_namespace(pod);
	bool plain = !*ns || strcmp(ns, "default") == 0;

	snprintf(buf, 512, "%s%s%s", plain ? "" : ns, plain ? "" : "_", meta_name(pod));
}

int
byhand_find(struct byhand *ret, const char *root, const char *name, struct err *err)
{
	if (!*name || *name == '.' || strchr(name, '/') || strlen(name) > 400)
		return err_set(err, ERR_INVALID, "'%.100s' is no name of a pod", name);
	*ret = (struct byhand){ xstrdup(root), xstrdup(name), xasprintf("%s/%s", root, name) };
	return 0;
}

void
byhand_release(struct byhand *b)
{
	free(b->root);
	free(b->name);
	free(b->folder);
}

static json_t *
load(const struct byhand *b, const char *file)
{
	autofree char *path = xasprintf("%s/%s", b->folder, file);

	return json_load_file(path, 0, NULL);
}

bool
byhand_exists(const struct byhand *b)
{
	return file_exists(b->folder);
}

bool
byhand_keeper(const struct byhand *b, struct proc *ret)
{
	json_auto_t *keeper = load(b, "keeper.json");

	*ret = (struct proc){ (pid_t)num(get(keeper, "pid"), 0),
		(uint64_t)num(get(keeper, "start"), 0) };
	return ret->pid > 0 && proc_alive(ret);
}

int
byhand_pod(const struct byhand *b, json_t **ret, struct err *err)
{
	*ret = load(b, "pod.json");
	if (*ret)
		return 0;
	return err_set(err, ERR_NOT_FOUND, "there is no pod '%s' in '%s'", b->name, b->root);
}

static int
visible(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

int
byhand_each(
    const char *root, int (*each)(void *arg, const struct byhand *b), void *arg, struct err *err)
{
	struct dirent **names = NULL;
	int n = scandir(root, &names, visible, alphasort), r = 0;

	if (n < 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot read '%s'", root);
	for (int i = 0; i < n; i++) {
		struct byhand b;

		if (r == 0 && byhand_find(&b, root, names[i]->d_name, err) == 0) {
			r = each(arg, &b);
			byhand_release(&b);
		}
		free(names[i]);
	}
	free(names);
	return r;
}

int
byhand_remove(const struct byhand *b, struct err *err)
{
	autofree char *run = xasprintf("%s/run", b->folder);
	struct host_options o = { .data = b->folder, .cleaning = true };
	struct host *host;
	int r;

	if (file_exists(run)) {
		if ((r = host_open(&host, &o, err)) < 0)
			return r;
		r = agent_clean(host, err);
		host_close(host);
		if (r < 0)
			return r;
	}
	return tree_remove(b->folder, err);
}

static int
code_of(const json_t *statuses)
{
	json_t *one;
	size_t i;

	json_array_foreach (statuses, i, one) {
		const json_t *end = get(one, "state", "terminated");

		if (!end)
			end = get(one, "lastState", "terminated");
		if (num(get(end, "exitCode"), 0) != 0)
			return (int)num(get(end, "exitCode"), 0);
	}
	return 0;
}

int
byhand_exit(const json_t *status)
{
	int code = code_of(get(status, "containerStatuses"));

	if (code == 0)
		code = code_of(get(status, "initContainerStatuses"));
	if (code == 0 && strcmp(text(status, "phase"), "Failed") == 0)
		code = 2; /* it was never begun: refused */
	return code;
}
