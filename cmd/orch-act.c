/* orch-act - carry out an action stream: actions in, one result line each out. */
#include <string.h>

#include "api/meta.h"
#include "base/cli.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "base/stream.h"
#include "client/client.h"

static bool dry_run, stop;
static const struct opt opts[] = {
	{ 0, "dry-run", NULL, "let the server check each action and change nothing", &dry_run,
	    false },
	{ 0, "stop-on-error", NULL, "stop at the first action that is refused", &stop, false },
	{ 0 },
};
static const struct opt *const shared[] = { client_opts, NULL };
const struct program self = {
	.name = "orch-act",
	.synopsis = "[--dry-run] [--stop-on-error] < actions > results",
	.summary = "Carry out actions, in order, and say what became of each.",
	.opts = opts,
	.shared = shared,
};

static const char *
result_of(int r, const char *action, const struct err *err)
{
	if (r == 0)
		return "done";
	if (r > 0)
		return strcmp(action, "create") == 0 ? "exists" : "gone";
	switch (err->code) {
	case ERR_CONFLICT:
		return "conflict";
	case ERR_NOT_FOUND:
		return "gone";
	case ERR_EXISTS:
		return "exists";
	case ERR_FORBIDDEN:
	case ERR_UNAUTHORIZED:
		return "forbidden";
	case ERR_UNAVAILABLE:
	case ERR_TIMEOUT:
		return "unavailable";
	default:
		return "refused";
	}
}

/* Carry out one action and report it; its exit status. */
static int
act(struct client *c, const json_t *action)
{
	const char *verb = text(action, "action");
	json_auto_t *reply = NULL, *line = NULL;
	autofree char *ref = NULL;
	struct err err = { 0 };
	int r = client_act(c, action, dry_run, &reply, &err);

	/* what was created under a generated name is called by the name it got */
	ref = meta_ref(
	    *meta_name(reply) && strcmp(verb, "create") == 0 ? reply : get(action, "object"));
	line = json_pack(
	    "{s:s, s:s, s:s}", "action", verb, "ref", ref, "result", result_of(r, verb, &err));
	if (*text(action, "reason"))
		json_object_set(line, "reason", get(action, "reason"));
	if (*text(action, "for"))
		json_object_set(line, "for", get(action, "for"));
	if (dry_run)
		json_object_set_new(line, "dryRun", json_true());
	if (r < 0)
		json_object_set_new(line, "message", json_string(err.msg));
	jsonl_write(stdout, line);
	flush_output();
	return r < 0 ? err_exit(err.code) : 0;
}

static int
check(const json_t *value, const struct stream *in, struct err *err)
{
	if (!json_is_object(value) || !*text(value, "action"))
		return err_set(err, ERR_BAD_REQUEST,
		    "standard input:%lu: not an action: it has no \"action\"", stream_line(in));
	return 0;
}

int
main(int argc, char *argv[])
{
	struct client *c = NULL;
	struct stream *in;
	struct err err;
	json_t *action;
	int worst = 0, r;

	if (cli_parse(argc, argv) != argc)
		usage();
	in = stream_open(stdin, "standard input");
	while ((r = stream_read(in, &action, &err)) > 0) {
		int status;

		/* only now: an empty plan needs no server */
		if ((r = check(action, in, &err)) < 0 || (!c && (r = client_open(&c, &err)) < 0))
			die(&err, "cannot act");
		status = act(c, action);
		json_decref(action);
		worst = status > worst ? status : worst;
		if (status && stop)
			break;
	}
	if (r < 0) {
		int status = complain(&err, "cannot act");

		worst = status > worst ? status : worst;
	}
	stream_close(in);
	client_close(c);
	return finish(worst);
}
