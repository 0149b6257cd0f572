#include "analytics/calendar.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ZONE_MAX       64
#define DAY_SECONDS    86400
#define WINDOW_SECONDS ((int64_t)7 * DAY_SECONDS)
#define WINDOWS        64
#define NO_WINDOW      INT64_MIN
#define FIRST_DAY      (-36524) /* 1870: the days before a range that begins in 1970 */
#define LAST_DAY       2932896  /* 9999-12-31 */

/* What is known of a week: its offset, if it has one alone. */
struct window {
	int64_t number; /* seconds since 1970 by WINDOW_SECONDS */
	int64_t offset; /* seconds east of UTC */
};

struct calendar {
	GTimeZone *zone; /* NULL: UTC */
	struct window windows[WINDOWS];
};

/* Letters, digits, `_`, `+`, `-`, and single slashes between them: no path that leaves the zones' folder. */
static bool is_plain(struct text zone)
{
	bool after_slash = true;

	if (zone.at == NULL || zone.length == 0 || zone.length > ZONE_MAX)
		return false;
	for (size_t i = 0; i < zone.length; i++) {
		const char byte = zone.at[i];
		const bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');

		if (byte == '/' && after_slash)
			return false;
		if (after_slash && byte != '/' && !letter)
			return false;
		if (!letter && !(byte >= '0' && byte <= '9') && strchr("_+-/", byte) == NULL)
			return false;
		after_slash = byte == '/';
	}
	return !after_slash;
}

static bool is_utc(struct text zone)
{
	return text_equal(zone, TEXT("UTC"));
}

enum err calendar_new(struct calendar **out, struct text zone)
{
	struct calendar *calendar;
	GTimeZone *found = NULL;
	char name[ZONE_MAX + 1];

	*out = NULL;
	if (!is_plain(zone))
		return ERR_NOT_FOUND;
	if (!is_utc(zone)) {
		memcpy(name, zone.at, zone.length);
		name[zone.length] = '\0';
		found = g_time_zone_new_identifier(name);
		if (found == NULL)
			return ERR_NOT_FOUND;
	}
	calendar = calloc(1, sizeof *calendar);
	if (calendar == NULL) {
		if (found != NULL)
			g_time_zone_unref(found);
		return ERR_MEMORY;
	}
	calendar->zone = found;
	for (size_t i = 0; i < WINDOWS; i++)
		calendar->windows[i].number = NO_WINDOW;
	*out = calendar;
	return OK;
}

void calendar_free(struct calendar *calendar)
{
	if (calendar == NULL)
		return;
	if (calendar->zone != NULL)
		g_time_zone_unref(calendar->zone);
	free(calendar);
}

bool calendar_knows(struct text zone)
{
	struct calendar *calendar;
	const bool known = calendar_new(&calendar, zone) == OK;

	calendar_free(calendar);
	return known;
}

static int64_t floor_by(int64_t value, int64_t by)
{
	return value >= 0 ? value / by : -((-value + by - 1) / by);
}

/* Seconds east of UTC at a moment. Intervals of a zone stand in order: a week that begins and ends in the same one has
 * no change in it. */
static int64_t offset_at(struct calendar *calendar, int64_t second)
{
	const int64_t number = floor_by(second, WINDOW_SECONDS);
	struct window *window = &calendar->windows[number & (WINDOWS - 1)];
	int first;

	if (window->number == number)
		return window->offset;
	first = g_time_zone_find_interval(calendar->zone, G_TIME_TYPE_UNIVERSAL, number * WINDOW_SECONDS);
	if (first < 0 || first != g_time_zone_find_interval(calendar->zone, G_TIME_TYPE_UNIVERSAL,
							    (number + 1) * WINDOW_SECONDS - 1)) {
		first = g_time_zone_find_interval(calendar->zone, G_TIME_TYPE_UNIVERSAL, second);
		return g_time_zone_get_offset(calendar->zone, first);
	}
	window->number = number;
	window->offset = g_time_zone_get_offset(calendar->zone, first);
	return window->offset;
}

int64_t calendar_day(struct calendar *calendar, int64_t time)
{
	const int64_t second = floor_by(time, 1000);

	return floor_by(second + (calendar->zone == NULL ? 0 : offset_at(calendar, second)), DAY_SECONDS);
}

struct date {
	int year;
	int month; /* 1 to 12 */
	int day;
};

/* https://howardhinnant.github.io/date_algorithms.html, civil_from_days. */
static struct date date_of(int64_t day)
{
	const int64_t shifted = day + 719468; /* since 0000-03-01 */
	const int64_t era = floor_by(shifted, 146097);
	const int64_t of_era = shifted - era * 146097;
	const int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	const int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	const int64_t month = (5 * of_year + 2) / 153; /* from March */
	const int64_t number = month < 10 ? month + 3 : month - 9;

	return (struct date){ .year = (int)(year + era * 400 + (number <= 2)),
			      .month = (int)number,
			      .day = (int)(of_year - (153 * month + 2) / 5 + 1) };
}

/* The same page, days_from_civil. */
static int64_t day_of(struct date date)
{
	const int64_t year = date.year - (date.month <= 2);
	const int64_t era = floor_by(year, 400);
	const int64_t of_era = year - era * 400;
	const int64_t of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* What was stored lies in there; whatever else was asked for is written as its nearest day. */
static struct date date_within(int64_t day)
{
	return date_of(day < FIRST_DAY ? FIRST_DAY : day > LAST_DAY ? LAST_DAY : day);
}

static void put_digits(char *at, int value, int digits)
{
	while (digits > 0) {
		at[--digits] = (char)('0' + value % 10);
		value /= 10;
	}
}

void calendar_format_day(int64_t day, char out[CALENDAR_DAY_SIZE])
{
	const struct date date = date_within(day);

	memcpy(out, "0000-00-00", CALENDAR_DAY_SIZE);
	put_digits(out, date.year, 4);
	put_digits(out + 5, date.month, 2);
	put_digits(out + 8, date.day, 2);
}

void calendar_format_date(int64_t day, char out[CALENDAR_DATE_SIZE])
{
	static const char *const months = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const struct date date = date_within(day);
	const int digits = date.day < 10 ? 1 : 2;

	memcpy(out, months + (size_t)(date.month - 1) * 3, 3);
	out[3] = ' ';
	put_digits(out + 4, date.day, digits);
	out[4 + digits] = '\0';
}

static bool read_digits(struct text text, size_t from, size_t count, int *out)
{
	*out = 0;
	for (size_t i = from; i < from + count; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
		*out = *out * 10 + (text.at[i] - '0');
	}
	return true;
}

enum err calendar_parse_day(struct text text, int64_t *out)
{
	struct date date;
	struct date again;

	if (text.at == NULL || text.length != CALENDAR_DAY_SIZE - 1 || text.at[4] != '-' || text.at[7] != '-' ||
	    !read_digits(text, 0, 4, &date.year) || !read_digits(text, 5, 2, &date.month) ||
	    !read_digits(text, 8, 2, &date.day) || date.year < 1970 || date.month < 1 || date.month > 12)
		return ERR_INVALID;
	*out = day_of(date);
	again = date_of(*out);
	return again.year == date.year && again.month == date.month && again.day == date.day ? OK : ERR_INVALID;
}

#define HOUR_MS  ((int64_t)60 * 60 * 1000)
#define FARTHEST 26 /* hours: further from UTC than any zone is, or was */

int64_t calendar_begin(struct calendar *calendar, int64_t day)
{
	int64_t low = day * 24 * HOUR_MS - FARTHEST * HOUR_MS;
	int64_t high = day * 24 * HOUR_MS + FARTHEST * HOUR_MS;

	low = low < 0 ? 0 : low;
	while (low < high) {
		const int64_t middle = low + (high - low) / 2;

		if (calendar_day(calendar, middle) < day)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
