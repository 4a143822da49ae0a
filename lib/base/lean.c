#include "base/lean.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"

struct mapping {
	unsigned long from, to;
	bool file; /* code or constants of a file */
};

/* Only what has no page of our own, here or swapped out: such a page would be lost with what was
 * written to it. */
static void
let_go(const struct mapping *m, long own)
{
	if (m->file && own == 0)
		madvise((void *)m->from, m->to - m->from, MADV_DONTNEED);
}

void
lean_down(void)
{
	autofclose FILE *f = fopen("/proc/self/smaps", "re");
	struct mapping m = { 0 };
	char line[4352], rights[8];
	long own = 0, swapped;

	malloc_trim(0);
	while (f && fgets(line, sizeof line, f)) {
		unsigned long from, to;

		if (sscanf(line, "%lx-%lx %7s", &from, &to, rights) == 3)
			m = (struct mapping){ from, to, !strchr(rights, 'w') && strchr(line, '/') };
		else if (sscanf(line, "Swap: %ld", &swapped) == 1) /* it comes after Anonymous */
			let_go(&m, own + swapped);
		else
			sscanf(line, "Anonymous: %ld", &own);
	}
}

void
lean_when(size_t load, bool idle)
{
	static size_t most;

	if (idle && load < most)
		lean_down();
	if (idle || load > most)
		most = load;
}
