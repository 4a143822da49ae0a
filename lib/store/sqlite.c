/*
 * The engine on SQLite: one table that is only appended to, in WAL mode with
 * synchronous=FULL, so that a commit is one write and one fsync.
 */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/mem.h"
#include "store/checkpoint.h"
#include "store/engine.h"

enum { BEGIN, COMMIT, ROLLBACK, INSERT, WINDOW, FORGET, MARK, NSTMT };

struct sqlite {
	struct engine engine;
	sqlite3 *db;
	sqlite3_stmt *stmt[NSTMT];
	struct checkpoint *checkpoint;
	char *path;
	int lock;
	int pages; /* of the log, after the last commit */
	ino_t inode;
	uint64_t compacted;
};

static const char *const sql[NSTMT] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[INSERT] = "INSERT INTO changes(revision, prev, time, deleted, key, idx, data, sum) "
		   "VALUES(?,?,?,?,?,?,?,?)",
	[WINDOW] =
	    "SELECT revision, prev, deleted FROM changes WHERE revision > ? AND revision <= ?"
	    " ORDER BY revision LIMIT ?",
	[FORGET] = "DELETE FROM changes WHERE revision = ?",
	[MARK] = "UPDATE state SET value = ? WHERE name = 'compacted'",
};

static const char schema[] =
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=FULL;"
    "PRAGMA journal_size_limit=16777216;"
    /* zeroing what is freed would write all of it once more; FAST does so where it costs nothing */
    "PRAGMA secure_delete=FAST;"
    "PRAGMA cache_size=-2048;"
    "CREATE TABLE IF NOT EXISTS changes(revision INTEGER PRIMARY KEY, prev INTEGER NOT NULL,"
    " time INTEGER NOT NULL, deleted INTEGER NOT NULL, key TEXT NOT NULL, idx BLOB NOT NULL,"
    " data BLOB NOT NULL, sum INTEGER);"
    "CREATE TABLE IF NOT EXISTS state(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "INSERT OR IGNORE INTO state VALUES('compacted', 0);"
    "PRAGMA user_version=2;";
enum { SCHEMA = 2 };
/* 1 had no checksums: what it wrote stays without. */
static const char from_1[] = "BEGIN IMMEDIATE; ALTER TABLE changes ADD COLUMN sum INTEGER;"
			     "PRAGMA user_version=2; COMMIT";

/* A full or broken disk is no reason to give up: the caller may try again later. */
static int
failed(const struct sqlite *s, const char *verb, struct err *err)
{
	int code = sqlite3_errcode(s->db);
	const char *why = sqlite3_errmsg(s->db);

	if (code == SQLITE_IOERR || code == SQLITE_CANTOPEN) {
		int errnum = sqlite3_system_errno(s->db);
		return err_set(err, ERR_UNAVAILABLE, "cannot %s '%s': %s%s%s", verb, s->path, why,
		    errnum ? ": " : "", errnum ? strerror(errnum) : "");
	}
	if (code == SQLITE_READONLY || code == SQLITE_PERM)
		return err_set(err, ERR_FORBIDDEN, "cannot %s '%s': %s", verb, s->path, why);
	return err_set(err,
	    code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? ERR_INTERNAL : ERR_UNAVAILABLE,
	    "cannot %s '%s': %s", verb, s->path, why);
}

static int
run(struct sqlite *s, int which)
{
	int r = sqlite3_step(s->stmt[which]);

	sqlite3_reset(s->stmt[which]);
	return r == SQLITE_DONE ? 0 : -1;
}

static uint64_t
mix(uint64_t h, const void *data, size_t len)
{
	const char *p = data;
	uint64_t word;

	for (; len >= sizeof word; p += sizeof word, len -= sizeof word) {
		memcpy(&word, p, sizeof word);
		h = (h ^ word) * 0x9e3779b97f4a7c15u;
		h ^= h >> 32;
	}
	word = len;
	memcpy((char *)&word + 1, p, len);
	h = (h ^ word) * 0x9e3779b97f4a7c15u;
	return h ^ (h >> 32);
}

/* Of all of a change: SQLite sees that a page has lost its form, not that a byte of it has changed.
 */
static sqlite3_int64
checksum(const struct change *c)
{
	uint64_t fixed[] = { c->revision, c->prev, (uint64_t)c->time, c->deleted };
	uint64_t h = mix(0, fixed, sizeof fixed);

	h = mix(h, c->key, strlen(c->key));
	h = mix(h, c->index, c->index_len);
	return (sqlite3_int64)mix(h, c->data, c->len);
}

static int
insert(struct sqlite *s, const struct change *c)
{
	sqlite3_stmt *st = s->stmt[INSERT];

	sqlite3_bind_int64(st, 1, (sqlite3_int64)c->revision);
	sqlite3_bind_int64(st, 2, (sqlite3_int64)c->prev);
	sqlite3_bind_int64(st, 3, c->time);
	sqlite3_bind_int(st, 4, c->deleted);
	sqlite3_bind_text(st, 5, c->key, -1, SQLITE_STATIC);
	sqlite3_bind_blob(st, 6, c->index, (int)c->index_len, SQLITE_STATIC);
	sqlite3_bind_blob(st, 7, c->data, (int)c->len, SQLITE_STATIC);
	sqlite3_bind_int64(st, 8, checksum(c));
	return run(s, INSERT);
}

static int
rollback(struct sqlite *s, const char *verb, struct err *err)
{
	int r = failed(s, verb, err);

	if (!sqlite3_get_autocommit(s->db))
		run(s, ROLLBACK);
	return r;
}

/* SQLite would go on writing into a file that nobody finds again. */
static int
check_there(const struct sqlite *s, struct err *err)
{
	struct stat st;

	if (stat(s->path, &st) == 0 && st.st_ino == s->inode)
		return 0;
	return err_set(
	    err, ERR_UNAVAILABLE, "cannot write '%s': the file is not there any more", s->path);
}

static int
commit(struct engine *e, const struct change *changes, size_t n, struct err *err)
{
	struct sqlite *s = (struct sqlite *)e;
	int r;

	if ((r = check_there(s, err)) < 0)
		return r;
	if (run(s, BEGIN) < 0)
		return failed(s, "write", err);
	for (size_t i = 0; i < n; i++)
		if (insert(s, &changes[i]) < 0)
			return rollback(s, "write", err);
	if (run(s, COMMIT) < 0)
		return rollback(s, "write", err);
	checkpoint_after(s->checkpoint, s->db, s->pages);
	return 0;
}

static int
forget(struct sqlite *s, sqlite3_int64 revision)
{
	sqlite3_bind_int64(s->stmt[FORGET], 1, revision);
	return run(s, FORGET);
}

/* What is replaced by a change inside the compacted window goes, and so does a deletion itself. */
static int
forget_window(struct sqlite *s, uint64_t upto, unsigned limit, uint64_t *last)
{
	sqlite3_stmt *st = s->stmt[WINDOW];
	unsigned seen = 0;
	int r;

	sqlite3_bind_int64(st, 1, (sqlite3_int64)s->compacted);
	sqlite3_bind_int64(st, 2, (sqlite3_int64)upto);
	sqlite3_bind_int(st, 3, (int)limit);
	*last = s->compacted;
	while ((r = sqlite3_step(st)) == SQLITE_ROW) {
		sqlite3_int64 revision = sqlite3_column_int64(st, 0),
			      prev = sqlite3_column_int64(st, 1);

		*last = (uint64_t)revision;
		seen++;
		if ((prev && forget(s, prev) < 0) ||
		    (sqlite3_column_int(st, 2) && forget(s, revision) < 0)) {
			r = SQLITE_ERROR;
			break;
		}
	}
	sqlite3_reset(st);
	if (r != SQLITE_DONE)
		return -1;
	if (seen < limit)
		*last = upto;
	return 0;
}

static int
compact(struct engine *e, uint64_t upto, unsigned limit, uint64_t *compacted, struct err *err)
{
	struct sqlite *s = (struct sqlite *)e;
	uint64_t last;

	*compacted = s->compacted;
	if (upto <= s->compacted)
		return 0;
	if (run(s, BEGIN) < 0)
		return failed(s, "compact", err);
	if (forget_window(s, upto, limit, &last) < 0)
		return rollback(s, "compact", err);
	sqlite3_bind_int64(s->stmt[MARK], 1, (sqlite3_int64)last);
	if (run(s, MARK) < 0 || run(s, COMMIT) < 0)
		return rollback(s, "compact", err);
	*compacted = s->compacted = last;
	checkpoint_after(s->checkpoint, s->db, s->pages);
	return 0;
}

/* The change in the statement's row, as long as it stands there. */
static int
read_change(sqlite3_stmt *st, struct change *c, struct err *err)
{
	*c = (struct change){
		.revision = (uint64_t)sqlite3_column_int64(st, 0),
		.prev = (uint64_t)sqlite3_column_int64(st, 1),
		.time = sqlite3_column_int64(st, 2),
		.deleted = sqlite3_column_int(st, 3) != 0,
		.key = (const char *)sqlite3_column_text(st, 4),
		.index = sqlite3_column_blob(st, 5),
		.data = sqlite3_column_blob(st, 6),
		.index_len = (size_t)sqlite3_column_bytes(st, 5),
		.len = (size_t)sqlite3_column_bytes(st, 6),
	};
	if (!c->key)
		return err_set(err, ERR_INTERNAL, "cannot read change %llu: it has no key",
		    (unsigned long long)c->revision);
	if (sqlite3_column_type(st, 7) == SQLITE_INTEGER &&
	    sqlite3_column_int64(st, 7) != checksum(c))
		return err_set(err, ERR_INTERNAL,
		    "cannot read change %llu of '%s': its checksum is wrong",
		    (unsigned long long)c->revision, c->key);
	return 0;
}

static int
scan(struct engine *e, uint64_t *compacted,
    int (*each)(void *arg, const struct change *c, uint64_t compacted, struct err *err), void *arg,
    struct err *err)
{
	struct sqlite *s = (struct sqlite *)e;
	sqlite3_stmt *st;
	int r, rc;

	*compacted = s->compacted;
	if (sqlite3_prepare_v2(s->db,
		"SELECT revision, prev, time, deleted, key, idx, data, sum FROM changes ORDER BY "
		"revision",
		-1, &st, NULL) != SQLITE_OK)
		return failed(s, "read", err);
	while ((r = sqlite3_step(st)) == SQLITE_ROW) {
		struct change c;

		if ((rc = read_change(st, &c, err)) < 0 ||
		    (rc = each(arg, &c, s->compacted, err)) < 0) {
			sqlite3_finalize(st);
			return rc;
		}
	}
	rc = r == SQLITE_DONE ? 0 : failed(s, "read", err);
	sqlite3_finalize(st);
	return rc;
}

static void
close_sqlite(struct engine *e)
{
	struct sqlite *s = (struct sqlite *)e;

	checkpoint_stop(s->checkpoint);
	for (int i = 0; i < NSTMT; i++)
		sqlite3_finalize(s->stmt[i]);
	sqlite3_close(s->db);
	if (s->lock >= 0)
		close(s->lock);
	free(s->path);
	free(s);
}

static const struct engine_ops ops = { scan, commit, compact, close_sqlite };

static int
lock(struct sqlite *s, const char *dir, struct err *err)
{
	autofree char *file = xasprintf("%s/lock", dir);

	s->lock = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock < 0)
		return err_sys(err, errno, "cannot open '%s'", file);
	if (flock(s->lock, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return err_set(err, ERR_UNAVAILABLE,
			    "cannot open '%s': another orch-store is running on it", dir);
		return err_sys(err, errno, "cannot lock '%s'", file);
	}
	return 0;
}

static int
column(void *arg, int n, char **values, char **names)
{
	char *first = arg;

	(void)names;
	if (n > 0 && values[0])
		snprintf(first, 256, "%s", values[0]);
	return 0;
}

static int
prepare(struct sqlite *s, struct err *err)
{
	char text[256] = "";

	if (sqlite3_exec(s->db, "PRAGMA user_version", column, text, NULL) != SQLITE_OK)
		return failed(s, "open", err);
	if (strtol(text, NULL, 10) > SCHEMA)
		return err_set(err, ERR_INTERNAL,
		    "cannot open '%s': it is of a newer orch-store (schema %s, this one knows %d)",
		    s->path, text, SCHEMA);
	if ((strcmp(text, "1") == 0 &&
		sqlite3_exec(s->db, from_1, NULL, NULL, NULL) != SQLITE_OK) ||
	    sqlite3_exec(s->db, schema, NULL, NULL, NULL) != SQLITE_OK)
		return failed(s, "open", err);
	if (sqlite3_exec(s->db, "SELECT value FROM state WHERE name='compacted'", column, text,
		NULL) != SQLITE_OK)
		return failed(s, "open", err);
	s->compacted = strtoull(text, NULL, 10);
	for (int i = 0; i < NSTMT; i++)
		if (sqlite3_prepare_v3(s->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &s->stmt[i],
			NULL) != SQLITE_OK)
			return failed(s, "open", err);
	return 0;
}

/* Taking the place of SQLite's own checkpoints, which would run inside a commit. */
static int
note_pages(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct sqlite *s = arg;

	(void)db, (void)name;
	s->pages = pages;
	return SQLITE_OK;
}

int
sqlite_open(struct engine **ret, const char *dir, struct err *err)
{
	struct sqlite *s = xcalloc(1, sizeof *s);
	struct stat st;
	int r;

	s->engine.ops = &ops;
	s->lock = -1;
	s->path = xasprintf("%s/store.db", dir);
	if ((r = lock(s, dir, err)) < 0)
		goto fail;
	if (sqlite3_open_v2(s->path, &s->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
		NULL) != SQLITE_OK) {
		r = failed(s, "open", err);
		goto fail;
	}
	sqlite3_busy_timeout(s->db, 5000);
	sqlite3_extended_result_codes(s->db, 0);
	if (chmod(s->path, 0600) < 0 || stat(s->path, &st) < 0) {
		r = err_sys(err, errno, "cannot protect '%s'", s->path);
		goto fail;
	}
	s->inode = st.st_ino;
	sqlite3_wal_hook(s->db, note_pages, s);
	if ((r = prepare(s, err)) < 0 || (r = checkpoint_start(&s->checkpoint, s->path, err)) < 0)
		goto fail;
	*ret = &s->engine;
	return 0;
fail:
	close_sqlite(&s->engine);
	return r;
}
