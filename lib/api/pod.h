#ifndef ORCH_API_POD_H
#define ORCH_API_POD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* What loops ask about Pods and Nodes. */
bool pod_active(const json_t *pod);   /* neither finished nor being deleted */
bool pod_finished(const json_t *pod); /* phase Succeeded or Failed */
bool pod_ready(const json_t *pod);    /* condition Ready is True */
/* Ready for at least min_ready seconds at `now`; when not yet but ready, *wait gets the
 * seconds that are missing (else it is left alone). */
bool pod_available(const json_t *pod, int64_t min_ready, int64_t now, int64_t *wait);

/* A new Pod from a PodTemplateSpec: generateName "owner-", the owner's namespace, a
 * controller ownerReference.  Labels, annotations and finalizers are the template's. */
json_t *pod_from_template(const json_t *pod_template, const json_t *owner);

/*
 * What a Pod asks of a Node (scheduler NodeResourcesFit, KEP-753): the sum over
 * containers and restartable init containers, or the largest init container where
 * that is more, plus overhead.  cpu in millicores, memory and storage in bytes.
 * Other resources are read from the object by name with pod_request().
 */
int64_t pod_request(const json_t *pod, const char *resource);

/* What it may have at most, in the same way; 0: nobody says.  It holds for the pod as a whole only
 * when every container has one, or the pod itself. */
int64_t pod_limit(const json_t *pod, const char *resource);

/* "Guaranteed", "Burstable" or "BestEffort": by what its containers ask for of cpu and memory. */
const char *pod_qos(const json_t *pod);

bool node_ready(const json_t *node);

#endif
