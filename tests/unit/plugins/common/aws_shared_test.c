/*
 * aws_shared_test.c -- several users of one key: its source is asked once,
 * whoever comes when.
 */
#include "tests/unit/plugins/common/aws_help.h"

#include <pthread.h>

#define COUNT(steps) (sizeof(steps) / sizeof((steps)[0]))
#define ROLE(key) AWS_STS("AssumeRole", key)
#define FIRST "arn:aws:iam::1:role/first"
#define EXPIRES (AWS_NOW + 3600000)
#define USERS 4

static struct aws_cred *users[USERS];
static const struct aws_key *keys[USERS];
static struct secor_err errs[USERS];
static int answers[USERS];

static void
end(void)
{
	for (size_t i = 0; i < USERS; i++)
		aws_cred_close(users[i]);
	aws_end();
}

TestSuite(aws_shared, .init = aws_begin, .fini = end);

/* ---- what a test is made of ---- */

/* Twice a key, each for an hour. */
static struct script *
start_two_keys(void)
{
	static const struct script_step steps[] = {
	    {.status = 200, .body = ROLE("ASIA1")},
	    {.status = 200, .body = ROLE("ASIA2")}};

	return script_start(steps, COUNT(steps));
}

static struct aws_cred_conf
conf_of(struct script *script)
{
	static const char *const roles[] = {FIRST};

	return (struct aws_cred_conf){.access_key = "AKIA",
	    .secret_key = "secret",
	    .region = "eu-west-1",
	    .sts_endpoint = script_url(script),
	    .roles = {roles, 1}};
}

static void
nap_not(int64_t ms)
{
	(void)ms;
}

static void
open_users(struct aws_cred_conf conf)
{
	conf.say = aws_say;
	if (conf.nap == NULL)
		conf.nap = nap_not;
	for (size_t i = 0; i < USERS; i++)
		cr_assert_eq(
		    aws_cred_open(&conf, &users[i], &aws.err), SECOR_OK);
}

static int
get(size_t i, int64_t now_ms)
{
	errs[i].text[0] = '\0';
	return aws_cred_get(users[i], now_ms, &keys[i], &errs[i]);
}

static void
expect_key(size_t i, const char *access_key)
{
	cr_expect_str_eq(keys[i]->access_key, access_key, "%zu", i);
}

static size_t
count_said(const char *what)
{
	size_t n = 0;

	for (const char *at = aws.said; (at = strstr(at, what)) != NULL; at++)
		n++;
	return n;
}

static int64_t threads_now_ms;

static void *
get_once(void *arg)
{
	size_t i = (size_t)(uintptr_t)arg;

	answers[i] = get(i, threads_now_ms);
	return NULL;
}

/* All at once. */
static void
get_all(int64_t now_ms)
{
	pthread_t threads[USERS];

	threads_now_ms = now_ms;
	for (size_t i = 0; i < USERS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, get_once,
				 (void *)(uintptr_t)i),
		    0);
	for (size_t i = 0; i < USERS; i++)
		(void)pthread_join(threads[i], NULL);
}

/* ---- one question for all ---- */

Test(aws_shared, users_together_ask_once)
{
	struct script *script = start_two_keys();

	open_users(conf_of(script));
	get_all(AWS_NOW);
	for (size_t i = 0; i < USERS; i++) {
		cr_assert_eq(answers[i], SECOR_OK, "%s", errs[i].text);
		expect_key(i, "ASIA1");
	}
	cr_assert_eq(script_count(script), 1);
	cr_assert_eq(count_said("AWS credentials taken"), 1);
	script_stop(script);
}

Test(aws_shared, other_settings_are_another_key)
{
	static const struct script_step steps[] = {
	    {.status = 200, .body = ROLE("ASIA1"), .closes = 1},
	    {.status = 200, .body = ROLE("ASIA2")}};
	struct script *script = script_start(steps, COUNT(steps));
	struct aws_cred_conf conf = conf_of(script);
	static const char *const ids[] = {"x1"};

	open_users(conf);
	aws_cred_close(users[1]);
	conf.external_ids = (struct secor_strings){ids, 1};
	cr_assert_eq(aws_cred_open(&conf, &users[1], &aws.err), SECOR_OK);
	cr_assert_eq(get(0, AWS_NOW), SECOR_OK);
	cr_assert_eq(get(1, AWS_NOW), SECOR_OK);
	expect_key(0, "ASIA1");
	expect_key(1, "ASIA2");
	cr_assert_not_null(strstr(script_body(script, 1), "ExternalId=x1"));
	script_stop(script);
}

Test(aws_shared, settings_are_copied)
{
	static const struct script_step steps[] = {
	    {.status = 200, .body = ROLE("ASIA1")}};
	struct script *script = script_start(steps, COUNT(steps));
	char *secret = strdup("secret"), *arn = strdup(FIRST);
	const char *roles[] = {arn};
	struct aws_cred_conf conf = conf_of(script);

	conf.secret_key = secret;
	conf.roles.items = roles;
	open_users(conf);
	(void)memset(secret, '#', strlen(secret));
	(void)memset(arn, '#', strlen(arn));
	free(secret);
	free(arn);
	cr_assert_eq(get(2, AWS_NOW), SECOR_OK, "%s", errs[2].text);
	cr_assert_not_null(strstr(script_body(script, 0), "role%2Ffirst"));
	script_stop(script);
}

Test(aws_shared, last_who_leaves_ends_it)
{
	struct script *script = start_two_keys();

	open_users(conf_of(script));
	cr_assert_eq(get(0, AWS_NOW), SECOR_OK);
	/* one that comes while others are there has their key */
	aws_cred_close(users[0]);
	users[0] = NULL;
	cr_assert_eq(get(1, AWS_NOW), SECOR_OK);
	expect_key(1, "ASIA1");
	for (size_t i = 1; i < USERS; i++)
		aws_cred_close(users[i]);
	/* a new configuration with the same settings begins anew */
	open_users(conf_of(script));
	cr_assert_eq(get(0, AWS_NOW), SECOR_OK);
	expect_key(0, "ASIA2");
	script_stop(script);
}

/* ---- renewal ---- */

/* What another user finds while one is asking. */
static struct {
	int64_t now_ms;
	int calls;
	pthread_t waiting;
} meanwhile;

/* The first answer to the renewal is none: it takes a nap. */
static const struct script_step renewal[] = {
    {.status = 200, .body = ROLE("ASIA1")}, {.status = 500},
    {.status = 200,
	.body = AWS_STS_UNTIL("AssumeRole", "ASIA2", "2026-02-03T06:05:06Z")}};

static void
nap_and_look(int64_t ms)
{
	(void)ms;
	meanwhile.calls++;
	cr_assert_eq(get(1, meanwhile.now_ms), SECOR_OK, "%s", errs[1].text);
	expect_key(1, "ASIA1");
}

Test(aws_shared, old_key_serves_others_while_one_asks)
{
	struct script *script = script_start(renewal, COUNT(renewal));
	struct aws_cred_conf conf = conf_of(script);

	conf.nap = nap_and_look;
	meanwhile.now_ms = EXPIRES - 1;
	open_users(conf);
	get_all(AWS_NOW);
	cr_assert_eq(get(0, EXPIRES - 300000), SECOR_OK);
	expect_key(0, "ASIA2");
	cr_assert_eq(meanwhile.calls, 1);
	for (size_t i = 1; i < USERS; i++) {
		cr_assert_eq(get(i, EXPIRES - 300000), SECOR_OK);
		expect_key(i, "ASIA2");
	}
	cr_assert_eq(script_count(script), 3);
	cr_assert_eq(count_said("AWS credentials taken"), 2);
	script_stop(script);
}

static void
nap_and_wait(int64_t ms)
{
	(void)ms;
	threads_now_ms = EXPIRES + 1;
	if (meanwhile.calls++ == 0)
		cr_assert_eq(pthread_create(&meanwhile.waiting, NULL, get_once,
				 (void *)(uintptr_t)1),
		    0);
}

Test(aws_shared, expired_key_makes_others_wait_for_the_answer)
{
	struct script *script = script_start(renewal, COUNT(renewal));
	struct aws_cred_conf conf = conf_of(script);

	conf.nap = nap_and_wait;
	open_users(conf);
	get_all(AWS_NOW);
	cr_assert_eq(get(0, EXPIRES), SECOR_OK, "%s", errs[0].text);
	(void)pthread_join(meanwhile.waiting, NULL);
	cr_assert_eq(answers[1], SECOR_OK, "%s", errs[1].text);
	expect_key(1, "ASIA2");
	cr_assert_eq(script_count(script), 3);
	script_stop(script);
}

Test(aws_shared, refusal_counts_for_each_other_once)
{
	static const struct script_step steps[] = {
	    {.status = 403, .body = AWS_NO("AccessDenied", "one")},
	    {.status = 403, .body = AWS_NO("AccessDenied", "two")},
	    {.status = 403, .body = AWS_NO("AccessDenied", "three")},
	    {.status = 200, .body = ROLE("ASIA1")}};
	struct script *script = script_start(steps, COUNT(steps));

	open_users(conf_of(script));
	get_all(AWS_NOW);
	for (size_t i = 0; i < USERS; i++) {
		cr_expect_eq(answers[i], SECOR_FATAL, "%zu", i);
		cr_expect_not_null(strstr(errs[i].text, "one"), "%zu", i);
	}
	cr_assert_eq(script_count(script), 1);
	/* who has heard of it asks */
	cr_assert_eq(get(3, AWS_NOW), SECOR_FATAL);
	cr_expect_not_null(strstr(errs[3].text, "two"), "%s", errs[3].text);
	cr_assert_eq(get(2, AWS_NOW + 4999), SECOR_FATAL);
	cr_expect_not_null(strstr(errs[2].text, "two"), "%s", errs[2].text);
	/* this is no news any more */
	cr_assert_eq(get(1, AWS_NOW + 5000), SECOR_FATAL);
	cr_expect_not_null(strstr(errs[1].text, "three"), "%s", errs[1].text);
	cr_assert_eq(get(1, AWS_NOW + 5000), SECOR_OK);
	/* and none for one that has not heard of it, where there is a key */
	cr_assert_eq(get(0, AWS_NOW + 5000), SECOR_OK);
	expect_key(0, "ASIA1");
	cr_assert_eq(script_count(script), 4);
	script_stop(script);
}

Test(aws_shared, renewal_that_fails_is_said_once)
{
	static const struct script_step steps[] = {
	    {.status = 200, .body = ROLE("ASIA1")},
	    {.status = 403, .body = AWS_NO("AccessDenied", "no")}};
	struct script *script = script_start(steps, COUNT(steps));

	open_users(conf_of(script));
	get_all(AWS_NOW);
	get_all(EXPIRES - 300000);
	for (size_t i = 0; i < USERS; i++) {
		cr_assert_eq(answers[i], SECOR_OK, "%s", errs[i].text);
		expect_key(i, "ASIA1");
	}
	cr_assert_eq(script_count(script), 2);
	cr_assert_eq(count_said("AWS credentials not renewed"), 1);
	script_stop(script);
}

Test(aws_shared, key_that_all_find_refused_is_renewed_once)
{
	struct script *script = start_two_keys();

	open_users(conf_of(script));
	get_all(AWS_NOW);
	for (size_t i = 0; i < USERS; i++) {
		aws_cred_forget(users[i]);
		cr_assert_eq(get(i, AWS_NOW), SECOR_OK, "%s", errs[i].text);
		expect_key(i, "ASIA2");
	}
	cr_assert_eq(script_count(script), 2);
	script_stop(script);
}

Test(aws_shared, processes_renew_apart_by_lot)
{
	int64_t due[2] = {0, 0}, now;

	for (size_t i = 0; i < 2; i++) {
		struct script *script = start_two_keys();
		struct aws_cred_conf conf = conf_of(script);

		conf.seed = 1 + i;
		cr_assert_eq(aws_get(conf), SECOR_OK);
		for (now = EXPIRES - 361000;
		     now <= EXPIRES && script_count(script) == 1; now += 100)
			cr_assert_eq(
			    aws_cred_get(aws.cred, now, &aws.key, &aws.err),
			    SECOR_OK);
		due[i] = EXPIRES - now;
		script_stop(script);
	}
	for (size_t i = 0; i < 2; i++) {
		cr_expect_geq(due[i], 299900);
		cr_expect_leq(due[i], 360000);
	}
	cr_expect_neq(due[0], due[1]);
}

/* ---- the way to STS ---- */

Test(aws_shared, sts_is_asked_by_the_proxy)
{
	static const struct script_step steps[] = {
	    {.status = 200, .body = ROLE("ASIA1")}};
	struct script *script = script_start(steps, COUNT(steps));
	struct aws_cred_conf conf = conf_of(script);
	char proxy[128];

	(void)snprintf(proxy, sizeof(proxy), "http://me:pass@%s",
	    script_url(script) + strlen("http://"));
	conf.sts_endpoint = "http://sts.example";
	conf.proxy = proxy;
	conf.no_proxy = "other.example";
	cr_assert_eq(aws_get(conf), SECOR_OK, "%s", aws.err.text);
	aws_expect("ASIA1", "tok", "role first");
	cr_assert_eq(strncmp(script_request(script, 0),
			 "POST http://sts.example/ HTTP/1.1", 33),
	    0);
	cr_assert(
	    script_has(script, 0, "Proxy-Authorization: Basic bWU6cGFzcw=="));
	script_stop(script);
}

Test(aws_shared, host_without_proxy_is_asked_directly)
{
	static const struct script_step steps[] = {
	    {.status = 200, .body = ROLE("ASIA1")}};
	struct script *script = script_start(steps, COUNT(steps));
	struct aws_cred_conf conf = conf_of(script);

	conf.proxy = "http://127.0.0.1:9";
	conf.no_proxy = "127.0.0.1";
	cr_assert_eq(aws_get(conf), SECOR_OK, "%s", aws.err.text);
	script_stop(script);
}

Test(aws_shared, proxy_that_is_away_is_a_wait_without_its_password)
{
	struct aws_cred_conf conf = {.access_key = "AKIA",
	    .secret_key = "secret",
	    .region = "x",
	    .proxy = "http://me:geheim@127.0.0.1:9",
	    .no_proxy = "",
	    .sts_endpoint = "http://sts.example"};
	static const char *const roles[] = {FIRST};

	conf.roles = (struct secor_strings){roles, 1};
	cr_assert_eq(aws_get(conf), SECOR_RETRY);
	aws_says("assume role " FIRST ": ");
	cr_assert_null(strstr(aws.err.text, "geheim"), "%s", aws.err.text);
}

Test(aws_shared, container_and_instance_are_asked_without_the_proxy)
{
	static const struct script_step steps[] = {
	    {.status = 200, .body = AWS_JSON("A", "2026-02-03T05:05:06Z")}};
	static const struct script_step metadata[] = {
	    {.status = 200, .body = "session"}, {.status = 200, .body = "role"},
	    {.status = 200, .body = AWS_JSON("B", "2026-02-03T05:05:06Z")}};
	struct script *script = script_start(steps, COUNT(steps));
	struct aws_cred_conf conf = {
	    .region = "x", .proxy = "http://127.0.0.1:9", .no_proxy = ""};

	(void)setenv("http_proxy", "http://127.0.0.1:9", 1);
	(void)setenv(
	    "AWS_CONTAINER_CREDENTIALS_FULL_URI", script_url(script), 1);
	cr_assert_eq(aws_get(conf), SECOR_OK, "%s", aws.err.text);
	aws_expect("A", "tok", "container");
	script_stop(script);
	script = script_start(metadata, COUNT(metadata));
	(void)unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
	(void)unsetenv("AWS_EC2_METADATA_DISABLED");
	(void)setenv(
	    "AWS_EC2_METADATA_SERVICE_ENDPOINT", script_url(script), 1);
	cr_assert_eq(aws_get(conf), SECOR_OK, "%s", aws.err.text);
	aws_expect("B", "tok", "EC2 metadata");
	script_stop(script);
}
