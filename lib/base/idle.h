#ifndef ORCH_BASE_IDLE_H
#define ORCH_BASE_IDLE_H

/*
 * Called before the library reads input, which may take for ever: what was
 * written so far must be on its way by then.  cli_parse() sets it to flush stdout; NULL does
 * nothing.
 */
extern void (*idle_hook)(void);

#endif
