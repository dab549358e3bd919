/*
 * lane.c -- see lane.h.
 */
#include "core/flow/lane.h"

#include "core/base/buf.h"

#include <stdlib.h>

static int
open_encoder(struct lane *lane, struct secor_err *err)
{
	const struct config_use *use = &lane->topic->format;
	int rc, encodes;

	lane->format = use->plugin->ops.format;
	lane->traits.size = sizeof(lane->traits);
	lane->format->describe(use->conf, &lane->traits);
	lane->extension = lane->config->layout.extension != NULL
			      ? lane->config->layout.extension
			      : lane->traits.extension;
	if (lane->extension == NULL)
		lane->extension = "";
	encodes = lane->format->encode != NULL && !lane->traits.by_write;
	if (!encodes && lane->format->split == NULL)
		return SECOR_OK;
	rc = config_open(use, NULL, &lane->instance, err);
	if (rc != SECOR_OK)
		return rc;
	lane->encoder = encodes ? lane->instance : NULL;
	lane->splitter = lane->format->split != NULL ? lane->instance : NULL;
	return SECOR_OK;
}

static void
lane_free(struct lane *lane)
{
	router_free(lane->router);
	if (lane->instance != NULL)
		lane->format->close(lane->instance);
	free(lane);
}

int
lane_get(struct lane **lanes, const struct config *config, const char *topic,
    size_t key_overhead, struct lane **lane, struct secor_err *err)
{
	const struct config_topic *settings = config_topic(config, topic);
	struct lane *made;
	int rc;

	for (made = *lanes; made != NULL; made = made->next)
		if (made->topic == settings) {
			*lane = made;
			return SECOR_OK;
		}
	made = mem_alloc(sizeof(*made));
	made->config = config;
	made->topic = settings;
	if (settings->format.plugin->ops.format->split != NULL)
		key_overhead += SECOR_SUFFIX_MAX;
	rc = router_new(settings, key_overhead, &made->router, err);
	if (rc == SECOR_OK)
		rc = open_encoder(made, err);
	if (rc != SECOR_OK) {
		lane_free(made);
		return rc;
	}
	made->looks_at = router_looks_at(made->router);
	made->tells_late = router_tells_late(made->router);
	made->is_choosy = made->tells_late || made->splitter != NULL;
	made->next = *lanes;
	*lanes = made;
	*lane = made;
	return SECOR_OK;
}

void
lanes_free(struct lane *lanes)
{
	while (lanes != NULL) {
		struct lane *next = lanes->next;

		lane_free(lanes);
		lanes = next;
	}
}
