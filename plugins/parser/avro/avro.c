/*
 * avro.c -- parser: time and fields of Avro records, by the writer's schema: of
 * a file, or of a schema registry by the id in the value's frame.
 */
#include "plugins/common/avro_read.h"
#include "plugins/common/framed.h"
#include "plugins/common/registry.h"

#include <errno.h>
#include <stdlib.h>

#define FILE_MAX (8 * 1024 * 1024)

struct avro_conf {
	struct finder_conf find;
	const char *schema_file;
	int64_t schema_id;
	int framing;
	struct registry_conf registry;
};

struct avro {
	const struct avro_conf *conf;
	struct finder finder;
	struct avro_schema *schema; /* of the file */
	struct registry *registry;
};

static const char *const framings[] = {FRAMED_CHOICES};

static const struct secor_option options[] = {
    FINDER_ROWS(struct avro_conf, find, NULL,
	"path of the event time, like meta.created; a logical type of time "
	"is taken as such"),
    SECOR_OPTION(PATH, struct avro_conf, schema_file, "schema_file", NULL,
	SECOR_OPTION_OUTPUT, "the schema that values are written with (.avsc)"),
    SECOR_OPTION_CHOICE(struct avro_conf, framing, "framing", "none", framings,
	SECOR_OPTION_OUTPUT,
	"confluent: a zero byte and the id of the schema are in front"),
    SECOR_OPTION_RANGE(INT, struct avro_conf, schema_id, "schema_id", "-1",
	"-1", "4294967295", SECOR_OPTION_OUTPUT,
	"with schema_file: the id that it has, others are rejected; -1: any"),
    REGISTRY_ROWS(struct avro_conf, registry),
};

/* ---- check ---- */

static void
avro_check(const void *conf, const struct secor_check *check)
{
	const struct avro_conf *c = conf;
	int registry = c->registry.urls.count > 0;

	finder_check(&c->find, check);
	registry_check(&c->registry, check);
	if (registry && c->framing == FRAMED_NONE)
		check->complain(check, "registry",
		    "does nothing without framing: confluent");
	if (registry && c->schema_file != NULL)
		check->complain(
		    check, "schema_file", "and registry exclude each other");
	if (!registry && c->schema_file == NULL)
		check->complain(check, "schema_file",
		    "is needed (or framing: confluent and registry)");
	if (c->schema_id >= 0 &&
	    (c->framing == FRAMED_NONE || c->schema_file == NULL))
		check->complain(check, "schema_id",
		    "does nothing without framing: confluent and schema_file");
}

/* ---- open ---- */

static int
read_schema(struct avro *avro, const char *path, struct secor_err *err)
{
	FILE *file = fopen(path, "rbe");
	char *text = calloc(1, FILE_MAX + 1);
	const char *const texts[] = {text};
	struct secor_err why;
	size_t got;
	int rc;

	if (file == NULL || text == NULL) {
		rc = errno;
		free(text);
		if (file != NULL)
			(void)fclose(file);
		return secor_fail(
		    err, SECOR_FATAL, "%s: %s", path, strerror(rc));
	}
	got = fread(text, 1, FILE_MAX, file);
	(void)fclose(file);
	rc = got == FILE_MAX
		 ? secor_fail(&why, SECOR_REJECT, "it is over 8 MiB")
		 : avro_schema_new(texts, 1, &avro->schema, &why);
	free(text);
	if (rc != SECOR_OK)
		return secor_fail(err, SECOR_FATAL, "%s: %s", path, why.text);
	return SECOR_OK;
}

static int
make_schema(
    const char *const *texts, size_t count, void **thing, struct secor_err *err)
{
	struct avro_schema *schema;

	if (avro_schema_new(texts, count, &schema, err) != SECOR_OK)
		return SECOR_REJECT;
	*thing = schema;
	return SECOR_OK;
}

static void
drop_schema(void *thing)
{
	avro_schema_free(thing);
}

static void
avro_close(void *self)
{
	struct avro *avro = self;

	if (avro == NULL)
		return;
	registry_close(avro->registry);
	avro_schema_free(avro->schema);
	finder_close(&avro->finder);
	free(avro);
}

static int
avro_set_up(
    struct avro *avro, const struct secor_open *with, struct secor_err *err)
{
	static const struct registry_use use = {make_schema, drop_schema};
	const struct avro_conf *conf = avro->conf;

	if (finder_open(&avro->finder, &conf->find, with, err) != SECOR_OK)
		return SECOR_FATAL;
	if (conf->schema_file != NULL)
		return read_schema(avro, conf->schema_file, err);
	return registry_open(
	    &conf->registry, &use, with->host, &avro->registry, err);
}

static int
avro_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	struct avro *avro = calloc(1, sizeof(*avro));

	if (avro == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	avro->conf = with->conf;
	if (avro_set_up(avro, with, err) != SECOR_OK) {
		avro_close(avro);
		return SECOR_FATAL;
	}
	*self = avro;
	return SECOR_OK;
}

/* ---- parse ---- */

/* The schema of a value, with the cursor behind its frame. */
static int
schema_of(struct avro *avro, struct wire *wire,
    const struct avro_schema **schema, struct secor_err *err)
{
	const struct avro_conf *conf = avro->conf;
	void *thing = NULL;
	const char *why;
	uint32_t id;
	int rc;

	*schema = avro->schema;
	if (conf->framing == FRAMED_NONE)
		return SECOR_OK;
	why = framed_open(wire, &id);
	if (why != NULL)
		return secor_fail(err, SECOR_REJECT, "%s", why);
	if (avro->registry == NULL) {
		if (conf->schema_id >= 0 && conf->schema_id != (int64_t)id)
			return secor_fail(err, SECOR_REJECT,
			    "unknown schema: id %u is not %lld", id,
			    (long long)conf->schema_id);
		return SECOR_OK;
	}
	rc = registry_get(avro->registry, id, &thing, err);
	*schema = thing;
	return rc;
}

static int
avro_parse(void *self, const struct secor_message *message,
    struct secor_record *record, struct secor_bytes *fields,
    struct secor_err *err)
{
	struct avro *avro = self;
	struct wire wire = wire_of(message->value);
	const struct avro_schema *schema;
	const char *why;
	int rc;

	if (message->value.ptr == NULL)
		return secor_fail(err, SECOR_REJECT, "the value is null");
	rc = schema_of(avro, &wire, &schema, err);
	if (rc != SECOR_OK)
		return rc;
	finder_begin(&avro->finder);
	why = avro_read(avro_schema_root(schema), &avro->finder, &wire);
	if (why == NULL && wire_left(&wire) > 0)
		why = "the value is not of its Avro schema: it goes on behind "
		      "its end";
	if (why != NULL)
		return secor_fail(err, SECOR_REJECT, "%s", why);
	return finder_end(&avro->finder, message, record, fields, err);
}

static const struct secor_parser_ops ops = {
    .size = sizeof(ops),
    .open = avro_open,
    .parse = avro_parse,
    .close = avro_close,
};

static const struct secor_plugin plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_PARSER,
    "avro",
    SECOR_VERSION,
    "time and fields of Avro records, by schema file or registry",
    1,
    SECOR_OPTIONS(options),
    sizeof(struct avro_conf),
    avro_check,
    &ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &plugin;
}
