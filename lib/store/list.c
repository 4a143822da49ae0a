/*
 * GET of a collection: the kept bytes of all that match, one after the other.  Pages
 * (limit, continue) all show the revision of the first one.
 */
#include <string.h>

#include "api/custom.h"
#include "api/meta.h"
#include "api/protobuf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/conversion.h"
#include "store/gzip.h"
#include "store/rows.h"
#include "store/token.h"

enum { SHORT_LIST = 50, LONG_LIST = 2000, SHOWN = 500 };

struct list {
	struct filter filter;
	struct walk walk;
	struct token token;
	long long limit; /* 0: all */

	struct bytes **part; /* part 0 is the head */
	size_t n, cap;
	bool whole; /* objects are wanted, not their bytes */
	bool later; /* what the filter says is seen only when they are shown */
	struct object **object;
	size_t nobjects, objects_cap;
	size_t found, remaining;
	size_t shown; /* items so far, where they are not as they are kept; full: enough of them */
	bool full;
	bool more;
	char *last_namespace, *last_name;
	struct bytes *first, *comma;
};

static int
refuse(struct call *c, int status, const char *reason, const char *fmt, const char *value)
{
	autofree char *msg = xasprintf(fmt, value);

	reply_status(c, status, reason, msg, NULL);
	return -1;
}

static int
read_limit(struct call *c, long long *limit)
{
	autofree char *v = http_query(c->x, "limit");

	*limit = 0;
	if (!v || !*v)
		return 0;
	if (text_int(v, limit)) {
		if (*limit < 0)
			*limit = 0; /* no limit, as in Kubernetes */
		return 0;
	}
	return refuse(c, 400, "BadRequest", "strconv.ParseInt: parsing \"%s\": invalid syntax", v);
}

/* The combinations that Kubernetes refuses (apimachinery, validation of ListOptions). */
static int
check_match(struct call *c, const char *match, bool version, bool zero, bool continued)
{
	autofree char *initial = http_query(c->x, "sendInitialEvents");
	struct causes causes = CAUSES_INIT;
	bool asks = match && *match;

	if (asks && !version)
		cause_add(&causes, "FieldValueForbidden", "resourceVersionMatch",
		    "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is "
		    "provided");
	if (asks && continued)
		cause_add(&causes, "FieldValueForbidden", "resourceVersionMatch",
		    "Forbidden: resourceVersionMatch is forbidden when continue is provided");
	if (asks && strcmp(match, "Exact") != 0 && strcmp(match, "NotOlderThan") != 0)
		cause_add(&causes, "FieldValueNotSupported", "resourceVersionMatch",
		    "Unsupported value: \"%s\": supported values: \"Exact\", \"NotOlderThan\", "
		    "\"\"",
		    match);
	if (asks && zero && strcmp(match, "Exact") == 0)
		cause_add(&causes, "FieldValueForbidden", "resourceVersionMatch",
		    "Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion "
		    "\"0\"");
	if (initial && *initial)
		cause_add(&causes, "FieldValueForbidden", "sendInitialEvents",
		    "Forbidden: sendInitialEvents is forbidden for list");
	return list_options_refuse(c, &causes);
}

/* Which revision: of the token, exactly the one asked for, or any that is new enough. */
static int
read_version(struct call *c, struct list *l, const char *token)
{
	autofree char *match = http_query(c->x, "resourceVersionMatch");
	autofree char *given = http_query(c->x, "resourceVersion");
	bool version = given && *given;
	uint64_t want;
	struct err err;

	if (check_match(c, match, version, version && strcmp(given, "0") == 0, token) < 0 ||
	    call_version(c, &want) < 0)
		return -1;
	/* "0" is any state, and Kubernetes gives all of that one whatever the limit is */
	if (version && want == 0)
		l->limit = 0;
	if (token) {
		if (want)
			return refuse(c, 400, "BadRequest",
			    "specifying resource version is not allowed when using continue%s", "");
		if (token_parse(&l->token, token, &err) < 0)
			return refuse(c, 400, "BadRequest", "%s", err.msg);
		l->walk.revision = l->token.revision;
		l->walk.after_namespace = l->token.namespace;
		l->walk.after_name = l->token.name;
		return 0;
	}
	if (call_too_new(c, want) < 0)
		return -1;
	if (match && strcmp(match, "Exact") == 0)
		l->walk.revision = want;
	/* with a limit, a version without a match means exactly this one (the old way) */
	else if ((!match || !*match) && l->limit > 0)
		l->walk.revision = want;
	return 0;
}

/* Items do not say what they are, unless they are custom. */
void
list_openings(const struct call *c, struct bytes **first, struct bytes **next)
{
	autofree char *more = NULL;

	if (!c->kind->custom) {
		*first = bytes_new("{", 1);
		*next = bytes_new(",{", 2);
		return;
	}
	more = xasprintf(",%s", c->view->open->data);
	*first = bytes_ref(c->view->open);
	*next = bytes_new(more, strlen(more));
}

static void
add_part(struct list *l, struct bytes *b)
{
	GROW(l->part, l->n, l->cap);
	l->part[l->n++] = b;
}

static void list_now(struct call *c);

static void
end_page(struct list *l, const struct object *last)
{
	l->last_namespace = xstrdup(object_namespace(last));
	l->last_name = xstrdup(object_name(last));
}

static bool
add_object(void *arg, struct object *o)
{
	struct list *l = arg;

	if (l->more) {
		l->remaining++;
		return true;
	}
	if (l->later ? l->filter.name && strcmp(l->filter.name, object_name(o)) != 0
		     : (l->filter.labels || l->filter.fields || l->filter.name) &&
			   !filter_match(&l->filter, o))
		return true;
	if (l->limit && !l->later && l->found == (size_t)l->limit) {
		l->more = true;
		l->remaining = 1;
		return !filter_selects(&l->filter); /* only then can the rest be counted */
	}
	if (l->whole) {
		GROW(l->object, l->nobjects, l->objects_cap);
		l->object[l->nobjects++] = object_ref(o);
		l->found++;
	} else {
		add_part(l, bytes_ref(l->found++ ? l->comma : l->first));
		add_part(l, bytes_ref(o->body));
	}
	if (l->limit && !l->later && l->found == (size_t)l->limit)
		end_page(l, o);
	return true;
}

static void
add_meta(struct buf *b, const struct list *l, uint64_t revision)
{
	buf_printf(b, "{\"resourceVersion\":\"%llu\"", (unsigned long long)revision);
	if (l->more) {
		struct token t = { revision, l->last_namespace, l->last_name };
		autofree char *token = token_print(&t);

		buf_printf(b, ",\"continue\":\"%s\"", token);
		if (!filter_selects(&l->filter))
			buf_printf(b, ",\"remainingItemCount\":%zu", l->remaining);
	}
	buf_putc(b, '}');
}

static struct bytes *
list_head(struct call *c, struct list *l, uint64_t revision)
{
	char version[128];
	autobuf struct buf b = BUF_INIT;

	buf_printf(&b, "{\"kind\":\"%s%s\",\"apiVersion\":\"%s\",\"metadata\":",
	    c->kind->custom ? c->kind->custom->list_kind : c->kind->kind,
	    c->kind->custom ? "" : "List", kind_api_version(c->kind, version));
	add_meta(&b, l, revision);
	if (c->kind->custom && !l->more) { /* as trees without a type are written */
		b.len--;
		buf_puts(&b, ",\"continue\":\"\"}");
	}
	buf_puts(&b, ",\"items\":[");
	return bytes_new(b.data, b.len);
}

static void list_now(struct call *c);

static void
add_item(struct call *c, struct list *l, const struct object *o)
{
	add_part(l, bytes_ref(l->shown++ ? l->comma : l->first));
	add_part(l, object_body(o, c->kind));
}

/* In another shape: the parts are the head's place, and then "{" or ",{" before each body. */
static void
reply_rows(struct call *c, struct list *l, uint64_t revision)
{
	const char *type = c->shape.protobuf ? PROTOBUF_TYPE : "application/json";
	const struct kind *k =
	    c->kind->custom || shape_shows_object(&c->shape) ? c->kind : c->table->kind;
	autobuf struct buf meta = BUF_INIT;
	struct bytes *all;
	struct err err;
	size_t n = 0;

	for (size_t i = 2; i < l->n; i += 2) {
		bytes_unref(l->part[i - 1]);
		l->part[n++] = l->part[i];
	}
	add_meta(&meta, l, revision);
	if (c->shape.protobuf)
		all = rows_protobuf(&c->shape, k, meta.data, l->part, n, &err);
	else
		all = rows_encode(&c->shape, k, meta.data, l->part, n, clock_now());
	for (size_t i = 0; i < n; i++)
		bytes_unref(l->part[i]);
	c->shape = (struct shape){ .form = FORM_JSON }; /* it has its shape now */
	if (all)
		reply_parts(c, 200, type, &all, 1);
	else
		reply_error(c, &err);
}

/* In protobuf, of objects as they are kept. */
static void
reply_messages(struct call *c, struct list *l, uint64_t revision)
{
	autobuf struct buf meta = BUF_INIT;
	struct bytes **pieces;
	struct err err;
	size_t n;

	add_meta(&meta, l, revision);
	pieces = rows_messages(c->kind, meta.data, l->object, l->nobjects, &n, &err);
	c->shape = (struct shape){ .form = FORM_JSON }; /* it has its shape now */
	if (pieces)
		reply_parts(c, 200, PROTOBUF_TYPE, pieces, n);
	else
		reply_error(c, &err);
	free(pieces);
}

/* The token's revision is gone: the client may go on with another token, inconsistently. */
static void
expired(struct call *c, struct list *l)
{
	struct token t = { 0, l->token.namespace, l->token.name };
	autofree char *token = l->token.name ? token_print(&t) : NULL;
	json_t *s;

	if (!token) {
		reply_status(c, 410, "Expired",
		    "The resourceVersion for the provided list is too old.", NULL);
		return;
	}
	s = status_json(410, "Expired",
	    "The provided continue parameter is too old to display a consistent list result. You "
	    "can start a "
	    "new list without the continue parameter, or use the continue token in this response "
	    "to retrieve "
	    "the remainder of the results. Continuing with the provided token results in an "
	    "inconsistent list "
	    "- objects that were created, modified, or deleted between the time the first chunk "
	    "was returned "
	    "and now may show up in the list.",
	    NULL);
	put(s, json_string(token), "metadata", "continue");
	reply_json(c, 410, s);
	json_decref(s);
}

static void
list_release(struct list *l)
{
	filter_release(&l->filter);
	token_release(&l->token);
	for (size_t i = 0; i < l->nobjects; i++)
		object_unref(l->object[i]);
	free(l->object);
	free(l->part);
	free(l->last_namespace);
	free(l->last_name);
	bytes_unref(l->first);
	bytes_unref(l->comma);
}

/* As they are shown, those that the filter lets through, up to the limit. */
static void
add_shown(struct call *c, struct list *l, struct object *const *shown, size_t from, size_t n)
{
	for (size_t i = 0; i < n && !l->full; i++) {
		if (l->later && !filter_match(&l->filter, shown[i]))
			continue;
		add_item(c, l, shown[i]);
		if (l->later && l->limit && l->shown == (size_t)l->limit) {
			end_page(l, shown[i]);
			l->more = from + i + 1 < l->nobjects;
			l->full = true;
		}
	}
}

/*
 * What a webhook shows.  Who wants it may have to wait: then the list is made again on a thread
 * that may.  What selectors see is what is shown, so more may be asked for than is found.
 */
static int
show_objects(struct call *c, struct list *l)
{
	size_t step = l->later && l->limit && l->limit < SHOWN ? SHOWN : l->nobjects;
	struct object **shown;
	struct err err;
	int r = 0;

	for (size_t i = 0; i < l->nobjects && !c->waits; i++)
		if (conversion_asks(l->object[i], c->kind)) {
			conversion_defer(c, list_now);
			return -1;
		}
	shown = xcalloc(l->nobjects + 1, sizeof(struct object *));
	for (size_t i = 0, n; r == 0 && i < l->nobjects && !l->full; i += n) {
		n = l->nobjects - i < step ? l->nobjects - i : step;
		if ((r = conversion_show(c->kind, l->object + i, n, shown, &err)) < 0)
			break;
		add_shown(c, l, shown, i, n);
		for (size_t k = 0; k < n; k++)
			object_unref(shown[k]);
	}
	free(shown);
	return r < 0 ? conversion_refuse(c, &err) : 0;
}

static void
list_run(struct call *c, struct list *l)
{
	uint64_t revision;
	bool messages;
	struct err err;

	l->walk.table = c->table;
	l->walk.namespace = l->filter.namespace;
	messages = c->shape.protobuf && c->shape.form == FORM_JSON && c->view == c->table;
	l->whole = messages || shape_table(&c->shape, c->table, c->view) != c->table;
	l->later = conversion_of(c->kind) && filter_selects(&l->filter);
	add_part(l, NULL);
	if (cache_walk(c->server->cache, &l->walk, add_object, l, &revision, &err) < 0) {
		expired(c, l);
		return;
	}
	if (messages) {
		reply_messages(c, l, revision);
		return;
	}
	/* out of the lock that a walk holds: in the version that is asked for */
	if (conversion_of(c->kind) && show_objects(c, l) < 0)
		return;
	for (size_t i = 0; i < l->nobjects && !conversion_of(c->kind); i++)
		add_item(c, l, l->object[i]);
	if (shape_converts(&c->shape) || c->shape.protobuf) {
		reply_rows(c, l, revision);
		return;
	}
	l->part[0] = list_head(c, l, revision);
	add_part(l, bytes_new("]}\n", 3));
	reply_parts(c, 200, "application/json", l->part, l->n);
}

static void
list_now(struct call *c)
{
	struct list l = { 0 };
	autofree char *token = http_query(c->x, "continue");

	list_openings(c, &l.first, &l.comma);
	if (call_filter(c, &l.filter) == 0 && read_limit(c, &l.limit) == 0 &&
	    read_version(c, &l, token && *token ? token : NULL) == 0)
		list_run(c, &l);
	list_release(&l);
}

/* A long list, or one to be compressed, would keep other clients of this loop waiting. */
static bool
takes_long(struct call *c)
{
	size_t n = cache_count(c->server->cache, c->table);

	return n > LONG_LIST || (n > SHORT_LIST && gzip_accepted(c->x));
}

void
list_handle(struct call *c)
{
	if (!shape_is_kept(&c->shape) || c->view != c->table || takes_long(c))
		call_defer(c, list_now);
	else
		list_now(c);
}
