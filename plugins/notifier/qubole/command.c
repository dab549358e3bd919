/*
 * command.c -- one command of the service: POST <base>/commands, then GET
 * <base>/commands/<id> until its status is terminal.
 *
 * Statements can be repeated, so a command whose fate is not known is submitted
 * again. But not while it may still run: what goes wrong between two looks (no
 * connection, 5xx, an answer that makes no sense) is waited out, with the same
 * id, until `timeout` of the command is over. Then it is cancelled (PUT
 * <base>/commands/<id>) and looked at until it has ended, for `cancel_timeout`
 * at most; the log has what came of that. Nothing else cancels: a process that
 * stops waits for the command that it is at.
 */
#include "plugins/common/monotonic.h"
#include "plugins/notifier/qubole/qubole.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { REQUEST_MS = 60000 }; /* for one request, if the command has so long */

/* A command that is under way. */
struct command {
	struct http *http;
	const struct command_conf *conf;
	int64_t deadline_ms;
	json_int_t id;	  /* 0: not known yet */
	int64_t after_ms; /* the last answer asked for this patience */
	int gone;	  /* the service does not know the id */
	int killed;	  /* the service has taken the cancel */
};

static int64_t
left_ms(const struct command *command)
{
	return command->deadline_ms - monotonic_ms();
}

static void
sleep_ms(int64_t ms)
{
	struct timespec left = {ms / 1000, ms % 1000 * 1000000};

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) != 0)
		;
}

/* ---- answers ---- */

/* Seconds; or a date, which nobody sends, or nothing: 0. */
static int64_t
asked_for(const struct command *command)
{
	const char *after = http_header(command->http, "retry-after");
	long seconds = after != NULL ? strtol(after, NULL, 10) : 0;

	return seconds <= 0 ? 0 : seconds < 86400 ? seconds * 1000L : 86400000L;
}

/* What an answer says that is no 2xx. */
static int
refused(struct command *command, const struct http_answer *answer,
    struct secor_err *err)
{
	int status = answer->status;

	if (status / 100 == 3)
		return secor_fail(err, SECOR_RETRY,
		    "HTTP %d: redirects are not followed, change `base_url`",
		    status);
	if (status == 401 || status == 403)
		return secor_fail(
		    err, SECOR_RETRY, "HTTP %d: the token is refused", status);
	if (status == 404 && command->id != 0) {
		command->gone = 1;
		return secor_fail(err, SECOR_RETRY,
		    "HTTP 404: command %" JSON_INTEGER_FORMAT " is not known",
		    command->id);
	}
	/* what was asked is wrong in itself; 404 and such are the address */
	if (status == 400 || status == 422)
		return secor_fail(err, SECOR_REJECT,
		    "HTTP %d: the command is refused: %.200s", status,
		    answer->body);
	command->after_ms = asked_for(command);
	return secor_fail(err, SECOR_RETRY, "HTTP %d", status);
}

/* The answer as an object (the caller's: json_decref), or RETRY / REJECT. */
static int
read_answer(struct command *command, const struct http_answer *answer,
    json_t **object, struct secor_err *err)
{
	json_t *json;

	if (answer->status / 100 != 2)
		return refused(command, answer, err);
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
	int64_t left = left_ms(command);
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

	command->after_ms = 0;
	text_addf(&url, "%s/commands", command->conf->base_url);
	if (command->id != 0)
		text_addf(&url, "/%" JSON_INTEGER_FORMAT, command->id);
	request.url = url.ptr;
	if (url.failed || body->failed)
		rc = secor_fail(err, SECOR_RETRY, "out of memory");
	else if (http_run(command->http, &request, &answer, err) != SECOR_OK)
		rc = SECOR_RETRY; /* FATAL too: a person mends it */
	else
		rc = read_answer(command, &answer, object, err);
	text_fini(&url);
	return rc;
}

/* 1 when the status is terminal, as is one that nobody has heard of; then *rc
 * says what it gives. */
static int
has_ended(const struct command *command, const char *status, int *rc,
    struct secor_err *err)
{
	static const char *const GOES_ON[] = {
	    "waiting", "queued", "running", "cancelling"};

	for (size_t i = 0; i < sizeof(GOES_ON) / sizeof(GOES_ON[0]); i++)
		if (strcmp(status, GOES_ON[i]) == 0)
			return 0;
	if (strcmp(status, "done") == 0)
		*rc = SECOR_OK;
	else if (strcmp(status, "error") == 0)
		*rc = secor_fail(err, command->conf->error_status,
		    "command %" JSON_INTEGER_FORMAT " ended in status error",
		    command->id);
	else if (strcmp(status, "cancelled") == 0)
		*rc = secor_fail(err, SECOR_RETRY,
		    "command %" JSON_INTEGER_FORMAT " was cancelled",
		    command->id);
	else
		*rc = secor_fail(err, SECOR_RETRY,
		    "command %" JSON_INTEGER_FORMAT
		    " is in status '%.60s', which is not known",
		    command->id, status);
	return 1;
}

static const char *
status_of(const json_t *object)
{
	return json_string_value(json_object_get(object, "status"));
}

/* ---- submitting ---- */

/* A service that asks for patience has taken nothing: it gets the patience and
 * the same statement, if there is time. */
static int
ask_patiently(struct command *command, const struct text *body, json_t **object,
    struct secor_err *err)
{
	for (;;) {
		int rc = ask(command, "POST", body, object, err);

		if (rc != SECOR_RETRY || command->after_ms == 0 ||
		    command->after_ms >= left_ms(command))
			return rc;
		sleep_ms(command->after_ms);
	}
}

static int
submit(struct command *command, const char *sql, struct secor_err *err)
{
	struct text body = {0};
	json_t *object = NULL;
	const json_t *id;
	const char *status;
	int rc;

	text_adds(&body, "{\"query\":");
	text_add_json(&body, sql);
	text_adds(&body, "}");
	rc = ask_patiently(command, &body, &object, err);
	text_fini(&body);
	if (rc != SECOR_OK)
		return rc;
	id = json_object_get(object, "id");
	if (json_is_integer(id) && json_integer_value(id) > 0)
		command->id = json_integer_value(id);
	/* even if it ended at once, it must not have ended badly */
	status = status_of(object);
	if ((status == NULL || !has_ended(command, status, &rc, err) ||
		rc == SECOR_OK) &&
	    command->id == 0)
		rc = secor_fail(
		    err, SECOR_RETRY, "the answer names no command id");
	json_decref(object);
	return rc;
}

/* ---- waiting for the end ---- */

/* One look; 1 when it is over, and *rc is what it gives. Else the text says
 * how it is. */
static int
look(struct command *command, int *rc, struct secor_err *err)
{
	const struct text nothing = {0};
	json_t *object = NULL;
	const char *status;
	int ended = 0;

	*rc = ask(command, "GET", &nothing, &object, err);
	if (*rc != SECOR_OK) {
		*rc = SECOR_RETRY;
		return command->gone;
	}
	status = status_of(object);
	if (status == NULL)
		(void)secor_fail(err, 0, "the answer names no status");
	else if (has_ended(command, status, rc, err))
		ended = 1;
	else
		(void)secor_fail(err, 0, "it is %s", status);
	json_decref(object);
	return ended;
}

/* SECOR_OK: the service has taken it, and will end the command. What it
 * answered is in `said`. */
static int
ask_to_end(struct command *command, struct secor_err *said)
{
	struct text body = {0};
	json_t *object = NULL;
	const json_t *taken;
	const char *words;
	int rc;

	text_adds(&body, "{\"status\":\"kill\"}");
	rc = ask(command, "PUT", &body, &object, said);
	text_fini(&body);
	command->gone = 0; /* a look decides */
	if (rc != SECOR_OK)
		return SECOR_RETRY;
	taken = json_object_get(object, "kill_succeeded");
	words = json_string_value(json_object_get(object, "result"));
	if (!json_is_true(taken))
		rc = SECOR_RETRY;
	(void)secor_fail(said, 0, "%.200s",
	    words != NULL    ? words
	    : rc == SECOR_OK ? "it is taken"
			     : "the answer does not say that it is taken");
	json_decref(object);
	return rc;
}

static int64_t
longer(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Looks at it until it has ended: 1, and *rc is what it gives; or until its
 * time is over: 0. `seen` says how it was last. `said`: it is to be cancelled,
 * and what was answered to that last; or NULL. */
static int
watch(struct command *command, struct secor_err *said, int *rc,
    struct secor_err *seen)
{
	while (left_ms(command) > 0) {
		struct secor_err answer = {""}, now = *seen;
		int64_t wait = command->conf->poll_ms;
		int asks = said != NULL && !command->killed, ended;

		if (asks) {
			command->killed =
			    ask_to_end(command, &answer) == SECOR_OK;
			wait = longer(wait, command->after_ms);
		}
		/* what ran into the end of the time says less than what was
		   before (limits are rounded to whole milliseconds) */
		if (asks && left_ms(command) > 1)
			*said = answer;
		ended = look(command, rc, &now);
		if (ended || left_ms(command) > 1)
			*seen = now;
		if (ended)
			return 1;
		wait = longer(wait, command->after_ms);
		if (left_ms(command) < wait)
			wait = left_ms(command);
		if (wait > 0)
			sleep_ms(wait);
	}
	return 0;
}

/* ---- giving up ---- */

/* What came of it, as an event of the log, and behind the text of a failure. */
struct outcome {
	const char *event, *suffix;
};

static struct outcome
outcome_of(const struct command *command, int ended, int rc)
{
	if (!ended && command->killed)
		return (struct outcome){
		    "cancelled command goes on", "cancelled, but it goes on"};
	if (!ended)
		return (struct outcome){"command not cancelled",
		    "not cancelled, so it may still run"};
	if (rc == SECOR_OK)
		return (struct outcome){"command done after its time", ""};
	return command->killed
		   ? (struct outcome){"command cancelled", "cancelled"}
		   : (struct outcome){
			 "command ended after its time", "it has ended now"};
}

static void
log_outcome(const struct command *command, const char *event, const char *said,
    const char *now)
{
	const struct secor_host *host = command->conf->host;
	struct text detail = {0};

	text_addf(&detail, "id=%" JSON_INTEGER_FORMAT " answer=", command->id);
	text_add_json(&detail, said);
	text_adds(&detail, " now=");
	text_add_json(&detail, now);
	if (!detail.failed)
		host->log(host, SECOR_WARN, event, detail.ptr);
	text_fini(&detail);
}

/* The time is over. `seen`: what was seen last. */
static int
give_up(struct command *command, const char *seen, struct secor_err *err)
{
	const struct command_conf *conf = command->conf;
	struct secor_err said = {"no answer"}, now = {"not known"};
	int rc = SECOR_RETRY, ended;
	struct outcome outcome;

	if (conf->cancel_ms == 0) {
		conf->host->add(conf->left, 1);
		return secor_fail(err, SECOR_RETRY,
		    "command %" JSON_INTEGER_FORMAT
		    " has not ended within %" PRId64 " ms: %.500s",
		    command->id, conf->timeout_ms, seen);
	}
	command->deadline_ms = monotonic_ms() + conf->cancel_ms;
	ended = watch(command, &said, &rc, &now);
	outcome = outcome_of(command, ended, rc);
	log_outcome(command, outcome.event, said.text,
	    ended && rc == SECOR_OK ? "it is done" : now.text);
	if (!ended)
		conf->host->add(conf->left, 1);
	else if (command->killed && rc != SECOR_OK)
		conf->host->add(conf->cancelled, 1);
	if (ended && rc == SECOR_OK)
		return SECOR_OK;
	return secor_fail(err, SECOR_RETRY,
	    "command %" JSON_INTEGER_FORMAT " has not ended within %" PRId64
	    " ms: %.300s; %s (%.200s; %.200s)",
	    command->id, conf->timeout_ms, seen, outcome.suffix, said.text,
	    now.text);
}

static int
wait_end(struct command *command, struct secor_err *err)
{
	struct secor_err seen = {"no answer"};
	int rc;

	if (!watch(command, NULL, &rc, &seen))
		return give_up(command, seen.text, err);
	return rc == SECOR_OK ? rc : secor_fail(err, rc, "%s", seen.text);
}

int
command_run(struct http *http, const struct command_conf *conf, const char *sql,
    struct secor_err *err)
{
	struct command command = {.http = http,
	    .conf = conf,
	    .deadline_ms = monotonic_ms() + conf->timeout_ms};
	int rc = submit(&command, sql, err);

	return rc == SECOR_OK ? wait_end(&command, err) : rc;
}
