/* The cells of any kind for any object, however wrong: one cell for each column, or one more behind
 * them (table.h). */
#include <stdint.h>
#include <stdlib.h>

#include "api/printer.h"
#include "api/table.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct kind *k, const json_t *obj)
{
	json_t *cells = table_cells(k, obj, 1767226200);
	size_t n, more = json_array_size(cells);

	table_columns(k, &n);
	if (more != n && more != n + 1)
		abort();
	json_decref(cells);
}

static void
print(json_t *obj)
{
	const struct printer_options o = { .show_labels = true, .label_columns = "a,b/c" };
	struct printer *p;
	struct buf out = BUF_INIT;
	struct err err;

	if (printer_new(&p, "wide", &o, &err) < 0)
		abort();
	printer_add(p, obj, &out, &err);
	printer_end(p, &out, &err);
	printer_free(p);
	buf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t nkinds, used;
	const struct kind *const *kinds = schema_kinds(&nkinds);
	char msg[128];
	json_t *obj;

	if (size < 1 ||
	    json_decode((const char *)data + 1, size - 1, &obj, &used, msg) != JSON_FINE)
		return 0;
	check(kinds[data[0] % nkinds], obj);
	check(NULL, obj);
	if (json_is_object(obj))
		print(obj);
	json_decref(obj);
	return 0;
}
