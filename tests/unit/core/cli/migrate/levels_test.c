/*
 * levels_test.c -- paths of the original and the partitioners that make them.
 */
#include "tests/unit/core/cli/migrate/made.h"

#include <criterion/criterion.h>

Test(levels, levels_keep_prefixes_and_patterns)
{
	static const struct vector T[] = {
	    {PARSER "JsonMessageParser\n"
		    "partitioner.granularity.date.prefix=day=\n"
		    "partitioner.granularity.date.format=yyyyMMdd",
		"    date_name: day\n    date_format: yyyyMMdd\n", NULL},
	    {PARSER "JsonMessageParser\n"
		    "partitioner.granularity.date.prefix=foo",
		"    date_name: \"\"\n    date_format: "
		"\"'foo'yyyy-MM-dd\"\n",
		NULL},
	    {PARSER "JsonMessageParser\n"
		    "partitioner.granularity.date.prefix=\n"
		    "partitioner.granularity.date.format='yr='yyyy'/mo='MM",
		"    date_name: \"\"\n    date_format: \"'yr='yyyy'/mo='MM\"\n",
		NULL},
	    {PARSER "JsonMessageParser\n"
		    "partitioner.granularity.date.format=u",
		NULL, "'u' was the number of the day in the week"},
	    {PARSER "JsonMessageParser\npartitioner.granularity.hour=y\n"
		    "secor.parser.timezone=Europe/Berlin",
		"    timezone: Europe/Berlin\n",
		"it left out hours and days of this zone"},
	    {PARSER "JsonMessageParser\n"
		    "partitioner.finalizer.delay.seconds=2592000",
		NULL, "so large a delay overflowed"},
	    {PARSER "JsonMessageParser\npartitioner.granularity.hour=y\n"
		    "partitioner.finalizer.delay.seconds=5400\n"
		    "secor.finalizer.lookback.periods=36",
		"\nfinalize:\n  # where the original's finalizer ran, take the "
		"'# ' away:\n  # delay: 1h30m\n  # lookback: 1d12h\n",
		NULL},
	    {PARSER "JsonMessageParser\nsecor.finalizer.lookback.periods=7",
		"  # delay: 1h\n  # lookback: 1w\n", NULL},
	};

	EXPECT_ALL(T);
}
