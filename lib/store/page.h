#ifndef ORCH_STORE_PAGE_H
#define ORCH_STORE_PAGE_H

#include "store/call.h"

/*
 * Documents that clients keep and ask for again by their ETag (RFC 9110, 8.8.3).
 */
struct page {
	struct bytes *packed; /* gzip; NULL: not made yet */
	size_t len;	      /* unpacked */
	char hash[65];	      /* SHA-256 of it, in capitals */
};

void page_make(struct page *p, const void *data, size_t len);
/* The same for one that comes in pieces. */
struct page_maker;
struct page_maker *page_begin(void);
void page_add(void *maker, const void *data, size_t len);
void page_end(struct page_maker *m, struct page *p); /* frees m */
void page_release(struct page *p);
/* The hash of something else that tells what a page says, for those that are made later. */
void page_sum(const void *data, size_t len, char ret[static 65]);
/*
 * Answer with it, or with 304 when the client has it; ends the call.  for_ever: the URL says which
 * hash, so that it never changes.
 */
void page_reply(struct call *c, const struct page *p, const char *type, bool for_ever);

/* The same for a document that was made for this call and is not kept. */
void page_answer(struct call *c, const char *type, const void *data, size_t len);

#endif
