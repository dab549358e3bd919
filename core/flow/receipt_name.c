/*
 * receipt_name.c -- names of receipts, plans and claims.
 */
#include "core/flow/receipt.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

char *
receipt_folder(const char *prefix, const char *topic, int32_t partition)
{
	return mem_text("%s/%s/%" PRId32 "/redrive/", prefix, topic, partition);
}

char *
receipt_key(const char *folder, const struct receipt_name *name)
{
	char *head = mem_text("%s%" PRId64 "_%020" PRId64 "_%" PRId64, folder,
	    name->generation, name->start, name->number);
	char *key;

	if (name->kind == RECEIPT_DONE)
		key = mem_text("%s.json", head);
	else if (name->kind == RECEIPT_PLAN)
		key = mem_text("%s_%016" PRIx64 "_plan.json", head, name->plan);
	else
		key = mem_text("%s_%016" PRIx64 "_%016" PRIx64 "_claim", head,
		    name->plan, name->nonce);
	free(head);
	return key;
}

static int
parse_number(const char **at, int64_t *number)
{
	char *end;

	if (**at < '0' || **at > '9')
		return 0;
	*number = strtoll(*at, &end, 10);
	*at = end;
	return *number != INT64_MAX;
}

static int
parse_hex(const char **at, uint64_t *number)
{
	char *end;

	if (strspn(*at, "0123456789abcdef") != 16)
		return 0;
	*number = strtoull(*at, &end, 16);
	*at = end;
	return 1;
}

static int
parse(const char *at, struct receipt_name *name)
{
	if (!parse_number(&at, &name->generation) || *at++ != '_' ||
	    !parse_number(&at, &name->start) || *at++ != '_' ||
	    !parse_number(&at, &name->number))
		return 0;
	name->kind = RECEIPT_DONE;
	if (*at != '_')
		return 1;
	at++;
	name->kind = RECEIPT_PLAN;
	if (!parse_hex(&at, &name->plan) || *at++ != '_')
		return 0;
	if (!parse_hex(&at, &name->nonce))
		return 1;
	name->kind = RECEIPT_CLAIM;
	return 1;
}

/* What it says is written again: only the same text is one. */
int
receipt_parse_name(const char *text, struct receipt_name *name)
{
	struct receipt_name found = {.nonce = 0};
	char *again;
	int same;

	if (!parse(text, &found) || found.number < 1 ||
	    found.number > RECEIPT_NUMBER_MAX)
		return 0;
	again = receipt_key("", &found);
	same = strcmp(again, text) == 0;
	free(again);
	if (same)
		*name = found;
	return same;
}
