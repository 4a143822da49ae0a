#ifndef ORCH_NODE_REFERENCE_H
#define ORCH_NODE_REFERENCE_H

#include "base/err.h"

/*
 * Image references, completed as Docker does it: "busybox" is
 * docker.io/library/busybox:latest, "host:5000/a/b" is host:5000/a/b:latest.  A name
 * imported as "web:1" and a Pod's image "web:1" are thereby the same reference.
 */
struct reference {
	char *domain; /* "docker.io", "127.0.0.1:5000" */
	char *path;   /* "library/busybox" */
	char *tag;    /* "latest"; NULL when a digest was given without a tag */
	char *digest; /* "sha256:..." or NULL */
};

int reference_parse(struct reference *ret, const char *text, struct err *err);
void reference_release(struct reference *r);

/* The whole text, "docker.io/library/busybox:latest"; with a digest the tag is left out. */
char *reference_print(const struct reference *r);

/* Both in one: the completed text of any reference, a new string. */
int reference_complete(char **ret, const char *text, struct err *err);

#endif
