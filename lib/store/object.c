#include <string.h>

#include "api/convert.h"
#include "api/custom.h"
#include "api/meta.h"
#include "base/json.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "store/object.h"

/* The order in which Kubernetes prints metadata; resourceVersion is where the slot is. */
static const char *const meta_order[] = { "name", "generateName", "namespace", "selfLink", "uid",
	"resourceVersion", "generation", "creationTimestamp", "deletionTimestamp",
	"deletionGracePeriodSeconds", "labels", "annotations", "ownerReferences", "finalizers",
	"managedFields" };

struct object *
object_ref(struct object *o)
{
	o->refs++;
	return o;
}

void
object_unref(struct object *o)
{
	if (!o || --o->refs > 0)
		return;
	object_drop_message(o);
	bytes_unref(o->body);
	free(o);
}

const char *
object_namespace(const struct object *o)
{
	return o->text;
}

const char *
object_name(const struct object *o)
{
	return o->text + strlen(o->text) + 1;
}

/* What we have written ourselves; only a NUL in a string takes the slow reader. */
static json_t *
read_own(const struct buf *text)
{
	char msg[128];
	json_t *v;
	size_t used;

	if (json_decode(text->data, text->len, &v, &used, msg) == JSON_FINE)
		return v;
	return json_loadb(text->data, text->len, JSON_ALLOW_NUL, NULL);
}

static json_t *
body_json_as(const struct bytes *body, const struct kind *k)
{
	char version[128];
	autobuf struct buf b = BUF_INIT;
	json_t *obj;

	buf_reserve(&b, body->len + 256);
	buf_printf(
	    &b, "{\"apiVersion\":\"%s\",\"kind\":\"%s\",", kind_api_version(k, version), k->kind);
	buf_add(&b, body->data, body->len);
	obj = read_own(&b);
	if (!obj)
		abort(); /* we encoded it */
	return obj;
}

json_t *
object_json_kept(const struct object *o, const struct kind *k)
{
	return body_json_as(o->body, k);
}

/* The third string of an object's text. */
static const char *
version_in(const char *text, size_t len)
{
	const char *at = text, *end = text + len;

	for (int i = 0; i < 2 && at < end; i++)
		at += strlen(at) + 1;
	return at < end ? at : "";
}

const char *
object_version(const struct object *o)
{
	return version_in(o->text, o->text_len);
}

const struct kind *
object_kind(const struct object *o, const struct kind *k)
{
	const char *version = k->custom ? object_version(o) : "";

	for (size_t i = 0; *version && i < k->custom->nall; i++)
		if (strcmp(k->custom->all[i].version, version) == 0)
			return &k->custom->all[i];
	return kind_stored(k);
}

json_t *
object_json(const struct object *o, const struct kind *k)
{
	const struct kind *own = object_kind(o, k);
	json_t *obj = body_json_as(o->body, own);

	if (own->custom && !o->shown)
		custom_read(own, obj, o->revision);
	convert(obj, own, k);
	return obj;
}

void
draft_release(struct draft *d)
{
	buf_release(&d->body);
	buf_release(&d->text);
}

static void
key_add(struct buf *b, const char *key)
{
	json_t *s = json_string(key);

	if (b->data[b->len - 1] != '{')
		buf_putc(b, ',');
	json_add(b, s);
	buf_putc(b, ':');
	json_decref(s);
}

static bool
ordered(const char *key)
{
	for (size_t i = 0; i < COUNT(meta_order); i++)
		if (strcmp(key, meta_order[i]) == 0)
			return true;
	return false;
}

static void
encode_meta(struct draft *d, const json_t *meta)
{
	const char *key;
	json_t *v;

	buf_puts(&d->body, "\"metadata\":{");
	for (size_t i = 0; i < COUNT(meta_order); i++) {
		v = json_object_get(meta, meta_order[i]);
		if (strcmp(meta_order[i], "resourceVersion") == 0) {
			key_add(&d->body, meta_order[i]);
			buf_puts(&d->body, "\"\"");
			d->slot = d->body.len - 1;
			continue;
		}
		if (!v)
			continue;
		key_add(&d->body, meta_order[i]);
		size_t at = d->body.len;
		json_add(&d->body, v);
		if (strcmp(meta_order[i], "labels") == 0) {
			d->labels_at = (uint32_t)at;
			d->labels_len = (uint32_t)(d->body.len - at);
		}
	}
	json_object_foreach ((json_t *)meta, key, v) {
		if (ordered(key))
			continue;
		key_add(&d->body, key);
		json_add(&d->body, v);
	}
	buf_putc(&d->body, '}');
}

/* A field's value as a selector compares it. */
static void
field_add(struct buf *out, const json_t *obj, const char *path)
{
	const json_t *v = obj;
	const char *at = path;

	while (v && *at) {
		size_t n = strcspn(at, ".");
		v = json_object_getn(v, at, n);
		at += n + (at[n] == '.');
	}
	if (strcmp(path, "source") == 0)
		buf_puts(out, text(obj, "source", "component"));
	else if (json_is_string(v))
		buf_puts(out, json_string_value(v));
	else if (json_is_integer(v))
		buf_printf(out, "%lld", (long long)json_integer_value(v));
	else if (json_is_true(v))
		buf_puts(out, "true");
	else if (strcmp(path, "spec.unschedulable") == 0 || strcmp(path, "spec.hostNetwork") == 0)
		buf_puts(out, "false");
	else if (strcmp(path, "status.replicas") == 0)
		buf_puts(out, "0");
	buf_putc(out, '\0');
}

static void
encode_text(struct buf *text, const struct kind *k, const json_t *obj)
{
	buf_puts(text, meta_namespace(obj));
	buf_putc(text, '\0');
	buf_puts(text, meta_name(obj));
	buf_putc(text, '\0');
	for (const char *const *f = kind_fields(k); *f; f++)
		field_add(text, obj, *f);
	if (k->custom) {
		buf_puts(text, k->version);
		buf_putc(text, '\0');
	}
}

void
draft_encode_as(struct draft *d, const struct kind *k, const json_t *obj)
{
	const char *key;
	json_t *v;

	buf_clear(&d->body);
	buf_clear(&d->text);
	d->labels_at = d->labels_len = 0;
	buf_reserve(&d->body, 2048);
	encode_meta(d, json_object_get(obj, "metadata"));
	json_object_foreach ((json_t *)obj, key, v) {
		if (strcmp(key, "metadata") == 0 || strcmp(key, "kind") == 0 ||
		    strcmp(key, "apiVersion") == 0 || strcmp(key, "status") == 0)
			continue;
		key_add(&d->body, key);
		json_add(&d->body, v);
	}
	if ((v = json_object_get(obj, "status"))) {
		key_add(&d->body, "status");
		json_add(&d->body, v);
	}
	buf_putc(&d->body, '}');
	encode_text(&d->text, k, obj);
}

void
draft_encode(struct draft *d, const struct kind *k, const json_t *obj)
{
	const struct kind *stored = kind_stored(k);
	json_t *kept = convert_copy(obj, k, stored);

	if (stored != k && stored->custom)
		custom_default(stored, kept); /* what is read is as if it had just been defaulted */
	draft_encode_as(d, stored, kept);
	json_decref(kept);
}

/* The draft's bytes with these digits in their place. */
static struct bytes *
fill_in(const struct draft *d, const char *digits)
{
	size_t n = strlen(digits);
	struct bytes *body = bytes_alloc(d->body.len + n);

	memcpy(body->data, d->body.data, d->slot);
	memcpy(body->data + d->slot, digits, n);
	memcpy(body->data + d->slot + n, d->body.data + d->slot, d->body.len - d->slot);
	return body;
}

/* The version that stands in a body: what comes before it are names and a uid. */
static uint64_t
body_revision(const struct bytes *body)
{
	static const char key[] = "\"resourceVersion\":\"";
	const char *at = strstr(body->data, key);

	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

struct bytes *
body_view(const struct object *like, struct bytes *body, const struct kind *k)
{
	const struct kind *own = object_kind(like, k);
	bool old = own->custom && !like->shown && body_revision(body) < own->custom->since;
	struct draft d = DRAFT_INIT;
	struct bytes *ret;
	json_t *obj;

	if (own == k && !old)
		return bytes_ref(body);
	obj = body_json_as(body, own);
	if (old)
		custom_read(own, obj, 0);
	convert(obj, own, k);
	draft_encode_as(&d, k, obj);
	ret = fill_in(&d, meta_version(obj));
	draft_release(&d);
	json_decref(obj);
	return ret;
}

struct bytes *
object_body(const struct object *o, const struct kind *k)
{
	return body_view(o, o->body, k);
}

static struct object *
object_new(uint64_t revision, struct bytes *body, const void *text, size_t len)
{
	struct object *o = xmalloc(sizeof *o + len);

	*o = (struct object){
		.refs = 1, .revision = revision, .body = body, .text_len = (uint32_t)len
	};
	memcpy(o->text, text, len);
	return o;
}

struct object *
draft_finish(const struct draft *d, uint64_t revision)
{
	char digits[24];
	size_t n = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)revision);
	struct object *o;

	o = object_new(revision, fill_in(d, digits), d->text.data, d->text.len);
	o->labels_len = d->labels_len;
	o->labels_at = d->labels_at + (d->labels_at > d->slot ? (uint32_t)n : 0);
	return o;
}

void
draft_copy(struct draft *d, const struct object *o)
{
	static const char key[] = "\"resourceVersion\":\"";
	const char *at = strstr(o->body->data, key); /* what comes before it are names and a uid */
	size_t digits;

	*d = (struct draft)DRAFT_INIT;
	d->slot = (size_t)(at - o->body->data) + strlen(key);
	digits = strspn(o->body->data + d->slot, "0123456789");
	buf_add(&d->body, o->body->data, d->slot);
	buf_add(&d->body, o->body->data + d->slot + digits, o->body->len - d->slot - digits);
	d->labels_len = o->labels_len;
	d->labels_at = o->labels_at - (o->labels_at > d->slot ? (uint32_t)digits : 0);
	buf_add(&d->text, o->text, o->text_len);
}

bool
draft_like(const struct draft *d, const struct object *o)
{
	return strcmp(version_in(d->text.data, d->text.len), object_version(o)) == 0;
}

bool
draft_same(const struct draft *d, const struct object *o)
{
	char digits[24];
	size_t n = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)o->revision);

	return o->body->len == d->body.len + n &&
	       memcmp(o->body->data, d->body.data, d->slot) == 0 &&
	       memcmp(o->body->data + d->slot + n, d->body.data + d->slot, d->body.len - d->slot) ==
		   0;
}

static json_t *
body_without_version(const void *data, size_t len)
{
	autobuf struct buf text = BUF_INIT;
	json_t *obj;

	buf_putc(&text, '{');
	buf_add(&text, data, len);
	obj = read_own(&text);
	json_object_del(json_object_get(obj, "metadata"), "resourceVersion");
	return obj;
}

bool
draft_equal(const struct draft *d, const struct object *o)
{
	json_auto_t *a = body_without_version(d->body.data, d->body.len);
	json_auto_t *b = body_without_version(o->body->data, o->body->len);

	return a && b && json_equal(a, b);
}

/* labels_at, labels_len, number of fields, text. */
void
object_index(const struct object *o, struct buf *out)
{
	uint32_t head[2] = { o->labels_at, o->labels_len };

	buf_add(out, head, sizeof head);
	buf_add(out, o->text, o->text_len);
}

static size_t
strings_in(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += text[i] == '\0';
	return n;
}

/* Index entries of another version of this program may lack a field: then the body is parsed. */
static bool
index_usable(const struct kind *k, const char *index, size_t len)
{
	size_t want = 2, have;

	if (len <= 8 || index[len - 1] != '\0')
		return false;
	have = strings_in(index + 8, len - 8);
	/* a custom kind, which is not known yet while what is kept is read */
	if (k->custom || !*k->kind)
		return have == 2 || have == 3;
	for (const char *const *f = kind_fields(k); *f; f++)
		want++;
	return have == want;
}

struct object *
object_restore(uint64_t revision, const struct kind *k, const void *body, size_t len,
    const void *index, size_t index_len)
{
	uint32_t head[2];
	struct object *o;

	if (index_usable(k, index, index_len)) {
		o = object_new(
		    revision, bytes_new(body, len), (const char *)index + 8, index_len - 8);
		memcpy(head, index, sizeof head);
		o->labels_at = head[0];
		o->labels_len = head[1];
		if (len >= o->labels_at && len - o->labels_at >= o->labels_len)
			return o;
		object_unref(o);
	}

	struct draft d = DRAFT_INIT;
	autobuf struct buf text = BUF_INIT;
	json_t *obj;

	buf_putc(&text, '{');
	buf_add(&text, body, len);
	obj = read_own(&text);
	if (!obj)
		return NULL;
	draft_encode_as(&d, k, obj);
	o = draft_finish(&d, revision);
	draft_release(&d);
	json_decref(obj);
	return o;
}
