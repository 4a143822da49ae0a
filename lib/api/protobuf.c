/* The envelope of objects in protobuf, and the frames of a watch. */
#include "api/protobuf.h"

#include <string.h>

#include "api/meta.h"
#include "api/protobuf_wire.h"
#include "base/mem.h"

static const char magic[4] = { 'k', '8', 's', '\0' };

/* runtime.Unknown, runtime.TypeMeta, meta.v1.WatchEvent and runtime.RawExtension. */
enum { UNKNOWN_TYPE = 1, UNKNOWN_RAW, UNKNOWN_ENCODING, UNKNOWN_CONTENT_TYPE };
enum { TYPE_VERSION = 1, TYPE_KIND };
enum { EVENT_TYPE = 1, EVENT_OBJECT };
enum { RAW_RAW = 1 };

bool
protobuf_starts(const void *data, size_t len)
{
	return len >= sizeof magic && memcmp(data, magic, sizeof magic) == 0;
}

/* --- writing --- */

static void
put_varint(struct buf *out, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_putc(out, (char)(v | 0x80));
	buf_putc(out, (char)v);
}

static size_t
varint_size(uint64_t v)
{
	size_t n = 1;

	while (v >>= 7)
		n++;
	return n;
}

/* How long protobuf_field() makes it; the numbers here fit one byte. */
static size_t
field_size(size_t len)
{
	return 1 + varint_size(len) + len;
}

static void
put_head(struct buf *out, int number, size_t len)
{
	put_varint(out, (uint64_t)number << 3 | WIRE_BYTES);
	put_varint(out, len);
}

void
protobuf_field(struct buf *out, int number, const void *data, size_t len)
{
	put_head(out, number, len);
	buf_add(out, data, len);
}

void
protobuf_head(struct buf *out, int number, size_t len)
{
	put_head(out, number, len);
}

void
protobuf_wrap_begin(struct buf *out, const char *api_version, const char *kind, size_t len)
{
	size_t version_len = strlen(api_version), kind_len = strlen(kind);

	buf_add(out, magic, sizeof magic);
	put_head(out, UNKNOWN_TYPE, field_size(version_len) + field_size(kind_len));
	protobuf_field(out, TYPE_VERSION, api_version, version_len);
	protobuf_field(out, TYPE_KIND, kind, kind_len);
	put_head(out, UNKNOWN_RAW, len);
}

void
protobuf_wrap_end(struct buf *out)
{
	protobuf_field(out, UNKNOWN_ENCODING, "", 0);
	protobuf_field(out, UNKNOWN_CONTENT_TYPE, "", 0);
}

void
protobuf_wrap(
    struct buf *out, const char *api_version, const char *kind, const void *message, size_t len)
{
	protobuf_wrap_begin(out, api_version, kind, len);
	buf_add(out, message, len);
	protobuf_wrap_end(out);
}

void
protobuf_event(struct buf *out, const char *type, const void *object, size_t len)
{
	size_t type_len = strlen(type), frame = field_size(type_len) + field_size(field_size(len));

	for (int shift = 24; shift >= 0; shift -= 8)
		buf_putc(out, (char)(frame >> shift));
	protobuf_field(out, EVENT_TYPE, type, type_len);
	put_head(out, EVENT_OBJECT, field_size(len));
	protobuf_field(out, RAW_RAW, object, len);
}

/* Options, Status and others of the kind are said to be of whatever group they are used with. */
static const struct kind *
kind_anywhere(const char *version, const char *name)
{
	const struct kind *k = kind_of_object(version, name);

	if (!k && (k = kind_find("", "v1", name)) && strncmp(k->type->name, "meta.", 5) != 0)
		k = NULL;
	return k;
}

int
protobuf_write(const json_t *obj, struct buf *out, struct err *err)
{
	const char *version = text(obj, "apiVersion"), *name = text(obj, "kind");
	const struct kind *k = kind_anywhere(version, name);
	autobuf struct buf message = BUF_INIT;
	char of[128];
	int r;

	if (!k)
		return err_set(
		    err, ERR_NOT_ACCEPTABLE, "%.100s '%.100s' has no protobuf form", version, name);
	if ((r = protobuf_encode(obj, k->type, &message, err)) < 0)
		return r;
	protobuf_wrap(
	    out, *version ? version : kind_api_version(k, of), name, message.data, message.len);
	return 0;
}

/* --- reading --- */

struct envelope {
	struct reader version, kind, raw;
};

/* The two fields of a message whose numbers these are; others are skipped. */
static bool
read_pair(struct reader r, int a, struct reader *first, int b, struct reader *second)
{
	enum wire wire;
	int n;

	while (r.p < r.end) {
		struct reader *into;

		if (!read_key(&r, &n, &wire))
			return false;
		into = n == a ? first : n == b ? second : NULL;
		if (into ? wire != WIRE_BYTES || !read_bytes(&r, into) : !read_skip(&r, wire))
			return false;
	}
	return true;
}

static bool
read_envelope(struct reader r, struct envelope *e)
{
	struct reader type = { NULL, NULL };

	*e = (struct envelope){ 0 };
	return read_pair(r, UNKNOWN_TYPE, &type, UNKNOWN_RAW, &e->raw) &&
	       read_pair(type, TYPE_VERSION, &e->version, TYPE_KIND, &e->kind);
}

static char *
reader_text(struct reader r)
{
	return xstrndup(r.p ? (const char *)r.p : "", (size_t)(r.end - r.p));
}

/* The kind goes first, as Kubernetes writes it. */
static json_t *
with_kind(json_t *obj, const char *version, const struct kind *k)
{
	json_t *whole = json_object();

	json_object_set_new(whole, "kind", json_string(k->kind));
	json_object_set_new(whole, "apiVersion", json_string(version));
	json_object_update_missing(whole, obj);
	json_decref(obj);
	return whole;
}

static int
no_envelope(struct err *err, const char *why)
{
	return err_set(err, ERR_MEDIA_TYPE, "%s", why);
}

/* In Kubernetes' own words (apimachinery, serializer/protobuf). */
static int
open_envelope(const void *data, size_t len, struct envelope *e, struct err *err)
{
	struct reader r = { data, (const unsigned char *)data + len };

	if (len == 0)
		return no_envelope(err, "empty data");
	if (!protobuf_starts(data, len))
		return no_envelope(err, "provided data does not appear to be a protobuf message, "
					"expected prefix [107 56 115 0]");
	if (len == sizeof magic)
		return no_envelope(err, "empty body");
	r.p += sizeof magic;
	return read_envelope(r, e) ? 0 : no_envelope(err, "unexpected EOF");
}

int
protobuf_read(const void *data, size_t len, const struct kind *dflt, json_t **ret,
    const struct kind **kind, struct err *err)
{
	autofree char *version = NULL, *name = NULL;
	struct envelope e;
	const struct kind *k = dflt;
	json_t *obj;
	char of[128];
	int r;

	if ((r = open_envelope(data, len, &e, err)) < 0)
		return r;
	version = reader_text(e.version);
	name = reader_text(e.kind);
	if ((*version || *name) && !(k = kind_anywhere(version, name)))
		return err_set(err, ERR_BAD_REQUEST,
		    "no kind \"%.100s\" is registered for version \"%.100s\"", name, version);
	if (!k)
		return err_set(err, ERR_BAD_REQUEST,
		    "cannot decode protobuf: the envelope does not say of what kind it is");
	if (k->custom)
		return err_set(err, ERR_BAD_REQUEST,
		    "object *unstructured.Unstructured does not implement the protobuf marshalling "
		    "interface and cannot be encoded to a protobuf message");
	if ((r = protobuf_decode(e.raw.p, (size_t)(e.raw.end - e.raw.p), k->type, &obj, err)) < 0)
		return r;
	*ret = with_kind(obj, *version || *name ? version : kind_api_version(k, of), k);
	if (kind)
		*kind = k;
	return 0;
}
