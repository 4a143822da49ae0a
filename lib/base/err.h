#ifndef ORCH_BASE_ERR_H
#define ORCH_BASE_ERR_H

/*
 * One error value for the whole toolkit.
 *
 * A function that can fail returns 0 (or a count) on success and a negative
 * error code on failure, and takes a `struct err *` as its last parameter.  On
 * failure the message is filled in and no other output parameter is touched; on
 * success `err` is not touched.  The value lives on the caller's stack: there
 * is nothing to free.
 *
 * Messages are lower case, without a full stop, and name the thing:
 * "cannot read 'web.yaml': line 3, column 7: ...".  Only cmd/ prints them.
 */
enum err_code {
	ERR_OK,
#define ERR(name, http, status, reason) ERR_##name,
#include "base/err.def"
#undef ERR
	ERR_COUNT
};

struct err {
	enum err_code code;
	char msg[1024];
};

#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Fill in `err` and return -code, so that a caller can `return err_set(...)`. */
int err_set(struct err *err, enum err_code code, const char *fmt, ...) PRINTF(3, 4);

/* The same with ": strerror(errnum)" at the end; the code follows from errnum
 * (ENOENT is NOT_FOUND, EACCES and EPERM FORBIDDEN, a timeout TIMEOUT, a refused
 * connection UNAVAILABLE, else INTERNAL). */
int err_sys(struct err *err, int errnum, const char *fmt, ...) PRINTF(3, 4);

/* A file that the user named: when it is missing, that is a mistake (BAD_REQUEST) and not the "no"
 * of a missing object.  Returns -err->code. */
int err_of_input(struct err *err);

/* Put "context: " before the message that is there; returns -err->code. */
int err_wrap(struct err *err, const char *fmt, ...) PRINTF(2, 3);

/* What a code means on the wire and in the shell. */
int err_http(enum err_code code);
int err_exit(enum err_code code);
const char *err_reason(enum err_code code);

/* The code for a Status from a server: by reason where it is known, else by HTTP status. */
enum err_code err_from_status(const char *reason, int http);

#endif
