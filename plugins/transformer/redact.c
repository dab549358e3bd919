/*
 * redact.c -- transformer: fields of JSON objects dropped, hashed with a key,
 * or masked; everything else stays byte for byte.
 *
 * The text is checked first, by the scan of the JSON parser, so that the walk
 * that writes it again may trust it. Of a name that occurs twice every value is
 * redacted; an array on the way of a path stands for each of its elements.
 */
#include "plugins/common/grow.h"
#include "plugins/common/json_scan.h"
#include "plugins/common/json_text.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <secor/transformer.h>
#include <stdlib.h>
#include <string.h>

struct redact_conf {
	struct secor_strings drop, hash, mask;
	const char *secret;
	const char *mask_text;
};

enum redact_action { ACTION_NONE, ACTION_DROP, ACTION_HASH, ACTION_MASK };
enum { MOST_PATHS = 256 };

struct redact {
	const struct redact_conf *conf;
	struct json_paths paths;
	struct json_scan *scan;
	unsigned char actions[MOST_PATHS]; /* by slot */
	struct grow text;
	struct grow plain; /* a string without its escapes */
	int failed;	   /* a digest */
};

static const struct secor_option options[] = {
    SECOR_OPTION(STRINGS, struct redact_conf, drop, "drop", "[]",
	SECOR_OPTION_OUTPUT,
	"paths of fields that go away, like [password, user.token]; within "
	"arrays too"),
    SECOR_OPTION(STRINGS, struct redact_conf, hash, "hash", "[]",
	SECOR_OPTION_OUTPUT,
	"paths of fields that become the HMAC-SHA-256 of their text, 64 hex "
	"digits; null stays"),
    SECOR_OPTION(STRINGS, struct redact_conf, mask, "mask", "[]",
	SECOR_OPTION_OUTPUT,
	"paths of fields that become mask_text; null stays"),
    SECOR_OPTION(STRING, struct redact_conf, secret, "secret", NULL,
	SECOR_OPTION_SECRET,
	"key of the hashes; with another one the same texts have other hashes"),
    SECOR_OPTION(STRING, struct redact_conf, mask_text, "mask_text", "***",
	SECOR_OPTION_OUTPUT, "what stands in place of masked values"),
};

/* ---- opening ---- */

static int
redact_add(struct redact *redact, const struct secor_strings *paths,
    enum redact_action action, struct secor_err *err)
{
	struct secor_err why;
	uint16_t slot;

	for (size_t i = 0; i < paths->count; i++) {
		const char *path = paths->items[i];

		if (json_paths_add(&redact->paths, path, &slot, &why) !=
		    SECOR_OK)
			return secor_fail(err, SECOR_FATAL, "'%.300s': %.500s",
			    path, why.text);
		if (slot >= MOST_PATHS)
			return secor_fail(
			    err, SECOR_FATAL, "more than %d paths", MOST_PATHS);
		if (redact->actions[slot] != ACTION_NONE)
			return secor_fail(
			    err, SECOR_FATAL, "'%.300s' is named twice", path);
		redact->actions[slot] = (unsigned char)action;
	}
	return SECOR_OK;
}

static int
redact_add_all(struct redact *redact, const struct redact_conf *conf,
    const char **key, struct secor_err *err)
{
	*key = "drop";
	if (redact_add(redact, &conf->drop, ACTION_DROP, err) != SECOR_OK)
		return SECOR_FATAL;
	*key = "hash";
	if (redact_add(redact, &conf->hash, ACTION_HASH, err) != SECOR_OK)
		return SECOR_FATAL;
	*key = "mask";
	return redact_add(redact, &conf->mask, ACTION_MASK, err);
}

static int
redact_plain_text(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == '"' || *text == '\\')
			return 0;
	return 1;
}

static void
redact_check(const void *conf, const struct secor_check *check)
{
	const struct redact_conf *c = conf;
	struct redact *redact = calloc(1, sizeof(*redact));
	struct secor_err err;
	const char *key;

	if (redact == NULL)
		return;
	json_paths_init(&redact->paths);
	if (redact_add_all(redact, c, &key, &err) != SECOR_OK)
		check->complain(check, key, err.text);
	json_paths_fini(&redact->paths);
	free(redact);
	if (c->drop.count + c->hash.count + c->mask.count == 0)
		check->complain(check, NULL, "names no field to redact");
	if (c->hash.count > 0 && (c->secret == NULL || *c->secret == '\0'))
		check->complain(check, "secret",
		    "is needed by hash: without it, texts that can be guessed "
		    "can be found");
	if (!redact_plain_text(c->mask_text))
		check->complain(check, "mask_text",
		    "has a quote, a backslash or a control byte in it");
}

static void
redact_close(void *self)
{
	struct redact *redact = self;

	if (redact == NULL)
		return;
	json_scan_free(redact->scan);
	json_paths_fini(&redact->paths);
	grow_fini(&redact->text);
	grow_fini(&redact->plain);
	free(redact);
}

static int
redact_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	struct redact *redact = calloc(1, sizeof(*redact));
	const char *key;

	if (redact == NULL)
		return secor_fail(err, SECOR_FATAL, "out of memory");
	redact->conf = with->conf;
	json_paths_init(&redact->paths);
	if (redact_add_all(redact, redact->conf, &key, err) != SECOR_OK) {
		redact_close(redact);
		return SECOR_FATAL;
	}
	redact->scan = json_scan_new(&redact->paths, JSON_BEST);
	if (redact->scan == NULL) {
		redact_close(redact);
		return secor_fail(err, SECOR_FATAL, "out of memory");
	}
	*self = redact;
	return SECOR_OK;
}

/* ---- the walk: over text that is known to be JSON ---- */

static const char *
skip_blanks(const char *p)
{
	while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')
		p++;
	return p;
}

/* Behind the string that begins at p. */
static const char *
skip_string(const char *p)
{
	for (p++; *p != '"'; p++)
		p += *p == '\\';
	return p + 1;
}

/* Behind the value that begins at p. What is within a container is known by its
 * brackets alone. */
static const char *
skip_value(const char *p)
{
	size_t depth = 0;

	do {
		if (*p == '"') {
			p = skip_string(p);
			continue;
		}
		if (*p == '{' || *p == '[')
			depth++;
		else if (*p == '}' || *p == ']')
			depth--;
		p++;
	} while (depth > 0);
	if (p[-1] == '"' || p[-1] == '}' || p[-1] == ']')
		return p;
	while (*p != ',' && *p != '}' && *p != ']' && (unsigned char)*p > ' ')
		p++;
	return p;
}

/* The bytes of a string token without its escapes. */
static struct secor_bytes
plain_string(struct redact *redact, const char *from, const char *until)
{
	size_t len = (size_t)(until - from) - 2;

	from++;
	if (memchr(from, '\\', len) == NULL)
		return (struct secor_bytes){from, len};
	redact->plain.len = 0;
	(void)grow_room(&redact->plain, len);
	len = json_unescape(from, len, redact->plain.ptr);
	return (struct secor_bytes){redact->plain.ptr, len};
}

static void
put_hash(struct redact *redact, const char *from, const char *until)
{
	const char *secret = redact->conf->secret;
	struct secor_bytes bytes = {from, (size_t)(until - from)};
	unsigned char digest[EVP_MAX_MD_SIZE];
	char hex[2 * 32 + 3];

	if (*from == '"')
		bytes = plain_string(redact, from, until);
	if (HMAC(EVP_sha256(), secret, (int)strlen(secret),
		(const unsigned char *)bytes.ptr, bytes.len, digest,
		NULL) == NULL)
		redact->failed = 1;
	hex[0] = '"';
	for (int i = 0; i < 32; i++)
		(void)snprintf(hex + 1 + 2 * i, 3, "%02x", digest[i]);
	hex[65] = '"';
	grow_put(&redact->text, hex, 66);
}

static void
put_action(struct redact *redact, enum redact_action action, const char *from,
    const char *until)
{
	const char *mask = redact->conf->mask_text;

	if (*from == 'n') {
		grow_put(&redact->text, from, (size_t)(until - from));
	} else if (action == ACTION_HASH) {
		put_hash(redact, from, until);
	} else {
		grow_put(&redact->text, "\"", 1);
		grow_put(&redact->text, mask, strlen(mask));
		grow_put(&redact->text, "\"", 1);
	}
}

static const char *walk(struct redact *redact, const char *p, unsigned node);

/* One member from where the one before ended to the ',' or '}' behind it. */
static const char *
walk_member(struct redact *redact, const char *from, unsigned node, int *count)
{
	const char *name = skip_blanks(from), *name_end = skip_string(name);
	const char *value = skip_blanks(skip_blanks(name_end) + 1), *end;
	struct secor_bytes plain = plain_string(redact, name, name_end);
	const struct json_name *known =
	    json_paths_find(&redact->paths, node, plain.ptr, plain.len);
	enum redact_action action = ACTION_NONE;

	if (known != NULL && known->slot != JSON_NO_SLOT)
		action = redact->actions[known->slot];
	if (action == ACTION_DROP)
		return skip_blanks(skip_value(value));
	if ((*count)++ > 0)
		grow_put(&redact->text, ",", 1);
	grow_put(&redact->text, from, (size_t)(value - from));
	if (action != ACTION_NONE) {
		end = skip_value(value);
		put_action(redact, action, value, end);
	} else {
		end = walk(redact, value,
		    known == NULL ? JSON_NO_NODE : known->children);
	}
	from = end;
	end = skip_blanks(end);
	grow_put(&redact->text, from, (size_t)(end - from));
	return end;
}

static const char *
walk_object(struct redact *redact, const char *p, unsigned node)
{
	int count = 0;

	grow_put(&redact->text, p++, 1);
	if (*skip_blanks(p) != '}')
		while (*(p = walk_member(redact, p, node, &count)) == ',')
			p++;
	p = skip_blanks(p);
	grow_put(&redact->text, "}", 1);
	return p + 1;
}

static const char *
walk_array(struct redact *redact, const char *p, unsigned node)
{
	const char *from = p++;

	while (*(p = skip_blanks(p)) != ']') {
		grow_put(&redact->text, from, (size_t)(p - from));
		p = from = walk(redact, p, node);
		p = skip_blanks(p);
		p += *p == ',';
	}
	grow_put(&redact->text, from, (size_t)(p + 1 - from));
	return p + 1;
}

/* Copies the value at p; nothing below it is wanted without a node. */
static const char *
walk(struct redact *redact, const char *p, unsigned node)
{
	const char *end;

	if (node != JSON_NO_NODE && *p == '{')
		return walk_object(redact, p, node);
	if (node != JSON_NO_NODE && *p == '[')
		return walk_array(redact, p, node);
	end = skip_value(p);
	grow_put(&redact->text, p, (size_t)(end - p));
	return end;
}

static int
redact_transform(void *self, const struct secor_message *in,
    struct secor_message *out, int *keep, struct secor_err *err)
{
	struct redact *redact = self;
	struct json_value *values;

	(void)keep;
	if (in->value.ptr == NULL)
		return SECOR_OK; /* a tombstone */
	if (json_scan_run(redact->scan, in->value, &values, err) != SECOR_OK)
		return SECOR_REJECT;
	redact->text.len = 0;
	redact->failed = 0;
	(void)walk(redact, skip_blanks(in->value.ptr), JSON_ROOT);
	if (redact->failed)
		return secor_fail(err, SECOR_RETRY, "HMAC-SHA-256 failed");
	out->value = (struct secor_bytes){redact->text.ptr, redact->text.len};
	return SECOR_OK;
}

static const struct secor_transformer_ops ops = {
    .size = sizeof(ops),
    .open = redact_open,
    .transform = redact_transform,
    .close = redact_close,
};

static const struct secor_plugin plugin = {
    SECOR_PLUGIN_HEAD,
    SECOR_TRANSFORMER,
    "redact",
    SECOR_VERSION,
    "fields of JSON objects dropped, hashed with a key, or masked",
    1,
    SECOR_OPTIONS(options),
    sizeof(struct redact_conf),
    redact_check,
    &ops,
};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &plugin;
}
