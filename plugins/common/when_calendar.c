/*
 * when_calendar.c -- see when_fields.h: fields to a day and a time. Which of
 * several ways to say a day holds is decided as java.util.GregorianCalendar
 * does: the way whose fields were found last. Days count from 1970-01-01.
 */
#include "plugins/common/civil.h"
#include "plugins/common/when_fields.h"

#define YEAR_REASON 1000000

static int
later(int a, int b)
{
	return a > b ? a : b;
}

/* The order of two fields that are only good together. */
static int
both(int a, int b)
{
	return a == 0 || b == 0 ? 0 : later(a, b);
}

static int64_t
modulo(int64_t a, int64_t b)
{
	return a - floor_div(a, b) * b;
}

/* 1970-01-01 was a Thursday. */
static int64_t
weekday_of(int64_t day)
{
	return modulo(day + 4, 7) + 1;
}

static int64_t
on_or_before(int64_t day, int64_t weekday)
{
	return day - modulo(day + 5 - weekday, 7);
}

/* The first day of the first week of the month or year that begins at `day`. */
static int64_t
first_week(int64_t day, const struct when_names *names)
{
	int64_t at = on_or_before(day + 6, names->first_day);

	return at - day >= names->least_days ? at - 7 : at;
}

static int64_t
year_begin(int64_t year)
{
	return days_from_civil(year, 1, 1);
}

/* The day of week `week`, counted from the first week that begins at `start`.
 */
static int64_t
day_of_week(
    int64_t start, const struct when_fields *fields, int64_t week, int first)
{
	int64_t weekday = fields->order[FIELD_WEEKDAY] != 0
			      ? fields->value[FIELD_WEEKDAY]
			      : first;

	return on_or_before(start + 6, weekday) + 7 * (week - 1);
}

/* A month's n-th such weekday; from its end when n is negative. */
static int64_t
day_in_month(
    int64_t begin, int64_t length, const struct when_fields *fields, int first)
{
	int64_t weekday = fields->order[FIELD_WEEKDAY] != 0
			      ? fields->value[FIELD_WEEKDAY]
			      : first;
	int64_t n = fields->order[FIELD_DAY_IN_MONTH] != 0
			? fields->value[FIELD_DAY_IN_MONTH]
			: 1;

	if (n >= 0)
		return on_or_before(begin + 7 * n - 1, weekday);
	return on_or_before(begin + length + 7 * (n + 1) - 1, weekday);
}

enum way { BY_DAY, BY_WEEK_OF_MONTH, BY_DAY_IN_MONTH, BY_DAY_OF_YEAR, BY_WEEK };

/* The fields that say the day. */
static enum way
choose_way(const struct when_fields *fields)
{
	const uint16_t *order = fields->order;
	int weekday = order[FIELD_WEEKDAY];
	int day = order[FIELD_DAY], day_of_year = order[FIELD_DAY_OF_YEAR];
	int month_week = both(order[FIELD_WEEK_OF_MONTH], weekday);
	int in_month = both(order[FIELD_DAY_IN_MONTH], weekday);
	int week = both(order[FIELD_WEEK], weekday);
	int best = later(
	    later(later(day, month_week), in_month), later(day_of_year, week));

	if (best == 0) {
		month_week = order[FIELD_WEEK_OF_MONTH];
		in_month = later(order[FIELD_DAY_IN_MONTH], weekday);
		week = order[FIELD_WEEK];
		best = later(later(month_week, in_month), week);
		if (best == 0)
			return BY_DAY;
	}
	if (best == day)
		return BY_DAY;
	if (best == month_week &&
	    order[FIELD_WEEK_OF_MONTH] >= order[FIELD_WEEK] &&
	    (month_week != in_month ||
		order[FIELD_WEEK_OF_MONTH] >= order[FIELD_DAY_IN_MONTH]))
		return BY_WEEK_OF_MONTH;
	if (best == in_month && order[FIELD_DAY_IN_MONTH] >= order[FIELD_WEEK])
		return BY_DAY_IN_MONTH;
	return best == day_of_year ? BY_DAY_OF_YEAR : BY_WEEK;
}

static int64_t
day_of_year(const struct when_fields *fields, const struct when_names *names,
    int64_t year)
{
	enum way way = choose_way(fields);
	int64_t month = fields->value[FIELD_MONTH], begin;
	int64_t start = year_begin(year);

	if (way == BY_DAY_OF_YEAR)
		return start + fields->value[FIELD_DAY_OF_YEAR] - 1;
	if (way == BY_WEEK)
		return day_of_week(first_week(start, names), fields,
		    fields->value[FIELD_WEEK], names->first_day);
	year += floor_div(month, 12);
	month = modulo(month, 12);
	begin = days_from_civil(year, (int)month + 1, 1);
	if (way == BY_WEEK_OF_MONTH)
		return day_of_week(first_week(begin, names), fields,
		    fields->value[FIELD_WEEK_OF_MONTH], names->first_day);
	if (way == BY_DAY_IN_MONTH)
		return day_in_month(begin,
		    days_in_month((int)year, (int)month + 1), fields,
		    names->first_day);
	return fields->order[FIELD_DAY] != 0
		   ? begin + fields->value[FIELD_DAY] - 1
		   : begin;
}

/* Weeks of a week year; a weekday that is none counts on (lenient). */
static int64_t
day_of_week_year(
    const struct when_fields *fields, const struct when_names *names)
{
	int64_t start =
	    first_week(year_begin(fields->value[FIELD_WEEK_YEAR]), names);
	int64_t week =
	    fields->order[FIELD_WEEK] != 0 ? fields->value[FIELD_WEEK] : 1;
	int64_t weekday = fields->value[FIELD_WEEKDAY], beyond;

	if (fields->order[FIELD_WEEKDAY] == 0)
		return start + 7 * (week - 1);
	if (weekday < 1 || weekday > 7) {
		/* of Monday to Sunday, 1 to 7 */
		beyond = floor_div(weekday - 1, 7);
		week += beyond;
		weekday = modulo(weekday - 7 * beyond, 7) + 1;
	}
	return on_or_before(start + 6, weekday) + 7 * (week - 1);
}

static int
is_there(const struct when_fields *fields, int field, int64_t value)
{
	return fields->order[field] == 0 || fields->value[field] == value;
}

static int
week_agrees(const struct when_fields *fields, const struct when_names *names,
    int64_t day, int64_t year)
{
	int64_t week_year = year;

	if (day >= first_week(year_begin(year + 1), names))
		week_year = year + 1;
	else if (day < first_week(year_begin(year), names))
		week_year = year - 1;
	return is_there(fields, FIELD_WEEK_YEAR, week_year) &&
	       is_there(fields, FIELD_WEEK,
		   (day - first_week(year_begin(week_year), names)) / 7 + 1);
}

/* All that was said is true of the day. */
static int
day_agrees(const struct when_fields *fields, const struct when_names *names,
    int64_t day)
{
	int64_t year, begin, of_month;
	int month;

	civil_from_days(day, &year, &month);
	begin = days_from_civil(year, month, 1);
	of_month = day - begin + 1;
	return is_there(fields, FIELD_ERA, 1) &&
	       is_there(fields, FIELD_YEAR, year) &&
	       is_there(fields, FIELD_MONTH, month - 1) &&
	       is_there(fields, FIELD_DAY, of_month) &&
	       is_there(
		   fields, FIELD_DAY_OF_YEAR, day - year_begin(year) + 1) &&
	       is_there(fields, FIELD_WEEKDAY, weekday_of(day)) &&
	       is_there(fields, FIELD_DAY_IN_MONTH, (of_month - 1) / 7 + 1) &&
	       is_there(fields, FIELD_WEEK_OF_MONTH,
		   floor_div(day - first_week(begin, names), 7) + 1) &&
	       week_agrees(fields, names, day, year);
}

static int64_t
hour_of(const struct when_fields *fields)
{
	int hour = fields->order[FIELD_HOUR];
	int of_half =
	    both(fields->order[FIELD_HOUR_OF_HALF], fields->order[FIELD_HALF]);

	if (hour != 0 && hour > of_half)
		return fields->value[FIELD_HOUR];
	return fields->value[FIELD_HOUR_OF_HALF] +
	       12 * (int64_t)fields->value[FIELD_HALF];
}

static int
hour_agrees(const struct when_fields *fields, int64_t hour)
{
	return is_there(fields, FIELD_HOUR, hour) &&
	       is_there(fields, FIELD_HOUR_OF_HALF, hour % 12) &&
	       is_there(fields, FIELD_HALF, hour / 12);
}

int
when_fields_resolve(const struct when_fields *fields,
    const struct when_names *names, int lenient, int64_t *local_ms)
{
	int64_t year =
	    fields->order[FIELD_YEAR] != 0 ? fields->value[FIELD_YEAR] : 1970;
	int64_t day, hour = hour_of(fields);

	if (fields->order[FIELD_ERA] != 0 && fields->value[FIELD_ERA] == 0)
		year = 1 - year;
	if (year > YEAR_REASON || year < -YEAR_REASON ||
	    fields->value[FIELD_WEEK_YEAR] > YEAR_REASON ||
	    fields->value[FIELD_WEEK_YEAR] < -YEAR_REASON)
		return 0;
	day = fields->order[FIELD_WEEK_YEAR] > fields->order[FIELD_YEAR]
		  ? day_of_week_year(fields, names)
		  : day_of_year(fields, names, year);
	if (!lenient &&
	    (!day_agrees(fields, names, day) || !hour_agrees(fields, hour)))
		return 0;
	*local_ms = day * MS_DAY + hour * MS_HOUR +
		    fields->value[FIELD_MINUTE] * MS_MINUTE +
		    fields->value[FIELD_SECOND] * MS_SECOND +
		    fields->value[FIELD_MILLI];
	return 1;
}
