/* GET of a collection with watch=true. */
#include <stdlib.h>
#include <string.h>

#include "api/convert.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/conversion.h"
#include "store/watch_socket.h"

enum { DEFAULT_SECONDS = 1800 };

static int
read_timeout(struct call *c, double *seconds)
{
	autofree char *v = http_query(c->x, "timeoutSeconds");
	long long n;

	/* between one and two half hours, so that not all clients come back at once */
	*seconds = DEFAULT_SECONDS + (double)(clock_now_us() % DEFAULT_SECONDS);
	if (!v || !*v)
		return 0;
	if (!text_int(v, &n)) {
		autofree char *msg =
		    xasprintf("strconv.ParseInt: parsing \"%s\": invalid syntax", v);

		reply_status(c, 400, "BadRequest", msg, NULL);
		return -1;
	}
	if (n > 0)
		*seconds = (double)n;
	return 0;
}

/*
 * Where it starts.  Without a version, or from 0, what there is comes first, unless
 * sendInitialEvents=false; with sendInitialEvents=true it comes first whatever the version is
 * (KEP-3157).
 */
static int
read_start(struct call *c, struct watch_options *o)
{
	autofree char *initial = http_query(c->x, "sendInitialEvents");
	autofree char *match = http_query(c->x, "resourceVersionMatch");
	struct causes causes = CAUSES_INIT;
	bool given = initial && *initial;

	if (given && (!match || strcmp(match, "NotOlderThan") != 0))
		cause_add(&causes, "FieldValueForbidden", "resourceVersionMatch",
		    "Forbidden: sendInitialEvents requires setting resourceVersionMatch to "
		    "NotOlderThan");
	else if (!given && match && *match)
		cause_add(&causes, "FieldValueForbidden", "resourceVersionMatch",
		    "Forbidden: resourceVersionMatch is forbidden for watch unless "
		    "sendInitialEvents is provided");
	if (list_options_refuse(c, &causes) < 0 || call_version(c, &o->since) < 0)
		return -1;
	o->bookmarks = call_flag(c, "allowWatchBookmarks");
	o->initial = given ? call_flag(c, "sendInitialEvents") : o->since == 0;
	if (o->initial && call_too_new(c, o->since) < 0)
		return -1; /* "not older than" cannot be kept */
	o->initial_bookmark = o->bookmarks && given && o->initial;
	if (!o->initial && o->since == 0)
		o->since = cache_revision(c->server->cache);
	return 0;
}

static void
watch_shown(struct call *c)
{
	struct watch_options *o = c->state;
	struct err err;
	bool asks;

	if (watches_add_shown(c->server->watches, c->x, o, c->waits, &asks) == 0) {
		call_free(c);
	} else if (asks) {
		conversion_defer(c, watch_shown);
		return;
	} else {
		filter_release(&o->filter);
		err_set(&err, ERR_UNAVAILABLE, "the server is stopping");
		reply_error(c, &err);
	}
	free(o);
}

void
watch_handle(struct call *c)
{
	struct watch_options o = { .table = c->table, .view = c->view, .shape = c->shape };

	if (c->shape.form == FORM_YAML) {
		reply_status(c, 406, "NotAcceptable",
		    "only the following media types are accepted: application/json;stream=watch, "
		    "application/vnd.kubernetes.protobuf;stream=watch",
		    NULL);
		return;
	}
	if (watch_socket_asked(c->x) < 0) {
		reply_status(c, 400, "BadRequest",
		    "the request to upgrade to a WebSocket lacks a key or version 13", NULL);
		return;
	}
	if (read_timeout(c, &o.seconds) < 0 || call_filter(c, &o.filter) < 0)
		return;
	if (*c->target.name && !o.filter.name)
		o.filter.name = xstrdup(c->target.name);
	if (read_start(c, &o) < 0) {
		filter_release(&o.filter);
		return;
	}
	metrics_count(c, 200);
	if (conversion_of(c->kind)) {
		c->state = xmalloc(sizeof o);
		memcpy(c->state, &o, sizeof o);
		if (c->kind == kind_stored(c->kind)) /* it may well be all there in it */
			call_defer(c, watch_shown);
		else
			conversion_defer(c, watch_shown);
		return;
	}
	watches_add(c->server->watches, c->x, &o);
	call_free(c);
}
