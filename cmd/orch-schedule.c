/* orch-schedule - nodes and pods in, bind actions out; or, with -w, the scheduler itself. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/meta.h"
#include "api/object.h"
#include "base/cli.h"
#include "base/clock.h"
#include "base/jsonl.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "client/scheduling.h"

static bool watch, verbose, exit_code;
static const char *explain_arg, *explain_to, *metrics;
static const char *name = "default-scheduler", *scoring = "least", *now_arg;
static FILE *explain_file;

static const struct opt opts[] = {
	{ 'w', "watch", NULL, "be the scheduler: place pods as they appear", &watch, false },
	{ 0, "explain", "[FORMAT]", "show every verdict on stderr: table or json", &explain_arg,
	    false },
	{ 0, "explain-to", "FILE", "write the explanations there instead", &explain_to, false },
	{ 0, "scoring", "WORD", "prefer the 'least' (default) or 'most' used node", &scoring,
	    false },
	{ 0, "scheduler-name", "NAME", "the spec.schedulerName to serve", &name, false },
	{ 0, "exit-code", NULL, "exit 1 when a pod fits on no node", &exit_code, false },
	{ 't', "time", "TIME", "the time to put into conditions (default: now)", &now_arg, false },
	{ 0, "metrics", "HOST:PORT", "serve /metrics there (with -w)", &metrics, false },
	{ 'v', "verbose", NULL, "log more (with -w)", &verbose, false },
	{ 0 },
};
static const struct opt *const shared[] = { client_opts, NULL };

const struct program self = {
	.name = "orch-schedule",
	.synopsis = "[--explain[=format]] [--scoring=word] [-t time] [file ...]\n-w [option ...]",
	.summary = "Choose a node for every pending Pod and print the bindings.",
	.opts = opts,
	.shared = shared,
	.operands = "files",
};

/* --- explanations ------------------------------------------------------------ */

static void
explain_node(const json_t *node, int width)
{
	const char *key, *sep = "=";
	json_t *v;
	size_t i;

	fprintf(explain_file, "  %-*s  ", width, text(node, "node"));
	if (get(node, "filter"))
		fprintf(explain_file, "%s", text(node, "filter"));
	else
		fprintf(explain_file, "%lld", (long long)num(get(node, "total"), 0));
	json_array_foreach (get(node, "reasons"), i, v)
		fprintf(explain_file, "%s %s", i ? "," : ":", str(v, ""));
	json_object_foreach (get(node, "scores"), key, v) {
		if (num(v, 0) == 0)
			continue;
		fprintf(explain_file, " %s %s %lld", sep, key, (long long)num(v, 0));
		sep = "+";
	}
	fputc('\n', explain_file);
}

static void
explained(const json_t *why)
{
	int width = 4;
	size_t i;
	json_t *node;

	if (strcmp(explain_arg, "json") == 0) {
		jsonl_write(explain_file, why);
		fflush(explain_file);
		return;
	}
	json_array_foreach (get(why, "nodes"), i, node)
		if ((int)strlen(text(node, "node")) > width)
			width = (int)strlen(text(node, "node"));
	fprintf(explain_file, "%s: %s\n", text(why, "pod"), text(why, "message"));
	json_array_foreach (get(why, "nodes"), i, node)
		explain_node(node, width);
	fflush(explain_file);
}

static void
open_explanations(void)
{
	if (explain_to && !explain_arg)
		explain_arg = "json";
	if (!explain_arg)
		return;
	if (!*explain_arg)
		explain_arg = "table";
	if (strcmp(explain_arg, "table") != 0 && strcmp(explain_arg, "json") != 0)
		die(NULL, "--explain: '%s' is neither table nor json", explain_arg);
	explain_file = explain_to ? fopen(explain_to, "we") : stderr;
	if (!explain_file)
		die(NULL, "cannot write '%s': %s", explain_to, strerror(errno));
}

/* --- the filter ---------------------------------------------------------------- */

static int
keep(void *arg, struct objects *in, json_t *obj, struct err *err)
{
	(void)in;
	(void)err;
	world_put(arg, obj);
	return 0;
}

static int64_t
now(void)
{
	int64_t seconds;
	long long n;

	if (!now_arg)
		return clock_now();
	if (time_parse(now_arg, &seconds))
		return seconds;
	if (text_int(now_arg, &n))
		return n;
	die(NULL, "--time: '%s' is not a time such as 2026-01-02T03:04:05Z", now_arg);
}

static int
filter(char *files[], int n, enum scoring how)
{
	struct world *w = world_new();
	struct scheduler *s = scheduler_new(name, how);
	size_t npods = 0, unplaced = 0, i;
	struct err err;
	const json_t **pods;

	world_set_now(w, now());
	if (objects_each(files, n, ACCEPT_OBJECTS, keep, w, &err) < 0)
		die(&err, "cannot schedule");
	scheduler_read(s, w);
	pods = schedule_pending(s, w, &npods);
	for (i = 0; i < npods; i++) {
		json_auto_t *why = NULL;
		struct plan plan;
		size_t k;
		json_t *action;

		plan_init(&plan, "schedule", "");
		if (!schedule_pod(s, w, pods[i], &plan, explain_file ? &why : NULL))
			unplaced++;
		json_array_foreach (plan.actions, k, action)
			jsonl_write(stdout, action);
		if (why)
			explained(why);
		plan_release(&plan);
	}
	free(pods);
	scheduler_free(s);
	world_free(w);
	return exit_code && unplaced ? 1 : 0;
}

/* --- the daemon ------------------------------------------------------------------ */

static int
serve(enum scoring how)
{
	const struct scheduling_options o = { .name = name,
		.scoring = how,
		.metrics = metrics,
		.explained = explain_file ? explained : NULL };
	struct client *c = NULL;
	struct err err;
	int status = 0;

	log_open(self.name, verbose);
	if (client_open(&c, &err) < 0 || scheduling_run(c, &o, &err) < 0)
		status = complain(&err, "cannot schedule");
	client_close(c);
	return status;
}

int
main(int argc, char *argv[])
{
	int first = cli_parse(argc, argv), status;
	enum scoring how = strcmp(scoring, "most") == 0 ? SCORE_MOST : SCORE_LEAST;

	if (strcmp(scoring, "most") != 0 && strcmp(scoring, "least") != 0)
		die(NULL, "--scoring: '%s' is neither least nor most", scoring);
	if (watch && first < argc)
		die(NULL, "-w takes no files");
	open_explanations();
	status = watch ? serve(how) : filter(argv + first, argc - first, how);
	if (explain_to && explain_file && fclose(explain_file) != 0)
		die(NULL, "cannot write '%s': %s", explain_to, strerror(errno));
	return finish(status);
}
