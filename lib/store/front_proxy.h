#ifndef ORCH_STORE_FRONT_PROXY_H
#define ORCH_STORE_FRONT_PROXY_H

#include "base/opt.h"
#include "store/call.h"

/*
 * Who speaks for others: a proxy in front of an API server has a client certificate of an authority
 * that is there for this alone, and says by headers whom it speaks for (Kubernetes: request-header
 * authentication).  The store is such a proxy to extension API servers, and takes the word of one.
 */
struct front_proxy {
	char *crt, *key;    /* files: who we are */
	char *ca_file, *ca; /* whose certificates such proxies have; and what is in the file */
	char **allowed;	    /* the common names they have; none: any */
	/* the names of headers, the first that is there counts; beginnings of names for the extras
	 */
	char **users, **uids, **groups, **extras;
};

/* What the options say: lists of words with commas. */
struct front_options {
	const char *crt, *key, *ca;
	struct list allowed, users, uids, groups, extras;
};

/* By the options, and where they say nothing by what is in the data folder, made when missing. */
int front_proxy_open(
    struct front_proxy **ret, const char *dir, const struct front_options *o, struct err *err);
void front_proxy_free(struct front_proxy *f); /* accepts NULL */

/*
 * Whom a proxy speaks for into c->user.  1: it does; 0: this is no such proxy, or it says nothing;
 * UNAUTHORIZED: it may not.
 */
int front_proxy_authenticate(struct call *c, struct err *err);

/*
 * The headers (with "\r\n" between them) by which we speak for u.  BAD_REQUEST when something of it
 * cannot stand in a header.  The names are always X-Remote-..., as Kubernetes sends them.
 */
int front_proxy_headers(const struct user *u, struct buf *out, struct err *err);
/* The names, or their beginnings, of headers that only a proxy may send: NULL-terminated, in one
 * block to free(). */
const char **front_proxy_drops(const struct front_proxy *f);

/* What goes into the ConfigMap kube-system/extension-apiserver-authentication: new. */
json_t *front_proxy_data(const struct front_proxy *f);

#endif
