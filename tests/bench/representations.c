/* What it costs to answer in another shape: a Table of 10,000 Pods, compressing it, the OpenAPI
 * documents. */
#include "api/openapi.h"
#include "base/buf.h"
#include "bench.h"
#include "store/gzip.h"
#include "store/rows.h"

enum { PODS = 10000 };

static struct bytes *
pod(int i)
{
	autobuf struct buf b = BUF_INIT;

	buf_printf(&b,
	    "\"metadata\":{\"name\":\"web-%05d\",\"namespace\":\"shop\",\"uid\":\"0b5c1f8e-1111-"
	    "4f4f-"
	    "8888-%012d\",\"resourceVersion\":\"%d\",\"creationTimestamp\":\"2026-01-01T00:00:"
	    "00Z\","
	    "\"labels\":{\"app\":\"web\",\"pod-template-hash\":\"8wb6gn4t4v\"},\"ownerReferences\":"
	    "[{"
	    "\"apiVersion\":\"apps/"
	    "v1\",\"kind\":\"ReplicaSet\",\"name\":\"web-8wb6gn4t4v\",\"uid\":"
	    "\"x\",\"controller\":true}]},",
	    i, i, i);
	buf_printf(&b,
	    "\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"registry.example.com/shop/"
	    "web:1.27.3\",\"ports\":[{\"containerPort\":80,\"protocol\":\"TCP\"}],\"env\":[{"
	    "\"name\":"
	    "\"A\",\"value\":\"b\"}],\"resources\":{\"requests\":{\"cpu\":\"100m\",\"memory\":"
	    "\"128Mi\"}},\"terminationMessagePath\":\"/dev/termination-log\",\"imagePullPolicy\":"
	    "\"IfNotPresent\"}],\"restartPolicy\":\"Always\",\"terminationGracePeriodSeconds\":30,"
	    "\"dnsPolicy\":\"ClusterFirst\",\"nodeName\":\"node-%d\",\"securityContext\":{},"
	    "\"schedulerName\":\"default-scheduler\"},",
	    i % 100);
	buf_printf(&b,
	    "\"status\":{\"phase\":\"Running\",\"podIP\":\"10.1.%d.%d\",\"conditions\":[{\"type\":"
	    "\"Ready\",\"status\":\"True\",\"lastTransitionTime\":\"2026-01-01T00:00:01Z\"}],"
	    "\"containerStatuses\":[{\"name\":\"c\",\"ready\":true,\"restartCount\":0,\"state\":{"
	    "\"running\":{\"startedAt\":\"2026-01-01T00:00:01Z\"}}}]}}",
	    i / 256, i % 256);
	return bytes_new(b.data, b.len);
}

static void
tables(void)
{
	static const struct shape table = { .form = FORM_TABLE, .version = "meta.k8s.io/v1" };
	static struct bytes *body[PODS];
	struct bytes *out, *packed;
	double start, made;

	for (int i = 0; i < PODS; i++)
		body[i] = pod(i);
	start = bench_cpu(getpid());
	out = rows_encode(&table, kind_find("", "v1", "Pod"), "{}", body, PODS, clock_now());
	made = bench_cpu(getpid());
	bench_say("Table of 10,000 Pods", made - start, "s CPU", 0.25);
	start = made;
	packed = gzip_pack(&out, 1, 1);
	made = bench_cpu(getpid());
	bench_say("compressing it", made - start, "s CPU", 0);
	bench_say("", 100.0 * (double)packed->len / (double)out->len, "% of its size", 0);
	bytes_unref(out);
	bytes_unref(packed);
	for (int i = 0; i < PODS; i++)
		bytes_unref(body[i]);
}

static void
collect(void *buf, const void *piece, size_t len)
{
	buf_add(buf, piece, len);
}

static void
documents(void)
{
	autobuf struct buf b = BUF_INIT;
	double start = bench_cpu(getpid());

	openapi_v2_json(&(struct openapi_sink){ collect, &b });
	bench_say("OpenAPI v2, once", bench_cpu(getpid()) - start, "s CPU", 0);
	bench_say("", (double)b.len / 1e6, "MB", 0);
}

int
main(void)
{
	tables();
	documents();
	return 0;
}
