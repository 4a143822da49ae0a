#ifndef ORCH_BASE_LEAN_H
#define ORCH_BASE_LEAN_H

#include <stdbool.h>
#include <stddef.h>

/*
 * For a program that goes on for long: give back the memory that only its start needed.  Free
 * memory of the heap goes, and the pages of programs and libraries that loading and setting up have
 * touched are no longer mapped; what is used again comes back from the page cache.
 */
void lean_down(void);

/* At every turn of its loop: the same when there is nothing to do, and less than there was. */
void lean_when(size_t load, bool idle);

#endif
