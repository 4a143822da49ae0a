/* The question to a conversion webhook, a ConversionReview, and what it may answer. */
#include <string.h>

#include "api/cause.h"
#include "api/check.h"
#include "api/custom.h"
#include "api/golang.h"
#include "api/meta.h"
#include "base/json.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "serve/outcall.h"
#include "store/conversion_private.h"

enum { TIMEOUT_MS = 30000, LEAST_ANSWER = 32 << 20 };

struct review {
	const struct conversion *v;
	const struct kind *to;
	char desired[128]; /* the version that is wanted */
	char what[512];	   /* "stable.example.com/v1, Kind=CronTab", of the first */
	char uid[37];
	bool whole; /* what the schema does not know stays */
	size_t n;
	json_t ***obj; /* where those stand that are asked for */
};

/* --- the question ------------------------------------------------------------------------- */

/* resourceVersion is not part of what is kept. */
static json_t *
without_version(const json_t *obj)
{
	json_t *copy = json_copy((json_t *)obj),
	       *meta = json_copy(json_object_get(obj, "metadata"));

	json_object_del(meta, "resourceVersion");
	json_object_set_new(copy, "metadata", meta);
	return copy;
}

static void
write_question(const struct review *rv, struct buf *out)
{
	json_t *list = json_array(), *question;
	autofree char *version = xasprintf("apiextensions.k8s.io/%s", rv->v->review);

	for (size_t i = 0; i < rv->n; i++)
		json_array_append_new(list, without_version(*rv->obj[i]));
	question = json_pack("{s:s,s:s,s:{s:s,s:s,s:o}}", "kind", "ConversionReview", "apiVersion",
	    version, "request", "uid", rv->uid, "desiredAPIVersion", rv->desired, "objects", list);
	json_add(out, question);
	json_decref(question);
}

/* --- an answer that is none ------------------------------------------------------------------ */

/* What client-go makes of a status without a Status. */
static const char *
status_words(int status)
{
	static const struct {
		int status;
		const char *words;
	} known[] = {
		{ 400, "the server rejected our request for an unknown reason" },
		{ 401, "the server has asked for the client to provide credentials" },
		{ 404, "the server could not find the requested resource" },
		{ 405, "the server does not allow this method on the requested resource" },
		{ 406, "the server was unable to respond with a content type that the client "
		       "supports" },
		{ 409, "the server reported a conflict" },
		{ 410, "the requested resource is no longer available" },
		{ 413, "the body of the request was too large" },
		{ 415, "the server has declared that it does not support the content type of the "
		       "request" },
		{ 422, "the server rejected our request due to an error in our request" },
		{ 429, "the server has received too many requests and has asked us to try again "
		       "later" },
		{ 503, "the server is currently unable to handle the request" },
		{ 504, "the server was unable to return a response in the time allotted, but may "
		       "still be processing the request" },
	};

	for (size_t i = 0; i < COUNT(known); i++)
		if (known[i].status == status)
			return known[i].words;
	return NULL;
}

static int
refused(int status, const struct buf *body, struct err *err)
{
	json_auto_t *said = body->len ? json_loadb(body->data, body->len, 0, NULL) : NULL;
	const char *words = status_words(status);
	autofree char *cut = xstrndup(body->len ? body->data : "", 300);
	autobuf struct buf quoted = BUF_INIT;

	if (strcmp(text(said, "kind"), "Status") == 0 && *text(said, "message"))
		return err_set(err, ERR_INTERNAL, "%s", text(said, "message"));
	cut[strcspn(cut, "\r\n")] = '\0';
	if (status == 403)
		return err_set(err, ERR_INTERNAL, "forbidden: %s", cut);
	if (words)
		return err_set(err, ERR_INTERNAL, "%s", words);
	if (status < 500)
		return err_set(err, ERR_INTERNAL,
		    "the server responded with the status code %d but did not return more "
		    "information",
		    status);
	text_quote(&quoted, *cut ? cut : "unknown");
	return err_set(err, ERR_INTERNAL,
	    "an error on the server (%s) has prevented the request from succeeding", quoted.data);
}

static int
read_answer(const struct buf *body, json_t **ret, struct err *err)
{
	char fault[128], words[96];
	size_t used;

	if (json_decode(body->len ? body->data : "", body->len, ret, &used, fault) == JSON_FINE &&
	    used + strspn(body->data + used, " \t\r\n") == body->len)
		return 0;
	json_decref(*ret);
	*ret = NULL;
	return err_set(err, ERR_INTERNAL, "couldn't get version/kind; json parse error: %s",
	    go_json_fault(body->len ? body->data : "", body->len, words) ? words : fault);
}

static int
post(const struct review *rv, json_t **ret, struct err *err)
{
	autofree char *url = NULL, *address = NULL;
	autobuf struct buf question = BUF_INIT, answer = BUF_INIT;
	int status, r = conversion_way(rv->v, &url, &address, err);

	if (r < 0)
		return r;
	write_question(rv, &question);
	const struct outcall o = { .method = "POST",
		.url = url,
		.connect = address,
		.ca = rv->v->ca,
		.content_type = "application/json",
		.accept = "application/json, */*",
		.body = question.data,
		.len = question.len,
		.timeout_ms = TIMEOUT_MS,
		.most = LEAST_ANSWER + 4 * question.len,
		.stop = &rv->v->all->stop };
	if ((r = outcall(&o, &status, &answer, err)) < 0)
		return r;
	if (status < 200 || status > 206)
		return refused(status, &answer, err);
	return read_answer(&answer, ret, err);
}

/* --- the frame of the answer -------------------------------------------------------------------
 */

static int
check_frame(const struct review *rv, const json_t *answer, struct err *err)
{
	const json_t *response = json_object_get(answer, "response");
	const char *version = text(answer, "apiVersion"), *kind = text(answer, "kind"),
		   *status = text(response, "result", "status"),
		   *message = text(response, "result", "message");
	bool strict = strcmp(rv->v->review, "v1") == 0; /* the older one never looked */
	autobuf struct buf want = BUF_INIT, got = BUF_INIT;

	if (!*kind)
		return err_set(err, ERR_INTERNAL, "Object 'Kind' is missing in the answer");
	if (strict && (strcmp(version, "apiextensions.k8s.io/v1") != 0 ||
			  strcmp(kind, "ConversionReview") != 0))
		return err_set(err, ERR_INTERNAL,
		    "expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, "
		    "got %s%s, Kind=%s",
		    strchr(version, '/') ? "" : "/", version, kind);
	if (!json_is_object(response))
		return err_set(err, ERR_INTERNAL, "no response provided");
	if (strict && strcmp(text(response, "uid"), rv->uid) != 0) {
		text_quote(&want, rv->uid);
		text_quote(&got, text(response, "uid"));
		return err_set(
		    err, ERR_INTERNAL, "expected response.uid=%s, got %s", want.data, got.data);
	}
	if (strcmp(status, "Success") == 0)
		return 0;
	if (*message)
		return err_set(err, ERR_INTERNAL, "%s", message);
	return err_set(err, ERR_INTERNAL, "response.result.status was '%s', not 'Success'", status);
}

/* --- one object of the answer --------------------------------------------------------------------
 */

/* Is it the same object? */
static int
check_same(const json_t *was, const json_t *is, struct err *err)
{
	static const char *const keys[][2] = { { "name", "name" }, { "namespace", "namespace" },
		{ "uid", "UID" } };

	for (size_t i = 0; i < COUNT(keys); i++) {
		const char *a = text(was, "metadata", keys[i][0]),
			   *b = text(is, "metadata", keys[i][0]);

		if (strcmp(a, b) != 0)
			return err_set(
			    err, ERR_INTERNAL, "must have the same %s: %s != %s", keys[i][1], a, b);
	}
	return 0;
}

/* Labels or annotations that differ from those there were. */
static int
check_words(const char *key, const json_t *map, struct err *err)
{
	const struct path *at = AT(NULL, "metadata");
	struct causes causes = CAUSES_INIT;
	autobuf struct buf all = BUF_INIT;

	if (strcmp(key, "labels") == 0)
		check_labels(&causes, AT(at, "labels"), map);
	else
		check_annotations(&causes, AT(at, "annotation"), map);
	for (size_t i = 0; i < causes.n; i++)
		buf_printf(
		    &all, "%s%s: %s", i ? ", " : "", causes.item[i].field, causes.item[i].message);
	if (causes.n > 1)
		err_set(err, ERR_INTERNAL, "[%s]", all.data);
	else if (causes.n)
		err_set(err, ERR_INTERNAL, "%s", all.data);
	bool bad = causes.n > 0;
	causes_release(&causes);
	return bad ? -ERR_INTERNAL : 0;
}

/* One of the two parts of metadata that a webhook may change. */
static int
take_part(json_t *meta, const json_t *said, const char *key, struct err *err)
{
	json_t *part = json_object_get(said, key), *v;
	const char *name;

	if (!part || json_is_null(part)) {
		json_object_del(meta, key);
		return 0;
	}
	if (!json_is_object(part))
		return err_set(err, ERR_INTERNAL,
		    "invalid metadata.%s of type %s in converted object", key, go_value_type(part));
	json_object_foreach (part, name, v)
		if (!json_is_string(v))
			return err_set(err, ERR_INTERNAL,
			    "metadata.%s[%s] must be a string, but is %s in converted object", key,
			    name, go_value_type(v));
	if (!json_equal(part, json_object_get(meta, key)) && check_words(key, part, err) < 0)
		return -ERR_INTERNAL;
	json_object_set(meta, key, part);
	return 0;
}

/* Everything else in its metadata is as it was. */
static int
restore_metadata(const json_t *was, json_t *is, struct err *err)
{
	json_t *said = json_object_get(is, "metadata"), *meta;
	int r;

	if (!said)
		return err_set(err, ERR_INTERNAL, "missing metadata in converted object");
	if (!json_is_object(said))
		return err_set(err, ERR_INTERNAL, "invalid metadata of type %s in converted object",
		    go_value_type(said));
	meta = json_deep_copy(json_object_get(was, "metadata"));
	if ((r = take_part(meta, said, "labels", err)) == 0)
		r = take_part(meta, said, "annotations", err);
	if (r == 0)
		json_object_set(is, "metadata", meta);
	json_decref(meta);
	return r;
}

static int
check_kind(const struct review *rv, const json_t *is, struct err *err)
{
	const char *version = text(is, "apiVersion"), *kind = text(is, "kind");

	if (strcmp(version, rv->desired) != 0)
		return err_set(err, ERR_INTERNAL, "invalid groupVersion (expected %s, received %s)",
		    rv->desired, version);
	if (strcmp(kind, rv->to->kind) != 0)
		return err_set(err, ERR_INTERNAL, "invalid kind (expected %s, received %s)",
		    rv->to->kind, kind);
	return 0;
}

/* Kubernetes asks for one at a time, almost always, and words this for one. */
static int
bad_object(const struct review *rv, const char *what, size_t i, bool indexed, struct err *err)
{
	if (rv->n > 1)
		return err_wrap(err, "conversion webhook for %s returned invalid %s at index %zu",
		    rv->what, strcmp(what, "metadata") ? "converted object" : "metadata in object",
		    i);
	if (indexed)
		return err_wrap(
		    err, "conversion webhook for %s returned invalid object at index 0", rv->what);
	return err_wrap(err, "conversion webhook for %s returned invalid %s", rv->what, what);
}

static int
take_object(const struct review *rv, size_t i, json_t *is, struct err *err)
{
	json_t *was = *rv->obj[i];

	if (!json_is_object(is) || !*text(is, "kind")) {
		err_set(err, ERR_INTERNAL, "Object 'Kind' is missing in '%s'",
		    json_is_object(is) ? "{...}" : "null");
		return bad_object(rv, "object", i, true, err);
	}
	if (check_kind(rv, is, err) < 0)
		return bad_object(rv, "object", i, true, err);
	if (check_same(was, is, err) < 0)
		return bad_object(rv, "object", i, false, err);
	if (restore_metadata(was, is, err) < 0)
		return bad_object(rv, "metadata", i, false, err);
	return rv->whole ? 0 : custom_adopt(rv->to, is, err);
}

/* All or none of them. */
static int
take_objects(const struct review *rv, const json_t *list, struct err *err)
{
	int r = 0;

	if (json_array_size(list) != rv->n)
		return err_set(err, ERR_INTERNAL,
		    "conversion webhook for %s returned %zu objects, expected %zu", rv->what,
		    json_array_size(list), rv->n);
	for (size_t i = 0; r == 0 && i < rv->n; i++)
		r = take_object(rv, i, json_array_get(list, i), err);
	for (size_t i = 0; r == 0 && i < rv->n; i++) {
		json_decref(*rv->obj[i]);
		*rv->obj[i] = json_incref(json_array_get(list, i));
	}
	return r;
}

static int
ask(struct review *rv, struct err *err)
{
	json_auto_t *answer = NULL;
	int r;

	if (!rv->v->review)
		return err_set(err, ERR_INTERNAL, "no supported conversion review versions");
	new_uid(rv->uid);
	if ((r = post(rv, &answer, err)) < 0 || (r = check_frame(rv, answer, err)) < 0)
		return err_wrap(err, "conversion webhook for %s failed", rv->what);
	return take_objects(rv, get(answer, "response", "convertedObjects"), err);
}

/* --- */

/* From a version that the definition has? */
static int
check_source(const struct kind *to, const json_t *obj, struct err *err)
{
	const char *version = text(obj, "apiVersion");

	if (custom_sibling(to, version))
		return 0;
	return err_set(
	    err, ERR_INTERNAL, "request to convert CR from an invalid group/version: %s", version);
}

static int
run(const struct kind *to, json_t **obj, size_t n, bool whole, struct err *err)
{
	struct review rv = { .v = to->custom->conversion, .to = to, .whole = whole };
	int r = 0;

	kind_api_version(to, rv.desired);
	rv.obj = xcalloc(n + 1, sizeof *rv.obj);
	for (size_t i = 0; r == 0 && i < n; i++) {
		if (strcmp(text(obj[i], "apiVersion"), rv.desired) == 0)
			continue;
		r = check_source(to, obj[i], err);
		rv.obj[rv.n++] = &obj[i];
	}
	if (r == 0 && rv.n > 0 && !rv.v) {
		for (size_t i = 0; i < rv.n; i++)
			custom_convert(*rv.obj[i], to);
	} else if (r == 0 && rv.n > 0) {
		snprintf(rv.what, sizeof rv.what, "%s, Kind=%s", text(*rv.obj[0], "apiVersion"),
		    to->kind);
		r = ask(&rv, err);
	}
	free(rv.obj);
	return r < 0 ? -ERR_INTERNAL : 0;
}

int
conversion_run(const struct kind *to, json_t **obj, size_t n, struct err *err)
{
	return run(to, obj, n, false, err);
}

int
conversion_owner(const struct kind *to, json_t **obj, size_t n, struct err *err)
{
	return run(to, obj, n, true, err);
}
