/*
 * late.c -- what finalize.late: separate asks of the rest. Its component must
 * be one that no partitioner makes: catalogues compare names without case.
 */
#include "core/config/parts.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { MAX_FIELDS = 64, NAME_MAX_BYTES = 64 };

static int
is_name(const char *name)
{
	for (const char *at = name; *at != '\0'; at++)
		if (!isalnum((unsigned char)*at) && *at != '_')
			return 0;
	return isalpha((unsigned char)name[0]) &&
	       strlen(name) <= NAME_MAX_BYTES;
}

/* One that every partitioner must be able to place. */
static int
ask(const struct config_use *use, void *self, struct secor_route_out *out)
{
	struct secor_bytes values[MAX_FIELDS];
	struct secor_strings fields = {NULL, 0};
	struct secor_route_in in = {
	    .size = sizeof(in), .key = {"0", 1}, .fields = values};
	struct secor_err err;
	uint32_t inputs = 0;

	if (use->plugin->ops.partitioner->describe != NULL)
		use->plugin->ops.partitioner->describe(
		    use->conf, &inputs, &fields);
	if (fields.count > MAX_FIELDS)
		return 0;
	for (size_t i = 0; i < fields.count; i++)
		values[i] = (struct secor_bytes){"0", 1};
	in.field_count = fields.count;
	*out = (struct secor_route_out){.size = sizeof(*out)};
	return use->plugin->ops.partitioner->route(self, &in, out, &err) ==
	       SECOR_OK;
}

/* Whether it makes a level of this name. One that does not open says so where
 * it is opened for good. */
static int
makes(const struct config_use *use, const char *name)
{
	struct secor_route_out out;
	struct secor_err err;
	void *self;
	int found = 0;

	if (use->plugin == NULL || use->conf == NULL ||
	    config_open(use, NULL, &self, &err) != SECOR_OK)
		return 0;
	if (ask(use, self, &out))
		for (uint32_t i = 0; i < out.level_count; i++)
			found |= out.levels[i].name.len == strlen(name) &&
				 strncasecmp(out.levels[i].name.ptr, name,
				     strlen(name)) == 0;
	use->plugin->ops.partitioner->close(self);
	return found;
}

const char *
late_fault(const struct config_topic *topic, int load, struct secor_err *why)
{
	const struct config_finalize *finalize = &topic->finalize;
	const struct config_uses *uses = &topic->partitioners;

	if (finalize->late != CONFIG_LATE_SEPARATE)
		return NULL;
	if (finalize->delay_ms < 0) {
		(void)secor_fail(why, 0,
		    "separate needs finalize.delay, which says when a path is "
		    "over; set it, or leave this out");
		return "late";
	}
	if (!is_name(finalize->late_name)) {
		(void)secor_fail(why, 0,
		    "'%s' is none: it begins with a letter, has letters, "
		    "digits and '_' alone and at most %d bytes",
		    finalize->late_name, NAME_MAX_BYTES);
		return "late_name";
	}
	for (size_t i = 0; load && i < uses->count; i++) {
		if (!makes(&uses->items[i], finalize->late_name))
			continue;
		(void)secor_fail(why, 0,
		    "partitioner %s makes a level '%s' itself; give this "
		    "component another name",
		    uses->items[i].plugin->desc.name, finalize->late_name);
		return "late_name";
	}
	return NULL;
}
