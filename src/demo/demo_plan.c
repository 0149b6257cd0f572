#include "demo/demo_plan.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define OFFER_BELOW_BUDGET 12 /* US dollars a night */

void demo_plan_make(struct demo_plan *plan, const struct demo_person *person, struct demo_random *random, int64_t start)
{
	const struct demo_parties *parties = &demo_parties[person->language];
	const unsigned ahead = (unsigned)demo_random_between(random, 1, 5);
	char text[CLOCK_TEXT_SIZE];
	int64_t year = 0;
	int64_t month = 0;

	clock_format(start, text);
	if (text_to_int((struct text){ text, 4 }, &year) != OK ||
	    text_to_int((struct text){ text + 5, 2 }, &month) != OK)
		month = 1;
	plan->person = person;
	plan->party = &parties->at[demo_random_between(random, 0, (int64_t)parties->count - 1)];
	plan->month = ((unsigned)month - 1 + ahead) % 12 + 1;
	plan->year = (unsigned)year + (plan->month <= (unsigned)month ? 1 : 0);
	plan->day = (unsigned)demo_random_between(random, 1, 22);
	plan->nights = (unsigned)demo_random_between(random, 2, 6);
	plan->budget = (unsigned)demo_random_between(random, 14, 34) * 10;
}

unsigned demo_plan_total(const struct demo_plan *plan)
{
	return plan->nights * (plan->budget - OFFER_BELOW_BUDGET);
}

static void say_dates(const struct demo_plan *plan, struct buffer *to)
{
	const char *month = demo_month(plan->person->language, plan->month);
	const unsigned last = plan->day + plan->nights;

	switch (plan->person->language) {
	case SPANISH:
		buffer_format(to, "del %u al %u de %s", plan->day, last, month);
		break;
	case GERMAN:
		buffer_format(to, "vom %u. bis %u. %s", plan->day, last, month);
		break;
	case FRENCH:
		buffer_format(to, "du %u au %u %s", plan->day, last, month);
		break;
	default:
		buffer_format(to, "%s %u to %u", month, plan->day, last);
	}
}

static void say_month(const struct demo_plan *plan, struct buffer *to)
{
	buffer_string(to, demo_month(plan->person->language, plan->month));
}

static void say_party(const struct demo_plan *plan, struct buffer *to)
{
	buffer_string(to, plan->party->text);
}

static void say_nights(const struct demo_plan *plan, struct buffer *to)
{
	buffer_int(to, plan->nights);
}

static void say_budget(const struct demo_plan *plan, struct buffer *to)
{
	buffer_int(to, plan->budget);
}

static void say_total(const struct demo_plan *plan, struct buffer *to)
{
	const unsigned total = demo_plan_total(plan);

	if (total >= 1000)
		buffer_format(to, "%u,%03u", total / 1000, total % 1000);
	else
		buffer_int(to, total);
}

static void say_email(const struct demo_plan *plan, struct buffer *to)
{
	buffer_string(to, plan->person->email);
}

static const struct {
	const char *word;
	void (*say)(const struct demo_plan *plan, struct buffer *to);
} words[] = {
	{ "{dates}", say_dates },   { "{month}", say_month }, { "{party}", say_party }, { "{nights}", say_nights },
	{ "{budget}", say_budget }, { "{total}", say_total }, { "{email}", say_email },
};

void demo_plan_say(const struct demo_plan *plan, const char *phrase, struct buffer *to)
{
	while (*phrase != '\0') {
		size_t i = 0;

		while (i < sizeof words / sizeof words[0] && strncmp(phrase, words[i].word, strlen(words[i].word)) != 0)
			i++;
		if (i < sizeof words / sizeof words[0]) {
			words[i].say(plan, to);
			phrase += strlen(words[i].word);
		} else {
			buffer_add(to, phrase++, 1);
		}
	}
}
