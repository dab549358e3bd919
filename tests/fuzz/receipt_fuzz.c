/*
 * receipt_fuzz.c -- any bytes as a receipt: what is read is written and read
 * again as the same; as the name of one: what is taken is written the same; and
 * as a line of dead letters.
 *
 * The first byte chooses.
 */
#include "core/flow/receipt.h"

#include "core/flow/deadletter_line.h"
#include "tests/fuzz/fuzz.h"

static void
check_text(const char *text, size_t len)
{
	struct secor_err err = {""};
	struct receipt *first = NULL, *second = NULL;
	char *once, *twice;
	int rc = receipt_read(text, len, &first, &err);

	if (rc != SECOR_OK) {
		MUST(rc == SECOR_REJECT && first == NULL);
		MUST(err.text[0] != '\0');
		return;
	}
	for (size_t i = 0; i < first->object_count; i++) {
		const struct offset_runs *runs = &first->objects[i].offsets;

		MUST(runs->count > 0);
		MUST(offset_runs_has(runs, runs->items[0].first));
		MUST(offset_runs_has(runs, runs->items[runs->count - 1].last));
		MUST(!offset_runs_has(runs, runs->items[0].first - 1));
	}
	once = receipt_write(first);
	MUST(receipt_read(once, strlen(once), &second, &err) == SECOR_OK);
	twice = receipt_write(second);
	MUST(strcmp(once, twice) == 0);
	MUST(receipt_plan(first) == receipt_plan(second));
	MUST(receipt_records(first) == receipt_records(second));
	free(once);
	free(twice);
	receipt_free(first);
	receipt_free(second);
}

static void
check_name(const char *text)
{
	struct receipt_name name;
	char *again;

	if (!receipt_parse_name(text, &name))
		return;
	MUST(name.number >= 1 && name.number <= RECEIPT_NUMBER_MAX);
	MUST(name.generation >= 0 && name.start >= 0);
	again = receipt_key("", &name);
	MUST(strcmp(again, text) == 0);
	free(again);
}

/* Twice with the same state: nothing of the first counts. */
static void
check_line(const char *text, size_t len)
{
	struct deadletter letter = {.reason = NULL};
	int good = deadletter_parse(&letter, text, len);
	size_t sum = 0;

	MUST(deadletter_parse(&letter, text, len) == good);
	if (good) {
		const struct secor_message *m = &letter.message;

		MUST(m->offset >= 0 && m->partition >= -1);
		sum = strlen(m->topic) + strlen(letter.reason) + m->key.len +
		      m->value.len;
		for (int32_t i = 0; i < m->header_count; i++)
			sum += strlen(m->headers[i].name) +
			       m->headers[i].value.len;
		MUST(sum <= len + (size_t)m->header_count);
	}
	deadletter_fini(&letter);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size == 0)
		return 0;
	text = mem_dup(data + 1, size - 1);
	if (data[0] % 3 == 0)
		check_text(text, size - 1);
	else if (data[0] % 3 == 1)
		check_name(text);
	else
		check_line(text, size - 1);
	free(text);
	return 0;
}
