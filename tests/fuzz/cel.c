/* Expressions of a stranger: compiled, and evaluated with a small budget. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cel/cel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cel_env *env;
	static json_t *self;
	autofree char *source = xstrndup((const char *)data, size);
	struct arena a = ARENA_INIT;
	struct buf issues = BUF_INIT;
	struct cel_program *p;

	if (!env) {
		env = cel_env_new(0);
		cel_env_variable(env, "self", &cel_t_dyn);
		self =
		    json_loads("{\"a\":{\"b\":[1,2,3]},\"s\":\"text\",\"m\":{\"k\":1.5}}", 0, NULL);
	}
	if (cel_compile(env, source, &p, &issues) == 0) {
		struct cel_value v = cel_from_json(&a, self, &cel_t_dyn);

		v = cel_eval(p, &v, &a, 10000, NULL);
		json_decref(cel_to_json(&a, v));
		cel_program_free(p);
	}
	buf_release(&issues);
	arena_release(&a);
	return 0;
}
