/*
 * The threads behind http_defer(), started when there is work for them.
 */
#include "base/mem.h"
#include "serve/http_private.h"

/* Handlers parse what strangers send, to the depth of nesting that the parsers allow.  Only what is
 * used takes memory. */
enum { STACK = 8 << 20 };

void
pool_init(struct pool *p, int max)
{
	*p = (struct pool){ .max = max };
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->more, NULL);
	p->last = &p->first;
	p->threads = xcalloc((size_t)(max > 0 ? max : 1), sizeof *p->threads);
}

static void *
work(void *arg)
{
	struct pool *p = arg;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		struct http_exchange *x = p->first;

		if (!x && p->quit)
			break;
		if (!x) {
			p->idle++;
			pthread_cond_wait(&p->more, &p->lock);
			p->idle--;
			continue;
		}
		p->first = x->next;
		if (!p->first)
			p->last = &p->first;
		p->queued--;
		pthread_mutex_unlock(&p->lock);
		x->fn(x, x->arg);
		pthread_mutex_lock(&p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* One more thread.  When the system has none left, those that run do the work. */
static void
grow(struct pool *p)
{
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	if (pthread_create(&p->threads[p->n], &attr, work, p) == 0)
		p->n++;
	pthread_attr_destroy(&attr);
}

void
pool_add(struct pool *p, struct http_exchange *x)
{
	bool here, wake = false;

	x->next = NULL;
	pthread_mutex_lock(&p->lock);
	if (p->idle <= p->queued && p->n < p->max)
		grow(p);
	here = p->n == 0;
	if (!here) {
		*p->last = x;
		p->last = &x->next;
		p->queued++;
		wake = p->idle > 0;
	}
	pthread_mutex_unlock(&p->lock);
	if (wake) /* not before: who is woken would only run into the lock */
		pthread_cond_signal(&p->more);
	if (here) /* no thread to be had */
		x->fn(x, x->arg);
}

void
pool_stop(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->quit = true;
	pthread_cond_broadcast(&p->more);
	pthread_mutex_unlock(&p->lock);
	for (int i = 0; i < p->n; i++)
		pthread_join(p->threads[i], NULL);
	p->n = 0;
}

void
pool_release(struct pool *p)
{
	pool_stop(p);
	free(p->threads);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->more);
}
