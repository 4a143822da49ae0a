/* Rows made from kept bytes: the same as by way of a tree, whatever stands in the strings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "base/buf.h"
#include "base/jsonl.h"
#include "store/gzip.h"
#include "store/rows.h"

static const char *const bodies[] = {
	"\"metadata\":{\"name\":\"a\",\"namespace\":\"n\",\"resourceVersion\":\"7\"},\"data\":{"
	"\"k\":\"v\"}}",
	"\"metadata\":{\"name\":\"b\",\"annotations\":{\"x\":\"}{\\\"\\\\\",\"y\":\"\\\\\\\"}\"}},"
	"\"data\":{}}",
	"\"metadata\":{\"name\":\"c\",\"labels\":{\"\":\"\"},\"finalizers\":[\"{\",\"}\"]}}",
};
enum { N = 3 };

static json_t *
by_tree(const struct shape *s, const struct kind *k)
{
	json_t *items = json_array();

	for (int i = 0; i < N; i++) {
		autobuf struct buf b = BUF_INIT;

		buf_printf(&b, "{%s", bodies[i]);
		json_array_append_new(items, json_loadb(b.data, b.len, 0, NULL));
	}
	return shape_convert(s, k,
	    json_pack("{s:s,s:{s:s},s:o}", "kind", "ConfigMapList", "metadata", "resourceVersion",
		"9", "items", items),
	    true, 0);
}

static int
check(enum form form, enum include include)
{
	const struct kind *k = kind_find("", "v1", "ConfigMap");
	struct shape s = { .form = form, .version = "meta.k8s.io/v1", .include = include };
	struct bytes *body[N], *out;
	json_t *a, *b;
	int bad;

	for (int i = 0; i < N; i++)
		body[i] = bytes_new(bodies[i], strlen(bodies[i]));
	out = rows_encode(&s, k, "{\"resourceVersion\":\"9\"}", body, N, 0);
	a = json_loadb(out->data, out->len, 0, NULL);
	b = by_tree(&s, k);
	bad = !json_equal(a, b);
	if (bad)
		fprintf(stderr, "form %d, include %d: %s\n", form, include, out->data);
	json_decref(a);
	json_decref(b);
	bytes_unref(out);
	for (int i = 0; i < N; i++)
		bytes_unref(body[i]);
	return bad;
}

/* A list in protobuf, out of messages that are kept: the same bytes, each time it is asked for. */
static int
check_messages(void)
{
	const struct kind *k = kind_find("", "v1", "ConfigMap");
	struct shape s = { .form = FORM_JSON, .protobuf = true };
	struct bytes *body[N], *want;
	struct object *o[N];
	struct err err;
	int bad = 0;

	for (int i = 0; i < N; i++) {
		o[i] = object_restore(7, k, bodies[i], strlen(bodies[i]), "", 0);
		body[i] = bytes_ref(o[i]->body);
	}
	want = rows_protobuf(&s, k, "{\"resourceVersion\":\"9\"}", body, N, &err);
	for (int round = 0; round < 2; round++) {
		autobuf struct buf have = BUF_INIT;
		size_t n = 0;
		struct bytes **piece =
		    rows_messages(k, "{\"resourceVersion\":\"9\"}", o, N, &n, &err);

		for (size_t i = 0; i < n; i++) {
			buf_add(&have, piece[i]->data, piece[i]->len);
			bytes_unref(piece[i]);
		}
		free(piece);
		bad +=
		    !want || have.len != want->len || memcmp(have.data, want->data, want->len) != 0;
	}
	bytes_unref(want);
	for (int i = 0; i < N; i++) {
		bytes_unref(body[i]);
		object_unref(o[i]);
	}
	return bad;
}

static int
check_gzip(size_t len)
{
	struct bytes *whole = bytes_alloc(len), *packed, *again;
	int bad;

	for (size_t i = 0; i < len; i++)
		whole->data[i] = (char)(i * 2654435761u >> 13);
	packed = gzip_pack(&whole, 1, 1);
	again = gzip_unpack(packed, len);
	bad = again->len != len || memcmp(again->data, whole->data, len) != 0;
	bytes_unref(whole);
	bytes_unref(packed);
	bytes_unref(again);
	return bad;
}

int
main(void)
{
	int bad = 0;

	for (enum include i = INCLUDE_METADATA; i <= INCLUDE_NONE; i++)
		bad += check(FORM_TABLE, i);
	bad += check(FORM_PARTIAL_LIST, INCLUDE_METADATA);
	bad += check_messages();
	for (size_t len = 0; len < 300000; len = len * 7 + 1)
		bad += check_gzip(len);
	return bad;
}
