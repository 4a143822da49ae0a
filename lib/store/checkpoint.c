#include "store/checkpoint.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>

#include "base/mem.h"

enum {
	START = 2000, /* pages in the log at which moving begins: 8 MB */
	REST = 400,   /* so few may be left to the committing thread */
	MOST = 16384, /* 64 MB: the log must not grow for ever under load, whoever waits */
};

struct checkpoint {
	sqlite3 *db;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	enum { IDLE, WANTED, DONE } state;
	int moved; /* pages, when DONE; -1: it failed */
	bool stop;
	int start; /* the committing thread's own */
};

/* Pages of the log that are in the file now, or -1. */
static int
move(sqlite3 *db, int *pages)
{
	int moved = -1;

	if (sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, pages, &moved) !=
	    SQLITE_OK)
		return -1;
	return moved;
}

static void *
checkpoint_thread(void *arg)
{
	struct checkpoint *c = arg;
	int pages, moved;

	pthread_mutex_lock(&c->lock);
	while (!c->stop) {
		if (c->state != WANTED) {
			pthread_cond_wait(&c->wake, &c->lock);
			continue;
		}
		pthread_mutex_unlock(&c->lock);
		moved = move(c->db, &pages);
		pthread_mutex_lock(&c->lock);
		c->moved = moved;
		c->state = DONE;
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static void
set_state(struct checkpoint *c, int state)
{
	pthread_mutex_lock(&c->lock);
	c->state = state;
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->lock);
}

/* The thread has moved what it found.  Finish when little is left, else let it go on. */
static void
finish(struct checkpoint *c, sqlite3 *db, int pages)
{
	int all = 0, moved = 0;

	if (c->moved >= 0 && pages - c->moved > REST && pages < MOST) {
		set_state(c, WANTED);
		return;
	}
	if (c->moved >= 0)
		moved = move(db, &all);
	/* a full disk: not again at once */
	c->start = c->moved < 0 || moved < all ? pages + START : START;
	set_state(c, IDLE);
}

void
checkpoint_after(struct checkpoint *c, sqlite3 *db, int pages)
{
	int state;

	if (pages < c->start && pages < START)
		c->start = START; /* the log has started over */
	pthread_mutex_lock(&c->lock);
	state = c->state;
	pthread_mutex_unlock(&c->lock);
	if (state == DONE)
		finish(c, db, pages);
	else if (state == IDLE && pages >= c->start)
		set_state(c, WANTED);
}

int
checkpoint_start(struct checkpoint **ret, const char *path, struct err *err)
{
	struct checkpoint *c = xcalloc(1, sizeof *c);
	int r;

	c->start = START;
	if (sqlite3_open_v2(path, &c->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
		SQLITE_OK ||
	    sqlite3_exec(c->db, "PRAGMA synchronous=FULL; SELECT 1 FROM state", NULL, NULL, NULL) !=
		SQLITE_OK) {
		r = err_set(
		    err, ERR_UNAVAILABLE, "cannot open '%s': %s", path, sqlite3_errmsg(c->db));
		sqlite3_close(c->db);
		free(c);
		return r;
	}
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->wake, NULL);
	if ((r = pthread_create(&c->thread, NULL, checkpoint_thread, c)) != 0) {
		sqlite3_close(c->db);
		free(c);
		return err_sys(err, r, "cannot start the checkpoint thread");
	}
	*ret = c;
	return 0;
}

void
checkpoint_stop(struct checkpoint *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->wake);
	sqlite3_close(c->db);
	free(c);
}
