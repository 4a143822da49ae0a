#ifndef ORCH_CLIENT_MIGRATE_H
#define ORCH_CLIENT_MIGRATE_H

#include <jansson.h>
#include <stdbool.h>

/*
 * From client-side to server-side apply, as kubectl apply --server-side goes: who wrote the
 * annotation with what was applied last (kubectl, or an orch-apply without server-side apply) did
 * it by updates.  Those fields become the applying manager's, so that they are no conflict, and go
 * when they are no longer applied.
 */

/* The JSON patch (RFC 6902) of metadata.managedFields that does it, with the resourceVersion it is
 * for; NULL when there is nothing to migrate.  api_version is the manifest's. */
json_t *migrate_patch(const json_t *live, const char *manager, const char *api_version);

/* Is this one of those whose fields migrate? */
bool migrate_takes(const json_t *live, const char *manager);

/* A JSON patch that sets an object's managedFields to these entries (NULL: none), and nothing
 * else, as long as it has this resourceVersion. */
json_t *managers_patch(const json_t *entries, const char *version);

#endif
