/*
 * fingerprint.c -- one number for everything that decides names and records of
 * the output. It is written into plans: what is hashed, and how, never changes
 * without a new word in the first line.
 */
#include "core/base/hash.h"
#include "core/config/parts.h"

static uint64_t
add_use(uint64_t hash, const struct config_use *use)
{
	struct options opts = plugin_options(use->plugin);

	hash = hash64_add_int(hash, use->plugin->desc.kind);
	hash = hash64_add_text(hash, use->plugin->desc.name);
	hash = hash64_add_int(hash, use->plugin->desc.output_version);
	if (use->max_values > 0) /* later than the others: absent as before */
		hash = hash64_add_int(
		    hash, (int64_t)options_output_hash(&partitioner_keys, use));
	return hash64_add_int(
	    hash, (int64_t)options_output_hash(&opts, use->conf));
}

static uint64_t
add_uses(uint64_t hash, const struct config_uses *uses)
{
	hash = hash64_add_int(hash, (int64_t)uses->count);
	for (size_t i = 0; i < uses->count; i++)
		hash = add_use(hash, &uses->items[i]);
	return hash;
}

/* Later than the others: what is not set is absent, as it was before. */
static uint64_t
add_folders(uint64_t hash, const struct config_layout *layout)
{
	if (layout->prefix[0] != '\0')
		hash = hash64_add_text(
		    hash64_add_text(hash, "prefix"), layout->prefix);
	for (size_t i = 0; i < layout->topics.count; i++) {
		hash = hash64_add_text(hash, layout->topics.items[i].key);
		hash = hash64_add_text(hash, layout->topics.items[i].value);
	}
	if (layout->md5_prefix)
		hash = hash64_add_text(hash, "md5");
	if (layout->alternative_prefix == NULL)
		return hash;
	hash = hash64_add_text(hash, layout->alternative_prefix);
	hash = hash64_add_text(hash, layout->alternative_from);
	return hash64_add_text(hash, layout->alternative_level);
}

/* Later than the others: absent where late data amends, as it did before. */
static uint64_t
add_late(uint64_t hash, const struct config_finalize *finalize)
{
	if (finalize->late == CONFIG_LATE_AMEND)
		return hash;
	hash =
	    hash64_add_text(hash64_add_text(hash, "late"), finalize->late_name);
	return hash64_add_int(hash, finalize->delay_ms);
}

uint64_t
fingerprint_of(const struct config *config, const struct config_topic *topic)
{
	uint64_t hash = hash64_add_text(0, "secor 2");

	/* files of before it was there keep their number */
	if (config->compat != SECOR_COMPAT_NONE)
		hash = hash64_add_int(
		    hash64_add_text(hash, "compat"), config->compat);
	hash = hash64_add_int(hash, config->layout.generation);
	hash = hash64_add_text(hash, config->layout.manifest_prefix);
	hash = hash64_add_text(hash, config->layout.dead_letter_prefix);
	hash = hash64_add_text(hash, config->layout.extension);
	hash = add_folders(hash, &config->layout);
	hash = hash64_add_int(hash, topic->time_source);
	hash = hash64_add_int(hash, topic->accept_past_ms);
	hash = hash64_add_int(hash, topic->accept_future_ms);
	hash = hash64_add_int(hash, topic->bad.action);
	hash = add_late(hash, &topic->finalize);
	hash = add_uses(hash, &topic->transformers);
	hash = add_use(hash, &topic->parser);
	hash = add_uses(hash, &topic->partitioners);
	return add_use(hash, &topic->format);
}
