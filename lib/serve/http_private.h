#ifndef ORCH_SERVE_HTTP_PRIVATE_H
#define ORCH_SERVE_HTTP_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/uio.h>

#include "serve/http.h"
#include "serve/http_parse.h"

/*
 * What the files of the HTTP server share.  A connection belongs to one loop thread, and
 * only that thread touches it.  Other threads post: answers, streams with new chunks and fresh
 *connections go into the loop's inbox, and the loop is woken only when its inbox was empty.
 *
 *	http_server.c	making, starting, stopping
 *	http_listen.c	listening sockets, accepting
 *	http_loop.c	one loop: epoll, inbox, timeouts
 *	http_conn.c	one connection: states, answer, end
 *	http_input.c	one connection: handshake, head, body
 *	http_out.c	what waits to be written
 *	http_exchange.c	what handlers call: accessors, answers
 *	http_stream.c	answers without a known end
 *	http_take.c	connections that leave the server
 *	http_worker.c	the threads behind http_defer()
 *	http_parse.c, http_chunks.c	the framing, pure
 */

/* --- posting to a loop ------------------------------------------------------- */

enum post_kind { POST_CONN, POST_ANSWER, POST_STREAM };
struct post {
	struct post *next;
	enum post_kind kind;
};
/* Many threads push, one takes all: a stack swapped out whole, so that there is no ABA problem. */
struct inbox {
	_Atomic(struct post *) head;
};
bool inbox_push(struct inbox *i, struct post *p); /* true when it was empty */
struct post *inbox_take(struct inbox *i);	  /* oldest first */

/* --- timeouts ------------------------------------------------------------------ */

/* One list for each: all its members wait equally long, so the list is in the order of the
 * deadlines. */
enum timer { TIMER_NONE, TIMER_HEAD, TIMER_BODY, TIMER_IDLE, TIMER_WRITE, TIMER_LINGER, TIMERS };

/* --- output ---------------------------------------------------------------------- */

enum seg_kind {
	SEG_PLAIN,
	SEG_CHUNK, /* of a stream: goes out with chunk framing around it */
	SEG_RAW,   /* of a stream to HTTP/1.0: without */
};
struct seg {
	struct bytes *b;
	enum seg_kind kind;
};
struct out {
	struct seg *segs;
	size_t first, n, cap; /* segs[first..n) wait */
	size_t at;	      /* bytes of segs[first], with framing, that are written */
	bool unsent;	      /* GnuTLS holds an encrypted record that the socket did not take */
	size_t record;	      /* its length in plain bytes */
};
void out_add(struct out *o, struct bytes *b, enum seg_kind kind); /* takes the reference */
void out_release(struct out *o);
bool out_empty(const struct out *o);
struct conn;
/* Write what the socket takes: 1 all is written, 0 more waits, -1 the connection is broken. *chunks
 * is increased by the bytes of stream data now done with, *wrote by all bytes written. */
int out_flush(struct conn *c, size_t *chunks, size_t *wrote);

/* --- connections ------------------------------------------------------------------- */

enum conn_state {
	CONN_HANDSHAKE,
	CONN_HEAD,   /* reading a head, or idle */
	CONN_BODY,   /* reading a body */
	CONN_RUN,    /* a handler has the exchange */
	CONN_WRITE,  /* writing its answer */
	CONN_STREAM, /* writing a stream */
	CONN_LINGER, /* said good-bye; reading what still comes, so that the answer is not lost to a
			reset */
};
struct conn {
	struct post post;
	struct loop *loop;
	struct conn *prev, *next;   /* of the loop */
	struct conn *tprev, *tnext; /* of a timeout list */
	enum timer timer;
	double deadline;
	enum conn_state state;
	int fd;				/* -1: gone, and waiting for its handler */
	struct tls *credentials;	/* of the listener */
	struct gnutls_session_int *tls; /* NULL: plain */
	bool can_read, can_write;	/* edge-triggered: until the kernel says no */
	bool peeked;			/* the first byte of a handshake was seen */
	bool hup;			/* the peer sends nothing more */
	bool close;			/* after this exchange */
	bool stop;			/* the server is stopping */
	struct buf in;			/* in.data[in_at..) is read and not parsed yet */
	size_t in_at;
	size_t lingered;
	struct http_scan scan;
	struct http_exchange *x;
	struct http_stream *stream;
	struct out out;
	struct http_peer peer;
	void *names; /* what peer points into */
};

struct http_exchange {
	struct post post;
	struct conn *conn;
	struct http_request request;
	struct http_head head;
	struct buf body;
	struct http_chunks chunks;
	size_t held; /* of body, as counted in the server */
	_Atomic bool gone;
	/* the answer */
	struct bytes **parts;
	size_t nparts;
	struct http_stream *stream;
	struct taken *taken; /* http_take */
	bool close;
	/* http_defer */
	struct http_exchange *next;
	void (*fn)(struct http_exchange *x, void *arg);
	void *arg;
	/* strings, behind the array of headers */
	struct http_header headers[];
};
void exchange_free(struct http_exchange *x);
/* The head of an answer; length SIZE_MAX: not known. */
struct bytes *answer_head(int status, const char *type, const struct http_header *extra,
    size_t length, bool chunked, bool close);

struct chunk {
	struct post post;
	struct bytes *b; /* NULL: the end */
};
struct http_stream {
	struct post post;
	struct loop *loop;
	struct conn *conn; /* NULL before the loop has seen the answer, and when it is over */
	struct inbox chunks;
	_Atomic size_t queued;
	bool raw;   /* no chunk framing: HTTP/1.0 */
	bool mute;  /* HEAD: nothing is written */
	bool ended; /* seen by the loop */
	bool over;  /* `closed` was called; the post is still to come by */
	void (*closed)(void *arg);
	void *arg;
};
/* Move what was sent into the connection's output; the loop then runs the connection. */
void stream_collect(struct http_stream *s);
void stream_finish(struct http_stream *s); /* nothing more: queue the last chunk */
void stream_stop(struct http_stream *s);   /* the server stops: the same, behind what was sent */
/* The stream is over: tell its owner and free it. */
void stream_over(struct http_stream *s);

/* What one step of a connection says: look again, wait for an event, close it. */
enum step { STEP_ON, STEP_WAIT, STEP_GONE };
/* http_input.c: the states up to the handler */
enum step conn_handshake(struct conn *c);
enum step conn_head(struct conn *c);
enum step conn_body(struct conn *c);
enum step conn_fill(struct conn *c); /* read once */
/* http_conn.c */
enum step conn_refuse(struct conn *c, int status,
    const char *words);		       /* answer what no handler sees; words may be NULL */
enum step conn_linger(struct conn *c); /* say good-bye */
void conn_adopt(struct loop *l, struct conn *c);
void conn_event(struct conn *c, unsigned events); /* from epoll */
void conn_run(struct conn *c);			  /* go on as far as possible */
void conn_answer(struct http_exchange *x);	  /* its answer is there */
void conn_close(struct conn *c);
void conn_stop(struct conn *c); /* the server is stopping */
void conn_expired(struct conn *c);
void conn_timer(struct conn *c, enum timer t);
void conn_free(struct conn *c); /* its descriptor is closed, or somebody else's */
/* http_take.c: give the connection away. */
void conn_leave(struct conn *c, struct taken *t);

/* --- loops and the server ------------------------------------------------------------- */

struct listener {
	int fd;
	struct tls *tls;
	char *path; /* of a unix socket */
	unsigned long long inode;
};

struct http_loop_stats {
	_Atomic uint64_t connections, requests, in, out, refused, open, streams;
};

struct loop {
	struct http_server *server;
	pthread_t thread;
	bool started;
	int epoll, event;
	struct inbox inbox;
	double now;
	bool stopping;
	struct conn *conns;
	size_t nconns;
	struct {
		struct conn *head, *tail;
	} timers[TIMERS];
	struct http_loop_stats stats;
	char rbuf[65536], wbuf[16384];
};
int loop_init(struct loop *l, struct http_server *s, struct err *err);
void loop_release(struct loop *l);
int loop_start(struct loop *l, struct err *err);
void loop_wake(struct loop *l);
void loop_post(struct loop *l, struct post *p);
void loop_listen(struct loop *l, struct listener *from);

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct http_exchange *first, **last;
	pthread_t *threads;
	int n, max, idle, queued;
	bool quit;
};
void pool_init(struct pool *p, int max);
void pool_stop(struct pool *p); /* waits for the threads; no more work may come */
void pool_release(struct pool *p);
void pool_add(struct pool *p, struct http_exchange *x);

/* Connections that were taken: to be broken when the server stops. */
struct gone {
	pthread_mutex_t lock;
	pthread_cond_t none;
	struct taken *first;
	bool stopping;
};
void gone_init(struct gone *g);
void gone_stop(struct gone *g); /* waits for their threads */
void gone_release(struct gone *g);

struct http_server {
	struct gone gone;
	struct http_limits limits;
	void (*handle)(struct http_exchange *x, void *arg);
	void *arg;
	char *(*words)(const struct http_request *r, int status);
	struct loop *loops;
	int nloops;
	unsigned next_loop; /* only the accepting loop uses it */
	struct listener *listeners[16];
	size_t nlisteners;
	int spare; /* a descriptor to accept with when there are no others left */
	struct pool pool;
	_Atomic int open;
	_Atomic size_t held; /* memory of all bodies */
	_Atomic bool stopping;
	double stop_at;
};
void accept_all(struct listener *from, struct loop *l);
void listener_close(struct listener *l); /* only by the accepting loop, or when no loop runs */
void listener_free(struct listener *l);

#define COUNT_UP(counter, n) atomic_fetch_add_explicit(&(counter), (n), memory_order_relaxed)
#define COUNT_DOWN(counter, n) atomic_fetch_sub_explicit(&(counter), (n), memory_order_relaxed)

#endif
