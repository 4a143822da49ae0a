#ifndef ORCH_BASE_CLI_H
#define ORCH_BASE_CLI_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "base/opt.h"

/*
 * The command line, for cmd/ alone: the library neither prints nor exits.
 *
 * A program defines `self`.  Usage, --help, --version and --complete (one
 * option a line, what the shells' completion reads) come from it, so an option
 * is written down once.
 */
struct program {
	const char *name;
	const char *synopsis;	/* what follows the name; several forms are parted by '\n' */
	const char *summary;	/* one sentence */
	const struct opt *opts; /* its own options, ended by { 0 } */
	const struct opt *const *shared; /* more tables, ended by NULL; may be NULL */
	const char *operands; /* for completion: "kinds", "objects", "files", "programs" or NULL */
	const char
	    *commands; /* what the first operand may be, "status undo", or NULL; others follow */
};

extern const struct program self;

/* Parse options; returns the index of the first operand.  A wrong option exits 2. */
int cli_parse(int argc, char *argv[]);

/*
 * Options end at the first operand (as `orch-each -- cmd` wants).  Call before
 * cli_parse; without it options and operands mix, as in GNU programs.
 */
void cli_stop_at_operand(void);

/* "orch-x: cannot ...: cause" on stderr; exits by err's code, or 2 when err is NULL. */
_Noreturn void die(const struct err *err, const char *fmt, ...) PRINTF(2, 3);
_Noreturn void usage(void); /* the synopsis on stderr, exit 2 */
void warn(const char *fmt, ...) PRINTF(1, 2);
/* The same line as die, but go on; returns the exit status it stands for. */
int complain(const struct err *err, const char *fmt, ...) PRINTF(2, 3);

/* Have what was printed written now.  False when that failed, of which finish() tells. */
bool flush_output(void);

/* Flush stdout; returns `status`, or 3 with a message when output could not be written. */
int finish(int status);

/* A number option within bounds, or die naming the option: cli_number("tail", arg, 0, 1e9). */
long long cli_number(const char *name, const char *value, long long min, long long max);

/* Seconds from "30s", "5m", "1h30m", "250ms" or a plain number, or die naming the option. */
double cli_duration(const char *name, const char *value);

#endif
