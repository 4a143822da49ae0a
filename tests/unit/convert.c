/* An object in several versions: what goes to a view and comes back is the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/convert.h"
#include "api/meta.h"
#include "base/mem.h"

static int bad;

static void
expect(const char *what, const char *have, const char *want)
{
	if (have && strcmp(have, want) == 0)
		return;
	fprintf(stderr, "%s:\n  want %s\n  have %s\n", what, want, have ? have : "nothing");
	bad++;
}

static void
same(const char *what, const json_t *have, const json_t *want)
{
	autofree char *a = json_dumps(have, JSON_SORT_KEYS | JSON_COMPACT),
		      *b = json_dumps(want, JSON_SORT_KEYS | JSON_COMPACT);

	expect(what, a, b);
}

static json_t *
parse(const char *s)
{
	json_error_t e;
	json_t *v = json_loads(s, 0, &e);

	if (!v) {
		fprintf(stderr, "%s: %s\n", e.text, s);
		exit(1);
	}
	return v;
}

/* Everything that version 2 can say, and what of it is how in annotations. */
static const char full[] =
    "{'apiVersion':'autoscaling/v2','kind':'HorizontalPodAutoscaler','metadata':{'name':'x',"
    "'annotations':{'mine':'1'}},'spec':{'scaleTargetRef':{'kind':'Deployment','name':'d'},"
    "'minReplicas':2,'maxReplicas':9,'metrics':["
    "{'type':'Object','object':{'describedObject':{'name':'i','kind':'Ingress',"
    "'apiVersion':'networking.k8s.io/v1'},'metric':{'name':'hits','selector':{'matchExpressions':"
    "[{'values':['a'],'key':'k','operator':'In'}],'matchLabels':{'l':'<&>'}}},"
    "'target':{'type':'Value','value':'2k'}}},"
    "{'type':'Pods','pods':{'metric':{'name':'q'},'target':{'type':'AverageValue',"
    "'averageValue':'10'}}},"
    "{'type':'Resource','resource':{'name':'memory','target':{'type':'AverageValue',"
    "'averageValue':'1Gi'}}},"
    "{'type':'ContainerResource','containerResource':{'name':'cpu','container':'c',"
    "'target':{'type':'Utilization','averageUtilization':60}}},"
    "{'type':'External','external':{'metric':{'name':'queue','selector':{'matchLabels':{'a':'b'}}},"
    "'target':{'type':'AverageValue','averageValue':'30'}}},"
    "{'type':'Resource','resource':{'name':'cpu','target':{'type':'Utilization',"
    "'averageUtilization':50}}}],"
    "'behavior':{'scaleUp':{'stabilizationWindowSeconds':0,'selectPolicy':'Max','policies':"
    "[{'type':'Pods','value':4,'periodSeconds':15}],'tolerance':'50m'},"
    "'scaleDown':{'selectPolicy':'Max','policies':"
    "[{'type':'Percent','value':100,'periodSeconds':15}]}}},"
    "'status':{'observedGeneration':3,'lastScaleTime':'2026-01-02T03:04:05Z','currentReplicas':3,"
    "'desiredReplicas':4,'currentMetrics':["
    "{'type':'Resource','resource':{'name':'cpu','current':{'averageUtilization':45,"
    "'averageValue':'450m'}}},"
    "{'type':'Object','object':{'describedObject':{'kind':'Ingress','name':'i'},"
    "'metric':{'name':'hits'},'current':{'value':'1k','averageValue':'5'}}},"
    "{'type':'Pods','pods':{'metric':{'name':'q'},'current':{'averageValue':'9'}}},"
    "{'type':'ContainerResource','containerResource':{'name':'cpu','container':'c',"
    "'current':{'averageValue':'1'}}},"
    "{'type':'External','external':{'metric':{'name':'queue'},'current':{'value':'0',"
    "'averageValue':'28'}}}],"
    "'conditions':[{'type':'AbleToScale','status':'True','lastTransitionTime':"
    "'2026-01-02T03:04:05Z','reason':'R','message':'a > b'}]}}";

static const char *const texts[][2] = {
	{ "metrics",
	    "[{'type':'Object','object':{'target':{'kind':'Ingress','name':'i','apiVersion':"
	    "'networking.k8s.io/v1'},'metricName':'hits','targetValue':'2k','selector':"
	    "{'matchLabels':{'l':'\\u003c\\u0026\\u003e'},'matchExpressions':[{'key':'k',"
	    "'operator':'In','values':['a']}]}}},"
	    "{'type':'Pods','pods':{'metricName':'q','targetAverageValue':'10'}},"
	    "{'type':'Resource','resource':{'name':'memory','targetAverageValue':'1Gi'}},"
	    "{'type':'ContainerResource','containerResource':{'name':'cpu',"
	    "'targetAverageUtilization':60,'container':'c'}},"
	    "{'type':'External','external':{'metricName':'queue','metricSelector':"
	    "{'matchLabels':{'a':'b'}},'targetAverageValue':'30'}}]" },
	{ "behavior",
	    "{'ScaleUp':{'StabilizationWindowSeconds':0,'SelectPolicy':'Max','Policies':"
	    "[{'Type':'Pods','Value':4,'PeriodSeconds':15}],'Tolerance':'50m'},"
	    "'ScaleDown':{'StabilizationWindowSeconds':null,'SelectPolicy':'Max','Policies':"
	    "[{'Type':'Percent','Value':100,'PeriodSeconds':15}],'Tolerance':null}}" },
	{ "conditions",
	    "[{'type':'AbleToScale','status':'True','lastTransitionTime':'2026-01-02T03:04:05Z',"
	    "'reason':'R','message':'a \\u003e b'}]" },
	{ "current-metrics",
	    "[{'type':'Resource','resource':{'name':'cpu','currentAverageUtilization':45,"
	    "'currentAverageValue':'450m'}},"
	    "{'type':'Object','object':{'target':{'kind':'Ingress','name':'i'},'metricName':'hits',"
	    "'currentValue':'1k','averageValue':'5'}},"
	    "{'type':'Pods','pods':{'metricName':'q','currentAverageValue':'9'}},"
	    "{'type':'ContainerResource','containerResource':{'name':'cpu',"
	    "'currentAverageValue':'1','container':'c'}},"
	    "{'type':'External','external':{'metricName':'queue','currentValue':'0',"
	    "'currentAverageValue':'28'}}]" },
};

/* JSON with ' for ". */
static char *
quotes(const char *s)
{
	char *ret = xstrdup(s);

	for (char *p = ret; *p; p++)
		if (*p == '\'')
			*p = '"';
	return ret;
}

static json_t *
parse_quotes(const char *s)
{
	autofree char *q = quotes(s);

	return parse(q);
}

static void
check_autoscaler(void)
{
	const struct kind *v2 = kind_of_object("autoscaling/v2", "HorizontalPodAutoscaler"),
			  *v1 = kind_of_object("autoscaling/v1", "HorizontalPodAutoscaler");
	json_auto_t *obj = parse_quotes(full), *was = json_deep_copy(obj), *old;

	convert(obj, v2, v1);
	expect("version", text(obj, "apiVersion"), "autoscaling/v1");
	for (size_t i = 0; i < COUNT(texts); i++) {
		autofree char *key = xasprintf("autoscaling.alpha.kubernetes.io/%s", texts[i][0]);
		autofree char *want = quotes(texts[i][1]);

		expect(key, text(obj, "metadata", "annotations", key), want);
	}
	bad += num(get(obj, "spec", "targetCPUUtilizationPercentage"), 0) != 50 ||
	       num(get(obj, "status", "currentCPUUtilizationPercentage"), 0) != 45 ||
	       get(obj, "spec", "metrics") || get(obj, "status", "conditions");
	/* an update that is not of the status keeps it, whatever its annotations say */
	old = json_deep_copy(obj);
	json_object_clear(get(obj, "metadata", "annotations"));
	put(obj, json_string("[]"), "metadata", "annotations",
	    "autoscaling.alpha.kubernetes.io/current-metrics");
	convert_keep(v1, old, obj, true);
	bad +=
	    get(obj, "metadata", "annotations", "autoscaling.alpha.kubernetes.io/metrics") == NULL;
	convert_keep(v1, old, obj, false);
	put(obj, json_string("1"), "metadata", "annotations", "mine");
	same("kept annotations", get(obj, "metadata", "annotations"),
	    get(old, "metadata", "annotations"));
	convert(obj, v1, v2);
	same("autoscaler there and back", obj, was);
}

/* What a client of version 1 may write, and what is made of it. */
static void
check_written(void)
{
	static const struct {
		const char *annotations, *spec, *metrics, *behavior;
	} cases[] = {
		{ "{}", "{'maxReplicas':3}",
		    "[{'resource':{'name':'cpu','target':{'averageUtilization':80,"
		    "'type':'Utilization'}},'type':'Resource'}]",
		    NULL },
		{ "{'autoscaling.alpha.kubernetes.io/metrics':'no JSON'}",
		    "{'maxReplicas':3,'targetCPUUtilizationPercentage':7}",
		    "[{'resource':{'name':'cpu','target':{'averageUtilization':7,"
		    "'type':'Utilization'}},'type':'Resource'}]",
		    NULL },
		{ "{'autoscaling.alpha.kubernetes.io/"
		  "metrics':'[{\\\'type\\\':\\\'Pods\\\',\\\'pods\\\':"
		  "{\\\'metricName\\\':\\\'q\\\',\\\'targetAverageValue\\\':1000}}]',"
		  "'autoscaling.alpha.kubernetes.io/behavior':'{\\\'scaleup\\\':"
		  "{\\\'SelectPolicy\\\':\\\'Min\\\'},\\\'Other\\\':1}'}",
		    "{'maxReplicas':3}",
		    "[{'pods':{'metric':{'name':'q'},'target':{'averageValue':'1k',"
		    "'type':'AverageValue'}},'type':'Pods'}]",
		    "Min" },
		/* a field of the wrong type spoils the annotation */
		{ "{'autoscaling.alpha.kubernetes.io/"
		  "metrics':'[{\\\'type\\\':\\\'Pods\\\',\\\'pods\\\':"
		  "{\\\'metricName\\\':7}}]','autoscaling.alpha.kubernetes.io/behavior':"
		  "'{\\\'ScaleUp\\\':{\\\'SelectPolicy\\\':7}}'}",
		    "{'maxReplicas':3,'targetCPUUtilizationPercentage':9}",
		    "[{'resource':{'name':'cpu','target':{'averageUtilization':9,"
		    "'type':'Utilization'}},'type':'Resource'}]",
		    NULL },
	};
	const struct kind *v1 = kind_of_object("autoscaling/v1", "HorizontalPodAutoscaler");

	for (size_t i = 0; i < COUNT(cases); i++) {
		json_auto_t *obj =
		    json_pack("{s:s,s:s,s:{s:s,s:o},s:o}", "apiVersion", "autoscaling/v1", "kind",
			"HorizontalPodAutoscaler", "metadata", "name", "x", "annotations",
			parse_quotes(cases[i].annotations), "spec", parse_quotes(cases[i].spec));
		json_auto_t *again;
		autofree char *want = quotes(cases[i].metrics);

		convert_settle(v1, obj);
		again = json_deep_copy(obj);
		convert_settle(v1, again);
		same("settled twice", again, obj);
		convert(obj, v1, kind_stored(v1));
		autofree char *have =
		    json_dumps(get(obj, "spec", "metrics"), JSON_SORT_KEYS | JSON_COMPACT);
		expect("metrics", have, want);
		expect("behavior", text(obj, "spec", "behavior", "scaleUp", "selectPolicy"),
		    cases[i].behavior ? cases[i].behavior : "");
		bad += get(obj, "metadata", "annotations") != NULL;
	}
}

static void
check_event(void)
{
	const struct kind *old = kind_of_object("v1", "Event"),
			  *new = kind_of_object("events.k8s.io/v1", "Event");
	json_auto_t *obj = parse_quotes(
	    "{'apiVersion':'v1','kind':'Event','metadata':{'name':'e'},'involvedObject':{'kind':"
	    "'Pod','name':'p'},'reason':'R','message':'m','source':{'component':'c','host':'h'},"
	    "'firstTimestamp':'2026-01-02T03:04:05Z','lastTimestamp':null,'count':2,"
	    "'type':'Normal','eventTime':null,'series':{'count':3,'lastObservedTime':"
	    "'2026-01-02T03:04:05.000001Z'},'action':'A','related':{'name':'r'},"
	    "'reportingComponent':'rc','reportingInstance':''}");
	json_auto_t *
	    was = json_deep_copy(obj),
	   *want = parse_quotes(
	       "{'apiVersion':'events.k8s.io/"
	       "v1','kind':'Event','metadata':{'name':'e'},'regarding':"
	       "{'kind':'Pod','name':'p'},'reason':'R','note':'m','deprecatedSource':{'component':'"
	       "c',"
	       "'host':'h'},'deprecatedFirstTimestamp':'2026-01-02T03:04:05Z',"
	       "'deprecatedLastTimestamp':null,'deprecatedCount':2,'type':'Normal','eventTime':"
	       "null,"
	       "'series':{'count':3,'lastObservedTime':'2026-01-02T03:04:05.000001Z'},'action':'A',"
	       "'related':{'name':'r'},'reportingController':'rc'}");

	bad += kind_stored(new) != old || kind_sibling(old, "events.k8s.io/v1") != new ||
	       kind_sibling(old, "apps/v1") != NULL || kind_checked(new) != new;
	convert(obj, old, new);
	same("event in the new group", obj, want);
	convert(obj, new, old);
	same("event there and back", obj, was);
	expect("field", convert_field(new, "regarding.name"), "involvedObject.name");
	expect("field", convert_field(old, "reason"), "reason");
}

int
main(void)
{
	check_autoscaler();
	check_written();
	check_event();
	return bad != 0;
}
