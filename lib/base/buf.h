#ifndef ORCH_BASE_BUF_H
#define ORCH_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/*
 * Bytes that grow.  `data` is always followed by a NUL that `len` does not
 * count (after the first buf_ call), so text in a buf is a C string.
 */
struct buf {
	char *data;
	size_t len, cap;
};

#define BUF_INIT           \
	{                  \
		NULL, 0, 0 \
	}

void buf_release(struct buf *b); /* frees the bytes; the buf is empty and usable again */
void buf_clear(struct buf *b);	 /* length 0, keeps the memory */
void buf_reserve(struct buf *b, size_t more); /* room for `more` bytes behind len */
void buf_add(struct buf *b, const void *data, size_t len);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
char *buf_detach(struct buf *b); /* the string is the caller's to free; the buf is empty again */

/* All of a descriptor or file, appended to b.  More than `limit` bytes is TOO_LARGE. */
int buf_read_fd(struct buf *b, int fd, size_t limit, struct err *err);
int buf_read_file(struct buf *b, const char *path, size_t limit, struct err *err);

/*
 * Write a whole file so that a crash leaves the old or the new one, never a part:
 * a temporary file beside it, fsync, rename, fsync of the folder.
 */
int file_replace(const char *path, const void *data, size_t len, unsigned mode, struct err *err);

/* Create a folder and those above it; one that exists already is fine. */
int mkdir_all(const char *path, unsigned mode, struct err *err);

#define autobuf __attribute__((cleanup(buf_release)))

#endif
