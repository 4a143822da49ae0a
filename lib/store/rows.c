#include "store/rows.h"

#include <string.h>

#include "api/meta.h"
#include "api/protobuf.h"
#include "api/table.h"
#include "base/json.h"
#include "base/jsonl.h"
#include "base/mem.h"

/* The length of the JSON object or array at s, which is known to be valid. */
static size_t
value_length(const char *s)
{
	const char *p = s;
	int depth = 0;

	do {
		if (*p == '"')
			for (p++; *p != '"'; p++)
				p += *p == '\\';
		else if (*p == '{' || *p == '[')
			depth++;
		else if (*p == '}' || *p == ']')
			depth--;
		p++;
	} while (depth > 0);
	return (size_t)(p - s);
}

/* Members, with an object or array in them, that no cell shows: of any kind, and of Pods also those
 * that make up most of them. */
static const char *const dull[] = { "managedFields", NULL };
static const char *const dull_in_pods[] = { "affinity", "annotations", "env", "envFrom",
	"lifecycle", "livenessProbe", "managedFields", "ports", "readinessProbe", "resources",
	"securityContext", "startupProbe", "tolerations", "volumeMounts", "volumes", NULL };

static bool
is_one_of(const char *const *words, const char *word, size_t len)
{
	for (; *words; words++)
		if (**words == *word && strlen(*words) == len && memcmp(*words, word, len) == 0)
			return true;
	return false;
}

/* Append JSON without white space, but for the members called so; it ends with a '}'. */
static void
add_without(struct buf *b, const char *s, const char *end, const char *const *names)
{
	const char *copied = s;

	for (const char *p = s; p < end; p++) {
		const char *key = p + 1;

		if (*p != '"')
			continue;
		for (p++; *p != '"'; p++)
			p += *p == '\\';
		if (p[1] != ':' || (p[2] != '[' && p[2] != '{') ||
		    !is_one_of(names, key, (size_t)(p - key)))
			continue;
		buf_add(b, copied, (size_t)(key - 1 - copied));
		p += 2 + value_length(p + 2);
		if (*p == ',') {
			copied = p + 1;
			continue;
		}
		if (b->data[b->len - 1] == ',') /* it was the last member */
			b->len--;
		copied = p--;
	}
	buf_add(b, copied, (size_t)(end - copied));
}

static void
add_partial(struct buf *b, const struct shape *s, const struct bytes *body)
{
	const char *meta = body->data + strlen("\"metadata\":");

	buf_puts(b, "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"");
	buf_puts(b, s->version);
	buf_puts(b, "\",\"metadata\":");
	buf_add(b, meta, value_length(meta));
	buf_putc(b, '}');
}

static void
add_whole(struct buf *b, const struct kind *k, const struct bytes *body)
{
	char version[128];

	buf_printf(
	    b, "{\"kind\":\"%s\",\"apiVersion\":\"%s\",", k->kind, kind_api_version(k, version));
	buf_add(b, body->data, body->len);
}

/* The cells and the conditions; text: room for the object as JSON, used again and again. */
static void
add_cells(
    struct buf *b, const struct kind *k, const struct bytes *body, int64_t now, struct buf *text)
{
	char msg[128];
	json_t *obj, *cells, *conditions;
	size_t used;

	buf_clear(text);
	buf_putc(text, '{');
	add_without(text, body->data, body->data + body->len,
	    strcmp(k->kind, "Pod") == 0 && !*k->group ? dull_in_pods : dull);
	json_decode(text->data, text->len, &obj, &used, msg);
	cells = table_cells(k, obj, now);
	json_add(b, cells);
	json_decref(cells);
	if ((conditions = table_conditions(k, obj))) {
		buf_puts(b, ",\"conditions\":");
		json_add(b, conditions);
		json_decref(conditions);
	}
	json_decref(obj);
}

static void
add_row(struct buf *b, const struct shape *s, const struct kind *k, const struct bytes *body,
    int64_t now, struct buf *text)
{
	buf_puts(b, "{\"cells\":");
	add_cells(b, k, body, now, text);
	buf_puts(b, ",\"object\":");
	if (s->include == INCLUDE_METADATA)
		add_partial(b, s, body);
	else if (s->include == INCLUDE_OBJECT)
		add_whole(b, k, body);
	else
		buf_puts(b, "null");
	buf_putc(b, '}');
}

static void
add_head(struct buf *b, const struct shape *s, const struct kind *k, const char *meta)
{
	json_t *columns;

	buf_printf(b, "{\"kind\":\"%s\",\"apiVersion\":\"%s\",\"metadata\":%s,",
	    s->form == FORM_TABLE ? "Table" : "PartialObjectMetadataList", s->version, meta);
	if (s->form != FORM_TABLE) {
		buf_puts(b, "\"items\":[");
		return;
	}
	columns = shape_columns(k);
	buf_puts(b, "\"columnDefinitions\":");
	json_add(b, columns);
	buf_puts(b, ",\"rows\":[");
	json_decref(columns);
}

struct ranked {
	json_int_t rank;
	size_t place;
};

static int
by_rank(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

/* The order of a Table's rows where it is not that of the names, new: flow schemas stand in that in
 * which requests try them. */
static struct ranked *
ranks(const struct shape *s, const struct kind *k, struct bytes *const *body, size_t n)
{
	struct ranked *order;

	if (s->form != FORM_TABLE || strcmp(k->kind, "FlowSchema"))
		return NULL;
	order = xcalloc(n + 1, sizeof *order);
	for (size_t i = 0; i < n; i++) {
		autofree char *whole = xasprintf("{%.*s", (int)body[i]->len, body[i]->data);
		json_auto_t *obj = json_loads(whole, 0, NULL);

		order[i].rank = num(get(obj, "spec", "matchingPrecedence"), 0);
		order[i].place = i;
	}
	qsort(order, n, sizeof *order, by_rank);
	return order;
}

struct bytes *
rows_encode(const struct shape *s, const struct kind *k, const char *meta,
    struct bytes *const *body, size_t n, int64_t now)
{
	autobuf struct buf b = BUF_INIT, text = BUF_INIT;
	autofree struct ranked *order = ranks(s, k, body, n);

	add_head(&b, s, k, meta);
	for (size_t i = 0; i < n; i++) {
		const struct bytes *one = body[order ? order[i].place : i];

		if (i)
			buf_putc(&b, ',');
		if (s->form == FORM_TABLE)
			add_row(&b, s, k, one, now, &text);
		else
			add_partial(&b, s, one);
	}
	buf_puts(&b, "]}\n");
	return bytes_new(b.data, b.len);
}

/* The fields of every list (meta.v1.ListMeta metadata = 1, repeated items = 2). */
enum { LIST_METADATA = 1, LIST_ITEMS };

/* A JSON text as field `number` of a message; text and message: room that is used again. */
static int
add_message(struct buf *out, int number, const struct type *t, const char *json, size_t len,
    struct buf *message, struct err *err)
{
	char msg[128];
	json_t *v;
	size_t used;
	int r;

	if (json_decode(json, len, &v, &used, msg) != JSON_FINE)
		return err_set(err, ERR_INTERNAL, "cannot read an object: %s", msg);
	buf_clear(message);
	if ((r = protobuf_encode(v, t, message, err)) == 0)
		protobuf_field(out, number, message->data, message->len);
	json_decref(v);
	return r;
}

struct bytes *
rows_protobuf(const struct shape *s, const struct kind *k, const char *meta,
    struct bytes *const *body, size_t n, struct err *err)
{
	const struct type *t =
	    s->form == FORM_JSON ? k->type : type_find("meta.v1.PartialObjectMetadata");
	autobuf struct buf list = BUF_INIT, out = BUF_INIT, text = BUF_INIT, room = BUF_INIT;
	char version[128], name[160] = "PartialObjectMetadataList";

	if (add_message(&list, LIST_METADATA, type_find("meta.v1.ListMeta"), meta, strlen(meta),
		&room, err) < 0)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		const char *metadata = body[i]->data + strlen("\"metadata\":");

		buf_clear(&text);
		buf_putc(&text, '{');
		if (s->form == FORM_JSON) {
			buf_add(&text, body[i]->data, body[i]->len);
		} else {
			buf_puts(&text, "\"metadata\":");
			buf_add(&text, metadata, value_length(metadata));
			buf_putc(&text, '}');
		}
		if (add_message(&list, LIST_ITEMS, t, text.data, text.len, &room, err) < 0)
			return NULL;
	}
	if (s->form == FORM_JSON)
		snprintf(name, sizeof name, "%sList", k->kind);
	protobuf_wrap(&out, s->form == FORM_JSON ? kind_api_version(k, version) : s->version, name,
	    list.data, list.len);
	return bytes_new(out.data, out.len);
}

struct pieces {
	struct bytes **item;
	size_t n, cap, len;
};

static void
add_piece(struct pieces *p, struct bytes *b)
{
	GROW(p->item, p->n, p->cap);
	p->item[p->n++] = b;
	p->len += b->len;
}

static void
add_buf(struct pieces *p, struct buf *b)
{
	add_piece(p, bytes_new(b->data, b->len));
	buf_clear(b);
}

static int
add_messages(
    struct pieces *p, const struct kind *k, struct object *const *o, size_t n, struct err *err)
{
	autobuf struct buf head = BUF_INIT;

	for (size_t i = 0; i < n; i++) {
		struct bytes *message = object_message(o[i], k, err);

		if (!message)
			return -1;
		protobuf_head(&head, LIST_ITEMS, message->len);
		add_buf(p, &head);
		add_piece(p, message);
	}
	return 0;
}

struct bytes **
rows_messages(const struct kind *k, const char *meta, struct object *const *o, size_t n,
    size_t *npieces, struct err *err)
{
	struct pieces p = { 0 };
	autobuf struct buf head = BUF_INIT, room = BUF_INIT, tail = BUF_INIT;
	char version[128], name[160];

	GROW(p.item, p.n, p.cap);
	p.item[p.n++] = NULL; /* the envelope: its length comes last */
	if (add_message(&head, LIST_METADATA, type_find("meta.v1.ListMeta"), meta, strlen(meta),
		&room, err) == 0) {
		add_buf(&p, &head);
		if (add_messages(&p, k, o, n, err) == 0) {
			snprintf(name, sizeof name, "%sList", k->kind);
			protobuf_wrap_begin(&head, kind_api_version(k, version), name, p.len);
			p.item[0] = bytes_new(head.data, head.len);
			protobuf_wrap_end(&tail);
			add_buf(&p, &tail);
			*npieces = p.n;
			return p.item;
		}
	}
	for (size_t i = 0; i < p.n; i++)
		bytes_unref(p.item[i]);
	free(p.item);
	return NULL;
}
