/*
 * spin.c -- parser: the time out of a message of the replaying broker, and then
 * `spin` nanoseconds of doing nothing, as a costly parser would take.
 */
#include <secor/parser.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct spin_conf {
	int64_t spin;
};

static const struct secor_option spin_options[] = {
    SECOR_OPTION(
	INT, struct spin_conf, spin, "spin", "0", 0, "Nanoseconds a message."),
};

struct spin {
	int64_t ns;
};

static int
spin_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	const struct spin_conf *conf = with->conf;
	struct spin *spin = calloc(1, sizeof(*spin));

	if (spin == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	spin->ns = conf->spin;
	*self = spin;
	return SECOR_OK;
}

static int64_t
now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Digits at `at` as seconds of the day; the day is always 2026-01-01. */
static int64_t
ms_of(const char *at)
{
	int64_t part[3];

	for (int i = 0; i < 3; i++)
		part[i] = (at[3 * i] - '0') * 10 + at[3 * i + 1] - '0';
	return (INT64_C(1767225600) + part[0] * 3600 + part[1] * 60 + part[2]) *
	       1000;
}

static int
spin_parse(void *self, const struct secor_message *message,
    struct secor_record *record, struct secor_bytes *fields,
    struct secor_err *err)
{
	static const char tail[] = "07:40:00.000Z\",\"ok\":true}";
	const struct spin *spin = self;
	const struct secor_bytes *value = &message->value;
	int64_t until;

	(void)fields;
	if (value->ptr == NULL || value->len < sizeof(tail) - 1)
		return secor_fail(err, SECOR_REJECT, "too short");
	record->time_ms = ms_of(value->ptr + value->len - (sizeof(tail) - 1));
	if (spin->ns > 0)
		for (until = now_ns() + spin->ns; now_ns() < until;)
			;
	return SECOR_OK;
}

static const struct secor_parser_ops ops = {
    .size = sizeof(ops),
    .open = spin_open,
    .parse = spin_parse,
    .close = free,
};

static const struct secor_plugin plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_PARSER,
    "spin",
    SECOR_VERSION,
    "takes its time: for measuring",
    1,
    SECOR_OPTIONS(spin_options),
    sizeof(struct spin_conf),
    NULL,
    &ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &plugin;
}
