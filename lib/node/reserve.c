#include "node/reserve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/quantity.h"
#include "base/mem.h"

const char *const signal_names[SIGNALS] = {
	[MEMORY_AVAILABLE] = "memory.available",
	[NODEFS_AVAILABLE] = "nodefs.available",
	[NODEFS_INODES] = "nodefs.inodesFree",
	[IMAGEFS_AVAILABLE] = "imagefs.available",
	[IMAGEFS_INODES] = "imagefs.inodesFree",
	[PID_AVAILABLE] = "pid.available",
};

static int
add_one(struct reserve *r, const char *name, const char *text, struct err *err)
{
	const struct {
		const char *name;
		int64_t *sum;
		bool milli;
	} kinds[] = { { "cpu", &r->cpu, true }, { "memory", &r->memory, false },
		{ "ephemeral-storage", &r->storage, false }, { "pid", &r->pids, false } };
	json_auto_t *q = json_string(text);

	if (!text || *text == '-' || !quantity_valid(text))
		return err_set(err, ERR_INVALID, "cannot reserve '%s': '%s' is not an amount", name,
		    text ? text : "");
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0) {
			int64_t v = kinds[i].milli ? quantity_milli(q) : quantity_value(q);

			if (__builtin_add_overflow(*kinds[i].sum, v, kinds[i].sum))
				*kinds[i].sum = INT64_MAX;
			return 0;
		}
	return err_set(err, ERR_INVALID,
	    "cannot reserve '%s': only cpu, memory, ephemeral-storage and pid can be", name);
}

int
reserve_add(struct reserve *r, const char *list, struct err *err)
{
	autofree char *copy = xstrdup(list);
	int e = 0;

	for (char *rest = copy, *one; e == 0 && (one = strsep(&rest, ","));) {
		char *value = one;
		bool empty = !*one;
		char *name = strsep(&value, "=");

		if (!empty)
			e = add_one(r, name, value, err);
	}
	return e;
}

static int
set_one(struct reserve *r, const char *name, const char *text, struct err *err)
{
	struct threshold t = { .set = true };
	size_t i = 0;
	char *end;

	while (i < SIGNALS && strcmp(signal_names[i], name) != 0)
		i++;
	if (i == SIGNALS)
		return err_set(
		    err, ERR_INVALID, "cannot watch '%s': there is no such signal", name);
	if (text && *text && text[strlen(text) - 1] == '%') {
		t.percent = strtod(text, &end);
		if (*end != '%' || end[1] || !(t.percent > 0 && t.percent < 100))
			return err_set(err, ERR_INVALID,
			    "cannot watch '%s': '%s' is not between 0 and 100%%", name, text);
	} else {
		json_auto_t *q = json_string(text ? text : "");

		if (!text || *text == '-' || !quantity_valid(text))
			return err_set(err, ERR_INVALID, "cannot watch '%s': '%s' is not an amount",
			    name, text ? text : "");
		t.value = quantity_value(q);
	}
	if (r->hard[i].set)
		return err_set(err, ERR_INVALID, "cannot watch '%s': it is there twice", name);
	r->hard[i] = t;
	return 0;
}

int
reserve_thresholds(struct reserve *r, const char *list, struct err *err)
{
	autofree char *copy = xstrdup(list);
	int e = 0;

	memset(r->hard, 0, sizeof r->hard);
	for (char *rest = copy, *one; e == 0 && (one = strsep(&rest, ","));) {
		char *value = one;
		bool empty = !*one;
		char *name = strsep(&value, "<");

		if (!empty)
			e = set_one(r, name, value, err);
	}
	return e;
}

int64_t
threshold_value(const struct threshold *t, int64_t capacity)
{
	if (!t->set)
		return 0;
	return t->percent > 0 ? (int64_t)((double)capacity * t->percent / 100) : t->value;
}
