/*
 * registry_ask.c -- see registry_ask.h. A schema may refer to others, by
 * subject and version, and these to more: they come before what refers to them,
 * each once.
 */
#include "plugins/common/registry_ask.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define LEVELS_MAX 32
#define SCHEMA_MAX (8UL * 1024 * 1024)

static int
fail(struct registry_answer *answer, int status, const char *text)
{
	answer->status =
	    secor_fail(&answer->err, status, "schema registry: %s", text);
	return 0;
}

/* ---- requests ---- */

/* `text` with everything but letters, digits and -._ as %XX. */
static void
escape(const char *text, char *to, size_t room)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t n = 0;

	for (; *text != '\0' && n + 4 < room; text++) {
		unsigned char c = (unsigned char)*text;

		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		    (c >= 'A' && c <= 'Z') || strchr("-._", c) != NULL) {
			to[n++] = (char)c;
			continue;
		}
		to[n++] = '%';
		to[n++] = hex[c >> 4];
		to[n++] = hex[c & 15];
	}
	to[n] = '\0';
}

/* The JSON object at a path, or NULL with the reason. */
static json_t *
get(const struct registry_asker *asker, const char *path,
    struct registry_answer *answer)
{
	struct secor_pair headers[] = {
	    {"Accept", "application/vnd.schemaregistry.v1+json"},
	    {"Authorization", asker->authorization}};
	struct http_request request = {.method = "GET",
	    .headers = headers,
	    .header_count = asker->authorization == NULL ? 1 : 2,
	    .limit = SCHEMA_MAX,
	    .go_on = asker->go_on,
	    .arg = asker->arg};
	struct http_answer http;
	char url[2048], text[200];
	size_t len = strlen(asker->url);
	json_t *json;

	while (len > 0 && asker->url[len - 1] == '/')
		len--;
	(void)snprintf(url, sizeof(url), "%.*s%s", (int)len, asker->url, path);
	request.url = url;
	if (http_run(asker->http, &request, &http, &answer->err) != SECOR_OK) {
		answer->status = SECOR_RETRY; /* also what a person must mend */
		return NULL;
	}
	if (http.status == 200) {
		json = json_loadb(http.body, http.length, 0, NULL);
		if (json_is_object(json))
			return json;
		json_decref(json);
		(void)fail(answer, SECOR_RETRY, "the answer is no JSON object");
		return NULL;
	}
	(void)snprintf(text, sizeof(text), "%s: HTTP %d%s", path, http.status,
	    http.status == 401 || http.status == 403 ? " (user, password)"
						     : "");
	(void)fail(answer, SECOR_RETRY, text);
	answer->unknown = http.status == 404;
	return NULL;
}

/* ---- answers ---- */

static int
add(struct registry_answer *answer, const char *text, const char *name)
{
	size_t n = answer->count;

	answer->texts[n] = strdup(text);
	answer->names[n] = strdup(name);
	answer->count++;
	return answer->texts[n] != NULL && answer->names[n] != NULL
		   ? 1
		   : fail(answer, SECOR_RETRY, "out of memory");
}

static int
is_there(const struct registry_answer *answer, const char *name)
{
	for (size_t i = 0; i < answer->count; i++)
		if (strcmp(answer->names[i], name) == 0)
			return 1;
	return 0;
}

static int take(const struct registry_asker *asker, json_t *json,
    const char *name, int level, struct registry_answer *answer);

static int
refer(const struct registry_asker *asker, const json_t *reference, int level,
    struct registry_answer *answer)
{
	const char *subject =
	    json_string_value(json_object_get(reference, "subject"));
	json_int_t version =
	    json_integer_value(json_object_get(reference, "version"));
	char name[600], escaped[1200], path[1300];
	json_t *json;
	int good;

	if (subject == NULL)
		return fail(answer, SECOR_REJECT, "a reference has no subject");
	(void)snprintf(
	    name, sizeof(name), "%s %lld", subject, (long long)version);
	if (is_there(answer, name))
		return 1;
	escape(subject, escaped, sizeof(escaped));
	(void)snprintf(path, sizeof(path), "/subjects/%s/versions/%lld",
	    escaped, (long long)version);
	json = get(asker, path, answer);
	answer->unknown = 0; /* the schema itself is known */
	if (json == NULL)
		return 0;
	good = take(asker, json, name, level + 1, answer);
	json_decref(json);
	return good;
}

/* A schema and, before it, what it refers to. */
static int
take(const struct registry_asker *asker, json_t *json, const char *name,
    int level, struct registry_answer *answer)
{
	const char *text = json_string_value(json_object_get(json, "schema"));
	const char *type =
	    json_string_value(json_object_get(json, "schemaType"));
	const json_t *reference;
	size_t i;

	if (text == NULL)
		return fail(answer, SECOR_RETRY, "the answer has no schema");
	if (type != NULL && strcmp(type, "AVRO") != 0)
		return fail(answer, SECOR_REJECT, "the schema is not Avro's");
	if (level == LEVELS_MAX)
		return fail(answer, SECOR_REJECT, "references are too deep");
	json_array_foreach(json_object_get(json, "references"), i, reference)
	{
		if (!refer(asker, reference, level, answer))
			return 0;
	}
	if (answer->count == REGISTRY_TEXTS)
		return fail(
		    answer, SECOR_REJECT, "there are too many references");
	return add(answer, text, name);
}

void
registry_ask(const struct registry_asker *asker, uint32_t id,
    struct registry_answer *answer)
{
	char path[64];
	json_t *json;

	memset(answer, 0, sizeof(*answer));
	(void)snprintf(path, sizeof(path), "/schemas/ids/%u", id);
	json = get(asker, path, answer);
	if (json != NULL && take(asker, json, "", 0, answer))
		answer->status = SECOR_OK;
	json_decref(json);
}

void
registry_answer_fini(struct registry_answer *answer)
{
	for (size_t i = 0; i < answer->count; i++) {
		free(answer->texts[i]);
		free(answer->names[i]);
	}
	answer->count = 0;
}
