#ifndef ORCH_CLIENT_HTTP_H
#define ORCH_CLIENT_HTTP_H

#include <curl/curl.h>
#include <stdbool.h>

#include "base/buf.h"
#include "client/client.h"
#include "client/kubeconfig.h"

/*
 * Inside lib/client: what client.c, watch.c and cache.c share of libcurl.
 */
struct client {
	struct endpoint *endpoint; /* shared between clones */
	int *clones;
	CURL *easy;	  /* kept: its connection stays open */
	char *auth;	  /* "Authorization: Bearer ..." or NULL; read when the client was opened */
	double auth_read; /* token files are read again after a minute */
	long timeout_ms;  /* 0: none */
	int stop_fd;	  /* when it is readable, requests are given up; -1: none */
	double hurry;	  /* seconds; 0: there is none */
	bool resting;	  /* the server was not there last time */
	char *base;	  /* with a tls-server-name: the URL by that name, ... */
	struct curl_slist *connect_to; /* ... and where it really is */
	struct extra_kind *kinds;      /* found by discovery: discovery.c */
	struct lanes *lanes;	       /* for many requests at once: calls.c */
};

/*
 * Point an easy handle at a path of the server: URL, TLS, credentials, Accept.  The
 * headers (kept until the transfer is over, then curl_slist_free_all) come in *headers.
 */
void http_prepare(struct client *c, CURL *easy, const char *path, struct curl_slist **headers);

/* The same with method, body and headers of a request; returns the headers, which the caller
 * frees when it is over. */
struct curl_slist *http_fill(
    struct client *c, CURL *easy, const struct request *rq, char said[static CURL_ERROR_SIZE]);

/* What went wrong below HTTP, naming the server; `said` is CURLOPT_ERRORBUFFER's. */
int http_trouble(
    const struct client *c, CURL *easy, CURLcode code, const char *said, struct err *err);

/* A reply that must be a JSON object. */
int http_parse(const char *body, size_t len, json_t **ret, struct err *err);

/* Append "?" or "&" and "key=value", escaped, to a path. */
void query_add(struct buf *path, const char *key, const char *value);

/* The query of a list or watch for these selectors. */
void query_select(struct buf *path, const struct list_options *o);

/* Set apiVersion and kind on an item of a list that lacks them. */
void stamp_kind(json_t *obj, const struct kind *k);

/* POST to any path of the API; ret may be NULL. */
int client_post(
    struct client *c, const char *path, const json_t *body, json_t **ret, struct err *err);
/* GET of an object at any path. */
int client_fetch(struct client *c, const char *path, json_t **ret, struct err *err);

void discovery_free(struct client *c);
void lanes_free(struct lanes *l); /* accepts NULL */

#endif
