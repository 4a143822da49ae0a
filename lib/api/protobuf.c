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
protobuf_wrap(
    struct buf *out, const char *api_version, const char *kind, const void *message, size_t len)
{
	size_t version_len = strlen(api_version), kind_len = strlen(kind);

	buf_add(out, magic, sizeof magic);
	put_head(out, UNKNOWN_TYPE, field_size(version_len) + field_size(kind_len));
	protobuf_field(out, TYPE_VERSION, api_version, version_len);
	protobuf_field(out, TYPE_KIND, kind, kind_len);
	protobuf_field(out, UNKNOWN_RAW, message, len);
	protobuf_field(out, UNKNOWN_ENCODING, "", 0);
	protobuf_field(out, UNKNOWN_CONTENT_TYPE, "", 0);
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

int
protobuf_write(const json_t *obj, struct buf *out, struct err *err)
{
	const char *version = text(obj, "apiVersion"), *name = text(obj, "kind");
	const struct kind *k = kind_of_object(version, name);
	autobuf struct buf message = BUF_INIT;
	int r;

	if (!k)
		return err_set(
		    err, ERR_NOT_ACCEPTABLE, "%.100s '%.100s' has no protobuf form", version, name);
	if ((r = protobuf_encode(obj, k->type, &message, err)) < 0)
		return r;
	protobuf_wrap(out, version, name, message.data, message.len);
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
with_kind(json_t *obj, const struct kind *k)
{
	json_t *whole = json_object();
	char version[128];

	json_object_set_new(whole, "kind", json_string(k->kind));
	json_object_set_new(whole, "apiVersion", json_string(kind_api_version(k, version)));
	json_object_update_missing(whole, obj);
	json_decref(obj);
	return whole;
}

int
protobuf_read(const void *data, size_t len, const struct kind *dflt, json_t **ret,
    const struct kind **kind, struct err *err)
{
	struct reader r = { data, (const unsigned char *)data + len };
	struct envelope e;
	const struct kind *k = dflt;
	json_t *obj;
	int result;

	if (!protobuf_starts(data, len))
		return err_set(err, ERR_BAD_REQUEST,
		    "cannot decode protobuf: it does not begin with the four bytes \"k8s\\0\"");
	r.p += sizeof magic;
	if (!read_envelope(r, &e))
		return err_set(err, ERR_BAD_REQUEST,
		    "cannot decode protobuf: the envelope is cut off or a length is wrong");
	if (e.version.p != e.version.end || e.kind.p != e.kind.end) {
		autofree char *version = reader_text(e.version), *name = reader_text(e.kind);

		if (!(k = kind_of_object(version, name)))
			return err_set(err, ERR_BAD_REQUEST,
			    "no kind \"%.100s\" is registered for version \"%.100s\"", name,
			    version);
	}
	if (!k)
		return err_set(err, ERR_BAD_REQUEST,
		    "cannot decode protobuf: the envelope does not say of what kind it is");
	result = protobuf_decode(e.raw.p, (size_t)(e.raw.end - e.raw.p), k->type, &obj, err);
	if (result < 0)
		return result;
	*ret = with_kind(obj, k);
	if (kind)
		*kind = k;
	return 0;
}
