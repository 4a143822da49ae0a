/* Volumes that follow the ConfigMaps, Secrets and fields that they are made of, and tokens that are
 * replaced before they end. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/agent_state.h"
#include "node/volume.h"

enum { TOKEN_DAY = 24 * 3600 };

struct renewal {
	const struct pod *pod;
	const json_t *sources;
};

static int
do_renew(void *arg, json_t **result, struct err *err)
{
	const struct renewal *in = arg;
	const struct pod *p = in->pod;

	(void)result;
	return volumes_renew(p->host, p->object, in->sources, p->ip ? p->ip : "", err);
}

static bool
is_token(const char *key)
{
	return text_starts(key, "Token/");
}

/* Seconds that the tokens among these may be used: four fifths of what is asked for. */
static double
token_life(const json_t *sources)
{
	double life = TOKEN_DAY;
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)sources, key, v)
		if (is_token(key) && atof(key + strlen("Token/")) * 0.8 < life)
			life = atof(key + strlen("Token/")) * 0.8;
	return life;
}

static bool
tokens_there(const json_t *sources)
{
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)sources, key, v)
		if (is_token(key) && !json_is_string(v))
			return false;
	return true;
}

/* Does it have volumes that may change? */
static bool
changes(const struct pod *p, const json_t *sources)
{
	json_t *v;
	size_t i;

	json_array_foreach (get(p->object, "spec", "volumes"), i, v)
		if (get(v, "downwardAPI") || get(v, "projected"))
			return true;
	return json_object_size(sources) > 0;
}

void
renew_later(struct pod *p, double now)
{
	json_auto_t *sources = volume_sources(p->object);

	p->renew_at = changes(p, sources) ? now + p->host->o.renew : INFINITY;
	p->tokens_by = now + token_life(sources);
	p->made_of = 0;
}

void
renew_tokens(struct pod *p, double now)
{
	if (p->sandbox != SANDBOX || isinf(p->renew_at))
		return;
	p->tokens_by = p->renew_at = now;
}

/* Of all that files are made of but tokens. */
static uint64_t
hash_of(const struct pod *p, const json_t *sources)
{
	static const char *const fields[] = { "labels", "annotations" };
	static const char *const lists[] = { "containers", "initContainers" };
	uint64_t hash = TEXT_HASH_SEED;
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)sources, key, v) {
		autofree char *text = is_token(key) ? NULL : json_dumps(v, JSON_ENCODE_ANY);

		hash = text ? text_hash(text, strlen(text), hash) : hash;
	}
	for (size_t i = 0; i < COUNT(fields); i++) {
		autofree char *text = json_dumps(get(p->object, "metadata", fields[i]), 0);

		hash = text ? text_hash(text, strlen(text), hash) : hash;
	}
	for (size_t i = 0; i < COUNT(lists); i++) {
		json_t *c;
		size_t k;

		json_array_foreach (get(p->object, "spec", lists[i]), k, c) {
			autofree char *text = json_dumps(get(c, "resources"), 0);

			hash = text ? text_hash(text, strlen(text), hash) : hash;
		}
	}
	return hash;
}

static void
renew(struct agent *a, struct pod *p, double now)
{
	json_auto_t *sources = volume_sources(p->object);
	struct renewal in = { p, sources };
	bool tokens = p->tokens_by <= now;
	uint64_t hash;
	struct err err;

	p->renew_at = changes(p, sources) ? now + p->host->o.renew : INFINITY;
	if (isinf(p->renew_at))
		return;
	work_fetch(a, p, sources, tokens);
	if (tokens)
		p->tokens_by = tokens_there(sources) ? now + token_life(sources) : p->renew_at;
	if ((hash = hash_of(p, sources)) == p->made_of && !tokens)
		return;
	p->made_of = hash;
	p->doing = STEP_RENEW;
	p->doing_since = now;
	if (job_start(&p->job, do_renew, &in, &err) == 0)
		watch(a, p->job.fd);
	else
		renew_done(p, -(int)err.code, &err);
}

void
renew_due(struct agent *a, struct pod *p, double now, double *wake)
{
	if (!p->wanted || p->stopping || p->job.pid || p->sandbox != SANDBOX || pod_over(p))
		return;
	if (p->renew_at <= now) {
		if (!pace_allows(a, now))
			return;
		renew(a, p, now);
	}
	if (p->renew_at < *wake)
		*wake = p->renew_at;
}

void
renew_done(struct pod *p, int r, const struct err *err)
{
	if (r == 0)
		return;
	p->made_of = 0;
	log_more("pod %s: cannot bring its volumes up to date: %s", p->label, err->msg);
}
