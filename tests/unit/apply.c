/*
 * Server-side apply and field ownership, by table: a story per object, a step a write.  What
 * is compared is the object without its metadata's system fields, and the owners:
 * "name Operation[/subresource]" -> FieldsV1, or the message of the refusal.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/apply.h"
#include "api/meta.h"

struct step {
	const char *how; /* NEW: another object; apply, force, update */
	const char *manager, *sub;
	const char *body; /* of a ConfigMap, PodTemplate or Deployment; ' for " */
	const char *object, *owners;
};

#define CM "'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'x'}"
#define PT "'apiVersion':'v1','kind':'PodTemplate','metadata':{'name':'x'},'template':"
#define DEP "'apiVersion':'apps/v1','kind':'Deployment','metadata':{'name':'x'}"

static const struct step steps[] = {
	/* values shared, fought over, and dropped */
	{ "NEW apply", "a", "", "{" CM ",'data':{'k':'1','l':'1'}}", "{'data':{'k':'1','l':'1'}}",
	    "{'a Apply':{'f:data':{'f:k':{},'f:l':{}}}}" },
	{ "apply", "b", "", "{" CM ",'data':{'k':'2'}}", NULL,
	    "Apply failed with 1 conflict: conflict with \"a\": .data.k" },
	{ "apply", "b", "", "{" CM ",'data':{'k':'2','l':'2'}}", NULL,
	    "Apply failed with 2 conflicts: conflicts with \"a\":\n- .data.k\n- .data.l" },
	{ "apply", "b", "", "{" CM ",'data':{'k':'1'}}", "{'data':{'k':'1','l':'1'}}",
	    "{'b Apply':{'f:data':{'f:k':{}}},'a Apply':{'f:data':{'f:k':{},'f:l':{}}}}" },
	{ "apply", "a", "", "{" CM "}", "{'data':{'k':'1'}}", "{'b Apply':{'f:data':{'f:k':{}}}}" },
	{ "update", "c", "", "{" CM ",'data':{'k':'3','m':'1'}}", "{'data':{'k':'3','m':'1'}}",
	    "{'c Update':{'f:data':{'f:k':{},'f:m':{}}}}" },
	{ "apply", "b", "", "{" CM ",'data':{'k':'1'}}", NULL,
	    "Apply failed with 1 conflict: conflict with \"c\" using v1: .data.k" },
	{ "force", "b", "", "{" CM ",'data':{'k':'1'}}", "{'data':{'k':'1','m':'1'}}",
	    "{'b Apply':{'f:data':{'f:k':{}}},'c Update':{'f:data':{'f:m':{}}}}" },
	{ "update", "c", "", "{" CM "}", "{}", "{}" },

	/* what an update creates has its maps, too */
	{ "NEW update", "u", "", "{" CM ",'data':{'k':'1'}}", "{'data':{'k':'1'}}",
	    "{'u Update':{'f:data':{'.':{},'f:k':{}}}}" },
	{ "apply", "a", "", "{" CM ",'data':{}}", "{'data':{'k':'1'}}",
	    "{'a Apply':{'f:data':{}},'u Update':{'f:data':{'.':{},'f:k':{}}}}" },
	{ "update", "u", "",
	    "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'x','managedFields':[{}]},"
	    "'data':{'k':'1'}}",
	    "{'data':{'k':'1'}}", "{}" },
	{ "apply", "a", "", "{" CM ",'data':{'k':'1'}}", "{'data':{'k':'1'}}",
	    "{'a Apply':{'f:data':{'f:k':{}}},"
	    "'before-first-apply Update':{'f:data':{'.':{},'f:k':{}}}}" },

	/* lists: maps by key with defaults, sets, order, atomic ones */
	{ "NEW apply", "a", "",
	    "{" PT "{'spec':{'containers':[{'name':'c','ports':[{'containerPort':443},"
	    "{'containerPort':80}],'command':['x']},{'name':'d'}]}}}",
	    "{'template':{'spec':{'containers':[{'name':'c','ports':[{'containerPort':443},"
	    "{'containerPort':80}],'command':['x']},{'name':'d'}]}}}",
	    "{'a Apply':{'f:template':{'f:spec':{'f:containers':{"
	    "'k:{\\\"name\\\":\\\"c\\\"}':{'.':{},'f:command':{},'f:name':{},'f:ports':{"
	    "'k:{\\\"containerPort\\\":80,\\\"protocol\\\":\\\"TCP\\\"}':{'.':{},"
	    "'f:containerPort':{}},"
	    "'k:{\\\"containerPort\\\":443,\\\"protocol\\\":\\\"TCP\\\"}':{'.':{},"
	    "'f:containerPort':{}}}},'k:{\\\"name\\\":\\\"d\\\"}':{'.':{},'f:name':{}}}}}}}" },
	{ "apply", "b", "",
	    "{" PT "{'spec':{'containers':[{'name':'d','image':'i'},{'name':'e'},{'name':'c'}]}}}",
	    "{'template':{'spec':{'containers':[{'name':'d','image':'i'},{'name':'e'},{'name':'c',"
	    "'ports':[{'containerPort':443},{'containerPort':80}],'command':['x']}]}}}",
	    NULL },
	{ "apply", "b", "", "{" PT "{'spec':{'containers':[{'name':'d','image':'i'}]}}}",
	    "{'template':{'spec':{'containers':[{'name':'d','image':'i'},{'name':'c',"
	    "'ports':[{'containerPort':443},{'containerPort':80}],'command':['x']}]}}}",
	    NULL },
	{ "apply", "b", "", "{" PT "{'spec':{'containers':[{'name':'c','command':['y']}]}}}", NULL,
	    "Apply failed with 1 conflict: conflict with \"a\": "
	    ".template.spec.containers[name=\"c\"].command" },
	{ "apply", "b", "", "{" PT "{'spec':{}}}",
	    "{'template':{'spec':{'containers':[{'name':'d'},{'name':'c',"
	    "'ports':[{'containerPort':443},{'containerPort':80}],'command':['x']}]}}}",
	    NULL },
	{ "NEW apply", "a", "",
	    "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'x','finalizers':['b','a']}}",
	    "{}",
	    "{'a Apply':{'f:metadata':{'f:finalizers':{'v:\\\"a\\\"':{},'v:\\\"b\\\"':{}}}}}" },
	{ "apply", "a", "",
	    "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'x','finalizers':['b','b']}}",
	    NULL,
	    "failed to create typed patch object (/x; /v1, Kind=ConfigMap): .metadata.finalizers: "
	    "duplicate entries for key [=\"b\"]" },

	/* mistakes */
	{ "NEW apply", "a", "", "{" CM ",'data':['a']}", NULL,
	    "failed to create typed patch object (/x; /v1, Kind=ConfigMap): .data: expected map, "
	    "got "
	    "&{[a]}" },
	{ "apply", "a", "", "{" DEP ",'spec':{'replicas':'two','x':1}}", NULL,
	    "failed to create typed patch object (/x; apps/v1, Kind=Deployment): errors:\n"
	    "  .spec.replicas: expected numeric (int or float), got string\n"
	    "  .spec.x: field not declared in schema" },
	{ "apply", "a", "", "{'apiVersion':'v9','kind':'ConfigMap','metadata':{'name':'x'}}", NULL,
	    "invalid object type: /v9, Kind=ConfigMap" },
	{ "apply", "a", "",
	    "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'x','managedFields':[]}}",
	    NULL, "metadata.managedFields must be nil" },

	/* the status is another's */
	{ "NEW apply", "a", "", "{" DEP ",'spec':{'replicas':2},'status':{'replicas':3}}",
	    "{'spec':{'replicas':2},'status':{'replicas':3}}",
	    "{'a Apply':{'f:spec':{'f:replicas':{}}}}" },
	{ "update", "s", "status", "{" DEP ",'spec':{'replicas':2},'status':{'replicas':2}}",
	    "{'spec':{'replicas':2},'status':{'replicas':2}}",
	    "{'a Apply':{'f:spec':{'f:replicas':{}}},"
	    "'s Update/status':{'f:status':{'f:replicas':{}}}}" },
	{ "apply", "t", "status", "{" DEP ",'status':{'replicas':4}}", NULL,
	    "Apply failed with 1 conflict: conflict with \"s\" with subresource \"status\" using "
	    "apps/v1: .status.replicas" },
	{ NULL, NULL, NULL, NULL, NULL, NULL },
};

static json_t *
parse(const char *text)
{
	char *json = strdup(text);
	json_t *v;

	for (char *p = json; *p; p++)
		if (*p == '\'')
			*p = '"';
	v = json_loads(json, 0, NULL);
	if (!v)
		fprintf(stderr, "bad JSON: %s\n", json);
	free(json);
	return v;
}

static json_t *
owners(const json_t *obj)
{
	json_t *ret = json_object(), *e;
	size_t i;

	json_array_foreach (get(obj, "metadata", "managedFields"), i, e) {
		char who[200];
		const char *sub = text(e, "subresource");

		snprintf(who, sizeof who, "%s %s%s%s", text(e, "manager"), text(e, "operation"),
		    *sub ? "/" : "", sub);
		json_object_set(ret, who, json_object_get(e, "fieldsV1"));
	}
	return ret;
}

static json_t *
bare(const json_t *obj)
{
	json_t *ret = json_deep_copy(obj);

	json_object_del(ret, "metadata");
	json_object_del(ret, "apiVersion");
	json_object_del(ret, "kind");
	return ret;
}

static int
differs(int n, const char *what, const json_t *is, const char *wanted)
{
	json_t *want;
	char *a, *b;
	int r;

	if (!wanted)
		return 0;
	want = parse(wanted);
	a = json_dumps(is, JSON_COMPACT);
	b = json_dumps(want, JSON_COMPACT);
	/* owners are compared with their order; objects without */
	r = strcmp(what, "object") == 0 ? !json_equal(is, want) : strcmp(a, b) != 0;
	if (r)
		fprintf(stderr, "step %d: the %s is\n  %s, not\n  %s\n", n, what, a, b);
	free(a);
	free(b);
	json_decref(want);
	return r;
}

static int
result(int n, const struct step *s, const json_t *obj, const char *refused)
{
	json_t *o, *w;
	int bad;

	if (refused || !s->object) {
		if (refused && !s->object && strcmp(refused, s->owners) == 0)
			return 0;
		fprintf(stderr, "step %d: %s\n", n, refused ? refused : "not refused");
		return 1;
	}
	o = bare(obj);
	w = owners(obj);
	bad = differs(n, "object", o, s->object) + differs(n, "owners", w, s->owners);
	json_decref(o);
	json_decref(w);
	return bad;
}

static int
step(int n, const struct step *s, json_t **live)
{
	bool fresh = strncmp(s->how, "NEW ", 4) == 0;
	const char *how = s->how + (fresh ? 4 : 0);
	json_t *body = parse(s->body), *obj = NULL;
	struct conflicts c = { CAUSES_INIT, NULL };
	struct err err;
	char now[32];
	int r = 0, bad;
	struct apply req = { .kind = kind_of_object(text(body, "apiVersion"), text(body, "kind")),
		.subresource = s->sub,
		.manager = s->manager,
		.now = now,
		.force = strcmp(how, "force") == 0 };

	if (fresh) {
		json_decref(*live);
		*live = NULL;
	}
	if (!req.kind) /* the version is wrong on purpose */
		req.kind = kind_find("", "v1", "ConfigMap");
	snprintf(now, sizeof now, "2026-01-01T00:00:%02dZ", n);
	if (strcmp(how, "update") == 0)
		apply_track(&req, *live, obj = json_incref(body));
	else
		r = apply_patch(&req, *live, body, &obj, &c, &err);
	bad = result(n, s, obj, r < 0 ? (c.message ? c.message : err.msg) : NULL);
	if (r == 0) {
		json_decref(*live);
		*live = obj;
	}
	conflicts_release(&c);
	json_decref(body);
	return bad;
}

int
main(void)
{
	json_t *live = NULL;
	int bad = 0;

	for (int i = 0; steps[i].how; i++)
		bad += step(i, &steps[i], &live);
	json_decref(live);
	return bad != 0;
}
