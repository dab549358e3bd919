/*
 * lease_test.c -- a replica that is read for five minutes, with a clock that
 * jumps over them.
 */
#include "core/base/clock.h"
#include "core/base/metrics.h"
#include "tests/unit/core/flow/fetch/fetch_rig.h"

#include <criterion/criterion.h>
#include <time.h>

enum { SIX_MINUTES_MS = 6 * 60 * 1000 };

static _Atomic int64_t jumped_ms;

static int64_t
read_ms(clockid_t id)
{
	struct timespec now;

	(void)clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Instead of core/base/clock.c. */
int64_t
clock_now_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}

int64_t
clock_boot_ms(void)
{
	return read_ms(CLOCK_BOOTTIME) + jumped_ms;
}

static void
follow(struct rig *rig, int32_t broker)
{
	cr_assert_eq(rd_kafka_mock_partition_set_follower(
			 rig->cluster, RIG_TOPIC, 0, broker),
	    RD_KAFKA_RESP_ERR_NO_ERROR);
}

/* It is asked on although nothing comes: one answer was on its way. */
static void
await_requests(int64_t more)
{
	const struct metric *requests =
	    metric_counter("secor_fetch_requests_total", "help", NULL);
	int64_t goal = metric_get(requests) + more;
	int64_t until = clock_boot_ms() + RIG_LIMIT_MS;
	struct timespec nap = {0, 1000000};

	while (metric_get(requests) < goal) {
		cr_assert_lt(clock_boot_ms(), until, "no more requests");
		(void)nanosleep(&nap, NULL);
	}
}

Test(lease, replica_that_leads_when_its_lease_ends_is_read_on)
{
	struct rig rig;

	rig_open(&rig, 2, "r");
	rig_produce(&rig, 0, 0, 50);
	follow(&rig, 2);
	rig_start(&rig, 0, 0);
	rig_hear_end(&rig, 0, 1);
	for (int32_t p = 0; p < 2; p++)
		(void)rd_kafka_mock_partition_set_leader(
		    rig.cluster, RIG_TOPIC, p, 2);
	follow(&rig, -1);
	/* who leads is asked for another one, and heard of all */
	rig_start(&rig, 1, 0);
	rig_hear_end(&rig, 1, 1);
	fetch_stop(rig.heard[1].part);
	jumped_ms = SIX_MINUTES_MS;
	await_requests(2);
	rig_produce(&rig, 0, 50, 80);
	rig_hear_until(&rig, 0, 80);
	cr_expect_eq(rig.heard[0].errors, 0);
	rig_close(&rig);
}
