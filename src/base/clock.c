#include "base/clock.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#define MS_PER_MINUTE INT64_C(60000)
#define MS_PER_DAY    INT64_C(86400000)
#define EARLIEST      (-INT64_C(62167219200000)) /* 0000-01-01T00:00:00.000Z */

int64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_worked(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar, and back. The year is counted from March, so
 * that the leap day is its last; 400 years are always 146,097 days. Source: H. Hinnant, "chrono-compatible low-level
 * date algorithms", days_from_civil and civil_from_days. Years 0000 to 9999. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t shifted = (month <= 2 ? year - 1 : year) + 400;
	int64_t era = shifted / 400;
	int64_t year_of_era = shifted % 400;
	int64_t day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;

	return (era - 1) * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static void date_of(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
	int64_t shifted = days + 719468 + 146097;
	int64_t era = shifted / 146097;
	int64_t day_of_era = shifted % 146097;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t march_month = (5 * day_of_year + 2) / 153;

	*day = day_of_year - (153 * march_month + 2) / 5 + 1;
	*month = march_month < 10 ? march_month + 3 : march_month - 9;
	*year = year_of_era + (era - 1) * 400 + (*month <= 2);
}

static char *digits(char *at, int64_t value, int count)
{
	for (int i = count - 1; i >= 0; i--) {
		at[i] = (char)('0' + value % 10);
		value /= 10;
	}
	return at + count;
}

void clock_format(int64_t time, char out[CLOCK_TEXT_SIZE])
{
	int64_t clamped = time < EARLIEST ? EARLIEST : time > CLOCK_LATEST ? CLOCK_LATEST : time;
	int64_t days = (clamped - EARLIEST) / MS_PER_DAY + EARLIEST / MS_PER_DAY;
	int64_t rest = clamped - days * MS_PER_DAY;
	int64_t year;
	int64_t month;
	int64_t day;

	date_of(days, &year, &month, &day);
	out = digits(out, year, 4);
	*out++ = '-';
	out = digits(out, month, 2);
	*out++ = '-';
	out = digits(out, day, 2);
	*out++ = 'T';
	out = digits(out, rest / 3600000, 2);
	*out++ = ':';
	out = digits(out, rest / MS_PER_MINUTE % 60, 2);
	*out++ = ':';
	out = digits(out, rest / 1000 % 60, 2);
	*out++ = '.';
	out = digits(out, rest % 1000, 3);
	*out++ = 'Z';
	*out = '\0';
}

static bool is_digit(char letter)
{
	return letter >= '0' && letter <= '9';
}

/* Each of these takes what it names from the front of `text`, or leaves it and says no. */
static bool take_number(struct text *text, size_t count, int64_t least, int64_t most, int64_t *out)
{
	int64_t value = 0;

	if (text->length < count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!is_digit(text->at[i]))
			return false;
		value = value * 10 + (text->at[i] - '0');
	}
	if (value < least || value > most)
		return false;
	text->at += count;
	text->length -= count;
	*out = value;
	return true;
}

static bool take_one_of(struct text *text, const char *letters)
{
	if (!text->length || !text->at[0] || !strchr(letters, text->at[0]))
		return false;
	text->at++;
	text->length--;
	return true;
}

static bool take_date(struct text *text, int64_t *time)
{
	static const int64_t lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int64_t year;
	int64_t month;
	int64_t day;

	if (!take_number(text, 4, 0, 9999, &year) || !take_one_of(text, "-") || !take_number(text, 2, 1, 12, &month) ||
	    !take_one_of(text, "-") || !take_number(text, 2, 1, 31, &day))
		return false;
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	if (day > lengths[month - 1] + (leap && month == 2))
		return false;
	*time = days_of(year, month, day) * MS_PER_DAY;
	return true;
}

/* `15:04`, `15:04:05` or `15:04:05.678…`, added to `time`. */
static bool take_time_of_day(struct text *text, int64_t *time)
{
	int64_t hour;
	int64_t minute;
	int64_t second;

	if (!take_number(text, 2, 0, 23, &hour) || !take_one_of(text, ":") || !take_number(text, 2, 0, 59, &minute))
		return false;
	*time += (hour * 60 + minute) * MS_PER_MINUTE;
	if (!take_one_of(text, ":"))
		return true;
	if (!take_number(text, 2, 0, 59, &second))
		return false;
	*time += second * 1000;
	if (!take_one_of(text, ".,"))
		return true;
	if (!text->length || !is_digit(text->at[0]))
		return false;
	for (int64_t weight = 100; text->length && is_digit(text->at[0]); weight /= 10) {
		*time += weight * (text->at[0] - '0');
		text->at++;
		text->length--;
	}
	return true;
}

/* `Z`, `+05:45`, `-0330` or nothing: the difference from UTC, taken off `time`. */
static bool take_zone(struct text *text, int64_t *time)
{
	int64_t hours;
	int64_t minutes;

	if (!text->length || take_one_of(text, "Zz"))
		return true;
	bool minus = text->at[0] == '-';
	if (!take_one_of(text, "+-") || !take_number(text, 2, 0, 23, &hours))
		return false;
	(void)take_one_of(text, ":");
	if (!take_number(text, 2, 0, 59, &minutes))
		return false;
	int64_t difference = (hours * 60 + minutes) * MS_PER_MINUTE;
	*time -= minus ? -difference : difference;
	return true;
}

enum err clock_parse(struct text text, int64_t *out)
{
	int64_t time;

	if (!take_date(&text, &time))
		return ERR_INVALID;
	if (text.length && (!take_one_of(&text, "Tt ") || !take_time_of_day(&text, &time) || !take_zone(&text, &time)))
		return ERR_INVALID;
	if (text.length || time < 0 || time > CLOCK_LATEST)
		return ERR_INVALID;
	*out = time;
	return OK;
}
