#ifndef ORCH_NODE_REGISTRY_SESSION_H
#define ORCH_NODE_REGISTRY_SESSION_H

#include <curl/curl.h>

#include "node/registry.h"
#include "node/registry_rules.h"

/* Talking to one repository of one registry; what registry.c and registry_download.c share. */
struct session {
	const struct endpoint *at; /* borrowed */
	char *path;		   /* the repository there */
	const char *login;	   /* "Basic ...", tried when we are asked, or NULL; borrowed */
	char *base;		   /* https://host/v2/path */
	char *authorization;	   /* the header that worked, or NULL */
	unsigned logins;	   /* how often it has changed */
	long deadline;		   /* seconds without progress */
	CURL *curl;
	char problem[CURL_ERROR_SIZE];
};

/* What an answer says beside its body. */
struct answer {
	struct buf body;
	long status;
	char *challenge; /* WWW-Authenticate */
	bool too_large;
};

void session_open(struct session *s, const struct endpoint *at, const char *path, const char *login,
    double deadline);
void session_close(struct session *s);

/* GET base/suffix into memory with one round of authorization: 2xx or an error that calls it
 * `what`. */
int session_get(
    struct session *s, const char *suffix, const char *what, struct answer *a, struct err *err);
/* The value of key="value" in a challenge (WWW-Authenticate), a new string or NULL. */
char *challenge_parameter(const char *challenge, const char *key);
/* Answer a 401: fills s->authorization for the next try. */
int session_authorize(struct session *s, const char *challenge, struct err *err);
/* The error for an answer that is not 2xx. */
int session_refused(
    const struct session *s, const char *what, const struct answer *a, struct err *err);

/* Set up a handle for a GET whose headers fill `a`; the body is the caller's to take. */
void session_prepare(const struct session *s, CURL *c, const char *url, struct curl_slist *headers,
    struct answer *a, char *problem);
/* The request headers, with the authorization when it is not NULL. */
struct curl_slist *session_headers(const char *authorization);
void answer_take_body(struct answer *a, const char *data, size_t n);
void answer_release(struct answer *a);

/* --- registry_download.c ---------------------------------------------------------------- */

/* Get and unpack the layers that are not here, several at a time: a layers_fn of image.h. */
struct pull;
struct downloads {
	struct pull *pull;
	struct session *session;
	const struct pull_options *options;
	const char *tmp; /* our folder in the store */
};
int download_layers(
    void *arg, struct images *s, const json_t *layers, const json_t *diff_ids, struct err *err);

#endif
