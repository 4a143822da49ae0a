/* The commit thread's side: every Service that is written or goes, and its IPAddress objects. */
#include <string.h>

#include "api/meta.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/bootstrap.h"
#include "store/service_private.h"

/* What a write of a Service changes, from before to after the commit. */
struct change_of_service {
	struct holding old, now;
};

static bool
has(const struct holding *h, const struct number *n)
{
	for (size_t i = 0; i < h->nip; i++)
		if (memcmp(&h->ip[i], n, sizeof *n) == 0)
			return true;
	return false;
}

static void
free_write(struct write *w)
{
	write_release(w);
	free(w);
}

static void
companion_done(struct write *w)
{
	if (w->result < 0 && w->result != -ERR_CONFLICT)
		log_line("cannot keep up with Services: %s", w->err.msg);
	free_write(w);
}

struct write *
service_write(struct table *t, uint64_t expect, struct write *next)
{
	struct write *w = xcalloc(1, sizeof *w);

	w->table = t;
	w->expect = expect;
	w->draft = (struct draft)DRAFT_INIT;
	w->done = companion_done;
	w->next = next;
	return w;
}

/* --- IPAddress objects ------------------------------------------------------------------------ */

static json_t *
address_json(const struct number *n, const char *namespace, const char *service)
{
	char ip[INET6_ADDRSTRLEN];

	return json_pack("{s:s,s:s,s:{s:s,s:{s:s,s:s}},s:{s:{s:s,s:s,s:s}}}", "apiVersion",
	    "networking.k8s.io/v1", "kind", "IPAddress", "metadata", "name", number_ip(n, ip),
	    "labels", "ipaddress.kubernetes.io/ip-family", number_is_v6(n) ? "IPv6" : "IPv4",
	    "ipaddress.kubernetes.io/managed-by", "ipallocator.k8s.io", "spec", "parentRef",
	    "resource", "services", "namespace", namespace, "name", service);
}

static bool
names_parent(const json_t *address, const char *namespace, const char *service)
{
	return strcmp(text(address, "spec", "parentRef", "namespace"), namespace) == 0 &&
	       strcmp(text(address, "spec", "parentRef", "name"), service) == 0;
}

struct write *
service_claim_write(struct services *sv, const struct number *n, const char *namespace,
    const char *service, struct write *list)
{
	char ip[INET6_ADDRSTRLEN];
	struct object *o = cache_peek(sv->addresses, "", number_ip(n, ip));
	json_auto_t *there = o ? object_json(o, sv->addresses->kind) : NULL, *obj = NULL;
	struct write *w;

	if (o && (!service_ip_ours(there) || names_parent(there, namespace, service)))
		return list;
	w = service_write(sv->addresses, o ? o->revision : 0, list);
	obj = address_json(n, namespace, service);
	server_object(sv->addresses->kind, "kube-apiserver", NULL, obj);
	draft_encode(&w->draft, sv->addresses->kind, obj);
	return w;
}

/* The write that takes it away, in the same way. */
static struct write *
disclaim_address(struct services *sv, const struct number *n, const char *namespace,
    const char *service, struct write *list)
{
	char ip[INET6_ADDRSTRLEN];
	struct object *o = cache_peek(sv->addresses, "", number_ip(n, ip));
	json_auto_t *there = o ? object_json(o, sv->addresses->kind) : NULL;
	struct write *w;

	if (!o || !service_ip_ours(there) || !names_parent(there, namespace, service))
		return list;
	w = service_write(sv->addresses, o->revision, list);
	w->deletes = true;
	draft_copy(&w->draft, o);
	return w;
}

/* The Endpoints of a Service that goes are no use to the next one of its name. */
static struct write *
drop_endpoints(struct services *sv, const char *namespace, const char *service, struct write *list)
{
	struct object *o = cache_peek(sv->endpoints, namespace, service);
	json_auto_t *obj = o ? object_json(o, sv->endpoints->kind) : NULL;
	struct write *w;

	if (!o || json_array_size(get(obj, "metadata", "finalizers")) > 0)
		return list;
	w = service_write(sv->endpoints, o->revision, list);
	w->deletes = true;
	draft_copy(&w->draft, o);
	return w;
}

/* --- a Service ---------------------------------------------------------------------------------
 */

static const char *
name_of(const struct write *w)
{
	return w->draft.text.data + strlen(w->draft.text.data) + 1;
}

static void
read_change(struct services *sv, struct write *w, struct change_of_service *ch)
{
	const char *namespace = w->draft.text.data;
	struct object *old = cache_peek(sv->table, namespace, name_of(w)), *now;

	if (old) {
		json_t *obj = object_json(old, sv->table->kind);

		holding_read(&ch->old, obj);
		json_decref(obj);
	}
	if (!w->deletes) {
		json_t *obj;

		now = draft_finish(&w->draft, 0);
		obj = object_json(now, sv->table->kind);
		holding_read(&ch->now, obj);
		json_decref(obj);
		object_unref(now);
	}
}

struct write *
services_before(struct services *sv, struct write *w)
{
	struct change_of_service *ch;
	const char *namespace = w->draft.text.data, *name = name_of(w);
	struct write *list = NULL;

	if (w->table != sv->table)
		return NULL;
	w->side = ch = xcalloc(1, sizeof *ch);
	read_change(sv, w, ch);
	for (size_t i = 0; i < ch->old.nip; i++)
		if (!has(&ch->now, &ch->old.ip[i]))
			list = disclaim_address(sv, &ch->old.ip[i], namespace, name, list);
	for (size_t i = 0; i < ch->now.nip; i++)
		list = service_claim_write(sv, &ch->now.ip[i], namespace, name, list);
	return w->deletes ? drop_endpoints(sv, namespace, name, list) : list;
}

static void
change_holders(struct services *sv, struct write *w, bool kept)
{
	struct change_of_service *ch = w->side;

	if (kept) {
		holding_begin(sv, &ch->now);
		holding_end(sv, &ch->old);
	}
	holding_release(&ch->old);
	holding_release(&ch->now);
	free(ch);
	w->side = NULL;
}

/* Somebody took an address's object away; the Service still has it. */
static void
restore_address(struct services *sv, struct write *w)
{
	json_auto_t *gone = object_json(w->object, sv->addresses->kind), *obj = NULL;
	const char *namespace = text(gone, "spec", "parentRef", "namespace");
	const char *name = text(gone, "spec", "parentRef", "name");
	struct object *o = cache_peek(sv->table, namespace, name);
	struct holding h = { 0 };
	struct write *again = NULL;
	struct number n;

	if (!o || !number_of_ip(&n, meta_name(gone)))
		return;
	obj = object_json(o, sv->table->kind);
	holding_read(&h, obj);
	if (has(&h, &n))
		again = service_claim_write(sv, &n, namespace, name, NULL);
	holding_release(&h);
	if (again)
		commit_queue(sv->commit, again);
}

void
services_after(struct services *sv, struct write *w, bool kept)
{
	if (w->table == sv->table)
		change_holders(sv, w, kept);
	else if (kept && w->table == sv->cidrs)
		service_ranges(sv);
	else if (kept && w->table == sv->addresses && w->deletes)
		restore_address(sv, w);
}
