#include <math.h>
#include <poll.h>

#include "base/clock.h"
#include "base/lean.h"
#include "base/mem.h"
#include "kubelet/kubelet_private.h"
#include "kubelet/manifests.h"

int
kubelet_open(struct kubelet **ret, struct host *host, struct err *err)
{
	struct client *client;
	int r = client_open(&client, err);

	if (r < 0)
		return r;
	*ret = xcalloc(1, sizeof **ret);
	client_hurry(client, PATIENCE);
	**ret = (struct kubelet){ .host = host,
		.epoll = -1,
		.asking.fd = -1,
		.name = host->o.name,
		.client = client,
		.events = json_array(),
		.seen = json_object(),
		.statics = json_object(),
		.static_status = json_object(),
		.mirrors = json_object(),
		.statuses = metric_new("orch_node_status_updates_total", "counter",
		    "Statuses sent to the server.", NULL),
		.errors = metric_new("orch_node_errors_total", "counter",
		    "Requests to the server that failed.", NULL) };
	return 0;
}

void
kubelet_close(struct kubelet *k)
{
	if (!k)
		return;
	job_kill(&k->asking);
	if (k->epoll >= 0)
		close(k->epoll);
	cache_close(k->cache);
	client_close(k->client);
	json_decref(k->events);
	json_decref(k->seen);
	json_decref(k->statics);
	json_decref(k->static_status);
	json_decref(k->mirrors);
	manifests_close(k->manifests);
	free(k);
}

struct client *
kubelet_client(struct kubelet *k)
{
	return k->client;
}

int
kubelet_manifests(struct kubelet *k, const char *folder, int *fd, struct err *err)
{
	int r = manifests_open(&k->manifests, folder, k->name, err);

	if (r == 0)
		*fd = manifests_fd(k->manifests);
	return r;
}

int
kubelet_run(struct kubelet *k, struct agent *a, struct err *err)
{
	k->agent = a;
	statics_step(k); /* before those that nobody wants are ended */
	return join_step(k, err);
}

/* The server is not there yet: until it is to be asked again, or something else comes. */
static void
wait_apart(const struct kubelet *k, double seconds, int fd)
{
	double until = k->join_at - clock_monotonic();
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (until < seconds)
		seconds = until < 0 ? 0 : until;
	poll(&p, 1, (int)ceil(seconds * 1000));
}

int
kubelet_step(struct kubelet *k, double wait, int fd, struct err *err)
{
	bool not_ready;
	double beat;
	int r;

	fd = away_fd(k, fd);
	away_step(k);
	wait = away_wait(k, wait);
	statics_step(k);
	not_ready = k->host->shutting_down || k->host->runtime_down;
	if (k->not_ready != not_ready) { /* no new pods, as early as can be */
		k->not_ready = not_ready;
		k->beat = 0;
	}
	if (!k->joined) {
		if ((r = join_step(k, err)) == 0 && !k->joined)
			wait_apart(k, wait, fd);
		return r;
	}
	if (hooks_post_events(k))
		wait = 0;
	if (k->port != k->host->port) { /* its server was started again elsewhere */
		k->port = k->host->port;
		k->beat = 0;
	}
	beat = k->beat - clock_monotonic();
	if (beat <= 0) {
		report_beat(k);
		return 0;
	}
	if ((r = cache_wait(k->cache, wait < beat ? wait : beat, fd, err)) < 0)
		return r;
	if (!k->settled && cache_synced(k->cache)) {
		k->settled = true;
		agent_settle(k->agent);
		lean_down();
	}
	return 0;
}
