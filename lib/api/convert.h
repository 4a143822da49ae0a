#ifndef ORCH_API_CONVERT_H
#define ORCH_API_CONVERT_H

#include <jansson.h>

#include "api/schema.h"

/*
 * One object in several versions or groups: autoscaling/v1 and v2 are two ways to see the same
 * HorizontalPodAutoscaler, v1 and events.k8s.io/v1 the same Event.  It is kept in one of them;
 * every other one is a view of it.  What a view cannot say travels in annotations.
 */

/* The kind that objects of this one are kept as: itself, for all but views. */
const struct kind *kind_stored(const struct kind *k);
/* The kind of the same objects in another "group/version", k itself among them; NULL: there is
 * none. */
const struct kind *kind_sibling(const struct kind *k, const char *api_version);

/* Make an object of one kind one of its sibling `to`, in place; it must share nothing with other
 * trees. */
void convert(json_t *obj, const struct kind *from, const struct kind *to);
/* The same for one that may lack parts, as server-side apply has them: nothing is added but what
 * the versions say differently. */
void convert_part(json_t *obj, const struct kind *from, const struct kind *to);
/* convert() into a new tree; obj itself again where there is nothing to do. */
json_t *convert_copy(const json_t *obj, const struct kind *from, const struct kind *to);

/*
 * What a writer said, as it comes back: through the kept form and back again.  After defaults, in
 * place.  Kinds without views stay as they are.
 */
void convert_settle(const struct kind *k, json_t *obj);
/* Where a view has parts of its status in annotations: an update of the status changes these only,
 * and one of the rest all others. */
void convert_keep(const struct kind *k, const json_t *old, json_t *obj, bool status);

/* The kind whose rules an object of this one is checked by: the kept one, or k. */
const struct kind *kind_checked(const struct kind *k);
/* What a field that selectors may name is called in the kept form. */
const char *convert_field(const struct kind *k, const char *path);

/* --- the kinds' own, each in a file --- */
void autoscaler_from_v1(json_t *obj);
void autoscaler_to_v1(json_t *obj);
void autoscaler_settle(json_t *obj); /* what version 2 ignores */
void autoscaler_keep(const json_t *old, json_t *obj, bool status);
void event_from_new(json_t *obj);
void event_to_new(json_t *obj);
extern const char *const event_fields[][2];

#endif
