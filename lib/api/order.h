#ifndef ORCH_API_ORDER_H
#define ORCH_API_ORDER_H

/*
 * The order in which kinds are installed: what others need has a lower rank.  Objects of the same
 * rank need not wait for one another.
 */
int install_rank(const char *kind);

#endif
