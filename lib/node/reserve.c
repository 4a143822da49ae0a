#include "node/reserve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/quantity.h"
#include "base/mem.h"
#include "base/text.h"

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
find_signal(const char *name, struct err *err)
{
	for (int i = 0; i < SIGNALS; i++)
		if (strcmp(signal_names[i], name) == 0)
			return i;
	return err_set(err, ERR_INVALID, "cannot watch '%s': there is no such signal", name);
}

/* A quantity, or between 0 and 100 per cent. */
static int
parse_amount(struct threshold *t, const char *name, const char *text, struct err *err)
{
	char *end;

	*t = (struct threshold){ .set = true };
	if (text && *text && text[strlen(text) - 1] == '%') {
		t->percent = strtod(text, &end);
		if (*end != '%' || end[1] || !(t->percent > 0 && t->percent < 100))
			return err_set(err, ERR_INVALID,
			    "cannot watch '%s': '%s' is not between 0 and 100%%", name, text);
	} else {
		json_auto_t *q = json_string(text ? text : "");

		if (!text || *text == '-' || !quantity_valid(text))
			return err_set(err, ERR_INVALID, "cannot watch '%s': '%s' is not an amount",
			    name, text ? text : "");
		t->value = quantity_value(q);
	}
	return 0;
}

/* "SIGNAL<AMOUNT,...", or with another sign between. */
static int
parse_list(
    struct threshold list[static SIGNALS], const char *text, const char *sign, struct err *err)
{
	autofree char *copy = xstrdup(text);
	int r = 0;

	memset(list, 0, SIGNALS * sizeof *list);
	for (char *rest = copy, *one; r >= 0 && (one = strsep(&rest, ","));) {
		char *value = one;
		bool empty = !*one;
		char *name = strsep(&value, sign);

		if (empty || (r = find_signal(name, err)) < 0)
			continue;
		if (list[r].set)
			return err_set(
			    err, ERR_INVALID, "cannot watch '%s': it is there twice", name);
		r = parse_amount(&list[r], name, value, err);
	}
	return r < 0 ? r : 0;
}

int
reserve_thresholds(struct threshold at[static SIGNALS], const char *list, struct err *err)
{
	return parse_list(at, list, "<", err);
}

int
reserve_extra(struct threshold extra[static SIGNALS], const char *list, struct err *err)
{
	return parse_list(extra, list, "=", err);
}

int
reserve_grace(struct reserve *r, const char *list, struct err *err)
{
	autofree char *copy = xstrdup(list);
	bool given[SIGNALS] = { false };
	int i;

	for (char *rest = copy, *one; (one = strsep(&rest, ","));) {
		char *value = one;
		bool empty = !*one;
		char *name = strsep(&value, "=");

		if (empty)
			continue;
		if ((i = find_signal(name, err)) < 0)
			return i;
		if (given[i])
			return err_set(
			    err, ERR_INVALID, "cannot watch '%s': it is there twice", name);
		if (!value || !text_duration(value, &r->grace[i]) || r->grace[i] < 0)
			return err_set(err, ERR_INVALID,
			    "cannot watch '%s': '%s' is not a duration", name, value ? value : "");
		given[i] = true;
	}
	for (i = 0; i < SIGNALS; i++)
		if (r->at[SOFT][i].set && !given[i])
			return err_set(err, ERR_INVALID,
			    "cannot watch '%s': its soft threshold has no grace period",
			    signal_names[i]);
	return 0;
}

int64_t
threshold_value(const struct threshold *t, int64_t capacity)
{
	if (!t->set)
		return 0;
	return t->percent > 0 ? (int64_t)((double)capacity * t->percent / 100) : t->value;
}
