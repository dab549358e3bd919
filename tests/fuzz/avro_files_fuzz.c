/*
 * avro_files_fuzz.c -- any bytes as an Avro container file; or, by the first
 * byte, as a schema of its own, a NUL, and a datum.
 */
#include "plugins/common/avro_walk.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/read.h"

static void
walk(const char *bytes, size_t len)
{
	size_t text = strnlen(bytes, len), used = 0;
	struct avro_schema *schema = NULL;
	struct secor_err err = {""};
	char *copy = calloc(text + 1, 1);
	const char *texts[] = {copy};
	int rc;

	MUST(copy != NULL);
	memcpy(copy, bytes, text);
	rc = avro_schema_new(texts, 1, &schema, &err);
	free(copy);
	MUST(rc == SECOR_OK || (rc == SECOR_REJECT && err.text[0] != '\0'));
	if (rc != SECOR_OK)
		return;
	text += text < len;
	if (avro_datum_len(schema, bytes + text, len - text, &used) == NULL)
		MUST(used <= len - text);
	avro_schema_free(schema);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (len > 0 && bytes[0] == '\0')
		walk((const char *)bytes + 1, len - 1);
	else
		fuzz_read(NULL, bytes, len);
	return 0;
}
