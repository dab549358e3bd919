/*
 * record_fuzz.c -- any metadata text as the record of a partition: what is
 * understood is exactly what would be written; everything else is foreign. And
 * any fields that a record may have come back from their text.
 *
 * The first byte chooses: a text, or fields.
 */
#include "core/flow/record.h"
#include "tests/fuzz/fuzz.h"

struct taker {
	const uint8_t *next;
	size_t left;
};

static uint64_t
take(struct taker *from)
{
	uint64_t number = 0;
	size_t n = from->left < sizeof(number) ? from->left : sizeof(number);

	if (n > 0)
		memcpy(&number, from->next, n);
	from->next += n;
	from->left -= n;
	return number;
}

static int
understood(const struct record *record)
{
	return record->kind == RECORD_CLEAN || record->kind == RECORD_PLAN ||
	       record->kind == RECORD_HALT;
}

static void
check_text(const char *text, size_t len)
{
	struct record record, longer;
	char again[RECORD_TEXT_MAX];

	record_read(&record, 7, text, len);
	MUST(record.offset == 7);
	MUST(understood(&record) || record.kind == RECORD_FOREIGN);
	if (understood(&record)) {
		MUST(record_write(&record, again) == len);
		MUST(memcmp(again, text, len) == 0);
		MUST(record_same_family(record.g, record.g) ||
		     strlen(record.g) <= 17);
		MUST(record_generation(record.g) >= -1);
		again[len] = ' ';
		record_read(&longer, 7, again, len + 1);
		MUST(longer.kind == RECORD_FOREIGN);
	}
	record_read(&record, -1, text, len);
	MUST(record.kind == RECORD_MISSING);
}

static void
check_fields(struct taker from)
{
	struct record record = {
	    .kind = (enum record_kind)(RECORD_CLEAN + take(&from) % 3),
	    .offset = (int64_t)(take(&from) >> 2)};
	struct record back;
	char text[RECORD_TEXT_MAX];
	size_t len;

	record_g(record.g, "cluster", "group", take(&from),
	    (int64_t)(take(&from) >> 1));
	record.w = (int64_t)take(&from);
	record.m = take(&from);
	record.q = (int64_t)take(&from);
	if (record.kind == RECORD_PLAN) {
		record.e = record.offset + 1 + (int64_t)(take(&from) >> 2);
		record.n = (int64_t)(take(&from) >> 1);
		record.i = take(&from);
		record.o = take(&from);
		record.f = take(&from);
		record.c = (enum cut)(take(&from) % CUT_COUNT);
	}
	if (record.kind == RECORD_HALT)
		record.r = (enum halt)(take(&from) % HALT_COUNT);
	len = record_write(&record, text);
	record_read(&back, record.offset, text, len);
	MUST(record_equal(&record, &back));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct taker from = {data, size};

	if (size == 0)
		return 0;
	from.next++;
	from.left--;
	if (data[0] & 1)
		check_fields(from);
	else
		check_text((const char *)from.next, from.left);
	return 0;
}
