/*
 * redrive_abandon.c -- takes back what was claimed and planned, and has no
 * receipt. Objects and pointers go before their plan: killed in between, it is
 * repeated.
 */
#include "core/cli/redrive.h"
#include "core/flow/redriven.h"
#include "core/flow/step.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int
take_back_plan(struct redrive *redrive, const struct redrive_source *source,
    const struct manifest_place *place, const struct receipt_file *file,
    struct secor_err *err)
{
	const struct manifest_store *store = &redrive->store;
	struct receipt *receipt = NULL;
	struct redrive_sums sums = {.objects = 0};
	struct redrive_said said = {.state = "abandoned", .sums = &sums};
	int rc = receipts_get(store, place, file, &receipt, err);

	if (rc != SECOR_OK)
		return rc;
	step_reached("abandon-begun");
	for (size_t i = 0;
	     rc == SECOR_OK && !redrive->dry && i < receipt->object_count; i++)
		rc = store->ops->remove(
		    store->self, receipt->objects[i].key, err);
	step_reached("abandon-objects");
	if (rc == SECOR_OK && !redrive->dry)
		rc = redriven_remove(store, receipt, err);
	if (rc == SECOR_OK && !redrive->dry)
		rc = redrive_remove(redrive, file, err);
	sums.objects = receipt->object_count;
	said.receipt = receipt;
	if (rc == SECOR_OK)
		redrive_say(redrive, source, &said);
	receipt_free(receipt);
	return rc;
}

/* A claim, or a plan that was followed. */
static int
take_back_rest(struct redrive *redrive, const struct redrive_source *source,
    const struct receipt_file *file, struct secor_err *err)
{
	const struct redrive_said said = {.state = "abandoned"};

	if (file->name.kind == RECEIPT_DONE)
		return SECOR_OK;
	redrive_say(redrive, source, &said);
	return redrive->dry ? SECOR_OK : redrive_remove(redrive, file, err);
}

int
redrive_abandon(struct redrive *redrive, const struct redrive_source *source,
    struct secor_err *err)
{
	char *topic = mem_dup(redrive->topic, strlen(redrive->topic));
	const struct manifest_place place = {
	    topic, source->partition, source->generation};
	struct receipts receipts = {0};
	int rc = receipts_list(
	    &redrive->store, &place, source->start, &receipts, err);

	for (size_t i = 0; rc == SECOR_OK && i < receipts.count; i++) {
		const struct receipt_file *file = &receipts.items[i];

		if (receipts_is_open(&receipts, i))
			rc = take_back_plan(redrive, source, &place, file, err);
		else
			rc = take_back_rest(redrive, source, file, err);
	}
	receipts_fini(&receipts);
	free(topic);
	return rc;
}
