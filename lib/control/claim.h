#ifndef ORCH_CONTROL_CLAIM_H
#define ORCH_CONTROL_CLAIM_H

#include <jansson.h>

#include "api/selector.h"

/*
 * Who controls what.  A controller owns the objects whose controller reference has its uid.  It
 * adopts what its selector matches and nobody controls, and releases what it no longer matches.
 * Neither happens once the owner is being deleted, and nothing that is being deleted is adopted.
 */
enum claim { CLAIM_NOT, CLAIM_OWN, CLAIM_ADOPT, CLAIM_RELEASE };
enum claim claim(const json_t *owner, const struct selector *s, const json_t *obj);

/* obj's ownerReferences with the owner as its controller, or without the owner; new. */
json_t *claim_references(const json_t *owner, const json_t *obj);
json_t *claim_references_without(const char *owner_uid, const json_t *obj);

#endif
