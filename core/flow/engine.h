/*
 * engine.h -- the service: one Kafka consumer, its ledger, its threads.
 *
 * What is public here is for the command line and for observe; core/flow sees
 * the structure in flow.h.
 */
#ifndef SECOR_FLOW_ENGINE_H
#define SECOR_FLOW_ENGINE_H

#include "core/base/buf.h"
#include "core/config/config.h"

struct engine;

struct engine_options {
	/* Plans made with this configuration are finished with it, or NULL. */
	const struct config *finish_plans_with;
	/* The store cannot be listed: a missing offset is a new partition. */
	int assume_new;
};

/* Opens everything: stage, store (probed), plugins, Kafka handle. SECOR_FATAL
 * or SECOR_RETRY with a sentence that names the thing and the fix. */
int
engine_new(const struct config *config, const struct engine_options *options,
    struct engine **engine, struct secor_err *err);

/* Runs until engine_stop, on the calling thread, which is the consumer thread.
 * SECOR_OK after a clean stop, SECOR_FATAL with text after a fatal client
 * error, SECOR_REJECT when another process has the same kafka.instance_id.
 * Things that only a crash can answer (DESIGN: crash-only) end the process with
 * status 3 after an error line. */
int engine_run(struct engine *engine, struct secor_err *err);

/* Asks for a stop, which is seen within a second, or at once with engine_wake;
 * async-signal-safe. The second call ends the process. */
void engine_stop(struct engine *engine);

/* The loop turns once now. Any thread. */
void engine_wake(struct engine *engine);

/* Joins its threads, so it waits for plugins that hang: who has a deadline ends
 * the process at it. Accepts NULL. */
void engine_free(struct engine *engine);

/* The process's own folder under stage.dir; lives as long as the engine. */
const char *engine_folder(const struct engine *engine);

/* For observe; any thread. */
int64_t engine_heartbeat_boot_ms(void *engine);
int engine_ready(void *engine, struct buf *reasons_json);
void engine_status(void *engine, struct buf *json);

#endif
