/*
 * service.h -- the finalizer of a running service: a thread that looks at the
 * topics whose partition 0 this process owns (Kafka's assignment is the only
 * coordinator), each at its interval. It stalls nothing: it has its own client,
 * store and notifiers.
 */
#ifndef SECOR_FLOW_FINAL_SERVICE_H
#define SECOR_FLOW_FINAL_SERVICE_H

#include "core/config/config.h"

struct final_service;

/* Whether any topic of the configuration is finalized. */
int final_wanted(const struct config *config);

/* Opens everything and starts the thread. SECOR_FATAL with a sentence. */
int final_service_new(const struct config *config,
    struct final_service **service, struct secor_err *err);
/* Ends after the path that it is at, however long a notifier takes. Accepts
 * NULL. */
void final_service_free(struct final_service *service);

/* The topics that are this process's now; those that are not finalized are left
 * out. Copied. Any thread. */
void final_service_topics(
    struct final_service *service, const char *const *topics, size_t count);

#endif
