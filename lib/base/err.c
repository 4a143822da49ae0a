#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

static const struct {
	int http, exit;
	const char *reason;
} table[ERR_COUNT] = {
	[ERR_OK] = { 200, 0, "" },
#define ERR(name, http, status, reason) [ERR_##name] = { http, status, reason },
#include "base/err.def"
#undef ERR
};

int
err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	char msg[sizeof err->msg]; /* an argument may be err->msg itself */
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	err->code = code;
	memcpy(err->msg, msg, sizeof msg);
	return -(int)code;
}

static enum err_code
code_of_errno(int errnum)
{
	switch (errnum) {
	case ENOENT:
	case ENOTDIR:
		return ERR_NOT_FOUND;
	case EACCES:
	case EPERM:
	case EROFS:
		return ERR_FORBIDDEN;
	case ETIMEDOUT:
		return ERR_TIMEOUT;
	case ECONNREFUSED:
	case ECONNRESET:
	case ENETUNREACH:
	case EHOSTUNREACH:
		return ERR_UNAVAILABLE;
	default:
		return ERR_INTERNAL;
	}
}

int
err_sys(struct err *err, int errnum, const char *fmt, ...)
{
	char what[sizeof err->msg - 128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	return err_set(err, code_of_errno(errnum), "%s: %s", what, strerror(errnum));
}

int
err_of_input(struct err *err)
{
	if (err->code == ERR_NOT_FOUND)
		err->code = ERR_BAD_REQUEST;
	return -(int)err->code;
}

int
err_wrap(struct err *err, const char *fmt, ...)
{
	char outer[sizeof err->msg / 2], inner[sizeof err->msg];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(outer, sizeof outer, fmt, ap);
	va_end(ap);
	memcpy(inner, err->msg, sizeof inner);
	snprintf(err->msg, sizeof err->msg, "%s: %.*s", outer,
	    (int)(sizeof err->msg - sizeof outer - 3), inner);
	return -(int)err->code;
}

int
err_http(enum err_code code)
{
	return table[code].http;
}

int
err_exit(enum err_code code)
{
	return table[code].exit;
}

const char *
err_reason(enum err_code code)
{
	return table[code].reason;
}

enum err_code
err_from_status(const char *reason, int http)
{
	if (reason && *reason)
		for (int c = ERR_OK + 1; c < ERR_COUNT; c++)
			if (strcmp(table[c].reason, reason) == 0)
				return (enum err_code)c;
	if (http == 409)
		return ERR_CONFLICT; /* AlreadyExists always names itself */
	for (int c = ERR_OK + 1; c < ERR_COUNT; c++)
		if (table[c].http == http)
			return (enum err_code)c;
	return http >= 500 ? ERR_INTERNAL : ERR_BAD_REQUEST;
}
