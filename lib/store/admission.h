#ifndef ORCH_STORE_ADMISSION_H
#define ORCH_STORE_ADMISSION_H

#include "base/opt.h"
#include "store/call.h"

/*
 * What the server adds to an object, and asks of it besides being valid, before a write is kept:
 * Kubernetes' admission plugins, by their names there, in a fixed order (admission.c has the
 * table).  They stand after the field manager, so that nobody owns what a plugin adds, and around
 * validation: first all that change the object, then validation, then all that only look at it.
 * Webhooks and policies have their place at the end of both rounds.
 *
 * A plugin that refuses answers the call itself and returns -1; the call is gone then.
 */
enum operation { OP_CREATE = 1, OP_UPDATE = 2 };

struct admission {
	struct call *c;
	enum operation op;
	const struct kind *kind;
	const char *sub;   /* the subresource that is written, "": the object itself */
	const json_t *old; /* NULL on a create */
	json_t *obj;
};

/* Both rounds; each answers and returns -1 when a plugin refuses. */
int admission_mutate(struct call *c, enum operation op, const json_t *old, json_t *obj);
int admission_validate(struct call *c, enum operation op, const json_t *old, json_t *obj);

/*
 * --enable-admission-plugins and --disable-admission-plugins: each item a list of names with commas
 * between.  Before the server starts; refuses a name that no plugin has.
 */
int admission_choose(const struct list *enable, const struct list *disable, struct err *err);

/* 403 as plugins say it: `pods "x" is forbidden: ...`; answers and returns -1. */
int admission_forbid(struct admission *a, const char *fmt, ...) PRINTF(2, 3);

/* --- the plugins, a file for each concern; in the table's order --- */
int admit_namespace(struct admission *a); /* NamespaceLifecycle: it exists and is not leaving */

#endif
