/*
 * command.c -- one command of the service: POST <base>/commands, then GET
 * <base>/commands/<id> until its status is terminal. Statements are idempotent
 * (IF NOT EXISTS), so a command whose fate is not known is submitted again.
 */
#include "plugins/notifier/qubole/qubole.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

enum { REQUEST_MS = 60000 }; /* for one request, if the command has so long */

/* A command that is under way. */
struct command {
	struct http *http;
	const struct command_conf *conf;
	int64_t deadline_ms;
	json_int_t id; /* 0: not known yet */
};

static int64_t
now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
sleep_ms(int64_t ms)
{
	struct timespec left = {ms / 1000, ms % 1000 * 1000000};

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) != 0)
		;
}

/* The answer as an object (the caller's: json_decref), or RETRY / REJECT. */
static int
read_answer(
    const struct http_answer *answer, json_t **object, struct secor_err *err)
{
	int status = answer->status;
	json_t *json;

	if (status == 401 || status == 403)
		return secor_fail(
		    err, SECOR_RETRY, "HTTP %d: the token is refused", status);
	/* what was asked is wrong in itself; 404 and such are the address */
	if (status == 400 || status == 422)
		return secor_fail(err, SECOR_REJECT,
		    "HTTP %d: the command is refused: %.200s", status,
		    answer->body);
	if (status / 100 != 2)
		return secor_fail(err, SECOR_RETRY, "HTTP %d", status);
	json = json_loadb(answer->body, answer->length, 0, NULL);
	if (!json_is_object(json)) {
		json_decref(json);
		return secor_fail(
		    err, SECOR_RETRY, "the answer is no JSON object");
	}
	*object = json;
	return SECOR_OK;
}

static int
ask(struct command *command, const char *method, const struct text *body,
    json_t **object, struct secor_err *err)
{
	const struct secor_pair headers[] = {
	    {"X-AUTH-TOKEN", command->conf->token},
	    {"Content-Type", "application/json"},
	    {"Accepts", "application/json"},
	    {"Accept", "*/*"},
	    {"Cache-Control", "no-cache"},
	};
	int64_t left = command->deadline_ms - now_ms();
	struct http_request request = {.method = method,
	    .headers = headers,
	    .header_count = sizeof(headers) / sizeof(headers[0]),
	    .body = body->ptr,
	    .length = body->len,
	    .total_ms = left < 1	    ? 1
			: left < REQUEST_MS ? left
					    : REQUEST_MS};
	struct http_answer answer;
	struct text url = {0};
	int rc;

	text_addf(&url, "%s/commands", command->conf->base_url);
	if (command->id != 0)
		text_addf(&url, "/%" JSON_INTEGER_FORMAT, command->id);
	request.url = url.ptr;
	if (url.failed || body->failed)
		rc = secor_fail(err, SECOR_RETRY, "out of memory");
	else if (http_run(command->http, &request, &answer, err) != SECOR_OK)
		rc = SECOR_RETRY; /* FATAL too: a person mends it */
	else
		rc = read_answer(&answer, object, err);
	text_fini(&url);
	return rc;
}

/* 1 when the status is terminal; then *rc says what it gives. */
static int
has_ended(const struct command *command, const json_t *object, int *rc,
    struct secor_err *err)
{
	const char *status =
	    json_string_value(json_object_get(object, "status"));

	if (status == NULL)
		status = "";
	if (strcmp(status, "done") == 0) {
		*rc = SECOR_OK;
		return 1;
	}
	if (strcmp(status, "error") == 0) {
		*rc = secor_fail(err, command->conf->error_status,
		    "command %" JSON_INTEGER_FORMAT " ended in status error",
		    command->id);
		return 1;
	}
	if (strcmp(status, "cancelled") == 0) {
		*rc = secor_fail(err, SECOR_RETRY,
		    "command %" JSON_INTEGER_FORMAT " was cancelled",
		    command->id);
		return 1;
	}
	return 0;
}

static int
submit(struct command *command, const char *sql, struct secor_err *err)
{
	struct text body = {0};
	json_t *object = NULL;
	const json_t *id;
	int rc;

	text_adds(&body, "{\"query\":");
	text_add_json(&body, sql);
	text_adds(&body, "}");
	rc = ask(command, "POST", &body, &object, err);
	text_fini(&body);
	if (rc != SECOR_OK)
		return rc;
	id = json_object_get(object, "id");
	if (json_is_integer(id) && json_integer_value(id) > 0)
		command->id = json_integer_value(id);
	/* even if it ended at once, it must not have ended badly */
	if ((!has_ended(command, object, &rc, err) || rc == SECOR_OK) &&
	    command->id == 0)
		rc = secor_fail(
		    err, SECOR_RETRY, "the answer names no command id");
	json_decref(object);
	return rc;
}

static int
given_up(const struct command *command, struct secor_err *err)
{
	return secor_fail(err, SECOR_RETRY,
	    "command %" JSON_INTEGER_FORMAT " has not ended within %" PRId64
	    " ms",
	    command->id, command->conf->timeout_ms);
}

/* Whatever goes wrong is RETRY: the command is submitted again. */
static int
wait_end(struct command *command, struct secor_err *err)
{
	const struct text nothing = {0};
	int rc, ended;

	for (;;) {
		json_t *object = NULL;
		int64_t left = command->deadline_ms - now_ms();

		if (left <= 0)
			return given_up(command, err);
		rc = ask(command, "GET", &nothing, &object, err);
		/* (its own limit is rounded to whole milliseconds) */
		if (rc != SECOR_OK && now_ms() + 1 >= command->deadline_ms)
			return given_up(command, err);
		if (rc != SECOR_OK)
			return SECOR_RETRY;
		ended = has_ended(command, object, &rc, err);
		json_decref(object);
		if (ended)
			return rc;
		left = command->deadline_ms - now_ms();
		if (left > 0)
			sleep_ms(left < command->conf->poll_ms
				     ? left
				     : command->conf->poll_ms);
	}
}

int
command_run(struct http *http, const struct command_conf *conf, const char *sql,
    struct secor_err *err)
{
	struct command command = {.http = http,
	    .conf = conf,
	    .deadline_ms = now_ms() + conf->timeout_ms};
	int rc = submit(&command, sql, err);

	return rc == SECOR_OK ? wait_end(&command, err) : rc;
}
