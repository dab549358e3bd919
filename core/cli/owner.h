/*
 * owner.h -- the running processes of a group on this machine, through their
 * control sockets: who owns a partition lets go of it and commits for us.
 */
#ifndef SECOR_CLI_OWNER_H
#define SECOR_CLI_OWNER_H

#include "core/cli/group.h"
#include "core/flow/remedy.h"
#include "core/observe/control.h"

struct owner_process {
	char *path; /* of its socket */
	int fd;	    /* -1: not reached */
	struct control_lines lines;
};

struct owner_taken {
	struct halt_place place;
	size_t process;
};

struct owners {
	struct owner_process *items;
	size_t count;
	struct owner_taken *taken;
	size_t taken_count;
	char trouble[700]; /* why one could not be reached, or "" */
};

/* Looks for sockets under stage.dir, or takes the one of `socket` (may be
 * NULL). Connects to all that answer. */
void owners_find(
    const struct config *config, const char *socket, struct owners *owners);

/* Its owner lets go of the partition. SECOR_REJECT: no process that was found
 * owns it. SECOR_RETRY, SECOR_FATAL: its owner does not want to, and why. */
int owners_take(struct owners *owners, const struct halt_place *place,
    const char *g, struct secor_err *err);
/* The owner of a partition that was taken commits the record. */
int owners_commit(struct owners *owners, const struct halt_place *place,
    const struct record *record, struct secor_err *err);
/* Gives all back and says what became of them; ends all connections. */
void owners_end(struct owners *owners);

#endif
