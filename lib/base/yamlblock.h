#ifndef ORCH_BASE_YAMLBLOCK_H
#define ORCH_BASE_YAMLBLOCK_H

#include <jansson.h>
#include <stddef.h>

/*
 * The YAML that nearly all manifests are, read fast: block mappings and lists, scalars on one line
 * (plain or quoted), literal blocks, simple [a, b] and {a: b} on one line, comments.  The text is
 * one document (split_yaml). NULL when it holds anything else, or a mistake: then yaml_read() is
 * asked, which knows all of YAML and tells mistakes.  What is read here is read in the same way
 * there (tests/fuzz/yamlblock.c).
 *
 * *start gets the offset of the first line with content.
 */
json_t *yaml_block(const char *text, size_t len, size_t *start);

#endif
