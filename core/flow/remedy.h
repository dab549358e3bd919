/*
 * remedy.h -- what a person does about a halt: the one table for the log, the
 * status page and `secor offsets show`. docs/RUNBOOK.md says more. Any thread.
 */
#ifndef SECOR_FLOW_REMEDY_H
#define SECOR_FLOW_REMEDY_H

#include "core/base/buf.h"
#include "core/flow/record.h"

/* The partition that is halted, as commands name it. */
struct halt_place {
	const char *file; /* of the configuration */
	const char *topic;
	int32_t partition;
};

/* Appends one sentence: the exact command that goes on, and what it costs. */
void
halt_remedy(enum halt reason, const struct halt_place *place, struct buf *out);

#endif
