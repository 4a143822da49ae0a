/* The cells of tables, kind by kind: what kubectl shows of such objects. */
#include <stdio.h>
#include <string.h>

#include "api/jsonpath.h"
#include "api/meta.h"
#include "api/table.h"
#include "base/mem.h"

/* 2026-01-01T00:10:00Z; the objects were created ten minutes before */
enum { NOW = 1767226200 };
#define META "'metadata':{'name':'x','creationTimestamp':'2026-01-01T00:00:00Z'}"
#define POD(spec, status) \
	"{'apiVersion':'v1','kind':'Pod'," META ",'spec':{" spec "},'status':{" status "}}"
#define ONE "'containers':[{'name':'c','image':'i'}]"
#define TEMPLATE \
	"'template':{'spec':{'containers':[{'name':'c','image':'i:1'},{'name':'d','image':'j'}]}}"

static const struct {
	const char *object, *cells; /* cells parted by '|' */
} cases[] = {
	/* pods */
	{ POD(ONE, "'phase':'Pending'"), "x|0/1|Pending|0|10m|<none>|<none>|<none>|<none>" },
	{ POD(ONE ",'nodeName':'n1'",
	      "'phase':'Running','podIP':'10.0.0.1','podIPs':[{'ip':'10.0.0.1'}],"
	      "'containerStatuses':[{'name':'c','ready':true,'restartCount':0,'state':{'running':{}"
	      "}}]"),
	    "x|1/1|Running|0|10m|10.0.0.1|n1|<none>|<none>" },
	{ POD(ONE,
	      "'phase':'Running','containerStatuses':[{'name':'c','ready':false,'restartCount':3,"
	      "'state':{'waiting':{'reason':'CrashLoopBackOff'}},"
	      "'lastState':{'terminated':{'exitCode':1,'finishedAt':'2026-01-01T00:09:30Z'}}}]"),
	    "x|0/1|CrashLoopBackOff|3 (30s ago)|10m|<none>|<none>|<none>|<none>" },
	{ POD(ONE, "'phase':'Pending','containerStatuses':[{'name':'c','restartCount':0,"
		   "'state':{'waiting':{'reason':'ImagePullBackOff'}}}]"),
	    "x|0/1|ImagePullBackOff|0|10m|<none>|<none>|<none>|<none>" },
	{ POD(ONE, "'phase':'Succeeded','containerStatuses':[{'name':'c','restartCount':0,"
		   "'state':{'terminated':{'exitCode':0,'reason':'Completed'}}}]"),
	    "x|0/1|Completed|0|10m|<none>|<none>|<none>|<none>" },
	{ POD(ONE, "'phase':'Failed','containerStatuses':[{'name':'c','restartCount':0,"
		   "'state':{'terminated':{'exitCode':7}}}]"),
	    "x|0/1|ExitCode:7|0|10m|<none>|<none>|<none>|<none>" },
	{ POD(ONE, "'phase':'Failed','containerStatuses':[{'name':'c','restartCount':0,"
		   "'state':{'terminated':{'exitCode':137,'signal':9}}}]"),
	    "x|0/1|Signal:9|0|10m|<none>|<none>|<none>|<none>" },
	{ POD(ONE, "'phase':'Failed','reason':'Evicted'"),
	    "x|0/1|Evicted|0|10m|<none>|<none>|<none>|<none>" },
	{ POD(ONE, "'phase':'Pending','conditions':[{'type':'PodScheduled','status':'False','"
		   "reason':'SchedulingGated'}]"),
	    "x|0/1|SchedulingGated|0|10m|<none>|<none>|<none>|<none>" },
	{ POD("'containers':[{'name':'c'},{'name':'d'}]",
	      "'phase':'Running','conditions':[{'type':'Ready','status':'True'}],'"
	      "containerStatuses':["
	      "{'name':'c','ready':true,'restartCount':0,'state':{'running':{}}},"
	      "{'name':'d','restartCount':0,'state':{'terminated':{'exitCode':0,'reason':'"
	      "Completed'}}}]"),
	    "x|1/2|Running|0|10m|<none>|<none>|<none>|<none>" },
	{ POD("'containers':[{'name':'c'},{'name':'d'}]",
	      "'phase':'Running','containerStatuses':["
	      "{'name':'c','restartCount':0,'state':{'terminated':{'exitCode':0,'reason':'"
	      "Completed'}}},"
	      "{'name':'d','ready':true,'restartCount':0,'state':{'running':{}}}]"),
	    "x|1/2|NotReady|0|10m|<none>|<none>|<none>|<none>" },
	{ POD(ONE ",'initContainers':[{'name':'a'},{'name':'b'}]",
	      "'phase':'Pending','initContainerStatuses':["
	      "{'name':'a','restartCount':1,'state':{'terminated':{'exitCode':0}}},"
	      "{'name':'b','restartCount':0,'state':{'running':{}}}]"),
	    "x|0/1|Init:1/2|1|10m|<none>|<none>|<none>|<none>" },
	{ POD(ONE ",'initContainers':[{'name':'a'}]",
	      "'phase':'Pending','initContainerStatuses':[{'name':'a','restartCount':2,"
	      "'state':{'waiting':{'reason':'CrashLoopBackOff'}}}]"),
	    "x|0/1|Init:CrashLoopBackOff|2|10m|<none>|<none>|<none>|<none>" },
	{ POD(ONE ",'initContainers':[{'name':'a'}]",
	      "'phase':'Pending','initContainerStatuses':[{'name':'a','restartCount':0,"
	      "'state':{'terminated':{'exitCode':3}}}]"),
	    "x|0/1|Init:ExitCode:3|0|10m|<none>|<none>|<none>|<none>" },
	{ POD(ONE ",'initContainers':[{'name':'s','restartPolicy':'Always'}]",
	      "'phase':'Running','conditions':[{'type':'Initialized','status':'True'}],"
	      "'initContainerStatuses':[{'name':'s','started':true,'ready':true,'restartCount':4,'"
	      "state':{'running':{}}}],"
	      "'containerStatuses':[{'name':'c','ready':true,'restartCount':1,'state':{'running':{}"
	      "}}]"),
	    "x|2/2|Running|5|10m|<none>|<none>|<none>|<none>" },
	{ POD(ONE ",'readinessGates':[{'conditionType':'a'},{'conditionType':'b'}]",
	      "'phase':'Running','conditions':[{'type':'a','status':'True'}]"),
	    "x|0/1|Running|0|10m|<none>|<none>|<none>|1/2" },
	{ "{'apiVersion':'v1','kind':'Pod','metadata':{'name':'x','deletionTimestamp':'2026-01-"
	  "01T00:09:00Z'},"
	  "'spec':{" ONE "},'status':{'phase':'Running'}}",
	    "x|0/1|Terminating|0|<unknown>|<none>|<none>|<none>|<none>" },
	{ "{'apiVersion':'v1','kind':'Pod','metadata':{'name':'x','deletionTimestamp':'2026-01-"
	  "01T00:09:00Z'},"
	  "'spec':{" ONE "},'status':{'phase':'Running','reason':'NodeLost'}}",
	    "x|0/1|Unknown|0|<unknown>|<none>|<none>|<none>|<none>" },
	{ "{'apiVersion':'v1','kind':'Pod','metadata':{'name':'x','deletionTimestamp':'2026-01-"
	  "01T00:09:00Z'},"
	  "'spec':{" ONE "},'status':{'phase':'Failed'}}",
	    "x|0/1|Failed|0|<unknown>|<none>|<none>|<none>|<none>" },
	/* workloads */
	{ "{'apiVersion':'apps/v1','kind':'Deployment'," META
	  ",'spec':{'replicas':3,'selector':{'matchLabels':{'app':'w'}}," TEMPLATE
	  "},'status':{'readyReplicas':2,'updatedReplicas':3,'availableReplicas':2}}",
	    "x|2/3|3|2|10m|c,d|i:1,j|app=w" },
	{ "{'apiVersion':'apps/v1','kind':'ReplicaSet'," META
	  ",'spec':{'replicas':0,'selector':{'matchExpressions':["
	  "{'key':'a','operator':'In','values':['2','1']}]}," TEMPLATE "},'status':{'replicas':1}}",
	    "x|0|1|0|10m|c,d|i:1,j|a in (1,2)" },
	{ "{'apiVersion':'apps/v1','kind':'StatefulSet'," META ",'spec':{'replicas':2," TEMPLATE
	  "},'status':{'readyReplicas':1}}",
	    "x|1/2|10m|c,d|i:1,j" },
	{ "{'apiVersion':'batch/v1','kind':'Job'," META ",'spec':{'completions':3," TEMPLATE
	  "},'status':{'succeeded':3,"
	  "'startTime':'2026-01-01T00:00:00Z','completionTime':'2026-01-01T00:01:05Z','conditions':"
	  "[{'type':'Complete','status':'True'}]}}",
	    "x|Complete|3/3|65s|10m|c,d|i:1,j|<none>" },
	{ "{'apiVersion':'batch/v1','kind':'Job'," META ",'spec':{'parallelism':4," TEMPLATE
	  "},'status':{'startTime':'2026-01-01T00:00:00Z'}}",
	    "x|Running|0/1 of 4|10m|10m|c,d|i:1,j|<none>" },
	{ "{'apiVersion':'batch/v1','kind':'CronJob'," META
	  ",'spec':{'schedule':'* * * * *','suspend':false,'jobTemplate':{'spec':{" TEMPLATE
	  "}}},'status':{'active':[{}],'lastScheduleTime':'2026-01-01T00:09:00Z'}}",
	    "x|* * * * *|<none>|False|1|60s|10m|c,d|i:1,j|<none>" },
	{ "{'apiVersion':'policy/v1','kind':'PodDisruptionBudget'," META
	  ",'spec':{'maxUnavailable':'20%'},'status':{'disruptionsAllowed':1}}",
	    "x|N/A|20%|1|10m" },
	/* the cluster */
	{ "{'apiVersion':'v1','kind':'Node','metadata':{'name':'x','creationTimestamp':'2026-01-"
	  "01T00:00:00Z','labels':{"
	  "'node-role.kubernetes.io/worker':'','node-role.kubernetes.io/"
	  "control-plane':''}},'spec':{'unschedulable':true},'status':{"
	  "'conditions':[{'type':'Ready','status':'True'}],'addresses':[{'type':'InternalIP','"
	  "address':'10.0.0.1'}],"
	  "'nodeInfo':{'kubeletVersion':'v1.36.0','osImage':'Debian'}}}",
	    "x|Ready,SchedulingDisabled|control-plane,worker|10m|v1.36.0|10.0.0.1|<none>|Debian|<"
	    "unknown>|<unknown>" },
	{ "{'apiVersion':'v1','kind':'Node'," META
	  ",'status':{'conditions':[{'type':'Ready','status':'Unknown'}]}}",
	    "x|NotReady|<none>|10m||<none>|<none>|<unknown>|<unknown>|<unknown>" },
	{ "{'apiVersion':'v1','kind':'Event'," META
	  ",'involvedObject':{'kind':'Pod','name':'p','fieldPath':'spec.containers{c}'},'reason':'"
	  "Pulled',"
	  "'type':'Normal','message':' two\\nlines "
	  "','firstTimestamp':'2026-01-01T00:00:00Z','lastTimestamp':'2026-01-01T00:09:59Z','count'"
	  ":2,"
	  "'source':{'component':'node','host':'h'}}",
	    "1s|Normal|Pulled|pod/p|spec.containers{c}|node, h|two\nlines|10m|2|x" },
	{ "{'apiVersion':'v1','kind':'Secret'," META ",'type':'Opaque','data':{'a':'','b':''}}",
	    "x|Opaque|2|10m" },
	{ "{'apiVersion':'v1','kind':'ConfigMap'," META ",'data':{'a':''},'binaryData':{'b':''}}",
	    "x|2|10m" },
	{ "{'apiVersion':'v1','kind':'ResourceQuota'," META
	  ",'status':{'hard':{'pods':'10','limits.cpu':'2'},'used':{'pods':'1'}}}",
	    "x|pods: 1/10|limits.cpu: 0/2|10m" },
	{ "{'apiVersion':'autoscaling/v2','kind':'HorizontalPodAutoscaler'," META
	  ",'spec':{'scaleTargetRef':{'kind':'Deployment','name':'w'},"
	  "'minReplicas':1,'maxReplicas':5,'metrics':[{'type':'Resource','resource':{'name':'cpu','"
	  "target':{'type':'Utilization','averageUtilization':80}}}]},"
	  "'status':{'currentReplicas':2,'currentMetrics':[{'type':'Resource','resource':{'name':'"
	  "cpu','current':{'averageUtilization':50}}}]}}",
	    "x|Deployment/w|cpu: 50%/80%|1|5|2|10m" },
	/* the network */
	{ "{'apiVersion':'v1','kind':'Service'," META
	  ",'spec':{'type':'LoadBalancer','clusterIP':'10.9.0.1','ports':[{'port':80,'nodePort':"
	  "30080}],"
	  "'selector':{'b':'2','a':'1'}}}",
	    "x|LoadBalancer|10.9.0.1|<pending>|80:30080/TCP|10m|a=1,b=2" },
	{ "{'apiVersion':'v1','kind':'Service'," META
	  ",'spec':{'type':'LoadBalancer','externalIPs':['9.9.9.9']},'status':{'loadBalancer':{'"
	  "ingress':["
	  "{'ip':'2.2.2.2'},{'hostname':'h'},{'ip':'1.1.1.1'}]}}}",
	    "x|LoadBalancer|<none>|1.1.1.1,2.2.2.2,h,9.9.9.9|<none>|10m|<none>" },
	{ "{'apiVersion':'v1','kind':'Service'," META
	  ",'spec':{'type':'ExternalName','externalName':'e.example.com'}}",
	    "x|ExternalName|<none>|e.example.com|<none>|10m|<none>" },
	/* storage */
	{ "{'apiVersion':'v1','kind':'PersistentVolumeClaim'," META
	  ",'spec':{'volumeName':'v','storageClassName':'s'},'status':{'phase':'Bound',"
	  "'accessModes':['ReadWriteMany','ReadWriteOnce'],'capacity':{'storage':'1Gi'}}}",
	    "x|Bound|v|1Gi|RWO,RWX|s|<unset>|10m|<unset>" },
	{ "{'apiVersion':'storage.k8s.io/"
	  "v1','kind':'StorageClass','metadata':{'name':'x','creationTimestamp':'2026-01-01T00:00:"
	  "00Z','annotations':{"
	  "'storageclass.kubernetes.io/is-default-class':'true'}},'provisioner':'p'}",
	    "x (default)|p|Delete|Immediate|false|10m" },
	/* lists that are cut, and what is not there */
	{ "{'apiVersion':'v1','kind':'Endpoints'," META
	  ",'subsets':[{'notReadyAddresses':[{'ip':'1.1.1.1'}]}]}",
	    "x||10m" },
	{ "{'apiVersion':'v1','kind':'Endpoints'," META "}", "x|<none>|10m" },
	{ "{'apiVersion':'discovery.k8s.io/v1','kind':'EndpointSlice'," META
	  ",'addressType':'IPv4','ports':[{'name':'any'},{'port':80}],'endpoints':[]}",
	    "x|IPv4|any,80|<unset>|10m" },
	{ "{'apiVersion':'networking.k8s.io/v1','kind':'Ingress'," META
	  ",'spec':{'rules':[{'host':'a'},{},{'host':'b'},{'host':'c'},{}]}}",
	    "x|<none>|a,b,c + 2 more...||80|10m" },
	{ "{'apiVersion':'networking.k8s.io/v1','kind':'IPAddress'," META
	  ",'spec':{'parentRef':{'resource':'services','namespace':'n','name':'s'}}}",
	    "x|services/n/s|10m" },
	{ "{'apiVersion':'v1','kind':'PersistentVolumeClaim'," META ",'spec':{'volumeName':'v'}}",
	    "x||v|0|||<unset>|10m|<unset>" },
	{ "{'apiVersion':'autoscaling/v2','kind':'HorizontalPodAutoscaler'," META
	  ",'spec':{'scaleTargetRef':{'kind':'K','name':'w'},'maxReplicas':5,'metrics':["
	  "{'type':'Pods','pods':{'metric':{'name':'m'},'target':{'averageValue':'2'}}},"
	  "{'type':'External','external':{'metric':{'name':'m'},'target':{'averageValue':'3'}}}]}}",
	    "x|K/w|<unknown>/2, <unknown>/3 (avg)|<unset>|5|0|10m" },
	/* admission */
	{ "{'apiVersion':'admissionregistration.k8s.io/v1','kind':'ValidatingAdmissionPolicy'," META
	  ",'spec':{'paramKind':{'apiVersion':'v1','kind':'ConfigMap'},'validations':[{}]}}",
	    "x|1|v1/ConfigMap|10m" },
	{ "{'apiVersion':'admissionregistration.k8s.io/v1','kind':"
	  "'ValidatingAdmissionPolicyBinding'," META
	  ",'spec':{'policyName':'p','paramRef':{'selector':{'matchLabels':{'b':'c','a':'b'},"
	  "'matchExpressions':[{'key':'k','operator':'In','values':['x','y']}]}}}}",
	    "x|p|&LabelSelector{MatchLabels:map[string]string{a: b,b: c,},MatchExpressions:[]"
	    "LabelSelectorRequirement{LabelSelectorRequirement{Key:k,Operator:In,Values:[x y],},},"
	    "}|10m" },
	{ "{'apiVersion':'admissionregistration.k8s.io/v1','kind':"
	  "'ValidatingAdmissionPolicyBinding'," META
	  ",'spec':{'policyName':'p','paramRef':{'name':'n'}}}",
	    "x|p|*/n|10m" },
	{ "{'apiVersion':'flowcontrol.apiserver.k8s.io/"
	  "v1','kind':'PriorityLevelConfiguration'," META
	  ",'spec':{'type':'Limited','limited':{'nominalConcurrencyShares':5,'limitResponse':{"
	  "'type':'Queue','queuing':{'queues':6,'handSize':7,'queueLengthLimit':8}}}}}",
	    "x|Limited|5|6|7|8|10m" },
	{ "{'apiVersion':'flowcontrol.apiserver.k8s.io/"
	  "v1','kind':'PriorityLevelConfiguration'," META
	  ",'spec':{'type':'Exempt','exempt':{'nominalConcurrencyShares':0}}}",
	    "x|Exempt|<none>|<none>|<none>|<none>|10m" },
	/* no columns of its own; not known at all */
	{ "{'apiVersion':'rbac.authorization.k8s.io/v1','kind':'Role'," META "}",
	    "x|2026-01-01T00:00:00Z" },
	{ "{'apiVersion':'example.com/v1','kind':'Widget'," META "}", "x|10m" },
};

int
main(void)
{
	int failures = 0;

	for (size_t i = 0; i < COUNT(cases); i++) {
		autofree char *json = xstrdup(cases[i].object);
		autobuf struct buf got = BUF_INIT;
		json_auto_t *obj = NULL, *cells = NULL;
		size_t k;
		json_t *c;

		for (char *p = json; *p; p++)
			*p = *p == '\'' ? '"' : *p;
		obj = json_loads(json, 0, NULL);
		cells = table_cells(
		    kind_of_object(text(obj, "apiVersion"), text(obj, "kind")), obj, NOW);
		json_array_foreach (cells, k, c) {
			if (k > 0)
				buf_putc(&got, '|');
			jsonpath_text(&got, c);
		}
		if (got.len > 0 && strcmp(got.data, cases[i].cells) == 0)
			continue;
		failures++;
		printf("%s\n\twant %s\n\tgot  %s\n", cases[i].object, cases[i].cells,
		    got.len ? got.data : "");
	}
	return failures != 0;
}
