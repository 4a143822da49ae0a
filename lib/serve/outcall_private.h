#ifndef ORCH_SERVE_OUTCALL_PRIVATE_H
#define ORCH_SERVE_OUTCALL_PRIVATE_H

#include <curl/curl.h>

#include "serve/outcall.h"

/* One request while it lasts: between outcall.c and its words in outcall_trouble.c. */
struct transfer {
	const struct outcall *o;
	struct buf *reply;
	size_t most, got, head;
	bool too_long;
	char said[CURL_ERROR_SIZE];
};

/* Put `Post "URL": ` before the message; returns -err->code. */
int outcall_named(const struct outcall *o, struct err *err);
/* What went wrong. */
int outcall_trouble(const struct transfer *t, CURL *easy, CURLcode code, struct err *err);

#endif
