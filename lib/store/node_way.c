/*
 * pods/log, exec, attach, portforward: to the server of the Pod's node, in the paths of a kubelet
 * (/containerLogs/NAMESPACE/POD/CONTAINER ...), so that it may be a kubelet, too.
 */
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "serve/http_parse.h"
#include "store/connect.h"

/* --- which container ----------------------------------------------------------- */

static const char *const lists[] = { "containers", "initContainers", "ephemeralContainers" };

static bool
has_container(const json_t *pod, const char *name)
{
	json_t *c;
	size_t i;

	for (size_t l = 0; l < COUNT(lists); l++)
		json_array_foreach (get(pod, "spec", lists[l]), i, c)
			if (strcmp(text(c, "name"), name) == 0)
				return true;
	return false;
}

/* "[a b]" */
static void
add_names(struct buf *b, const json_t *containers)
{
	json_t *c;
	size_t i;

	buf_putc(b, '[');
	json_array_foreach (containers, i, c)
		buf_printf(b, "%s%s", i ? " " : "", text(c, "name"));
	buf_putc(b, ']');
}

/* The one that is asked for, or the only one there is; answers and returns NULL. New. */
static char *
choose_container(struct call *c, const json_t *pod)
{
	autofree char *asked = http_query(c->x, "container");
	json_t *all = get(pod, "spec", "containers");
	autobuf struct buf msg = BUF_INIT;

	if (asked && *asked && has_container(pod, asked))
		return steal(asked);
	if (asked && *asked) {
		buf_printf(&msg, "container %s is not valid for pod %s", asked, meta_name(pod));
	} else if (json_array_size(all) == 1) {
		return xstrdup(text(json_array_get(all, 0), "name"));
	} else {
		buf_printf(&msg, "a container name must be specified for pod %s, choose one of: ",
		    meta_name(pod));
		add_names(&msg, all);
		if (json_array_size(get(pod, "spec", "initContainers")) > 0) {
			buf_puts(&msg, " or one of the init containers: ");
			add_names(&msg, get(pod, "spec", "initContainers"));
		}
		if (json_array_size(get(pod, "spec", "ephemeralContainers")) > 0) {
			buf_puts(&msg, " or one of the ephemeral containers: ");
			add_names(&msg, get(pod, "spec", "ephemeralContainers"));
		}
	}
	reply_status(c, 400, "BadRequest", msg.data, NULL);
	return NULL;
}

/* --- queries ----------------------------------------------------------------------- */

static void
add_query(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, "%c%s=", memchr(b->data, '?', b->len) ? '&' : '?', name);
	text_percent(b, value);
}

/* A flag of the API under the name it has at a kubelet. */
static void
add_flag(struct buf *b, struct call *c, const char *name, const char *theirs)
{
	if (call_flag(c, name))
		add_query(b, theirs, "1");
}

static void
add_all(struct buf *b, struct call *c, const char *name)
{
	autofree char *value = NULL;

	for (size_t i = 0; (value = http_query_nth(c->x, name, i)); i++) {
		add_query(b, name, value);
		free(steal(value));
	}
}

/* --- the options of a log, as Kubernetes validates PodLogOptions ------------------------ */

static void
check_number(struct causes *causes, const char *field, const char *value, long long least)
{
	long long n;

	if (value && *value && text_int(value, &n) && n < least)
		cause_add(causes, "FieldValueInvalid", field, "Invalid value: %lld: must be %s", n,
		    least ? "greater than 0" : "greater than or equal to 0");
}

static int
check_log(struct call *c)
{
	static const char *const numbers[] = { "tailLines", "limitBytes", "sinceSeconds" };
	autofree char *seconds = http_query(c->x, "sinceSeconds");
	autofree char *time = http_query(c->x, "sinceTime");
	struct causes causes = CAUSES_INIT;
	int r = 0;

	for (size_t i = 0; i < COUNT(numbers); i++) {
		autofree char *value = http_query(c->x, numbers[i]), *msg = NULL;
		long long n;

		if (value && *value && !text_int(value, &n)) {
			msg = xasprintf("strconv.ParseInt: parsing \"%s\": invalid syntax", value);
			reply_status(c, 400, "BadRequest", msg, NULL);
			return -1;
		}
		check_number(&causes, numbers[i], value, i > 0);
	}
	if (seconds && *seconds && time && *time)
		cause_add(&causes, "FieldValueForbidden", "",
		    "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified");
	if (causes.n) {
		c->kind = kind_find("", "v1", "PodLogOptions");
		reply_invalid(c, &causes, c->target.name);
		r = -1;
	}
	causes_release(&causes);
	return r;
}

static void
log_target(struct buf *b, struct call *c, const char *container)
{
	static const char *const names[] = { "follow", "previous", "timestamps", "sinceSeconds",
		"sinceTime", "tailLines", "limitBytes", "stream" };

	buf_printf(b, "/containerLogs/%s/%s/%s", c->target.namespace, c->target.name, container);
	for (size_t i = 0; i < COUNT(names); i++) {
		autofree char *value = http_query(c->x, names[i]);

		if (value && *value)
			add_query(b, names[i], value);
	}
}

static void
stream_target(struct buf *b, struct call *c, const char *container)
{
	buf_printf(
	    b, "/%s/%s/%s/%s", c->target.sub, c->target.namespace, c->target.name, container);
	add_flag(b, c, "stdin", "input");
	add_flag(b, c, "stdout", "output");
	add_flag(b, c, "stderr", "error");
	add_flag(b, c, "tty", "tty");
	if (strcmp(c->target.sub, "exec") == 0)
		add_all(b, c, "command");
}

static void
forward_target(struct buf *b, struct call *c)
{
	buf_printf(b, "/portForward/%s/%s", c->target.namespace, c->target.name);
	add_all(b, c, "ports");
}

/* --- on the way --------------------------------------------------------------------- */

static void
set_out(struct call *c, const char *node, const char *target)
{
	struct node_server s = { 0 };

	if (node_server_find(c, node, &s) == 0) {
		bool log = strcmp(c->target.sub, "log") == 0;
		struct duplex_tls tls = node_tls(c, &s);
		autofree char *get =
		    xasprintf("Get \"https://%s:%d%s\"", s.address, s.port, target);
		struct forward f = { .host = s.address,
			.port = s.port,
			.tls = &tls,
			.target = target,
			.context = log ? get : "error dialing backend" };

		connect_forward(c, &f);
	}
	node_server_release(&s);
}

static int
check_stream(struct call *c, const char *node)
{
	autofree char *msg = NULL;

	if (!*node)
		msg = xasprintf("pod %s does not have a host assigned", c->target.name);
	else if (!http_upgrades(c->x))
		msg = xstrdup("Upgrade request required");
	else
		return 0;
	reply_status(c, 400, "BadRequest", msg, NULL);
	return -1;
}

void
node_way(struct call *c)
{
	bool log = strcmp(c->target.sub, "log") == 0;
	autobuf struct buf target = BUF_INIT;
	autofree char *container = NULL;
	json_auto_t *pod = NULL;
	const char *node;

	if ((log && check_log(c) < 0) || call_current(c) < 0)
		return;
	pod = object_json(c->old, c->kind);
	node = text(pod, "spec", "nodeName");
	if (strcmp(c->target.sub, "portforward") == 0) {
		if (check_stream(c, node) == 0) {
			forward_target(&target, c);
			set_out(c, node, target.data);
		}
		return;
	}
	if (!(container = choose_container(c, pod)) || (!log && check_stream(c, node) < 0))
		return;
	if (log && !*node) { /* nothing has run yet, so nothing was said */
		reply_text(c, 204, "text/plain", "");
		return;
	}
	if (log)
		log_target(&target, c, container);
	else
		stream_target(&target, c, container);
	set_out(c, node, target.data);
}
