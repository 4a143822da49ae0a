#ifndef ORCH_API_VERSION_H
#define ORCH_API_VERSION_H

/*
 * Which version of a group comes first, as Kubernetes orders those of custom kinds: v10, v2, v1,
 * v1beta2, v1beta1, v1alpha1, then others by name.  Negative: a comes before b.
 */
int version_order(const char *a, const char *b);

#endif
