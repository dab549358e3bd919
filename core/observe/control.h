/*
 * control.h -- a local socket by which `secor offsets` asks a running process
 * to let go of a partition, to commit for it, and to open it again.
 *
 * The socket lies in the process's own stage folder (0700) and is 0600; who
 * connects must be the same user, or root. It is no part of `http.listen`:
 * nothing can be changed over a network. One connection at a time; what it has
 * taken is released when it ends, or after CONTROL_LIMIT_MS.
 *
 *	process: secor 1
 *	asker:   take <g> <topic> <partition>
 *	         commit <topic> <partition> <offset> <metadata>
 *	         release <topic> <partition>
 *	process: ok <text> | away <text> | later <text> | no <text>
 */
#ifndef SECOR_OBSERVE_CONTROL_H
#define SECOR_OBSERVE_CONTROL_H

#include "core/flow/hold.h"

#include <secor/plugin.h>

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#define CONTROL_NAME "control"
#define CONTROL_GREETING "secor 1"

enum {
	CONTROL_LIMIT_MS = 600000,
	CONTROL_LINE_MAX = 1024, /* with LF and NUL */
	CONTROL_HELD_MAX = 20000 /* partitions of one connection */
};

struct control;

/* What it asks; thread: control's own. */
struct control_source {
	void *arg;
	void (*hold)(void *arg, struct hold *hold);
	/* Answers whoever waits in `hold`, from now on at once. */
	void (*end)(void *arg);
};

/* Listens at folder/control on a thread of its own. SECOR_FATAL with a sentence
 * when it cannot. `source` is copied. */
int control_start(const char *folder, const struct control_source *source,
    struct control **control, struct secor_err *err);
void control_stop(struct control *control); /* accepts NULL */

/* What came over the socket and was not taken yet; both ends read lines. */
struct control_lines {
	char bytes[CONTROL_LINE_MAX];
	size_t filled;
};

/* Takes the next line without its LF, NUL-terminated. Its length, a NUL in it
 * counts; -1: there is none yet. No line comes any more when `filled` is
 * CONTROL_LINE_MAX. */
ssize_t control_line(struct control_lines *lines, char line[CONTROL_LINE_MAX]);

/* The address of folder/name, also where the path is longer than an address
 * has room: `dir_fd` is then an open folder (the caller closes it), else -1. 0
 * with errno when there is no such folder. */
int control_address(const char *path, struct sockaddr_un *address, int *dir_fd);

#endif
