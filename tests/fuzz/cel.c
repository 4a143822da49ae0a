/* Expressions of a stranger: compiled, estimated, and evaluated with a small budget; checked or,
 * when they begin with '?', not. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cel/cel.h"
#include "cel/library.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cel_env *envs[2];
	static json_t *self;
	bool unchecked = size && *data == '?';
	autofree char *source = xstrndup((const char *)data + unchecked, size - unchecked);
	struct cel_env *env = envs[unchecked];
	struct arena a = ARENA_INIT;
	struct buf issues = BUF_INIT;
	struct cel_program *p;

	if (!env) {
		env = envs[unchecked] =
		    cel_env_new(CEL_BINDINGS | (unchecked ? CEL_UNCHECKED : CEL_AS_KUBERNETES));
		cel_env_kubernetes(env);
		cel_env_library(env, cel_lib_strings_new);
		cel_env_open_types(env, "Object");
		cel_env_variable(env, "self", &cel_t_dyn);
		json_decref(self);
		self =
		    json_loads("{\"a\":{\"b\":[1,2,3]},\"s\":\"text\",\"m\":{\"k\":1.5}}", 0, NULL);
	}
	if (cel_compile(env, source, &p, &issues) == 0) {
		struct cel_value v = cel_from_json(&a, self, &cel_t_dyn);

		cel_program_cost(p);
		v = cel_eval(p, &v, &a, 10000, NULL);
		json_decref(cel_to_json(&a, v));
		cel_program_free(p);
	}
	buf_release(&issues);
	arena_release(&a);
	return 0;
}
