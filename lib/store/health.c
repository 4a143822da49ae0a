/* /healthz, /livez, /readyz and /version. */
#include <string.h>

#include "store/call.h"

/* With ?verbose every check is listed, as probes and people expect it. */
void
health_handle(struct call *c)
{
	static const char *const checks[] = { "ping", "log", "engine", "watch" };
	const char *path = c->target.text + 1; /* split: the first part */
	bool ready = c->server->ready || strcmp(path, "readyz") != 0;
	autobuf struct buf b = BUF_INIT;

	if (!call_flag(c, "verbose") && ready) {
		reply_text(c, 200, "text/plain; charset=utf-8", "ok");
		return;
	}
	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
		buf_printf(&b, "[+]%s ok\n", checks[i]);
	buf_printf(&b, "%s%s check %s\n", ready ? "" : "[-]shutdown failed\n", path,
	    ready ? "passed" : "failed");
	reply_text(c, ready ? 200 : 500, "text/plain; charset=utf-8", b.data);
}

void
version_handle(struct call *c)
{
	json_t *v = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "major", "1",
	    "minor", "36", "emulationMajor", "1", "emulationMinor", "36", "minCompatibilityMajor",
	    "1", "minCompatibilityMinor", "35", "gitVersion", "v1.36.0+orch-" ORCH_VERSION,
	    "gitCommit", "", "gitTreeState", "clean", "buildDate", "1970-01-01T00:00:00Z",
	    "goVersion", "", "compiler", "cc", "platform", "linux/amd64");

	reply_json(c, 200, v);
	json_decref(v);
}
