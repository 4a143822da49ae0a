#ifndef ORCH_BASE_JSON_H
#define ORCH_BASE_JSON_H

#include <jansson.h>
#include <stddef.h>

/*
 * JSON text into jansson values: twice as fast as jansson's own reader, and as
 * strict as objects need it.  Refused: duplicate keys, invalid UTF-8, NUL characters ("\u0000"),
 * numbers beyond a double, nesting deeper than JSON_DEPTH.  Whole numbers beyond 64 bits are
 * reals, as Kubernetes reads them.
 */
enum { JSON_DEPTH = 1000 };

enum json_fault {
	JSON_FINE,
	JSON_CUT,   /* the text ends inside the value */
	JSON_WRONG, /* and can never become right */
};

/*
 * The value at the start of text (white space before it allowed); *used gets the bytes up to
 * its end.  On failure *ret is NULL, *used the offset of the mistake and msg says what it is.
 */
enum json_fault json_decode(
    const char *text, size_t len, json_t **ret, size_t *used, char msg[static 128]);

#endif
