#ifndef ORCH_STORE_CALL_H
#define ORCH_STORE_CALL_H

#include <jansson.h>

#include "api/validate.h"
#include "serve/http.h"
#include "store/cache.h"
#include "store/commit.h"
#include "store/form.h"
#include "store/issuer.h"
#include "store/path.h"
#include "store/watch.h"

/*
 * One request on its way through the server, and how it is answered.
 *
 * The chain, in server.c: authenticate -> (flow control) -> authorize -> route -> a verb's file.
 * Reads are answered at once on the loop thread.  Writes go to a worker, which prepares the object,
 * and are answered by the commit thread.
 */
struct server {
	struct cache *cache;
	struct commit *commit;
	struct watches *watches;
	struct http_server *http;
	struct table *namespaces; /* the table of Namespaces, looked at by every create */
	uid_t uid;		  /* whose peers are administrators on the unix socket */
	double started;
	struct metrics *metrics;
	char *node_crt, *node_key; /* files: as whom it speaks to the servers of nodes */
	struct front_proxy *front; /* speaking for others (front_proxy.h); NULL: nobody does */
	struct openapi_pages *openapi;
	struct tokens *tokens;	   /* of --token-auth-file; NULL: none */
	struct issuer *issuer;	   /* of ServiceAccount tokens; NULL: none are made or taken */
	char *url;		   /* what clients call the TLS port; NULL until it is known */
	bool no_anonymous;	   /* who does not say who he is gets no answer */
	struct services *services; /* what Services are given (service.h); may be NULL */
	struct aggregation
	    *_Atomic aggregation;	 /* what others answer (aggregation.h); NULL: not yet */
	struct bootstrap *bootstrap;	 /* what it makes by itself (bootstrap.h); NULL: not yet */
	struct conversions *conversions; /* of custom objects, by webhooks (conversion.h) */
	_Atomic bool ready;
};

struct user {
	const char *name, *uid;	   /* uid: NULL for none */
	const char *const *groups; /* NULL-terminated */
	const char *const *extra;  /* key, value, ..., NULL; NULL for nothing */
};

enum validation { VALIDATE_WARN, VALIDATE_STRICT, VALIDATE_IGNORE };

struct call {
	struct server *server;
	struct http_exchange *x;
	const struct http_request *req;
	struct target target;
	struct api_service *remote; /* who answers instead of us (aggregation.h); NULL: we do */
	const struct kind *kind;    /* target's, NULL for what is no resource */
	struct table *table;	    /* where its objects are */
	struct table *view; /* the same, or of the version that is asked for: for its words */
	struct user user;
	struct identity *identity; /* of a token: what user points into */
	double began;
	unsigned epoch;	    /* of the registry: its kinds stay until the call is over */
	struct shape shape; /* of the answer */
	const char *verb;   /* "get", "list", "create", ...: of authorization and metrics */

	/* writes only */
	void (*run)(struct call *c); /* what the worker runs, again after a lost race */
	int attempts;
	bool dry_run, conditional, patching;
	bool applying;	       /* managedFields are made already */
	const json_t *patched; /* what a patch made, as messages show it */
	enum validation validation;
	const char *retry_after;    /* seconds, for the header; NULL: none */
	bool cacheable;		    /* the answer is the same for everybody, for an hour */
	struct buf warnings;	    /* texts, each ended by a NUL: call_warn */
	struct buf duplicates;	    /* the fields that the body has twice, the same way */
	struct buf duplicate_lines; /* and if it is YAML: a line of words for each */
	struct write write;
	struct object *old;  /* what it was read from */
	struct object *last; /* what to answer with instead of what was written; may be NULL */
	bool waits;	     /* it is on a thread that may wait for a webhook (conversion.h) */
	bool terse;	     /* the answer shows nothing of the object */
	int status;	     /* of the answer when it succeeds */
	void (*answer)(
	    struct call *c, struct object *written); /* instead of the object itself; may be NULL */
	bool generated;		     /* the name is ours: try another when it is taken */
	char uid[64];		     /* of what is deleted, for the answer */
	char manager[136];	     /* who writes, for managedFields */
	void *state;		     /* of a collection's deletion */
	struct service_claim *claim; /* what services_reserve() has put aside */
};

/* --- answers; each ends the call and frees it --- */
void reply_json(struct call *c, int status, const json_t *value);
void reply_text(struct call *c, int status, const char *type, const char *text);
void reply_object(struct call *c, int status, struct object *o); /* borrows o */
/* The end of a write, with this object: c->answer, or the object with c->status; borrows it. */
void answer_object(struct call *c, struct object *o);
void reply_parts(struct call *c, int status, const char *type, struct bytes **parts, size_t n);
/* A Status from err, with the details that Kubernetes gives for its code. */
void reply_error(struct call *c, const struct err *err);
/* The same with details of one's own (taken; may be NULL for none). */
void reply_status(
    struct call *c, int status, const char *reason, const char *message, json_t *details);
void reply_invalid(struct call *c, const struct causes *causes, const char *name);
/* The same of an object that may be of another kind than was asked for. */
void refuse_object(
    struct call *c, const struct causes *causes, const json_t *obj, const char *name);
void reply_success(struct call *c, int status, json_t *details); /* details taken, may be NULL */
/* The Status of an error as bytes: for a watch. */
json_t *status_json(int status, const char *reason, const char *message, json_t *details);
/* For http_refusals(): a Status under /api and /apis, NULL elsewhere. */
char *refusal_words(const struct http_request *r, int status);
json_t *causes_json(const struct causes *causes);

/* --- errors in Kubernetes' words --- */
int fail_not_found(struct call *c, const char *name, struct err *err);
int fail_exists(struct call *c, const char *name, struct err *err);
int fail_modified(struct call *c, const char *name, struct err *err);
int fail_method(struct err *err);

const char *call_now(char buf[static 40]); /* RFC 3339 */
/* The request turns out to be about this object of another kind. */
void call_rename(struct call *c, const struct kind *k, const char *name);
/* Sets shape from the Accept header; answers 406 and returns -1. */
int call_negotiate(struct call *c);
void call_free(struct call *c); /* for those that answer without the reply functions: a watch */
/* A query parameter as true or false: "1", "true", "t" ... */
bool call_flag(struct call *c, const char *name);
const char *call_resource(const struct call *c, char buf[static 128]); /* "deployments.apps" */

/* --- reading the request of a write --- */
int options_read(
    struct call *c, const char *options_kind); /* dryRun, fieldValidation; answers and returns -1 */
/* The body as an object of kind k, pruned, without what the decoder drops; answers itself and
 * returns -1. */
int body_object(struct call *c, const struct kind *k, json_t **ret);
int body_json(struct call *c, json_t **ret); /* any object; NULL for an empty body */
/* A body that is there, as an object: kind is what messages call it, dflt (may be NULL) what
 * protobuf holds that does not say it; answers and returns -1. */
int body_load(struct call *c, const char *kind, const struct kind *dflt, json_t **ret);
/* What a reader of YAML says of keys that stand twice, "line 7: key ..." and a newline each: as
 * warnings, and appended to msg under "yaml: unmarshal errors:". */
void yaml_twice(struct call *c, const char *lines, struct buf *msg);
/* The checks of a decoder on a tree already there. */
int object_decode(struct call *c, const struct kind *k, json_t *obj);

/* --- warnings: headers of the answer, each once --- */
void call_warn(struct call *c, const char *text);
/* Append the values of the headers, each ended by a NUL, and return how many there are. */
size_t call_warning_headers(const struct call *c, struct buf *values);
/* What a valid object is warned about; warn_secret.c: a pair of certificate and key that is none.
 */
void call_warn_create(struct call *c, const json_t *obj);
void call_warn_update(struct call *c, const json_t *old, const json_t *obj);
void call_warn_secret(struct call *c, const json_t *secret);

/* --- writing --- */

/* System fields of an update of c->old to obj, and validation; answers and returns -1 on refusal.
 */
enum part { PART_MAIN, PART_STATUS, PART_OTHER, PART_SPEC };
enum part call_part(const struct call *c); /* which the subresource of the path is about */
/*
 * parts.c: what a write through a subresource does not touch is as it was before, and what it
 * leaves to the server is filled in: before owners are noted, and behind the plugins.
 */
void part_enter(const struct call *c, const json_t *old, json_t *obj);
void part_take(const struct call *c, const json_t *old, json_t *obj);
/* Does writing obj end it?  It is being deleted and nothing holds it any more. */
bool update_deletes(const struct kind *k, const json_t *obj);
int update_prepare(struct call *c, const json_t *old, json_t *obj, enum part part);
/* Encode obj (taken) and queue it in place of c->old (NULL: new); the answer is given later. */
void write_submit(struct call *c, json_t *obj, bool deletes);
/* The same for an update: what is held by nothing any more goes, in the state it had before. */
void update_submit(struct call *c, json_t *obj);
/* Read the object the path names into c->old; answers NotFound and returns -1. */
int call_current(struct call *c);
/* c->old as c->kind shows it, new; answers and returns -1. */
int call_old(struct call *c, json_t **ret);
/* Run c->run on a worker. */
void call_defer(struct call *c, void (*run)(struct call *c));

/* --- the verbs, one file each --- */
void get_handle(struct call *c);
void list_handle(struct call *c);
void watch_handle(struct call *c);
void create_handle(struct call *c);
int create_prepare(
    struct call *c, json_t *obj); /* system fields and validation; answers and returns -1 */
void update_handle(struct call *c);
void patch_handle(struct call *c);
void delete_handle(struct call *c);
void deletecollection_handle(struct call *c);
void subresource_handle(struct call *c); /* all but status; the files: */
void binding_handle(struct call *c);
void eviction_handle(struct call *c);
void finalize_handle(struct call *c);
void scale_handle(struct call *c);
void token_handle(struct call *c);  /* serviceaccounts/token: a TokenRequest */
void openid_handle(struct call *c); /* what others need to check our tokens */
void review_handle(struct call *c); /* SubjectAccessReview and its like */
void discovery_handle(struct call *c);
void openapi_handle(struct call *c);
void health_handle(struct call *c);
void version_handle(struct call *c);
void metrics_handle(struct call *c);

/* patch.c: which form the Content-Type says; patch_check answers 415 for none and returns -1. */
enum patch_form { PATCH_NONE, PATCH_JSON, PATCH_MERGE_JSON, PATCH_STRATEGIC, PATCH_APPLY };
enum patch_form patch_form(struct call *c);
int patch_check(struct call *c);
/* The body applied to a copy of old, a new object; answers and returns -1. */
int patch_apply(struct call *c, const json_t *old, const struct type *type, json_t **ret,
    json_t **shown); /* shown: how messages show it, new; may be NULL */

/* apply.c: server-side apply; and what an update of old (NULL: a create) notes in managedFields. */
void apply_run(struct call *c);
int apply_read(struct call *c, json_t **config); /* options and body; answers and returns -1 */
/* config applied to old (may be NULL), decoded, into *ret; answers and returns -1. */
int apply_config(struct call *c, const json_t *old, const json_t *config, json_t **ret);
void track_write(struct call *c, const json_t *old, json_t *obj);

/* list.c: what stands before the first item of a list and the others; new references */
void list_openings(const struct call *c, struct bytes **first, struct bytes **next);
/* list_options.c: filter of the query; answers and returns -1. */
int call_filter(struct call *c, struct filter *f);
int call_version(struct call *c,
    uint64_t *ret); /* resourceVersion of the query, 0: none; answers and returns -1 */
int call_too_new(
    struct call *c, uint64_t want); /* answers 504 and returns -1 for a version of the future */
/* Answers 422 for ListOptions with these causes, which are released, and returns -1; 0 when there
 * is none. */
int list_options_refuse(struct call *c, struct causes *causes);

/* --- what Kubernetes' registries do differently per kind (strategy.c) --- */
enum strategy_bits {
	HAS_GENERATION = 1,
	RETURNS_DELETED = 2,	  /* DELETE answers with the object */
	NEEDS_VERSION = 4,	  /* no unconditional update */
	CREATES_ON_UPDATE = 8,	  /* PUT of what is not there creates it */
	ORPHANS = 16,		  /* the default deletion policy is Orphan */
	STATUS_KEEPS_LABELS = 32, /* a status update leaves the labels alone */
	COUNTS_ANNOTATIONS = 64,  /* a change of annotations is a new generation too */
	COUNTS_LABELS = 128,	  /* one of labels is */
	COUNTS_NOTHING = 256,	  /* there is no second generation */
	SPEC_IS_OURS = 512,	  /* nobody owns fields of the spec */
};
unsigned kind_strategy(const struct kind *k);
bool kind_is(const struct kind *k, const char *group, const char *kind);
bool kind_has_status(const struct kind *k);
/*
 * What the registry of a kind does to its objects.  On the way in, before defaults and field
 * ownership: strategy_clear on a create, strategy_enter on an update of the main resource.  Behind
 * the admission plugins that change objects, before validation: strategy_create (a Pod's phase, a
 * Job's selector), strategy_update.  Behind everything: strategy_kept.
 */
void strategy_clear(const struct kind *k, json_t *obj);
void strategy_enter(const struct kind *k, json_t *obj);
void strategy_create(const struct kind *k, json_t *obj);
void strategy_update(const struct kind *k, const json_t *old, json_t *obj);
void strategy_kept(const struct kind *k, json_t *obj);
/* Who asks for a certificate is not for him to say. */
void strategy_requester(struct call *c, json_t *obj);
/* Is obj a new generation of old? */
bool strategy_counts(const struct kind *k, const json_t *old, const json_t *obj);

void new_uid(char buf[static 37]);
/* generateName: the base and 5 characters; new. */
char *name_generate(const char *base);

/* server.c */
struct server *server_new(
    struct cache *cache, struct commit *commit, struct watches *watches, uid_t uid);
void server_free(struct server *s);
/* The certificate and key for nodes' servers. */
void server_node_client(struct server *s, const char *crt, const char *key);
/* Addresses and ports for Services from now on (see service.h); before the first request. */
int server_services(struct server *s, const char *ranges, const char *ports, struct err *err);
void server_handle(struct http_exchange *x, void *server);	 /* for http_server_new */
void server_metrics_only(struct http_exchange *x, void *server); /* for the --metrics listener */
/* migrate.c: older data folders keep some objects as kinds that are only views now. */
int migrate(struct server *s, struct err *err);

/* openapi.c */
struct openapi_pages *openapi_new(void);
void openapi_free(struct openapi_pages *p);

/* metrics_request.c, metrics.c */
struct metrics *metrics_new(void);
void metrics_free(struct metrics *m);
void metrics_print_requests(struct metrics *m, struct buf *out);
void metrics_count(struct call *c, int status); /* it is answered with this */
void metrics_print(struct server *s, struct buf *out);

#endif
