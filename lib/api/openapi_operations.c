/* One method of a path: parameters, body, answers, and what kubectl reads of it. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "api/openapi_parts.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

static const struct {
	const char *name, *type, *summary;
} parameters[] = {
	{ "allowWatchBookmarks", "boolean", "Send BOOKMARK events now and then." },
	{ "continue", "string", "Where the last page ended: the token that came with it." },
	{ "dryRun", "string", "All: do everything but keep nothing." },
	{ "fieldManager", "string", "The name of who writes, for managedFields." },
	{ "fieldSelector", "string", "Restricts the list of returned objects by their fields." },
	{ "fieldValidation", "string",
	    "What to do about unknown and repeated fields: Ignore, Warn or Strict." },
	{ "force", "boolean", "Take fields from other managers (server-side apply only)." },
	{ "gracePeriodSeconds", "integer", "Time to end before it is removed; 0 is at once." },
	{ "ignoreStoreReadErrorWithClusterBreakingPotential", "boolean",
	    "Delete also what can no longer be read." },
	{ "labelSelector", "string", "Only objects whose labels match." },
	{ "limit", "integer", "At most this many, with a token for the next page." },
	{ "orphanDependents", "boolean", "The old form of propagationPolicy." },
	{ "pretty", "string", "true: lay the answer out for people." },
	{ "propagationPolicy", "string",
	    "What becomes of the dependents: Orphan, Background or Foreground." },
	{ "resourceVersion", "string", "Which state: see resourceVersionMatch." },
	{ "resourceVersionMatch", "string",
	    "How resourceVersion is meant: Exact or NotOlderThan." },
	{ "sendInitialEvents", "boolean", "Start a watch with what there is, and mark its end." },
	{ "timeoutSeconds", "integer", "The server ends the call after this long." },
	{ "watch", "boolean", "Watch for changes to the described resources, not just list them." },
};

json_t *
openapi_query(const char *const *names)
{
	json_t *list = json_array();

	for (size_t i = 0; names && i < COUNT(parameters); i++)
		if (text_in(parameters[i].name, names))
			json_array_append_new(
			    list, json_pack("{s:s,s:s,s:s,s:{s:s,s:b}}", "name", parameters[i].name,
				      "in", "query", "description", parameters[i].summary, "schema",
				      "type", parameters[i].type, "uniqueItems", 1));
	return list;
}

json_t *
openapi_options(const struct kind *options)
{
	json_t *list = json_array();
	const struct type *t = options->type;

	for (size_t i = 0; i < t->nfields; i++) {
		const struct field *f = &t->fields[i];
		const char *type = f->type->class == CLASS_BOOL ? "boolean"
				   : f->type->class == CLASS_INT32 || f->type->class == CLASS_INT64
				       ? "integer"
				       : "string";

		/* a time is no parameter in Kubernetes' documents, though the server takes it */
		if (strcmp(f->name, "kind") == 0 || strcmp(f->name, "apiVersion") == 0 ||
		    f->type->class == CLASS_TIME)
			continue;
		json_array_append_new(
		    list, json_pack("{s:s,s:s,s:s,s:{s:s,s:b}}", "name", f->name, "in", "query",
			      "description", f->summary, "schema", "type", type, "uniqueItems", 1));
	}
	return list;
}

void
openapi_add_path_parameters(json_t *list, const char *path)
{
	static const struct {
		const char *name, *summary;
	} places[] = { { "name", "The name of the object." },
		{ "namespace", "The namespace that it is in." },
		{ "path", "What is asked of the other server." } };

	for (size_t i = 0; i < COUNT(places); i++) {
		autofree char *place = xasprintf("{%s}", places[i].name);

		if (strstr(path, place))
			json_array_append_new(
			    list, json_pack("{s:s,s:s,s:s,s:b,s:{s:s,s:b}}", "name", places[i].name,
				      "in", "path", "description", places[i].summary, "required", 1,
				      "schema", "type", "string", "uniqueItems", 1));
	}
}

/* --- bodies and answers --- */

static json_t *
content(const json_t *schema, const char *const *types)
{
	json_t *c = json_object();

	for (; *types; types++)
		json_object_set_new(c, *types, json_pack("{s:O}", "schema", schema));
	return c;
}

static json_t *
answer(const char *description, const json_t *schema, bool list)
{
	static const char *const one[] = { "application/json", "application/yaml",
		"application/vnd.kubernetes.protobuf", NULL };
	static const char *const many[] = { "application/json", "application/yaml",
		"application/vnd.kubernetes.protobuf", "application/json;stream=watch",
		"application/vnd.kubernetes.protobuf;stream=watch", NULL };

	return json_pack(
	    "{s:s,s:o}", "description", description, "content", content(schema, list ? many : one));
}

static json_t *
connect_answer(void)
{
	return json_pack("{s:s,s:{s:{s:{s:s}}}}", "description", "OK", "content", "*/*", "schema",
	    "type", "string");
}

static bool
action_is(const struct openapi_method *m, const char *action)
{
	return strcmp(m->action, action) == 0;
}

/* What a success says: a Status for deletions, events for watches, else the object. */
static json_t *
result(struct openapi *doc, const struct openapi_method *m, const struct openapi_place *p)
{
	if (action_is(m, "list"))
		return openapi_list(doc->schemas, p->kind);
	if (text_starts(m->action, "watch"))
		return openapi_type(doc->schemas, type_find("meta.v1.WatchEvent"));
	if (text_starts(m->action, "delete"))
		return openapi_kind(doc->schemas, kind_find("", "v1", "Status"));
	return openapi_kind(doc->schemas, p->body);
}

static json_t *
answers(struct openapi *doc, const struct openapi_method *m, const struct openapi_place *p)
{
	json_t *all = json_object(), *schema;
	bool text = p->sub && strcmp(p->sub->name, "log") == 0;
	bool list = action_is(m, "list") || text_starts(m->action, "watch");

	if (action_is(m, "connect") || text) {
		json_object_set_new(all, "200", connect_answer());
	} else {
		schema = result(doc, m, p);
		json_object_set_new(all, "200", answer("OK", schema, list));
		if (action_is(m, "put") || action_is(m, "patch") || action_is(m, "post"))
			json_object_set_new(all, "201", answer("Created", schema, false));
		if (action_is(m, "delete") || action_is(m, "post"))
			json_object_set_new(all, "202", answer("Accepted", schema, false));
		json_decref(schema);
	}
	json_object_set_new(all, "401", json_pack("{s:s}", "description", "Unauthorized"));
	return all;
}

static json_t *
body(struct openapi *doc, const struct openapi_method *m, const struct openapi_place *p)
{
	static const char *const any[] = { "*/*", NULL };
	static const char *const patches[] = { "application/apply-patch+yaml",
		"application/json-patch+json", "application/merge-patch+json",
		"application/strategic-merge-patch+json", NULL };
	static const char *const custom[] = { "application/apply-patch+yaml",
		"application/json-patch+json", "application/merge-patch+json", NULL };
	bool patch = action_is(m, "patch"), gone = text_starts(m->action, "delete");
	json_t *schema, *b;

	if (patch)
		schema = openapi_type(doc->schemas, type_find("meta.v1.Patch"));
	else if (gone)
		schema = openapi_kind(doc->schemas, kind_find("", "v1", "DeleteOptions"));
	else if (action_is(m, "put") || action_is(m, "post"))
		schema = openapi_kind(doc->schemas, p->body);
	else
		return NULL;
	b = json_pack("{s:o}", "content",
	    content(schema, !patch	      ? any
			    : p->kind->custom ? custom
					      : patches));
	if (!gone)
		json_object_set_new(b, "required", json_true());
	json_decref(schema);
	return b;
}

/* --- names --- */

char *
openapi_group_name(const char *group, const char *version)
{
	autobuf struct buf b = BUF_INIT;
	bool upper = true;
	size_t len = strlen(group);

	if (text_ends(group, ".k8s.io"))
		len -= strlen(".k8s.io");
	for (size_t i = 0; i < len; i++) {
		if (group[i] != '.')
			buf_putc(&b, upper ? (char)toupper((unsigned char)group[i]) : group[i]);
		upper = group[i] == '.';
	}
	if (!len)
		buf_puts(&b, "Core");
	if (*version)
		buf_printf(&b, "%c%s", toupper((unsigned char)*version), version + 1);
	return buf_detach(&b);
}

/* listAppsV1NamespacedDeployment, readCoreV1NamespacedPodLog: what clients call their functions. */
static char *
operation_id(struct openapi *doc, const struct openapi_method *m, const struct openapi_place *p)
{
	autofree char *group = openapi_group_name(doc->group, doc->version);
	autobuf struct buf b = BUF_INIT;

	buf_printf(&b, "%s%s%s%s", m->word, group,
	    p->kind->namespaced && !p->all ? "Namespaced" : "", p->kind->kind);
	if (p->sub)
		buf_printf(&b, "%c%s", toupper((unsigned char)*p->sub->name), p->sub->name + 1);
	if (strcmp(m->action, "watchlist") == 0)
		buf_puts(&b, "List");
	if (p->tail)
		buf_puts(&b, "WithPath");
	if (p->all)
		buf_puts(&b, "ForAllNamespaces");
	return buf_detach(&b);
}

static json_t *
tag(const char *group, const char *version)
{
	autofree char *name = openapi_group_name(group, "");

	name[0] = (char)tolower((unsigned char)name[0]);
	return *version ? json_pack("[s++]", name, "_", version) : json_pack("[s]", name);
}

json_t *
openapi_operation(
    struct openapi *doc, const struct openapi_method *m, const struct openapi_place *p)
{
	autofree char *id = operation_id(doc, m, p);
	json_t *request = body(doc, m, p);
	json_t *op = json_pack("{s:o,s:s,s:o,s:s,s:{s:s,s:s,s:s}}", "tags",
	    tag(doc->group, doc->version), "operationId", id, "responses", answers(doc, m, p),
	    "x-kubernetes-action", m->action, "x-kubernetes-group-version-kind", "group",
	    p->body->group, "kind", p->body->kind, "version", p->body->version);

	if (m->takes)
		json_object_set_new(op, "parameters", openapi_query(m->takes));
	if (request)
		json_object_set_new(op, "requestBody", request);
	return op;
}

json_t *
openapi_plain_get(json_t *schemas, const char *kind, const char *name, const char *id)
{
	json_t *schema = kind ? openapi_kind(schemas, kind_find("", "v1", kind)) : NULL;
	json_t *op = json_pack("{s:[s],s:s,s:{s:o,s:{s:s}}}", "tags", name, "operationId", id,
	    "responses", "200", schema ? answer("OK", schema, false) : connect_answer(), "401",
	    "description", "Unauthorized");

	json_decref(schema);
	return json_pack("{s:o}", "get", op);
}
