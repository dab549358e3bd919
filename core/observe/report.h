/*
 * report.h -- pushes the metrics to the `reporters:` of the configuration.
 *
 * Each reporter has a thread of its own, so one that hangs holds up neither the
 * flow nor another. Prometheus is not among them: it pulls (http.h).
 */
#ifndef SECOR_OBSERVE_REPORT_H
#define SECOR_OBSERVE_REPORT_H

#include "core/config/config.h"

struct report;

/* Opens every reporter. SECOR_OK, or what the first failing `open` said, with
 * its name in front; then nothing is left open. `uses` is borrowed until
 * report_close. */
int report_open(const struct config_uses *uses, struct report **report,
    struct secor_err *err);

/* One snapshot to every reporter, in order, in the caller's thread. Not while
 * threads run. */
void report_once(struct report *report, int64_t now_ms);

/* Starts the threads: a snapshot at once and then every `interval` of each
 * reporter's section. */
int report_start(struct report *report, struct secor_err *err);

/* Each reporter that does not hang reports once more (the last counts), all
 * are closed. One that still hangs after wait_ms is left behind with a warning;
 * the process is expected to end. Accepts NULL. */
void report_close(struct report *report, int64_t wait_ms);

#endif
