/* wake.c: the edge, in messages and in bytes. */
#include "core/flow/wake.h"

#include <criterion/criterion.h>

static struct wake
wake_of(int64_t max_bytes, int64_t max_messages)
{
	struct wake wake;

	wake_init(&wake, max_bytes, max_messages);
	return wake;
}

Test(wake, falls_under_half_of_the_messages_wakes_once)
{
	struct wake wake = wake_of(1 << 30, 1000);

	cr_assert_not(wake_due(&wake, 10, 100, 600));
	cr_assert(wake_due(&wake, 10, 100, 499));
	cr_assert_not(wake_due(&wake, 10, 100, 400));
	cr_assert_not(wake_due(&wake, 10, 100, 0));
}

Test(wake, never_above_half_never_wakes)
{
	struct wake wake = wake_of(1000000, 1000);

	for (int64_t left = 498; left >= 0; left--)
		cr_assert_not(wake_due(&wake, 1, 100, left));
}

/* Few large messages fill the queue long before the limit in messages. */
Test(wake, falls_under_half_of_the_bytes_wakes_once)
{
	struct wake wake = wake_of(16 << 20, 50000);

	cr_assert_not(wake_due(&wake, 1000, 1024000, 16000));
	cr_assert_not(wake_due(&wake, 1000, 1024000, 9000));
	cr_assert(wake_due(&wake, 1000, 1024000, 8000));
	cr_assert_not(wake_due(&wake, 1000, 1024000, 7000));
}

Test(wake, messages_become_larger_half_follows)
{
	struct wake wake = wake_of(16 << 20, 1000000);

	cr_assert_not(wake_due(&wake, 1000, 100000, 8000));
	for (int i = 0; i < 20; i++)
		(void)wake_due(&wake, 1000, 2048000, 8000);
	cr_assert(wake_due(&wake, 1000, 2048000, 4000));
}

Test(wake, nothing_taken_changes_nothing)
{
	struct wake wake = wake_of(1000, 1000);

	cr_assert_not(wake_due(&wake, 0, 0, 499));
	cr_assert_not(wake_due(&wake, 1, 10, 60));
	cr_assert_not(wake_due(&wake, 0, 0, 60));
	cr_assert(wake_due(&wake, 0, 0, 40));
}

/* An array of large messages is more than the whole queue. */
Test(wake, one_array_empties_a_full_queue_wakes)
{
	struct wake wake = wake_of(8 << 20, 50000);

	cr_assert(wake_due(&wake, 600, 600 * 16384, 0));
	cr_assert(wake_due(&wake, 600, 600 * 16384, 0));
	cr_assert_not(wake_due(&wake, 100, 100 * 16384, 0));
}

Test(wake, large_messages_fewer_are_taken_at_once)
{
	struct wake wake = wake_of(8 << 20, 50000);

	cr_assert_eq(wake_take(&wake, 1000), 1000);
	(void)wake_due(&wake, 1000, 1000 * 300, 0);
	cr_assert_eq(wake_take(&wake, 1000), 1000);
	wake = wake_of(8 << 20, 50000);
	(void)wake_due(&wake, 1000, 1000 * 16383, 0);
	cr_assert_eq(wake_take(&wake, 1000), 128);
	wake = wake_of(8 << 20, 50000);
	(void)wake_due(&wake, 1, 100 << 20, 0);
	cr_assert_eq(wake_take(&wake, 1000), 1);
}
