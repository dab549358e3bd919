/*
 * link_side.c -- see link_side.h.
 */
#include "tests/unit/core/flow/fetch/link_side.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

int
side_begin(struct side *side, struct login *login, ...)
{
	/* the least that librdkafka lets receive.message.max.bytes be */
	static const char *const FIXED[][2] = {{"client.id", "unit"},
	    {"log_level", "2"}, {"message.max.bytes", "900000"},
	    {"fetch.max.bytes", "900000"}};
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[512] = "";
	const char *key;
	va_list ap;

	memset(side, 0, sizeof(*side));
	cr_assert_eq(pipe(side->stop), 0);
	for (size_t i = 0; i < sizeof(FIXED) / sizeof(*FIXED); i++)
		(void)rd_kafka_conf_set(
		    conf, FIXED[i][0], FIXED[i][1], NULL, 0);
	va_start(ap, login);
	while ((key = va_arg(ap, const char *)) != NULL)
		cr_assert_eq(rd_kafka_conf_set(conf, key,
				 va_arg(ap, const char *), why, sizeof(why)),
		    RD_KAFKA_CONF_OK, "%s", why);
	va_end(ap);
	side->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
	cr_assert_not_null(side->rk, "%s", why);
	return link_conf_new(side->rk, login, &side->conf, &side->err);
}

int
side_open(struct side *side, const struct fake_broker *broker)
{
	return link_open(side->conf, "127.0.0.1", broker->port, side->stop[0],
	    &side->link, &side->err);
}

void
side_end(struct side *side)
{
	link_close(side->link);
	link_conf_free(side->conf);
	rd_kafka_destroy(side->rk);
	buf_fini(&side->answer);
	(void)close(side->stop[0]);
	(void)close(side->stop[1]);
}

void
side_expect(const struct side *side, const char *part)
{
	cr_expect_not_null(
	    strstr(side->err.text, part), "%s: %s", part, side->err.text);
	cr_expect_not_null(
	    strstr(side->err.text, "broker 127.0.0.1:"), "%s", side->err.text);
}
