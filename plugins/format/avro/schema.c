/*
 * schema.c -- of which schema a value is: that of the file, or one of a
 * registry by its id. An object has one schema: `split` names it, and gives its
 * text to the writer, who asks nobody.
 */
#include "plugins/common/avro_join.h"
#include "plugins/format/avro/avro.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What the registry's texts are made into. */
struct avro_known {
	struct avro_schema *schema;
	char *text;	  /* with all that it refers to */
	struct grow hint; /* the id and the text, once asked for */
};

/* ---- opening ---- */

static int
load_file(struct avro *avro, struct secor_err *err)
{
	const char *name = avro->conf->schema_file;
	FILE *file = fopen(name, "rbe");
	struct secor_err why = {""};
	const char *text;
	size_t n;
	int rc;

	if (file == NULL)
		return secor_fail(
		    err, SECOR_FATAL, "open %s: %s", name, strerror(errno));
	do {
		n = fread(grow_room(&avro->text, 4096), 1, 4096, file);
		avro->text.len += n;
	} while (n > 0);
	rc = ferror(file) ? secor_fail(err, SECOR_FATAL, "cannot read %s", name)
			  : SECOR_OK;
	(void)fclose(file);
	*grow_room(&avro->text, 1) = '\0'; /* does not count */
	text = avro->text.ptr;
	if (rc == SECOR_OK &&
	    avro_schema_new(&text, 1, &avro->schema, &why) != SECOR_OK)
		rc = secor_fail(err, SECOR_FATAL,
		    "%s is no Avro schema: %.900s", name, why.text);
	return rc;
}

static void
drop_known(void *thing)
{
	struct avro_known *known = thing;

	avro_schema_free(known->schema);
	free(known->text);
	grow_fini(&known->hint);
	free(known);
}

/* Compiled once more as it will stand in files. */
static int
make_known(
    const char *const *texts, size_t count, void **thing, struct secor_err *err)
{
	struct avro_known *known = calloc(1, sizeof(*known));
	struct avro_schema *whole = NULL;
	const char *text;
	int rc = avro_schema_new(texts, count, &whole, err);

	assert(known != NULL);
	if (rc == SECOR_OK)
		rc = avro_join(texts, count, &known->text, err);
	avro_schema_free(whole);
	text = known->text;
	if (rc == SECOR_OK)
		rc = avro_schema_new(&text, 1, &known->schema, err);
	if (rc != SECOR_OK) {
		drop_known(known);
		return SECOR_REJECT;
	}
	*thing = known;
	return SECOR_OK;
}

int
schema_open(
    struct avro *avro, const struct secor_host *host, struct secor_err *err)
{
	static const struct registry_use use = {make_known, drop_known};

	if (avro->conf->registry.urls.count == 0)
		return load_file(avro, err);
	return registry_open(
	    &avro->conf->registry, &use, host, &avro->registry, err);
}

void
schema_close(struct avro *avro)
{
	registry_close(avro->registry);
	avro_schema_free(avro->schema);
	grow_fini(&avro->text);
}

/* ---- of one value ---- */

/* Takes Confluent's prefix away, where there is one. */
static int
unframe(const struct avro_conf *conf, struct secor_bytes *datum, uint32_t *id,
    struct secor_err *err)
{
	if (datum->ptr == NULL)
		return secor_fail(
		    err, SECOR_REJECT, "a tombstone is no Avro record");
	*id = (uint32_t)conf->schema_id;
	if (conf->framing == AVRO_BARE)
		return SECOR_OK;
	if (datum->len < AVRO_PREFIX || datum->ptr[0] != 0)
		return secor_fail(
		    err, SECOR_REJECT, "the value has no schema id before it");
	memcpy(id, datum->ptr + 1, sizeof(*id));
	*id = __builtin_bswap32(*id);
	if (conf->schema_id >= 0 && *id != conf->schema_id)
		return secor_fail(err, SECOR_REJECT,
		    "the value is of another schema: id %u, not %lld", *id,
		    (long long)conf->schema_id);
	datum->ptr += AVRO_PREFIX;
	datum->len -= AVRO_PREFIX;
	return SECOR_OK;
}

int
schema_of(struct avro *avro, struct secor_bytes *datum,
    const struct avro_schema **schema, struct secor_err *err)
{
	void *thing = NULL;
	uint32_t id;
	int rc = unframe(avro->conf, datum, &id, err);

	if (rc != SECOR_OK)
		return rc;
	*schema = avro->schema;
	if (avro->registry == NULL)
		return SECOR_OK;
	rc = registry_get(avro->registry, id, &thing, err);
	if (rc == SECOR_OK)
		*schema = ((const struct avro_known *)thing)->schema;
	return rc;
}

static void
make_hint(struct avro_known *known, uint32_t id)
{
	grow_put(&known->hint, (const char *)&id, sizeof(id));
	grow_put(&known->hint, known->text, strlen(known->text));
}

int
avro_split(void *self, const struct secor_record *record,
    struct secor_split *split, struct secor_err *err)
{
	struct avro *avro = self;
	struct secor_bytes datum = record->message->value;
	struct avro_known *known;
	void *thing = NULL;
	uint32_t id;
	int rc;

	if (avro->registry == NULL)
		return SECOR_OK;
	rc = unframe(avro->conf, &datum, &id, err);
	if (rc == SECOR_OK)
		rc = registry_get(avro->registry, id, &thing, err);
	if (rc != SECOR_OK)
		return rc;
	known = thing;
	if (known->hint.len == 0)
		make_hint(known, id);
	if (avro->suffix[0] == '\0' || id != avro->suffix_id)
		(void)snprintf(avro->suffix, sizeof(avro->suffix), ".id%u", id);
	avro->suffix_id = id;
	split->suffix =
	    (struct secor_bytes){avro->suffix, strlen(avro->suffix)};
	split->hint = (struct secor_bytes){known->hint.ptr, known->hint.len};
	return SECOR_OK;
}

int
schema_of_object(const struct avro *avro, const struct secor_object *object,
    struct secor_bytes *text, int64_t *id, struct secor_err *err)
{
	uint32_t hinted;

	*id = avro->conf->schema_id;
	*text = (struct secor_bytes){avro->text.ptr, avro->text.len};
	if (avro->registry == NULL)
		return SECOR_OK;
	if (object->hint.ptr == NULL || object->hint.len < sizeof(hinted))
		return secor_fail(
		    err, SECOR_FATAL, "nobody said of which schema it is");
	memcpy(&hinted, object->hint.ptr, sizeof(hinted));
	*id = hinted;
	text->ptr = object->hint.ptr + sizeof(hinted);
	text->len = object->hint.len - sizeof(hinted);
	return SECOR_OK;
}
