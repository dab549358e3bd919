/*
 * why_redrive.c -- `secor why` of an object that a redrive made, from its
 * receipt.
 */
#include "core/cli/args.h"
#include "core/cli/cli.h"
#include "core/cli/why.h"
#include "core/config/layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
why_redriven(const struct manifest_store *store,
    const struct manifest_place *place, int64_t start, uint64_t *redriven,
    struct secor_err *err)
{
	struct receipts receipts = {0};
	int rc = receipts_list(store, place, start, &receipts, err);

	*redriven = 0;
	for (size_t i = 0; rc == SECOR_OK && i < receipts.count; i++) {
		struct receipt *receipt = NULL;

		if (receipts.items[i].name.kind != RECEIPT_DONE)
			continue;
		rc = receipts_get(
		    store, place, &receipts.items[i], &receipt, err);
		if (rc == SECOR_OK)
			*redriven += receipt_records(receipt);
		receipt_free(receipt);
	}
	receipts_fini(&receipts);
	return rc;
}

static void
put_json(const struct why_asked *asked, const struct receipt *receipt,
    const struct receipt_object *object, const char *file)
{
	const struct offset_runs *runs = &object->offsets;
	struct buf out = {0};
	char time[40];

	buf_puts(&out, "{");
	cli_json_text(&out, "topic", receipt->topic);
	buf_printf(&out,
	    ",\"partition\":%" PRId32 ",\"generation\":%" PRId64
	    ",\"start\":%" PRId64 ",\"redrive\":%" PRId64 ",",
	    receipt->partition, receipt->generation, receipt->start,
	    receipt->number);
	cli_json_text(&out, "receipt", file);
	buf_putc(&out, ',');
	cli_json_text(&out, "dead_letters", receipt->source);
	buf_putc(&out, ',');
	cli_json_text(&out, "written", cli_time(receipt->written_ms, time));
	buf_puts(&out, ",\"object\":{");
	cli_json_text(&out, "key", asked->key);
	buf_putc(&out, ',');
	cli_json_text(&out, "path", object->path);
	(void)printf("%s,\"records\":%" PRIu64 ",\"bytes\":%" PRIu64
		     ",\"crc32c\":\"%08" PRIx32 "\",\"first_offset\":%" PRId64
		     ",\"last_offset\":%" PRId64 "}}\n",
	    out.ptr, runs->offsets, object->bytes, object->crc32c,
	    runs->items[0].first, runs->items[runs->count - 1].last);
	buf_fini(&out);
}

static void
put_lines(const struct why_asked *asked, const struct receipt *receipt,
    const struct receipt_object *object, const char *file)
{
	const struct offset_runs *runs = &object->offsets;
	const struct manifest_store *store = asked->store;
	char url[2048] = "";
	char time[40];

	if (store->ops->url != NULL)
		store->ops->url(store->self, asked->key, url, sizeof(url));
	(void)printf("object     %s\n", url[0] == '\0' ? asked->key : url);
	(void)printf("holds      %" PRIu64 " records of offsets %" PRId64
		     "..%" PRId64 ", %" PRIu64 " bytes, CRC32C %08" PRIx32 "\n",
	    runs->offsets, runs->items[0].first,
	    runs->items[runs->count - 1].last, object->bytes, object->crc32c);
	(void)printf("redrive    receipt %" PRId64 " of %s/%" PRId32
		     " batch %" PRId64 ", generation %" PRId64 ": %s\n",
	    receipt->number, receipt->topic, receipt->partition, receipt->start,
	    receipt->generation, file);
	(void)printf("were       dead letters: %s\n", receipt->source);
	(void)printf("written    %s\n", cli_time(receipt->written_ms, time));
}

/* Prints when the receipt lists the key. */
static int
look_into(const struct why_asked *asked, const struct manifest_place *place,
    const struct receipt_file *file, int *code, struct secor_err *err)
{
	struct receipt *receipt = NULL;
	int rc = receipts_get(asked->store, place, file, &receipt, err);

	for (size_t i = 0; rc == SECOR_OK && i < receipt->object_count; i++) {
		if (strcmp(receipt->objects[i].key, asked->key) != 0)
			continue;
		*code = CLI_OK;
		if (asked->json)
			put_json(
			    asked, receipt, &receipt->objects[i], file->key);
		else
			put_lines(
			    asked, receipt, &receipt->objects[i], file->key);
	}
	receipt_free(receipt);
	return rc == SECOR_REJECT ? SECOR_OK : rc;
}

int
why_redrive(const struct why_asked *asked, int *code, struct secor_err *err)
{
	struct manifest_place place = {.topic = NULL};
	struct receipts receipts = {0};
	struct receipt_name name;
	int rc;

	*code = -1;
	if (!verify_parse_redrive(asked->key, &name, &place.partition))
		return SECOR_OK;
	place.topic = layout_topic(asked->config, asked->key);
	place.generation = name.generation;
	if (place.topic == NULL)
		return SECOR_OK;
	*code = CLI_FOUND;
	rc = receipts_list(asked->store, &place, name.start, &receipts, err);
	for (size_t i = 0; rc == SECOR_OK && i < receipts.count; i++)
		if (receipts.items[i].name.kind == RECEIPT_DONE &&
		    receipts.items[i].name.number == name.number)
			rc = look_into(
			    asked, &place, &receipts.items[i], code, err);
	if (rc == SECOR_OK && *code == CLI_FOUND)
		(void)fprintf(stderr,
		    "secor why: %s: no receipt lists it; of a redrive that is "
		    "under way, or it does not belong there: secor verify "
		    "tells\n",
		    asked->key);
	receipts_fini(&receipts);
	free(place.topic);
	return rc;
}
