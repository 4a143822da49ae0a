/* Whether a container that ended is started again, and when (KEP 753: sidecars; KEP 5307: rules).
 */
#include <string.h>

#include "api/meta.h"
#include "node/pod.h"

enum { BACKOFF_MAX = 300, BACKOFF_FORGET = 600 };

static bool
policy_restarts(const char *policy, int code)
{
	return strcmp(policy, "Always") == 0 || (strcmp(policy, "OnFailure") == 0 && code != 0);
}

/* restartPolicyRules: the first whose condition holds says so. */
static bool
rule_restarts(const json_t *rule, int code)
{
	const json_t *codes = get(rule, "exitCodes");
	const char *operator= text(codes, "operator");
	bool in = false;
	json_t *one;
	size_t i;

	json_array_foreach (get(codes, "values"), i, one)
		in = in || num(one, -1) == code;
	return strcmp(text(rule, "action"), "Restart") == 0 &&
	       ((strcmp(operator, "In") == 0 && in) || (strcmp(operator, "NotIn") == 0 && !in));
}

bool
container_would_restart(const struct pod *p, const struct container *c, int code)
{
	const char *pods = text(p->object, "spec", "restartPolicy"),
		   *own = text(c->spec, "restartPolicy");
	json_t *rule;
	size_t i;

	if (c->renewing) /* it did not end by itself */
		return true;
	if (c->kind == EPHEMERAL || (c->kind == INIT && code == 0))
		return false;
	if (!*own) /* an init container is never done again for having succeeded */
		return policy_restarts(*pods ? pods : "Always", code);
	json_array_foreach (get(c->spec, "restartPolicyRules"), i, rule)
		if (rule_restarts(rule, code))
			return true;
	return policy_restarts(own, code);
}

bool
container_restarts(const struct pod *p, const struct container *c)
{
	return !p->stopping && !p->fail_reason && container_would_restart(p, c, c->code);
}

double
container_due(const struct container *c)
{
	double at = c->ended_at;

	if (c->state == WAITING)
		return c->again;
	/* one that ran well for long is not held responsible for what it did before */
	if (!c->renewing && c->ended_at - c->begun_at <= BACKOFF_FORGET)
		at += c->backoff;
	return at > c->again ? at : c->again; /* a try that could not even begin */
}

double
container_next_backoff(const struct container *c, double initial)
{
	if (c->backoff == 0 || c->ended_at - c->begun_at > BACKOFF_FORGET)
		return initial < BACKOFF_MAX ? initial : BACKOFF_MAX;
	return c->backoff * 2 < BACKOFF_MAX ? c->backoff * 2 : BACKOFF_MAX;
}
