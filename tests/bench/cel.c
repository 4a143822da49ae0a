/* Expressions: rules as custom resources have them, on an object whose types are known. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "bench.h"
#include "cel/cel.h"
#include "cel/library.h"
#include "cel/type.h"

enum { ROUNDS = 200000 };

static const struct cel_type strings = {
	.kind = CEL_T_LIST, .name = "list", .of = { &cel_t_string }
};
static const struct cel_type labels = {
	.kind = CEL_T_MAP, .name = "map", .of = { &cel_t_string, &cel_t_string }
};
static const struct cel_field port_fields[] = { { "name", &cel_t_string, NULL },
	{ "port", &cel_t_int, NULL } };
static const struct cel_type port = {
	.kind = CEL_T_OBJECT, .name = "Port", .field = port_fields, .nfields = 2
};
static const struct cel_type ports = { .kind = CEL_T_LIST, .name = "list", .of = { &port } };
static const struct cel_field self_fields[] = { { "replicas", &cel_t_int, NULL },
	{ "minReplicas", &cel_t_int, NULL }, { "maxReplicas", &cel_t_int, NULL },
	{ "name", &cel_t_string, NULL }, { "kind", &cel_t_string, NULL },
	{ "labels", &labels, NULL }, { "hosts", &strings, NULL }, { "ports", &ports, NULL },
	{ "cpu", &cel_t_string, NULL } };
static const struct cel_type self_type = {
	.kind = CEL_T_OBJECT, .name = "Self", .field = self_fields, .nfields = 9
};

static const char object[] =
    "{\"replicas\": 3, \"minReplicas\": 1, \"maxReplicas\": 5, \"name\": \"web\", \"kind\": "
    "\"Service\","
    "\"labels\": {\"app\": \"web\", \"tier\": \"front\"}, \"hosts\": [\"a.example.com\", "
    "\"b.example.com\"],"
    "\"ports\": [{\"name\": \"http\", \"port\": 80}, {\"name\": \"https\", \"port\": 443}], "
    "\"cpu\": \"1500m\"}";

static const char *const rules[] = {
	"self.replicas <= 5",
	"self.minReplicas <= self.replicas && self.replicas <= self.maxReplicas",
	"self.kind == 'Service' ? has(self.name) && self.name.size() > 0 : true",
	"!has(self.labels) || 'app' in self.labels",
	"self.hosts.all(h, h.endsWith('.example.com'))",
	"self.ports.all(p, p.port > 0 && p.port < 65536)",
	"self.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
	"quantity(self.cpu).isLessThan(quantity('4'))",
};

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
measure(const struct cel_env *env, const char *rule, const json_t *self)
{
	autobuf struct buf issues = BUF_INIT;
	struct cel_program *p;
	double begin;

	if (cel_compile(env, rule, &p, &issues) < 0)
		fail(issues.data);
	begin = seconds();
	for (int i = 0; i < ROUNDS; i++) {
		autoarena struct arena a = ARENA_INIT;
		struct cel_value v = cel_from_json(&a, self, &self_type);

		if (cel_eval(p, &v, &a, 10000000, NULL).kind != CEL_BOOL)
			fail(rule);
	}
	begin = (seconds() - begin) / ROUNDS * 1e6;
	cel_program_free(p);
	return begin;
}

int
main(void)
{
	struct cel_env *env = cel_env_new(CEL_AS_KUBERNETES);
	json_t *self = json_loads(object, 0, NULL);
	double sum = 0;

	cel_env_kubernetes(env);
	cel_env_variable(env, "self", &self_type);
	for (size_t i = 0; i < COUNT(rules); i++) {
		double us = measure(env, rules[i], self);

		sum += us;
		printf("  %6.2f us  %s\n", us, rules[i]);
	}
	printf("  %6.2f us  a rule of these, on average (aim: 2)\n", sum / COUNT(rules));
	json_decref(self);
	cel_env_free(env);
	return 0;
}
