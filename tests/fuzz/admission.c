/*
 * What admission asks of objects, with any JSON: warnings, Pod Security, what quotas count.  The
 * first byte chooses the kind.
 */
#include <stdlib.h>

#include "api/podsecurity.h"
#include "api/quota.h"
#include "api/resources.h"
#include "api/schema.h"
#include "api/warn.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len);

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
	struct causes c = CAUSES_INIT;
	struct buf reason = BUF_INIT, detail = BUF_INIT;
	struct security_policies p;
	struct security_policy policy;
	const struct kind *const *kinds;
	const struct kind *k;
	json_t *obj, *used, *part;
	size_t n;

	if (len < 2)
		return 0;
	kinds = schema_kinds(&n);
	k = kinds[data[0] % n];
	obj = json_loadb((const char *)data + 2, len - 2, JSON_DECODE_ANY, NULL);
	if (!obj)
		return 0;
	warn_create(k, obj, &c);
	warn_update(k, data[1] & 1 ? "status" : "", obj, obj, &c);
	policy = (struct security_policy){ data[1] & 2 ? SECURITY_BASELINE : SECURITY_RESTRICTED,
		data[1] & 4 ? SECURITY_LATEST : data[1] };
	if (security_check(obj, policy, &reason, &detail) != (detail.len == 0))
		abort();
	security_of_labels(json_object_get(obj, "labels"), &p, &c);
	used = quota_usage(k, obj, 0);
	part = quota_part(k, used);
	if (!resources_same(used, part)) /* a kind owns what it uses */
		abort();
	quota_covers(obj, k, obj);
	free(quota_missing(k, part, obj));
	json_decref(part);
	json_decref(used);
	json_decref(obj);
	causes_release(&c);
	buf_release(&reason);
	buf_release(&detail);
	return 0;
}
