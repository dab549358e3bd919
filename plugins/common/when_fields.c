/*
 * when_fields.c -- see when_fields.h: text to fields, item by item of a
 * pattern. A reader moves over the text and fails by returning 0.
 */
#include "plugins/common/when_fields.h"

#include <string.h>
#include <strings.h>

struct reader {
	const char *p;
	const char *item; /* where the item begins, with its blanks */
	const char *end;
	int lenient;
	struct when_fields *fields;
};

/* A field that is a number: its digits and limits where they are strict. */
struct number_rule {
	char letter;
	uint8_t field;
	uint8_t digits; /* at most */
	int16_t least, most;
};

static const struct number_rule number_rules[] = {
    {'M', FIELD_MONTH, 2, 1, 12},
    {'L', FIELD_MONTH, 2, 1, 12},
    {'w', FIELD_WEEK, 2, 1, 53},
    {'W', FIELD_WEEK_OF_MONTH, 1, 0, 6},
    {'D', FIELD_DAY_OF_YEAR, 3, 1, 366},
    {'d', FIELD_DAY, 2, 1, 31},
    {'F', FIELD_DAY_IN_MONTH, 1, 1, 5},
    {'u', FIELD_WEEKDAY, 1, 1, 7},
    {'H', FIELD_HOUR, 2, 0, 23},
    {'k', FIELD_HOUR, 2, 1, 24},
    {'K', FIELD_HOUR_OF_HALF, 2, 0, 11},
    {'h', FIELD_HOUR_OF_HALF, 2, 1, 12},
    {'m', FIELD_MINUTE, 2, 0, 59},
    {'s', FIELD_SECOND, 2, 0, 59},
    {'S', FIELD_MILLI, 9, 0, 999},
};

static int
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t
left(const struct reader *r)
{
	return (size_t)(r->end - r->p);
}

/* What Java makes an int of a number of any length: the low half of 64 bits,
 * and the nearest one beyond them. */
static int32_t
java_int(const char *p, const char *end, int negative)
{
	uint64_t value = 0;

	for (; p < end; p++) {
		uint64_t digit = (uint64_t)(*p - '0');

		if (value > (INT64_MAX - digit) / 10)
			return negative ? INT32_MIN : INT32_MAX;
		value = value * 10 + digit;
	}
	return (int32_t)(uint32_t)(negative ? -value : value);
}

/* Lenient: a minus, and as many digits as there are; when something abuts,
 * `count` bytes, blanks before them too, have to be there. */
static int
read_lenient(struct reader *r, const struct when_item *item, int32_t *value)
{
	const char *end = r->end, *digits;
	int negative = *r->p == '-';

	if (item->abuts) {
		if (r->end - r->item < item->count)
			return 0;
		end = r->item + item->count;
	}
	if (r->p >= end)
		return 0;
	digits = r->p + negative;
	for (r->p = digits; r->p < end && is_digit(*r->p);)
		r->p++;
	*value = java_int(digits, r->p, negative);
	return r->p > digits;
}

/* `least` to `most` digits, or as many as the item's letters when a number
 * abuts, else all that there are. The value stands still beyond nine of them.
 */
static int
read_digits(struct reader *r, const struct when_item *item, int least, int most,
    int32_t *value)
{
	int n = 0;
	int32_t v = 0;

	if (item->abuts) {
		r->p = r->item; /* no blanks before it */
		least = most = item->count;
	}
	for (; n < most && r->p < r->end && is_digit(*r->p); n++, r->p++)
		v = v < 100000000 ? v * 10 + (*r->p - '0') : 999999999;
	*value = v;
	return n >= least &&
	       (item->abuts || r->p == r->end || !is_digit(*r->p));
}

static int
read_year(struct reader *r, const struct when_item *item)
{
	const char *begin = r->p;
	int least = item->count > 2 ? 4 : 2;
	int most = item->count == 2 ? 2 : 4;
	int32_t year;

	if (r->lenient ? !read_lenient(r, item, &year)
		       : !read_digits(r, item, least, most, &year))
		return 0;
	if (item->count <= 2 && r->p - begin == 2 && is_digit(*begin))
		year += year >= 69 ? 1900 : 2000;
	when_fields_set(r->fields,
	    item->letter == 'Y' ? FIELD_WEEK_YEAR : FIELD_YEAR, year);
	return 1;
}

/* The digits of a fraction of the second; what is finer than a millisecond is
 * cut off. */
static int
read_fraction(struct reader *r, const struct when_item *item)
{
	const char *begin = r->p;
	int32_t value = 0, scale = 100;

	for (; r->p < r->end && is_digit(*r->p); r->p++) {
		if (item->abuts && r->p - begin == item->count)
			break;
		value += (*r->p - '0') * scale;
		scale /= 10;
	}
	when_fields_set(r->fields, FIELD_MILLI, value);
	return r->p > begin && (!item->abuts || r->p - begin == item->count);
}

/* The value as a calendar has it: months from 0, Sunday first, hours from 0. */
static int32_t
adjust(char letter, int32_t value)
{
	switch (letter) {
	case 'M':
	case 'L':
		return (int32_t)((uint32_t)value - 1);
	case 'u':
		return value < 1 || value > 7 ? value : value % 7 + 1;
	case 'k':
		return value == 24 ? 0 : value;
	case 'h':
		return value == 12 ? 0 : value;
	default:
		return value;
	}
}

static int
read_number(struct reader *r, const struct when_item *item)
{
	const struct number_rule *rule = number_rules;
	int most;
	int32_t value;

	while (rule->letter != item->letter)
		rule++;
	if (r->lenient) {
		if (!read_lenient(r, item, &value))
			return 0;
	} else if (item->letter == 'S') {
		return read_fraction(r, item);
	} else {
		most = item->count > rule->digits ? item->count : rule->digits;
		if (!read_digits(r, item, 1, most, &value) ||
		    value < rule->least || value > rule->most)
			return 0;
	}
	when_fields_set(r->fields, rule->field, adjust(item->letter, value));
	return 1;
}

/* Length of the name when the text begins with it. A dot at its end, as of
 * short months in French, may be left out. */
static size_t
name_length(const struct reader *r, const char *name)
{
	size_t n = strlen(name);

	if (n == 0)
		return 0;
	if (left(r) >= n && strncasecmp(r->p, name, n) == 0)
		return n;
	if (!r->lenient && name[n - 1] == '.' && left(r) >= n - 1 &&
	    strncasecmp(r->p, name, n - 1) == 0)
		return n - 1;
	return 0;
}

/* The longest of the lists' names: *index is its place in its list. */
static int
read_name(struct reader *r, const char (*names)[NAME_BYTES], int lists,
    int per_list, int *index)
{
	size_t longest = 0;

	for (int i = 0; i < lists * per_list; i++) {
		size_t n = name_length(r, names[i]);

		if (n > longest) {
			longest = n;
			*index = i % per_list;
		}
	}
	r->p += longest;
	return longest > 0;
}

/* ---- zones ---- */

static const struct {
	char name[5];
	int16_t minutes;
} zones[] = {{"UTC", 0}, {"EST", -300}, {"EDT", -240}, {"CST", -360},
    {"CDT", -300}, {"MST", -420}, {"MDT", -360}, {"PST", -480}, {"PDT", -420},
    {"AKST", -540}, {"AKDT", -480}, {"HST", -600}, {"WET", 0}, {"WEST", 60},
    {"CET", 60}, {"CEST", 120}, {"EET", 120}, {"EEST", 180}, {"MSK", 180},
    {"JST", 540}};

/* Two digits at p, or -1. */
static int
two_digits(const struct reader *r, const char *p)
{
	if (r->end - p < 2 || !is_digit(p[0]) || !is_digit(p[1]))
		return -1;
	return (p[0] - '0') * 10 + (p[1] - '0');
}

/* `forms`: which minutes may follow the hours. */
enum { FORM_HOURS = 1, FORM_PLAIN = 2, FORM_COLON = 4, FORM_SHORT_HOUR = 8 };

/* Behind the sign. */
static int
read_offset(struct reader *r, int sign, int forms)
{
	int hours = two_digits(r, r->p), minutes = -1;
	const char *p = r->p + 2;

	if (hours < 0 && forms & FORM_SHORT_HOUR && left(r) > 0 &&
	    is_digit(*r->p)) {
		hours = *r->p - '0';
		p = r->p + 1;
	}
	if (hours < 0 || hours > (r->lenient ? 23 : 18))
		return 0;
	if (forms & FORM_COLON && p < r->end && *p == ':')
		minutes = two_digits(r, ++p);
	else if (forms & FORM_PLAIN)
		minutes = two_digits(r, p);
	if (minutes < 0 && !(forms & FORM_HOURS))
		return 0;
	if (minutes > 59)
		return 0;
	r->p = minutes < 0 ? p : p + 2;
	if (minutes < 0 && p[-1] == ':')
		return 0;
	when_fields_set(r->fields, FIELD_OFFSET,
	    sign * (hours * 60 + (minutes < 0 ? 0 : minutes)));
	return 1;
}

static int
read_zone_name(struct reader *r)
{
	size_t best = 0;
	int minutes = 0;

	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		size_t n = name_length(r, zones[i].name);

		if (n > best) {
			best = n;
			minutes = zones[i].minutes;
		}
	}
	r->p += best;
	when_fields_set(r->fields, FIELD_OFFSET, minutes);
	return best > 0;
}

static int
sign_of(const struct reader *r)
{
	if (left(r) == 0)
		return 0;
	return *r->p == '+' ? 1 : *r->p == '-' ? -1 : 0;
}

/* GMT, GMT+5:30, a name, +0530. */
static int
read_zone(struct reader *r)
{
	int sign = sign_of(r);

	if (sign != 0) {
		r->p++;
		return read_offset(r, sign,
		    r->lenient ? FORM_PLAIN
			       : FORM_HOURS | FORM_PLAIN | FORM_COLON);
	}
	if (left(r) >= 3 && strncasecmp(r->p, "GMT", 3) == 0) {
		r->p += 3;
		sign = sign_of(r);
		if (sign == 0) {
			when_fields_set(r->fields, FIELD_OFFSET, 0);
			return 1;
		}
		r->p++;
		return read_offset(r, sign, FORM_COLON | FORM_SHORT_HOUR);
	}
	if (!r->lenient && left(r) > 0 && *r->p == 'Z') {
		r->p++;
		when_fields_set(r->fields, FIELD_OFFSET, 0);
		return 1;
	}
	return read_zone_name(r);
}

static int
read_iso_zone(struct reader *r, int count)
{
	static const int forms[] = {FORM_HOURS, FORM_PLAIN, FORM_COLON};
	int sign = sign_of(r);

	if (left(r) > 0 && *r->p == 'Z') {
		r->p++;
		when_fields_set(r->fields, FIELD_OFFSET, 0);
		return 1;
	}
	if (sign == 0)
		return 0;
	r->p++;
	return read_offset(r, sign,
	    r->lenient && count <= 3 ? forms[count - 1]
				     : FORM_HOURS | FORM_PLAIN | FORM_COLON);
}

/* ---- items ---- */

static int
read_word(struct reader *r, const struct when_pattern *pattern, char letter)
{
	static const char eras[2][NAME_BYTES] = {"BC", "AD"};
	const struct when_names *names = &pattern->names;
	int index = 0, found, field = FIELD_ERA;

	switch (letter) {
	case 'G':
		found = read_name(r, eras, 1, 2, &index);
		break;
	case 'E':
		field = FIELD_WEEKDAY;
		found = read_name(r, names->weekdays[0], 2, 7, &index);
		index++;
		break;
	case 'a':
		field = FIELD_HALF;
		found = read_name(r, names->halves, 1, 2, &index);
		break;
	default:
		field = FIELD_MONTH;
		found = read_name(r, names->months[0], 4, 12, &index);
	}
	when_fields_set(r->fields, field, index);
	return found;
}

static int
read_item(struct reader *r, const struct when_pattern *pattern,
    const struct when_item *item)
{
	if (item->letter == '\0')
		return left(r) > 0 && *r->p++ == item->byte;
	r->item = r->p;
	while (left(r) > 0 && (*r->p == ' ' || *r->p == '\t'))
		r->p++;
	if (left(r) == 0)
		return 0;
	switch (item->letter) {
	case 'y':
	case 'Y':
		return read_year(r, item);
	case 'M':
	case 'L':
		if (item->count <= 2)
			return read_number(r, item);
		/* fallthrough */
	case 'G':
	case 'E':
	case 'a':
		r->p = r->item;
		return read_word(r, pattern, item->letter);
	case 'z':
	case 'Z':
		return read_zone(r);
	case 'X':
		return read_iso_zone(r, item->count);
	default:
		return read_number(r, item);
	}
}

const char *
when_fields_read(const struct when_pattern *pattern, struct secor_bytes text,
    struct when_fields *fields)
{
	struct reader r = {
	    text.ptr, text.ptr, text.ptr + text.len, pattern->lenient, fields};

	for (size_t i = 0; i < pattern->count; i++) {
		if (!read_item(&r, pattern, &pattern->items[i]))
			return "does not match the pattern";
	}
	if (!r.lenient && r.p != r.end)
		return "goes on behind the pattern";
	return NULL;
}
