/* The defaults of Pods that depend on other fields. */
#include <string.h>

#include "api/defaults.h"
#include "api/meta.h"
#include "api/resources.h"
#include "base/mem.h"

/* What is limited but not requested is requested up to the limit. */
static void
requests_from_limits(json_t *container)
{
	json_t *resources = json_object_get(container, "resources");
	json_t *limits = json_object_get(resources, "limits"), *requests, *value;
	const char *key;

	if (!json_is_object(limits) || !json_object_size(limits))
		return;
	requests = default_object(resources, "requests");
	json_object_foreach (limits, key, value)
		default_to(requests, key, json_deep_copy(value));
}

static void
host_ports(json_t *container)
{
	size_t i;
	json_t *port;

	json_array_foreach (json_object_get(container, "ports"), i, port)
		if (!num(json_object_get(port, "hostPort"), 0) &&
		    num(json_object_get(port, "containerPort"), 0))
			json_object_set(port, "hostPort", json_object_get(port, "containerPort"));
}

static bool
huge(const char *resource)
{
	return !strncmp(resource, "hugepages-", 10);
}

/* A Pod that has limits of its own asks for what its containers ask for together; and its limit of
 * huge pages is theirs. */
static void
pod_resources_of(json_t *v)
{
	json_t *spec = json_object_get(v, "spec");
	json_t *resources = json_object_get(spec, "resources");
	json_t *limits = json_object_get(resources, "limits"), *item;
	json_auto_t *asked = NULL, *most = NULL;
	const char *name;

	if (field_empty(resources, "limits") && field_empty(resources, "requests"))
		return;
	asked = containers_resources(v, "requests");
	most = containers_resources(v, "limits");
	json_object_foreach (most, name, item)
		if (huge(name) && !get(resources, "requests", name))
			default_to(default_object(resources, "limits"), name, json_incref(item));
	limits = json_object_get(resources, "limits");
	if (!json_is_object(limits) || !json_object_size(limits))
		return;
	json_object_foreach (asked, name, item)
		if (!strcmp(name, "cpu") || !strcmp(name, "memory"))
			default_to(default_object(resources, "requests"), name, json_incref(item));
	json_object_foreach (limits, name, item)
		if (!strcmp(name, "cpu") || !strcmp(name, "memory"))
			default_to(default_object(resources, "requests"), name, json_incref(item));
}

/* Only in a Pod, not in templates: what counts there is the Pod that will be made. */
void
defaults_of_pod(json_t *v)
{
	static const char *const lists[] = { "containers", "initContainers" };
	json_t *spec = default_object(v, "spec"), *container;
	size_t i;

	for (size_t l = 0; l < COUNT(lists); l++)
		json_array_foreach (json_object_get(spec, lists[l]), i, container) {
			requests_from_limits(container);
			if (truth(json_object_get(spec, "hostNetwork")))
				host_ports(container);
		}
	if (!field_unset(spec, "resources"))
		pod_resources_of(v);
	default_to(spec, "enableServiceLinks", json_true());
	if (num(json_object_get(spec, "terminationGracePeriodSeconds"), 0) < 0)
		json_object_set_new(spec, "terminationGracePeriodSeconds", json_integer(1));
}

/* serviceAccount is the old name of serviceAccountName; both are kept. */
void
defaults_of_pod_spec(json_t *v)
{
	if (!field_unset(v, "serviceAccount"))
		default_copy(v, "serviceAccountName", json_object_get(v, "serviceAccount"));
	if (!field_unset(v, "serviceAccountName"))
		json_object_set(v, "serviceAccount", json_object_get(v, "serviceAccountName"));
}

/* An image without tag and digest, or with the tag "latest", may change any time. */
static void
pull_policy(json_t *v, const char *key, const char *image)
{
	const char *slash = strrchr(image, '/'), *name = slash ? slash + 1 : image;
	const char *digest = strchr(name, '@'), *tag = strchr(name, ':');

	if (digest && tag > digest)
		tag = NULL;
	if (tag ? !strncmp(tag, ":latest", 7) && (!tag[7] || tag[7] == '@') : !digest)
		default_to(v, key, json_string("Always"));
	else
		default_to(v, key, json_string("IfNotPresent"));
}

void
defaults_of_container(json_t *v)
{
	pull_policy(v, "imagePullPolicy", str(json_object_get(v, "image"), ""));
}

/* A volume without a source is an empty folder. */
void
defaults_of_volume(json_t *v)
{
	json_t *image = json_object_get(v, "image");

	if (json_object_size(v) <= 1 && json_object_get(v, "name"))
		json_object_set_new(v, "emptyDir", json_object());
	if (json_is_object(image))
		pull_policy(image, "pullPolicy", str(json_object_get(image, "reference"), ""));
}
