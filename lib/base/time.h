#ifndef ORCH_BASE_TIME_H
#define ORCH_BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>

/* RFC 3339 times as Kubernetes writes them.  All pure: now is handed in. */
enum { TIME_TEXT = 40 };

const char *time_print(int64_t seconds, char buf[static TIME_TEXT]); /* "2026-01-02T03:04:05Z" */
const char *time_print_micro(
    int64_t us, char buf[static TIME_TEXT]); /* "2026-01-02T03:04:05.000000Z" */
bool time_parse(
    const char *text, int64_t *seconds); /* any offset and fraction; false when it is no time */
bool time_parse_micro(const char *text, int64_t *us);

/* How kubectl prints an age: "5s", "3m20s", "2d4h", "41d", "3y12d"; "<invalid>" when negative
 * beyond 2 s. */
const char *duration_print(int64_t seconds, char buf[static TIME_TEXT]);

#endif
