/*
 * stage.h -- this process's own locked subfolder of stage.dir.
 *
 * Nothing in it is trusted after a crash: at the start every subfolder whose
 * lock is free is wiped; what has another name than <digits>-<digits> is left
 * alone. Folders are made 0700, files 0600.
 */
#ifndef SECOR_FLOW_STAGE_H
#define SECOR_FLOW_STAGE_H

#include <secor/plugin.h>

struct stage;

/* Makes and locks dir/<pid>-<n>, wipes unlocked neighbours. SECOR_FATAL with
 * the path and the fix when the folder cannot be made, locked or written. */
int stage_open(const char *dir, struct stage **stage, struct secor_err *err);
/* Removes the folder and gives up the lock; accepts NULL. */
void stage_close(struct stage *stage);

/* The folder; lives as long as the stage. */
const char *stage_folder(const struct stage *stage);

/* "<folder>/<serial>": a new file name; caller frees. Any thread. */
char *stage_name(struct stage *stage);

/* Bytes that may still be staged: the limit of `stage.max_bytes` (0: none) and
 * of the disk, less a reserve of 5 % or 1 GiB, whichever is less. Any thread.
 */
int64_t stage_room(const struct stage *stage, int64_t max_bytes);

/* Bytes in staged files now: writers add and take. */
void stage_count(struct stage *stage, int64_t bytes);
int64_t stage_used(const struct stage *stage);

/* Bytes on the disk beside these: spare files, and what of one that is used
 * again is not overwritten yet. */
void stage_count_spare(struct stage *stage, int64_t bytes);
int64_t stage_spare(const struct stage *stage);

#endif
