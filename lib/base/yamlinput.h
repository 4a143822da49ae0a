#ifndef ORCH_BASE_YAMLINPUT_H
#define ORCH_BASE_YAMLINPUT_H

#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/*
 * Where yaml.h's bytes come from.  The last piece is kept: for what is not text at all libyaml
 * gives a byte offset, and people want a line.
 */
struct yaml_input {
	ssize_t (*read)(void *arg, char *buf, size_t size);
	void *arg;
	const char *data; /* what is left, when it is read from memory */
	size_t len;
	int errnum; /* why reading failed, 0 when it did not */

	char *piece;
	size_t piece_len, piece_offset;
	unsigned long line, column; /* where the piece starts */
};

void yaml_input_memory(struct yaml_input *in, const char *data, size_t len);
void yaml_input_file(struct yaml_input *in, FILE *f);
void yaml_input_reader(
    struct yaml_input *in, ssize_t (*read)(void *arg, char *buf, size_t size), void *arg);
void yaml_input_release(struct yaml_input *in);

/* The handler that libyaml calls. */
int yaml_input_feed(void *in, unsigned char *buf, size_t size, size_t *got);

/* Line and column of a byte, from 1; it should lie in the last piece. */
void yaml_input_place(
    const struct yaml_input *in, size_t offset, unsigned long *line, unsigned long *column);

#endif
