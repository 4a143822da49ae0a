/*
 * Filters on 20 MB of Deployments, as YAML and as JSON Lines.
 *
 *	filters FOLDER-OF-PROGRAMS
 */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "bench.h"

enum { OBJECTS = 16000 };

static void
yaml(struct buf *b, int i)
{
	buf_printf(b,
	    "---\n# number %d\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: "
	    "web-%05d\n  namespace: shop\n"
	    "  labels:\n    app: web\n    tier: \"front\"\n    shard: s%d\n"
	    "  annotations:\n    example.com/note: |\n      several lines\n      of text, which "
	    "people do write\n"
	    "spec:\n  replicas: 3\n  revisionHistoryLimit: 5\n  selector:\n    matchLabels:\n      "
	    "app: web\n"
	    "  template:\n    metadata:\n      labels:\n        app: web\n    spec:\n      "
	    "serviceAccountName: web\n"
	    "      containers:\n      - name: web\n        image: "
	    "registry.example.com/shop/web:1.27.3\n"
	    "        args: [\"--listen\", ':8080', --verbose]\n        ports:\n        - {name: "
	    "http, containerPort: 8080}\n"
	    "        env:\n        - name: LOG_LEVEL\n          value: info\n        - name: "
	    "POD_NAME\n          valueFrom:\n"
	    "            fieldRef:\n              fieldPath: metadata.name\n        resources:\n   "
	    "       requests:\n"
	    "            cpu: 100m\n            memory: 128Mi\n          limits:\n            "
	    "memory: 256Mi\n"
	    "        readinessProbe:\n          httpGet:\n            path: /ready\n            "
	    "port: http\n"
	    "          periodSeconds: 5\n        volumeMounts:\n        - name: config\n          "
	    "mountPath: /etc/web\n"
	    "      volumes:\n      - name: config\n        configMap:\n          name: web\n",
	    i, i, i % 16);
}

static void
json(struct buf *b, int i)
{
	buf_printf(b,
	    "{\"apiVersion\":\"apps/"
	    "v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web-%05d\",\"namespace\":"
	    "\"shop\","
	    "\"labels\":{\"app\":\"web\",\"tier\":\"front\",\"shard\":\"s%d\"},\"annotations\":"
	    "{\"example.com/note\":\"several lines\\nof text, which people do "
	    "write\\n\"}},\"spec\":{\"replicas\":3,"
	    "\"revisionHistoryLimit\":5,\"selector\":{\"matchLabels\":{\"app\":\"web\"}},"
	    "\"template\":{\"metadata\":"
	    "{\"labels\":{\"app\":\"web\"}},\"spec\":{\"serviceAccountName\":\"web\","
	    "\"containers\":[{\"name\":\"web\","
	    "\"image\":\"registry.example.com/shop/"
	    "web:1.27.3\",\"args\":[\"--listen\",\":8080\",\"--verbose\"],"
	    "\"ports\":[{\"name\":\"http\",\"containerPort\":8080}],\"env\":[{\"name\":\"LOG_"
	    "LEVEL\",\"value\":\"info\"},"
	    "{\"name\":\"POD_NAME\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"metadata.name\"}}}"
	    "],\"resources\":"
	    "{\"requests\":{\"cpu\":\"100m\",\"memory\":\"128Mi\"},\"limits\":{\"memory\":"
	    "\"256Mi\"}},\"readinessProbe\":"
	    "{\"httpGet\":{\"path\":\"/"
	    "ready\",\"port\":\"http\"},\"periodSeconds\":5},\"volumeMounts\":[{\"name\":"
	    "\"config\","
	    "\"mountPath\":\"/etc/"
	    "web\"}]}],\"volumes\":[{\"name\":\"config\",\"configMap\":{\"name\":\"web\"}}]}}}}\n",
	    i, i % 16);
}

static const char *folder;

/* MB of input a CPU second of the program. */
static void
filter(const char *what, const char *input, size_t len, char *const argv[])
{
	autofree char *program = xasprintf("%s/%s", folder, argv[0]);
	struct rusage before, after;
	double seconds;
	int status;
	pid_t pid;

	if (access(program, X_OK) < 0) {
		printf("  %-44s not built\n", what);
		return;
	}
	getrusage(RUSAGE_CHILDREN, &before);
	if ((pid = fork()) == 0) {
		dup2(open(input, O_RDONLY), 0);
		dup2(open("/dev/null", O_WRONLY), 1);
		execv(program, argv);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid || status != 0)
		fail(what);
	getrusage(RUSAGE_CHILDREN, &after);
	seconds = (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec) +
		  (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec) / 1e6 +
		  (double)(after.ru_stime.tv_sec - before.ru_stime.tv_sec) +
		  (double)(after.ru_stime.tv_usec - before.ru_stime.tv_usec) / 1e6;
	bench_say(what, (double)len / 1e6 / seconds, "MB/CPU s", 50);
}
#define FILTER(what, input, len, ...) filter(what, input, len, (char *[]){ __VA_ARGS__, NULL })

int
main(int argc, char *argv[])
{
	char dir[] = "/tmp/bench_filters.XXXXXX";
	autobuf struct buf y = BUF_INIT, j = BUF_INIT;
	autofree char *yfile = NULL, *jfile = NULL;
	struct err err;

	if (argc != 2 || !mkdtemp(dir))
		fail("usage: filters FOLDER-OF-PROGRAMS");
	folder = argv[1];
	yfile = xasprintf("%s/y", dir);
	jfile = xasprintf("%s/j", dir);
	for (int i = 0; i < OBJECTS; i++) {
		yaml(&y, i);
		json(&j, i);
	}
	if (file_replace(yfile, y.data, y.len, 0600, &err) < 0 ||
	    file_replace(jfile, j.data, j.len, 0600, &err) < 0)
		fail(err.msg);
	FILTER("orch-parse, YAML", yfile, y.len, "orch-parse");
	FILTER("orch-parse, JSON Lines", jfile, j.len, "orch-parse");
	FILTER("orch-select -l, JSON Lines", jfile, j.len, "orch-select", "-l", "shard=s3");
	FILTER("orch-select -l, YAML", yfile, y.len, "orch-select", "-l", "shard=s3");
	FILTER("orch-validate, JSON Lines", jfile, j.len, "orch-validate");
	FILTER("orch-validate -d, JSON Lines", jfile, j.len, "orch-validate", "-d");
	FILTER("orch-sort, JSON Lines", jfile, j.len, "orch-sort");
	FILTER("orch-print -o yaml, JSON Lines", jfile, j.len, "orch-print", "-o", "yaml");
	FILTER("orch-print -o table, JSON Lines", jfile, j.len, "orch-print", "-o", "table");
	unlink(yfile);
	unlink(jfile);
	rmdir(dir);
	return 0;
}
