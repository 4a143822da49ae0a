/* What calls of the libraries cost (Kubernetes' library/cost.go). */
#include "cel/library.h"

static uint64_t
fifth(size_t size)
{
	return ((uint64_t)size + 4) / 5;
}

uint64_t
cel_cost_twice(const struct cel_value *arg, size_t n, struct cel_value result)
{
	(void)n;
	(void)result;
	return fifth(cel_size(arg[0]));
}

uint64_t
cel_cost_result(const struct cel_value *arg, size_t n, struct cel_value result)
{
	(void)arg;
	(void)n;
	return fifth(cel_size(result));
}

/* A regular expression is taken to have a part for every four characters. */
uint64_t
cel_cost_search(const struct cel_value *arg, size_t n, struct cel_value result)
{
	(void)n;
	(void)result;
	return cel_tenth(cel_size(arg[0]) + 1) * ((cel_size(arg[1]) + 3) / 4);
}

static uint64_t
walk(struct cel_value v)
{
	uint64_t cost = 0;
	struct arena a = ARENA_INIT;
	void *at = NULL;

	switch (v.kind) {
	case CEL_STRING:
	case CEL_BYTES:
		return v.text.len / 10;
	case CEL_LIST:
		for (size_t i = 0; i < v.list->n; i++)
			cost += walk(cel_list_get(&a, v.list, i));
		break;
	case CEL_MAP:
		for (size_t i = 0; i < v.map->n; i++) {
			struct cel_value key = cel_map_key(&a, v.map, i, &at), value;

			if (cel_map_find(&a, v.map, key, &value))
				cost += walk(key) + walk(value);
		}
		break;
	default:
		return 1;
	}
	arena_release(&a);
	return cost;
}

uint64_t
cel_cost_walk(const struct cel_value *arg, size_t n, struct cel_value result)
{
	(void)n;
	(void)result;
	return walk(arg[0]);
}
