/*
 * leftovers.h -- objects that the old service put and did not commit.
 */
#ifndef SECOR_CLI_MIGRATE_LEFTOVERS_H
#define SECOR_CLI_MIGRATE_LEFTOVERS_H

/* Prints the objects in the store of the configuration `yaml` that are of an
 * older generation and begin at or past the old service's committed offset of
 * their partition: from the file of offsets, or (NULL) from the group. The exit
 * code; 1: there are some. */
int leftovers(const char *yaml, const char *file, const char *group);

#endif
