/* Asking the nodes. */
#include "metrics/gather_private.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "metrics/listing.h"

enum { ANSWER_MOST = 64 << 20 };

static void
node_free(struct node *n)
{
	figures_unref(n->figures);
	free(n->name);
	free(n);
}

/* --- asking ----------------------------------------------------------------------------------- */

/* Blocks. */
static int
ask(struct client *c, const char *name, struct figures **ret, struct err *err)
{
	autobuf struct buf path = BUF_INIT, reply = BUF_INIT;
	int status, r;

	buf_puts(&path, "/api/v1/nodes/");
	text_percent(&path, name);
	buf_puts(&path, "/proxy/metrics/resource");
	if ((r = client_request(c, "GET", path.data, NULL, NULL, 0, &status, &reply, err)) < 0)
		return r;
	if (status != 200)
		return status >= 400
			   ? client_refusal(status, reply.data ? reply.data : "", reply.len, err)
			   : err_set(err, ERR_INTERNAL, "the answer's status is %d", status);
	if (reply.len > ANSWER_MOST)
		return err_set(err, ERR_TOO_LARGE, "more than %d bytes", ANSWER_MOST);
	return figures_read(
	    ret, reply.data ? reply.data : "", reply.len, clock_now_us() / 1000, err);
}

static bool
finished(const struct gather *g, const struct node *n)
{
	return g->o.rounds > 0 && (n->failed || n->asked >= g->o.rounds);
}

/* With the lock: who is to be asked next, or NULL and when there will be somebody. */
static struct node *
next_due(struct gather *g, double *when)
{
	size_t most = g->threads / 4 > 0 ? g->threads / 4 : 1;
	double now = clock_monotonic();
	struct node *best = NULL;

	*when = now + 3600;
	for (size_t i = 0; i < g->n; i++) {
		struct node *n = g->node[i];

		if (n->busy || finished(g, n) || (n->failed && g->suspects >= most))
			continue;
		if (n->due > now) {
			if (n->due < *when)
				*when = n->due;
		} else if (!best || n->failed < best->failed ||
			   (n->failed == best->failed && n->due < best->due)) {
			best = n;
		}
	}
	return best;
}

/* Who does not answer again and again is asked less often: it costs the API server as much. */
static double
pause_after(const struct gather *g, const struct node *n)
{
	if (n->asked == 1)
		return g->o.first;
	return g->o.resolution * (n->failures > 2 ? 4 : n->failures == 2 ? 2 : 1);
}

/* With the lock: what came of it. */
static void
settle(struct gather *g, struct node *n, struct figures *f, const struct err *err)
{
	double now = clock_monotonic();

	n->busy = false;
	n->asked++;
	n->current = f != NULL;
	if (f) {
		figures_follow(f, n->figures, (int64_t)(g->o.resolution * 1000));
		figures_unref(n->figures);
		if (n->failed)
			log_line("node '%s' answers again", n->name);
		n->figures = f;
	} else if (!n->failed && !g->stopping) {
		log_line("cannot ask node '%s': %s", n->name, err->msg);
	}
	n->failed = !f;
	n->failures = f ? 0 : n->failures + 1;
	n->due += pause_after(g, n);
	if (n->due < now) /* it took so long */
		n->due = now;
}

/* With the lock, which it gives back while it asks. */
static void
attend(struct gather *g, struct client *c, struct node *n)
{
	bool suspect = n->failed;
	struct figures *f = NULL;
	struct err err;

	n->busy = true;
	g->suspects += suspect;
	pthread_mutex_unlock(&g->lock);
	if (ask(c, n->name, &f, &err) < 0)
		f = NULL;
	pthread_mutex_lock(&g->lock);
	g->suspects -= suspect;
	settle(g, n, f, &err);
	if (n->gone)
		node_free(n);
	if (suspect)
		pthread_cond_signal(&g->work);
	pthread_cond_broadcast(&g->done);
}

struct worker {
	struct gather *g;
	struct client *c;
};

static void *
worker_main(void *arg)
{
	struct worker *w = arg;
	struct gather *g = w->g;

	pthread_mutex_lock(&g->lock);
	while (!g->stopping) {
		double when;
		struct node *n = next_due(g, &when);
		struct timespec until = { (time_t)when,
			(long)((when - (double)(time_t)when) * 1e9) };

		if (n)
			attend(g, w->c, n);
		else
			pthread_cond_timedwait(&g->work, &g->lock, &until);
	}
	pthread_mutex_unlock(&g->lock);
	client_close(w->c);
	free(w);
	return NULL;
}

/* With the lock: as many threads as are worth it. */
static void
start_workers(struct gather *g)
{
	while (g->threads < GATHER_WORKERS && g->threads < g->n) {
		struct worker *w = xcalloc(1, sizeof *w);
		struct err err;

		w->g = g;
		if (client_clone(&w->c, g->template, &err) == 0) {
			client_stop_on(w->c, g->stop);
			if (pthread_create(&g->thread[g->threads], NULL, worker_main, w) == 0) {
				g->threads++;
				continue;
			}
			client_close(w->c);
		}
		free(w);
		return; /* those that there are do it */
	}
}

/* --- which nodes there are ---------------------------------------------------------------------
 */

static size_t
place(const struct gather *g, const char *name, bool *there)
{
	size_t low = 0, high = g->n;

	while (low < high) {
		size_t mid = (low + high) / 2;
		int d = strcmp(g->node[mid]->name, name);

		if (d == 0) {
			*there = true;
			return mid;
		}
		if (d < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*there = false;
	return low;
}

static int
see(void *arg, json_t *obj, struct err *err)
{
	const char *name =
	    json_string_value(json_object_get(json_object_get(obj, "metadata"), "name"));
	struct gather *g = arg;
	bool there;
	size_t i;

	(void)err;
	if (!name || !client_name_fits(name))
		return 0;
	pthread_mutex_lock(&g->lock);
	i = place(g, name, &there);
	if (!there) {
		struct node *n = xcalloc(1, sizeof *n);

		*n = (struct node){ .name = xstrdup(name), .due = clock_monotonic() };
		GROW(g->node, g->n, g->cap);
		memmove(&g->node[i + 1], &g->node[i], (g->n++ - i) * sizeof *g->node);
		g->node[i] = n;
	}
	g->node[i]->seen = true;
	pthread_mutex_unlock(&g->lock);
	return 0;
}

int
gather_nodes(struct gather *g, struct client *c, struct err *err)
{
	struct listing l = { .plural = "nodes", .selector = g->selector };
	size_t kept = 0;
	int r;

	for (size_t i = 0; i < g->n; i++)
		g->node[i]->seen = false;
	if ((r = listing_each(c, &l, see, g, err)) < 0)
		return r;
	pthread_mutex_lock(&g->lock);
	for (size_t i = 0; i < g->n; i++) {
		struct node *n = g->node[i];

		if (n->seen)
			g->node[kept++] = n;
		else if (n->busy)
			n->gone = true;
		else
			node_free(n);
	}
	g->n = kept;
	start_workers(g);
	pthread_cond_broadcast(&g->work);
	pthread_mutex_unlock(&g->lock);
	return 0;
}

/* --- its life --------------------------------------------------------------------------------- */

int
gather_open(struct gather **ret, struct client *c, const struct gather_options *o, struct err *err)
{
	struct gather *g = xcalloc(1, sizeof *g);
	int r;

	g->o = *o;
	g->selector = o->selector ? xstrdup(o->selector) : NULL;
	g->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (g->stop < 0)
		r = err_sys(err, errno, "cannot make a descriptor");
	else
		r = client_clone(&g->template, c, err);
	if (r < 0) {
		if (g->stop >= 0)
			close(g->stop);
		free(g->selector);
		free(g);
		return r;
	}
	pthread_mutex_init(&g->lock, NULL);
	clock_cond_init(&g->work);
	clock_cond_init(&g->done);
	*ret = g;
	return 0;
}

void
gather_close(struct gather *g)
{
	uint64_t one = 1;

	if (!g)
		return;
	pthread_mutex_lock(&g->lock);
	g->stopping = true;
	if (write(g->stop, &one, sizeof one) < 0)
		log_more("cannot give up requests: %s", strerror(errno));
	pthread_cond_broadcast(&g->work);
	pthread_mutex_unlock(&g->lock);
	for (size_t i = 0; i < g->threads; i++)
		pthread_join(g->thread[i], NULL);
	for (size_t i = 0; i < g->n; i++)
		node_free(g->node[i]);
	free(g->node);
	client_close(g->template);
	close(g->stop);
	free(g->selector);
	pthread_mutex_destroy(&g->lock);
	pthread_cond_destroy(&g->work);
	pthread_cond_destroy(&g->done);
	free(g);
}

size_t
gather_wait(struct gather *g)
{
	size_t failed;

	pthread_mutex_lock(&g->lock);
	for (;;) {
		bool all = true;

		failed = 0;
		for (size_t i = 0; i < g->n; i++) {
			all = all && finished(g, g->node[i]);
			failed += g->node[i]->failed;
		}
		if (all)
			break;
		pthread_cond_wait(&g->done, &g->lock);
	}
	pthread_mutex_unlock(&g->lock);
	return failed;
}

bool
gather_settled(struct gather *g)
{
	bool all = true;

	pthread_mutex_lock(&g->lock);
	for (size_t i = 0; i < g->n; i++)
		all = all && (g->node[i]->failed || g->node[i]->asked > 1);
	pthread_mutex_unlock(&g->lock);
	return all;
}
