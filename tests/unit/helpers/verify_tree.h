/*
 * verify_tree.h -- a store in memory with three batches of t/0, [0,10) [10,20)
 * [20,30), for the tests of `secor verify`.
 */
#ifndef TESTS_VERIFY_TREE_H
#define TESTS_VERIFY_TREE_H

#include "core/cli/verify.h"

/* What was reported: "kind topic/partition [start,end) key;" a finding, and
 * the kinds of notes. */
struct verify_seen {
	struct buf found, notes;
	struct record record; /* of partition 0 */
	struct record second; /* when it is asked again; kind 0: the same */
	int asked;
	/* What happens while it is asked the first time; may be NULL. */
	void (*meanwhile)(struct verify_seen *seen);
};

extern struct config verify_tree_config;
extern int64_t verify_tree_generation; /* of batches from now on */

/* The store as above, and a record that fits. */
void verify_tree_begin(struct verify_seen *seen);

/* A batch with one object of as many bytes as offsets; the new chain head. */
uint64_t verify_tree_batch(int64_t start, int64_t end, uint64_t previous);

struct verify verify_tree_of(struct verify_seen *seen, int with_group);

/* Verifies with the group, compares, and empties store and `seen`. */
void verify_tree_check(
    struct verify_seen *seen, const char *found, const char *notes);

#endif
