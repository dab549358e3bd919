/*
 * sections.h -- the engine's own sections: their rows and where they lie in
 * struct config.
 */
#ifndef SECOR_CONFIG_SECTIONS_H
#define SECOR_CONFIG_SECTIONS_H

#include "core/config/bind.h"

struct engine_section {
	const char *name;
	const char *help;
	size_t offset; /* in struct config, or in struct config_topic */
	struct options opts;
};

/* Of the whole configuration: kafka, stage, layout, ... Ended by a NULL name.
 */
extern const struct engine_section config_sections[];
/* Of one topic, in overrides too: batch, bad_messages, finalize. */
extern const struct engine_section topic_sections[];

/* Only in overrides, and nothing of it is inherited: kafka. In struct
 * config_topic. */
extern const struct engine_section override_sections[];

/* Keys of the file's top level that are no sections, in struct config. */
extern const struct options file_keys;

/* The engine's keys beside a plugin's: in struct config_topic for a parser, in
 * struct config_use for a reporter and a partitioner. */
extern const struct options parser_keys;
extern const struct options reporter_keys;
extern const struct options partitioner_keys;

/* A section that names plugins. */
struct use_section {
	const char *name; /* "partitioner", "notifiers" */
	int kind;
	int many;     /* a list (or one) */
	int required; /* at least one */
	const char *help;
};
extern const struct use_section use_sections[];

/* Every key of the file's top level in the order of the flow, NULL-ended. */
extern const char *const section_names[];

#endif
