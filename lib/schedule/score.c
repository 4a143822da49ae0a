#include <math.h>
#include <string.h>

#include "api/meta.h"
#include "schedule/snapshot.h"

/* The scores: which of the nodes that may is best?  Each is 0 to 100. */

enum { BEST = 100 };

/* How much of 100 stays free (least) or is taken (most), with this pod on it. */
static int
share(enum scoring scoring, int64_t used, int64_t can)
{
	if (used > can)
		used = can;
	if (scoring == SCORE_LEAST)
		used = can - used;
	while (can > INT64_MAX / BEST) { /* absurd, but no reason to overflow */
		can /= 2;
		used /= 2;
	}
	return (int)(used * BEST / can);
}

int
score_fit(const struct scheduler *s, const struct class *c, const struct node *n)
{
	int sum = 0, parts = 0;

	for (unsigned r = CPU; r <= MEMORY; r++) {
		if (n->can[r] <= 0)
			continue;
		sum += share(s->scoring, n->guess[r] + c->guess[r], n->can[r]);
		parts++;
	}
	return parts ? sum / parts : 0;
}

/* 100 when cpu and memory would be used in the same proportion. */
int
score_balanced(const struct class *c, const struct node *n)
{
	double part[2];

	if (c->best_effort)
		return 0;
	for (unsigned r = CPU; r <= MEMORY; r++) {
		if (n->can[r] <= 0)
			return BEST; /* one resource alone is always in balance */
		part[r] = (double)(n->used[r] + class_asks(c, r)) / (double)n->can[r];
		if (part[r] > 1)
			part[r] = 1;
	}
	return (int)((1 - fabs(part[0] - part[1]) / 2) * BEST);
}

/* Does the node have this image?  Its size then, less for an image that few nodes have:
 * else one node would get every replica. */
static double
image_worth(const struct scheduler *s, const struct node *n, const char *image)
{
	char buf[512];
	const char *want = image_name(image, buf, sizeof buf);
	const struct image *known = map_get(&s->images, want, strlen(want));
	size_t i, j;
	json_t *one, *name;

	if (!known || !known->nodes)
		return 0;
	json_array_foreach (get(n->obj, "status", "images"), i, one)
		json_array_foreach (get(one, "names"), j, name)
			if (strcmp(str(name, ""), want) == 0)
				return (double)known->size * (double)known->nodes /
				       (double)s->known;
	return 0;
}

int
score_images(const struct scheduler *s, const struct class *c, const struct node *n)
{
	static const double least = 23.0 * 1024 * 1024, most_each = 1000.0 * 1024 * 1024;
	const json_t *containers;
	double sum = 0, most;
	size_t i;
	json_t *one;

	if (!n->has_images)
		return 0;
	containers = get(c->pod, "spec", "containers");
	most = most_each * (double)json_array_size(containers);
	json_array_foreach (containers, i, one)
		sum += image_worth(s, n, text(one, "image"));
	if (sum < least || most <= least)
		return 0;
	return sum > most ? BEST : (int)(BEST * (sum - least) / (most - least));
}

int
score_taints(const struct class *c, const struct node *n)
{
	int count = 0;

	for (size_t i = 0; i < n->ntaints; i++)
		if (strcmp(n->taint[i].effect, "PreferNoSchedule") == 0 &&
		    !tolerates(
			c->tolerations, n->taint[i].key, n->taint[i].value, n->taint[i].effect))
			count++;
	return count;
}

/* Against the highest among the nodes that fit; reverse: the highest gets 0. */
int
score_normal(int32_t raw, int32_t most, bool reverse)
{
	int score = most > 0 ? (int)((int64_t)raw * BEST / most) : 0;

	return reverse ? BEST - score : score;
}
