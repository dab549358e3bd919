/*
 * login_test.c -- when tokens are asked for, and what becomes of them. The
 * source is a fake that a test waits for; nobody waits for a clock.
 */
#include "core/base/clock.h"
#include "core/base/metrics.h"
#include "core/flow/client.h"
#include "core/flow/login.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#define MINUTE INT64_C(60000)

/* ---- when ---- */

Test(login, renewal_is_due_after_four_fifths_of_its_life)
{
	cr_expect_eq(login_renewal_ms(0, 0, 15 * MINUTE), 12 * MINUTE);
	cr_expect_eq(login_renewal_ms(2 * MINUTE, 0, 15 * MINUTE), 10 * MINUTE);
}

Test(login, short_life_is_no_busy_loop)
{
	cr_expect_eq(login_renewal_ms(0, 0, 10), 1000);
	cr_expect_eq(login_renewal_ms(20 * MINUTE, 0, 15 * MINUTE), 1000);
}

Test(login, backoff_doubles_up_to_half_a_minute)
{
	static const int64_t MS[] = {
	    1000, 2000, 4000, 8000, 16000, 30000, 30000};

	for (int i = 0; i < 7; i++) {
		cr_expect_eq(login_backoff_ms(i + 1, 0), MS[i]);
		cr_expect_eq(login_backoff_ms(i + 1, 50), MS[i] - MS[i] / 4);
	}
	cr_expect_eq(login_backoff_ms(1000000, 0), 30000);
}

/* ---- a source ---- */

static struct fake {
	pthread_mutex_t lock;
	pthread_cond_t asked_again;
	int opened, closed, asked;
	int64_t life_ms;
	size_t extensions;
} fake = {.lock = PTHREAD_MUTEX_INITIALIZER,
    .asked_again = PTHREAD_COND_INITIALIZER,
    .life_ms = 60 * MINUTE};

static int
fake_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	(void)with;
	(void)err;
	fake.opened++;
	*self = &fake;
	return SECOR_OK;
}

static int
fake_open_fails(
    const struct secor_open *with, void **self, struct secor_err *err)
{
	(void)with;
	(void)self;
	return secor_fail(err, SECOR_RETRY, "no way");
}

static void
fake_close(void *self)
{
	cr_assert_eq(self, &fake);
	fake.closed++;
}

static int
fake_fetch(void *self, struct secor_token *token, struct secor_err *err)
{
	static struct secor_pair pairs[65];

	(void)self;
	(void)err;
	for (size_t i = 0; i < 65; i++)
		pairs[i] = (struct secor_pair){"key", "value"};
	(void)pthread_mutex_lock(&fake.lock);
	fake.asked++;
	(void)pthread_cond_signal(&fake.asked_again);
	(void)pthread_mutex_unlock(&fake.lock);
	token->value = "t0ken";
	token->expires_ms = clock_now_ms() + fake.life_ms;
	token->extensions = pairs;
	token->extension_count = fake.extensions;
	return SECOR_OK;
}

static struct secor_token_ops ops = {.size = sizeof(ops),
    .open = fake_open,
    .close = fake_close,
    .fetch = fake_fetch};
static struct plugin plugin = {
    .desc = {.name = "fake"}, .ops = {.token = &ops}};
static const char *broker = "127.0.0.1:1";
static const struct config config = {.kafka = {.brokers = {&broker, 1},
					 .group = "unit",
					 .session_timeout_ms = 10000,
					 .max_poll_interval_ms = 300000,
					 .sasl = {CONFIG_SASL_OAUTHBEARER}},
    .token = {.plugin = &plugin, .use = "fake"}};

static int64_t
fetches(const char *result)
{
	return metric_get(metric_counter("secor_token_fetches_total",
	    "Tokens that were asked for to log in to brokers.",
	    METRIC_LABELS("result", result)));
}

/* One fetch, and its end. */
static void
login_once(void)
{
	struct login *login = NULL;
	struct secor_err err = {""};
	rd_kafka_t *rk = NULL;

	cr_assert_eq(client_tool(&config, &rk, &err), SECOR_OK, "%s", err.text);
	cr_assert_eq(login_open(&config, rk, &login, &err), SECOR_OK);
	(void)pthread_mutex_lock(&fake.lock);
	while (fake.asked == 0)
		(void)pthread_cond_wait(&fake.asked_again, &fake.lock);
	(void)pthread_mutex_unlock(&fake.lock);
	login_close(login);
	rd_kafka_destroy(rk);
	cr_expect_eq(fake.opened, 1);
	cr_expect_eq(fake.closed, 1);
}

Test(login, token_is_given_to_the_handle)
{
	fake.extensions = 2;
	login_once();
	cr_expect_eq(fetches("ok"), 1);
	cr_expect_eq(fetches("failed"), 0);
}

Test(login, token_that_had_expired_is_a_failure)
{
	fake.life_ms = -1;
	login_once();
	cr_expect_eq(fetches("ok"), 0);
	cr_expect_eq(fetches("failed"), 1);
}

Test(login, token_with_too_many_extensions_is_a_failure)
{
	fake.extensions = 65;
	login_once();
	cr_expect_eq(fetches("failed"), 1);
}

Test(login, configuration_without_a_token_needs_no_thread)
{
	static const struct config none = {.kafka = {.group = "unit"}};
	struct login *login = (struct login *)&fake;
	struct secor_err err = {""};

	cr_expect_eq(login_open(&none, NULL, &login, &err), SECOR_OK);
	cr_expect_null(login);
	login_close(login);
}

Test(login, source_that_does_not_open_ends_the_start)
{
	struct login *login = NULL;
	struct secor_err err = {""};

	ops.open = fake_open_fails;
	cr_expect_eq(login_open(&config, NULL, &login, &err), SECOR_FATAL);
	cr_expect_str_eq(err.text, "token fake: no way");
}
