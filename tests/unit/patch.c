/* The three forms of patches, by table: target, patch, result (NULL: refused). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/patch.h"

struct example {
	const char *target, *patch, *result;
};

/* RFC 7386, appendix A. */
static const struct example merge[] = {
	{ "{'a':'b'}", "{'a':'c'}", "{'a':'c'}" },
	{ "{'a':'b'}", "{'b':'c'}", "{'a':'b','b':'c'}" },
	{ "{'a':'b'}", "{'a':null}", "{}" },
	{ "{'a':'b','b':'c'}", "{'a':null}", "{'b':'c'}" },
	{ "{'a':['b']}", "{'a':'c'}", "{'a':'c'}" },
	{ "{'a':'c'}", "{'a':['b']}", "{'a':['b']}" },
	{ "{'a':{'b':'c'}}", "{'a':{'b':'d','c':null}}", "{'a':{'b':'d'}}" },
	{ "{'a':[{'b':'c'}]}", "{'a':[1]}", "{'a':[1]}" },
	{ "['a','b']", "['c','d']", "['c','d']" },
	{ "{'a':'b'}", "['c']", "['c']" },
	{ "{'a':'foo'}", "null", "null" },
	{ "{'a':'foo'}", "'bar'", "'bar'" },
	{ "{'e':null}", "{'a':1}", "{'e':null,'a':1}" },
	{ "[1,2]", "{'a':'b','c':null}", "{'a':'b'}" },
	{ "{}", "{'a':{'bb':{'ccc':null}}}", "{'a':{'bb':{}}}" },
	{ NULL, NULL, NULL },
};

static const struct example json[] = {
	{ "{'a':1}", "[{'op':'add','path':'/b','value':2}]", "{'a':1,'b':2}" },
	{ "[1,3]", "[{'op':'add','path':'/1','value':2}]", "[1,2,3]" },
	{ "[1]", "[{'op':'add','path':'/-','value':2}]", "[1,2]" },
	{ "[1]", "[{'op':'add','path':'/2','value':2}]", NULL },
	{ "{'a':1}", "[{'op':'remove','path':'/a'}]", "{}" },
	{ "{'a':1}", "[{'op':'remove','path':'/b'}]", NULL },
	{ "[1,2]", "[{'op':'remove','path':'/-1'}]", "[1]" },
	{ "{'a':1}", "[{'op':'replace','path':'/a','value':{'b':2}}]", "{'a':{'b':2}}" },
	{ "{'a':1}", "[{'op':'replace','path':'/b','value':2}]", NULL },
	{ "{'a':{'b':1}}", "[{'op':'move','from':'/a/b','path':'/c'}]", "{'a':{},'c':1}" },
	{ "{'a':{'b':1}}", "[{'op':'move','from':'/a','path':'/a/b'}]", NULL },
	{ "{'a':[1]}",
	    "[{'op':'copy','from':'/a','path':'/b'},{'op':'add','path':'/a/0','value':0}]",
	    "{'a':[0,1],'b':[1]}" },
	{ "{'a':1}", "[{'op':'test','path':'/a','value':1.0}]", "{'a':1}" },
	{ "{'a':1}", "[{'op':'test','path':'/a','value':'1'}]", NULL },
	{ "{'a/b':1,'m~n':2}", "[{'op':'remove','path':'/a~1b'},{'op':'remove','path':'/m~0n'}]",
	    "{}" },
	{ "{'a':1}", "[{'op':'replace','path':'','value':[]}]", "[]" },
	{ "{'a':1}", "[{'op':'add','path':'b','value':1}]", NULL },
	{ "{'a':1}", "[{'op':'twist','path':'/a'}]", NULL },
	{ NULL, NULL, NULL },
};

/* Against a PodSpec: containers by name, tolerations as a whole. */
static const struct example strategic[] = {
	{ "{'containers':[{'name':'a','image':'1'},{'name':'b'}]}",
	    "{'containers':[{'name':'a','image':'2'},{'name':'c'}]}",
	    "{'containers':[{'name':'a','image':'2'},{'name':'c'},{'name':'b'}]}" },
	{ "{'containers':[{'name':'a'},{'name':'b'}]}",
	    "{'containers':[{'name':'a','$patch':'delete'}]}", "{'containers':[{'name':'b'}]}" },
	{ "{'containers':[{'name':'a'}]}", "{'containers':[{'name':'z'},{'$patch':'replace'}]}",
	    "{'containers':[{'name':'z'}]}" },
	{ "{'containers':[{'name':'a'},{'name':'b'}]}",
	    "{'$setElementOrder/containers':[{'name':'b'},{'name':'a'}]}",
	    "{'containers':[{'name':'b'},{'name':'a'}]}" },
	{ "{'containers':[{'name':'a'}]}", "{'containers':[{'image':'x'}]}", NULL },
	{ "{'tolerations':[{'key':'a'}]}", "{'tolerations':[{'key':'b'}]}",
	    "{'tolerations':[{'key':'b'}]}" },
	{ "{'nodeSelector':{'a':'1'}}", "{'nodeSelector':{'b':'2'}}",
	    "{'nodeSelector':{'a':'1','b':'2'}}" },
	{ "{'nodeSelector':{'a':'1'}}", "{'nodeSelector':{'$patch':'replace','b':'2'}}",
	    "{'nodeSelector':{'b':'2'}}" },
	{ "{'nodeName':'a','hostname':'b'}", "{'$retainKeys':['nodeName'],'nodeName':'c'}",
	    "{'nodeName':'c'}" },
	{ "{'hostname':'b'}", "{'hostname':null}", "{}" },
	{ "{}", "{'$patch':'shred'}", NULL },
	{ "{'nodeSelector':{'a':'1'}}", "{'nodeSelector':{'$patch':'merge','b':'2'}}", NULL },
	{ "{'nodeSelector':{'a':'1'}}", "{'nodeSelector':{'$patch':'delete'}}",
	    "{'nodeSelector':{}}" },
	{ "{'containers':[{'name':'a'}]}", "{'containers':[{'name':'a','$patch':'merge'}]}", NULL },
	{ "{'containers':[{'name':'a'}]}", "{'containers':['a']}", NULL },
	{ "{'containers':[{'name':'a'}]}", "{'containers':[[]]}", NULL },
	{ "{'containers':[{'name':'a'}]}", "{'containers':[]}", "{'containers':[{'name':'a'}]}" },
	{ "{'containers':[{'name':'a'}]}", "{'containers':null}", "{}" },
	{ "{'containers':[{'name':'a','image':'i','tty':true},{'name':'b'}]}",
	    "{'containers':[{'name':'a','image':'j','$patch':'replace'}]}", "{'containers':[]}" },
	/* nested lists, and what is not there is taken without directives */
	{ "{'containers':[{'name':'a','env':[{'name':'x','value':'1'},{'name':'y'}]}]}",
	    "{'containers':[{'name':'a','env':[{'name':'x','$patch':'delete'},{'name':'z'}]}]}",
	    "{'containers':[{'name':'a','env':[{'name':'z'},{'name':'y'}]}]}" },
	{ "{}", "{'containers':[{'name':'a','$patch':'delete'},{'name':'b','image':null}]}",
	    "{'containers':[{'name':'b'}]}" },
	/* order: of new and old items, of a list that is new, without items */
	{ "{'containers':[{'name':'a'},{'name':'b'},{'name':'c'}]}",
	    "{'$setElementOrder/containers':[{'name':'d'},{'name':'c'},{'name':'a'}],"
	    "'containers':[{'name':'d'}]}",
	    "{'containers':[{'name':'d'},{'name':'b'},{'name':'c'},{'name':'a'}]}" },
	{ "{}",
	    "{'$setElementOrder/containers':[{'name':'a'},{'name':'b'}],"
	    "'containers':[{'name':'a'},{'name':'b'}]}",
	    "{'containers':[{'name':'a'},{'name':'b'}]}" },
	{ "{'containers':[{'name':'a'}]}",
	    "{'$setElementOrder/containers':[],'containers':[{'name':'b'}]}",
	    "{'containers':[{'name':'a'},{'name':'b'}]}" },
	{ "{'containers':[{'name':'a'},{'name':'b'}]}",
	    "{'$setElementOrder/containers':[{'name':'b'},{'name':'a'}],"
	    "'containers':[{'name':'a','tty':true},{'name':'b','tty':true}]}",
	    NULL },
	{ "{}", "{'$setElementOrder/containers':'x'}", NULL },
	{ "{}", "{'$setElementOrder':[]}", NULL },
	{ "{}", "{'$setElementOrder/nonsense':[]}", NULL },
	{ "{}", "{'$deleteFromPrimitiveList':[]}", NULL },
	{ "{}", "{'$retainKeys':'x'}", NULL },
	{ "{'hostname':'a'}", "{'$retainKeys':['hostname'],'nodeName':'b'}", NULL },
	{ "{'volumes':[{'name':'v','hostPath':{'path':'/'}}]}",
	    "{'volumes':[{'name':'v','$retainKeys':['name','emptyDir'],'emptyDir':{}}]}",
	    "{'volumes':[{'name':'v','emptyDir':{}}]}" },
	{ NULL, NULL, NULL },
};

/* Against ObjectMeta: lists of texts. */
static const struct example meta[] = {
	{ "{'finalizers':['a','b']}", "{'finalizers':['c','a','c']}",
	    "{'finalizers':['c','a','b']}" },
	{ "{'finalizers':['a','b','c']}", "{'$deleteFromPrimitiveList/finalizers':['b','x']}",
	    "{'finalizers':['a','c']}" },
	{ "{'finalizers':['a','b']}",
	    "{'$setElementOrder/finalizers':['c','b'],'$deleteFromPrimitiveList/finalizers':['a'],"
	    "'finalizers':['c']}",
	    "{'finalizers':['c','b']}" },
	{ "{'finalizers':['a']}", "{'finalizers':[1]}", NULL },
	{ "{'ownerReferences':[{'uid':'1','name':'a'}]}",
	    "{'ownerReferences':[{'uid':'1','name':'b'},{'uid':'2'}]}",
	    "{'ownerReferences':[{'uid':'1','name':'b'},{'uid':'2'}]}" },
	{ NULL, NULL, NULL },
};

/* Against a PodDisruptionBudgetSpec, whose selector is replaced. */
static const struct example budget[] = {
	{ "{'selector':{'matchLabels':{'a':'1'}}}", "{'selector':{'matchLabels':{'b':'2'}}}",
	    "{'selector':{'matchLabels':{'b':'2'}}}" },
	{ NULL, NULL, NULL },
};

/* Examples are written with ' for ", so that they can be read. */
static json_t *
load(const char *text)
{
	char buf[512];
	json_t *v;

	snprintf(buf, sizeof buf, "%s", text);
	for (char *p = buf; (p = strchr(p, '\''));)
		*p = '"';
	if (!(v = json_loads(buf, JSON_DECODE_ANY, NULL)))
		abort();
	return v;
}

static int
apply(const struct example *table, json_t **target, const json_t *patch)
{
	struct err err;

	if (table == json)
		return json_patch(target, patch, &err);
	if (table != merge)
		return strategic_patch(target, patch,
		    type_find(table == strategic ? "core.v1.PodSpec"
			      : table == meta	 ? "meta.v1.ObjectMeta"
						 : "policy.v1.PodDisruptionBudgetSpec"),
		    &err);
	*target = merge_patch(*target, patch);
	return 0;
}

static int
run(const struct example *table)
{
	int failed = 0;

	for (const struct example *e = table; e->target; e++) {
		json_t *target = load(e->target), *patch = load(e->patch);
		json_t *want = e->result ? load(e->result) : NULL;
		int r = apply(table, &target, patch);

		if (want ? r < 0 || !json_equal(target, want) : r == 0) {
			char *got = json_dumps(target, JSON_COMPACT | JSON_ENCODE_ANY);

			fprintf(stderr, "%s + %s: %d, %s\n", e->target, e->patch, r, got);
			free(got);
			failed++;
		}
		json_decref(target);
		json_decref(patch);
		json_decref(want);
	}
	return failed;
}

/* Copies of copies of copies: refused long before they fill the memory. */
static int
bomb(void)
{
	json_t *target = load("{'a':['0123456789']}"), *ops = json_array();
	struct err err;
	int r;

	for (int i = 0; i < 100; i++)
		json_array_append_new(
		    ops, json_pack("{s:s,s:s,s:s}", "op", "copy", "from", "/a", "path", "/a/-"));
	r = json_patch(&target, ops, &err);
	json_decref(target);
	json_decref(ops);
	return r == 0;
}

int
main(void)
{
	return run(merge) + run(json) + run(strategic) + run(meta) + run(budget) + bomb() != 0;
}
