#ifndef ORCH_API_ORDER_H
#define ORCH_API_ORDER_H

/*
 * The order in which kinds are installed: what others need has a lower rank.  Objects of the same
 * rank need not wait for one another.  Kinds of other people's groups may have names that
 * Kubernetes' own have, too, and are like all others.
 */
int install_rank(const char *api_version, const char *kind);

#endif
