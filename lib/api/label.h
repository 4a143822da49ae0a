#ifndef ORCH_API_LABEL_H
#define ORCH_API_LABEL_H

/*
 * What label keys and values may look like (apimachinery validation.IsQualifiedName,
 * IsValidLabelValue).  Each returns NULL for a good one, else why not in Kubernetes' words
 * (several reasons joined by "; "), a new string.
 */
char *label_key_refused(const char *key);
char *label_value_refused(const char *value);

#endif
