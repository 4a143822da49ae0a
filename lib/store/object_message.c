/* Objects in protobuf, kept beside their JSON: most clients in Go ask for nothing else. */
#include <stdatomic.h>
#include <string.h>

#include "api/protobuf.h"
#include "base/json.h"
#include "store/object.h"

enum { KEPT_MOST = 128 << 20 };

static _Atomic size_t kept; /* bytes of all messages that are kept */

static struct bytes *
encode(const struct object *o, const struct kind *stored, struct err *err)
{
	autobuf struct buf text = BUF_INIT, message = BUF_INIT;
	char fault[128];
	json_t *v;
	size_t used;
	int r;

	buf_reserve(&text, o->body->len + 2);
	buf_putc(&text, '{');
	buf_add(&text, o->body->data, o->body->len);
	if (json_decode(text.data, text.len, &v, &used, fault) != JSON_FINE) {
		err_set(err, ERR_INTERNAL, "cannot read an object: %s", fault);
		return NULL;
	}
	r = protobuf_encode(v, stored->type, &message, err);
	json_decref(v);
	return r < 0 ? NULL : bytes_new(message.len ? message.data : "", message.len);
}

/* One of two who made it at the same time is first. */
static void
keep(struct object *o, struct bytes *message)
{
	struct bytes *none = NULL;

	if (kept + message->len > KEPT_MOST)
		return;
	kept += message->len;
	if (atomic_compare_exchange_strong(&o->message, &none, bytes_ref(message)))
		return;
	kept -= message->len;
	bytes_unref(message);
}

struct bytes *
object_message(struct object *o, const struct kind *stored, struct err *err)
{
	struct bytes *message = o->message;

	if (message)
		return bytes_ref(message);
	message = encode(o, stored, err);
	if (message)
		keep(o, message);
	return message;
}

void
object_drop_message(struct object *o)
{
	struct bytes *message = o->message;

	if (!message)
		return;
	kept -= message->len;
	bytes_unref(message);
}
