/* orch-logs - what containers wrote: one log, or those of many pods side by side. */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/meta.h"
#include "api/selector.h"
#include "base/cli.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "client/address.h"
#include "client/podlog.h"
#include "client/pods.h"

static const char *container, *tail, *since;
static bool follow, previous, timestamps, all_containers, prefixed;
static const struct opt opts[] = {
	{ 'c', "container", "NAME", "this container of the pod", &container, false },
	{ 0, "all-containers", NULL, "all containers of the pod", &all_containers, false },
	{ 'f', "follow", NULL, "go on with what is written until the container ends", &follow,
	    false },
	{ 'p', "previous", NULL, "the run before the last restart", &previous, false },
	{ 0, "tail", "LINES", "only the last lines", &tail, false },
	{ 0, "since", "TIME", "only what is younger than this", &since, false },
	{ 't', "timestamps", NULL, "the time before each line", &timestamps, false },
	{ 0, "prefix", NULL, "the pod and container before each line", &prefixed, false },
	{ 0 },
};
static const struct opt *const shared[] = { scope_opts, client_opts, NULL };
const struct program self = {
	.name = "orch-logs",
	.synopsis = "[-f] [-c CONTAINER] [--tail=LINES] [pod/]NAME[/CONTAINER]...\n[-f] "
		    "KIND/NAME...\n[-f] -l LABELS",
	.summary = "Print the logs of containers.",
	.opts = opts,
	.shared = shared,
	.operands = "objects",
};

struct source {
	json_t *pod;
	char *container;
};

struct sources {
	struct client *client;
	struct source *item;
	size_t n, cap;
	int worst;
};

/* --- which containers ------------------------------------------------------------------ */

static void
add(struct sources *s, json_t *pod, const char *name)
{
	GROW(s->item, s->n, s->cap);
	s->item[s->n++] = (struct source){ json_incref(pod), xstrdup(name) };
}

/* Borrows pod; name NULL for the default: the annotated one, else the first. */
static int
choose(struct sources *s, json_t *pod, const char *name, struct err *err)
{
	const json_t *containers = get(pod, "spec", "containers");
	const char *first = meta_annotation(pod, "kubectl.kubernetes.io/default-container");
	json_t *c;
	size_t i;

	if (name && !pod_container_spec(pod, name))
		return err_set(
		    err, ERR_NOT_FOUND, "pod '%s' has no container '%s'", meta_name(pod), name);
	if (name) {
		add(s, pod, name);
	} else if (all_containers) {
		json_array_foreach (containers, i, c)
			add(s, pod, text(c, "name"));
	} else {
		if (!first || !pod_container_spec(pod, first))
			first = text(json_array_get(containers, 0), "name");
		if (json_array_size(containers) > 1 && !scope_options.selector)
			fprintf(stderr, "%s: pod '%s' has %zu containers: this is '%s' (see -c)\n",
			    self.name, meta_name(pod), json_array_size(containers), first);
		add(s, pod, first);
	}
	return 0;
}

static int
choose_listed(void *arg, json_t *pod, struct err *err)
{
	int r = choose(arg, pod, container, err);

	json_decref(pod);
	return r;
}

/* The Pods that an object like a Deployment or a Service selects. */
static int
choose_selected(struct sources *s, const struct kind *k, const char *name, struct err *err)
{
	const char *ns = client_namespace(s->client);
	json_auto_t *owner = NULL;
	struct selector *labels = NULL;
	struct list_options o = { 0 };
	const json_t *wanted;
	size_t before = s->n;
	int r;

	if ((r = client_get(s->client, k, ns, name, &owner, err)) < 0)
		return r;
	wanted = get(owner, "spec", "selector");
	if (!json_is_object(wanted))
		return err_set(err, ERR_BAD_REQUEST, "%s '%s' selects no pods", k->singular, name);
	if (get(wanted, "matchLabels") || get(wanted, "matchExpressions"))
		r = selector_from_json(&labels, wanted, err);
	else
		labels = selector_from_map(wanted);
	if (r >= 0) {
		autofree char *text = selector_print(labels);

		o.selector = text;
		r = client_list(
		    s->client, kind_find("", "v1", "Pod"), ns, &o, choose_listed, s, NULL, err);
	}
	selector_free(labels);
	if (r >= 0 && s->n == before)
		return err_set(err, ERR_NOT_FOUND, "%s '%s' has no pods", k->singular, name);
	return r;
}

static int
choose_pod(struct sources *s, const char *operand, struct err *err)
{
	autofree char *name = xstrdup(operand);
	json_auto_t *pod = NULL;
	char *slash = strchr(name, '/');
	int r;

	if (slash)
		*slash++ = '\0';
	if (slash && container)
		return err_set(
		    err, ERR_BAD_REQUEST, "'%s' names a container, and so does -c", operand);
	if (!client_name_fits(name))
		return err_set(err, ERR_BAD_REQUEST, "'%s' cannot be the name of a pod", name);
	if ((r = client_get(s->client, kind_find("", "v1", "Pod"), client_namespace(s->client),
		 name, &pod, err)) < 0)
		return r;
	return choose(s, pod, slash ? slash : container, err);
}

/* "[pod/]NAME[/CONTAINER]", or "KIND/NAME" of what selects Pods. */
static int
choose_operand(struct sources *s, const char *operand, struct err *err)
{
	const char *slash = strchr(operand, '/');
	autofree char *word = slash ? xstrndup(operand, (size_t)(slash - operand)) : NULL;
	const struct kind *k = word ? kind_of_word(word) : NULL;

	if (!k)
		return choose_pod(s, operand, err);
	if (strcmp(k->kind, "Pod") == 0)
		return choose_pod(s, slash + 1, err);
	if (!client_name_fits(slash + 1))
		return err_set(err, ERR_BAD_REQUEST,
		    "'%s' is not KIND/NAME (a pod called '%s' is pod/%s)", operand, word, operand);
	return choose_selected(s, k, slash + 1, err);
}

static int
choose_all(struct sources *s, int n, char *words[], struct err *err)
{
	char *pods[] = { "pods" };
	struct targets t = { 0 };
	int r = 0;

	for (int i = 0; i < n && r >= 0; i++)
		r = choose_operand(s, words[i], err);
	if (n == 0 && (r = targets_of_words(&t, s->client, 1, pods, err)) >= 0)
		r = target_each(s->client, &t.item[0], choose_listed, s, err);
	targets_release(&t);
	return r;
}

/* --- printing --------------------------------------------------------------------------- */

static int
print(struct client *c, const struct source *from)
{
	autofree char *prefix = xasprintf("[%s/%s] ", meta_name(from->pod), from->container);
	struct podlog l = { from->pod, from->container, follow, previous,
		{ .tail = -1, .timestamps = timestamps } };
	struct err err;

	if (tail)
		l.options.tail = cli_number("tail", tail, -1, 1000000000);
	if (since)
		l.options.since_us = clock_now_us() - (int64_t)(cli_duration("since", since) * 1e6);
	if (prefixed)
		l.options.prefix = prefix;
	if (podlog_print(c, &l, stdout, &err) < 0)
		return complain(&err, "cannot read the log of pod '%s', container '%s'",
		    meta_name(from->pod), from->container);
	return 0;
}

static int
run_child(const struct source *from)
{
	struct client *c;
	struct err err;
	int status;

	/* whole lines, so that those of several pods do not mix */
	setvbuf(stdout, NULL, _IOLBF, 65536);
	if (client_open(&c, &err) < 0)
		die(&err, "cannot use the API");
	status = print(c, from);
	client_close(c);
	return finish(status);
}

/* Following many: a process each. */
static void
follow_all(struct sources *s)
{
	int status;

	fflush(stdout);
	for (size_t i = 0; i < s->n; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(run_child(&s->item[i]));
		if (pid < 0) {
			warn("cannot follow pod '%s': %s", meta_name(s->item[i].pod),
			    strerror(errno));
			s->worst = 3;
		}
	}
	while (wait(&status) > 0 || errno == EINTR) {
		int code = WIFEXITED(status) ? WEXITSTATUS(status) : 3;

		s->worst = code > s->worst ? code : s->worst;
	}
}

int
main(int argc, char *argv[])
{
	struct sources s = { 0 };
	struct err err;
	int at = cli_parse(argc, argv);

	if (at == argc && !scope_options.selector && !scope_options.field_selector)
		usage();
	if (at < argc && scope_options.selector)
		die(NULL, "a name ('%s') and a selector do not go together", argv[at]);
	if (tail)
		cli_number("tail", tail, -1, 1000000000); /* before anything is asked */
	if (since)
		cli_duration("since", since);
	log_open(self.name, 0);
	if (client_open(&s.client, &err) < 0 || choose_all(&s, argc - at, argv + at, &err) < 0)
		die(&err, "cannot read logs");
	if (follow && s.n > 1)
		follow_all(&s);
	for (size_t i = 0; i < s.n && !(follow && s.n > 1); i++) {
		int status = print(s.client, &s.item[i]);

		s.worst = status > s.worst ? status : s.worst;
	}
	for (size_t i = 0; i < s.n; i++) {
		json_decref(s.item[i].pod);
		free(s.item[i].container);
	}
	free(s.item);
	client_close(s.client);
	return finish(s.worst);
}
