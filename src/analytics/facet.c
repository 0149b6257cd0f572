#include "analytics/facet.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/json_tree.h"

#define LABEL_CHARACTERS 100
#define LIST_VALUES      100
#define INTERESTS_MAX    (2 + 2 * LIST_VALUES)

static bool holds(struct text text, const char *word)
{
	const size_t length = strlen(word);

	for (size_t i = 0; i + length <= text.length; i++)
		if (text_equal_ignoring_case((struct text){ text.at + i, length }, (struct text){ word, length }))
			return true;
	return false;
}

struct text facet_device(struct text user_agent)
{
	static const char *const words[] = { "mobi",   "android",    "iphone", "ipad",     "ipod",
					     "tablet", "kindle",     "silk/",  "playbook", "blackberry",
					     "phone",  "opera mini", "webos" };

	if (text_trim(user_agent).length == 0)
		return TEXT("Unknown");
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (holds(user_agent, words[i]))
			return TEXT("Mobile");
	return TEXT("Desktop");
}

static bool is_address(struct text text)
{
	char string[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (text.length >= sizeof string)
		return false;
	memcpy(string, text.at, text.length);
	string[text.length] = '\0';
	return inet_pton(AF_INET, string, &address) == 1 || inet_pton(AF_INET6, string, &address) == 1;
}

/* The text without white space around it; absent when it says nothing. */
static struct text known(struct text text)
{
	static const char *const nothing[] = { "", "unknown", "n/a", "na", "null", "undefined" };

	if (text.at == NULL)
		return text;
	text = text_trim(text);
	for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++)
		if (text_equal_ignoring_case(text, text_of(nothing[i])))
			return (struct text){ 0 };
	return is_address(text) ? text_of(NULL) : text_first(text, LABEL_CHARACTERS);
}

struct text facet_city(struct text location)
{
	const struct text address = known(location);
	const char *comma = address.at == NULL ? NULL : memchr(location.at, ',', location.length);

	if (address.at == NULL || comma == NULL)
		return address;
	return known((struct text){ location.at, (size_t)(comma - location.at) });
}

struct text facet_country(struct text location)
{
	static const struct {
		const char *name;
		const char *usual;
	} names[] = {
		{ "US", "United States" },
		{ "U.S.", "United States" },
		{ "USA", "United States" },
		{ "U.S.A.", "United States" },
		{ "United States of America", "United States" },
		{ "United States", "United States" },
		{ "UK", "United Kingdom" },
		{ "U.K.", "United Kingdom" },
		{ "Great Britain", "United Kingdom" },
		{ "United Kingdom", "United Kingdom" },
	};
	struct text country = known(location);
	const char *comma = country.at == NULL ? NULL : memrchr(location.at, ',', location.length);

	if (country.at == NULL)
		return country;
	if (comma != NULL)
		country = known((struct text){ comma + 1, (size_t)(location.at + location.length - comma - 1) });
	for (size_t i = 0; country.at != NULL && i < sizeof names / sizeof names[0]; i++)
		if (text_equal_ignoring_case(country, text_of(names[i].name)))
			return text_of(names[i].usual);
	return country;
}

struct gathering {
	struct interest *list;
	size_t count;
};

static void add(struct gathering *to, enum metric metric, struct text value)
{
	value = text_first(text_trim(value), LABEL_CHARACTERS);
	if (value.length == 0)
		return;
	for (size_t i = 0; i < to->count; i++)
		if (to->list[i].metric == metric && text_equal(to->list[i].value, value))
			return;
	to->list[to->count++] = (struct interest){ metric, value };
}

static void add_one(struct gathering *to, enum metric metric, const struct json_value *value)
{
	static const char *const names[] = { "name", "label", "value" };
	struct json_tree_view view = json_tree_look(value);

	for (size_t i = 0; view.kind == JSON_TREE_OBJECT && i < sizeof names / sizeof names[0]; i++) {
		const struct json_tree_view member = json_tree_look(json_tree_member(value, text_of(names[i])));

		if (member.kind == JSON_TREE_TEXT && text_trim(member.text).length > 0)
			view = member;
	}
	if (view.kind == JSON_TREE_TEXT)
		add(to, metric, view.text);
}

static void add_list(struct gathering *to, enum metric metric, const struct json_value *list)
{
	const size_t count = json_tree_count(list);

	for (size_t i = 0; i < count && i < LIST_VALUES; i++) {
		const struct json_tree_view view = json_tree_look(json_tree_at(list, i));

		if (view.kind == JSON_TREE_TEXT)
			add(to, metric, view.text);
	}
}

enum err facet_interests(struct arena *arena, struct text metadata, struct interests *out)
{
	const struct json_value *object;
	struct gathering gathering = { 0 };
	enum err err;

	*out = (struct interests){ 0 };
	if (metadata.at == NULL)
		return OK;
	err = json_tree_parse(metadata, arena, &object, NULL);
	if (err != OK)
		return arena->failed || err != ERR_INVALID ? ERR_MEMORY : OK; /* what is no JSON has no interests */
	gathering.list = arena_take_many(arena, INTERESTS_MAX, sizeof *gathering.list);
	if (gathering.list == NULL)
		return ERR_MEMORY;
	add_one(&gathering, METRIC_SEASON, json_tree_member(object, TEXT("season")));
	add_one(&gathering, METRIC_TRAVELER_TYPE, json_tree_member(object, TEXT("travelerType")));
	add_list(&gathering, METRIC_PREFERENCE, json_tree_member(object, TEXT("preferences")));
	add_list(&gathering, METRIC_VIBE, json_tree_member(object, TEXT("vibes")));
	*out = (struct interests){ gathering.list, gathering.count };
	return OK;
}
