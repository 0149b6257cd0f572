#include "demo/demo_script.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/json_out.h"
#include "demo/demo_plan.h"

#define SCRIPT_MAX ((size_t)1024 * 1024)
#define WORDS_MAX  ((size_t)64 * 1024)
#define QUESTIONS  6 /* of a conversation at most: with a farewell, 14 messages */

const struct demo_kind_names demo_kinds[DEMO_KINDS] = {
	[DEMO_CHAT] = { "chat", "/api/chats/create" },
	[DEMO_MESSAGE] = { "message", "/api/chats/message" },
	[DEMO_ARTICLE_MENTION] = { "article_mention", "/api/articles/mention" },
	[DEMO_ARTICLE_VIEW] = { "article_view", "/api/articles/view" },
	[DEMO_WEB_MENTIONS] = { "web_mentions", "/api/tavily-mentions" },
	[DEMO_WEB_CLICK] = { "web_click", "/api/tavily-mentions/click" },
	[DEMO_VISITOR] = { "visitor", "/api/visitors/identify" },
	[DEMO_USER] = { "user", "/api/users/identify" },
};

static const char *const language_codes[DEMO_LANGUAGES] = { "en", "es", "de", "fr" };

/* What a conversation is made with, while it is made. */
struct writing {
	struct demo_script *script;
	const struct demo_organization *organization;
	struct demo_random *random;
	struct demo_person *person;
	struct demo_plan plan;
	struct buffer words;
	struct json_out out;
	uint64_t used;      /* exchanges, a bit each */
	uint64_t mentioned; /* articles, a bit each, from bit 1 */
	char chat_id[40];
};

void demo_script_init(struct demo_script *script)
{
	script->count = 0;
	buffer_init(&script->json, SCRIPT_MAX);
}

void demo_script_fini(struct demo_script *script)
{
	buffer_fini(&script->json);
}

/* Opens an event between `least` and `most` milliseconds behind the one before; end_event closes it. */
static void begin_event(struct writing *writing, enum demo_kind kind, int64_t least, int64_t most)
{
	struct demo_event *event = &writing->script->events[writing->script->count];

	assert(writing->script->count < DEMO_EVENTS); /* QUESTIONS and the tables bound it */
	*event = (struct demo_event){ .after = demo_random_between(writing->random, least, most),
				      .kind = kind,
				      .offset = writing->script->json.length };
	json_out_init(&writing->out, &writing->script->json);
	json_open_object(&writing->out);
}

static void end_event(struct writing *writing)
{
	struct demo_event *event = &writing->script->events[writing->script->count++];

	json_close_object(&writing->out);
	event->length = writing->script->json.length - event->offset;
}

static void put_member(struct writing *writing, const char *name, const char *value)
{
	if (value == NULL)
		return;
	json_key(&writing->out, name);
	json_put_string(&writing->out, value);
}

static void put_phrase(struct writing *writing, const char *name, const char *phrase)
{
	buffer_cut(&writing->words, 0);
	demo_plan_say(&writing->plan, phrase, &writing->words);
	json_key(&writing->out, name);
	json_put_text(&writing->out, (struct text){ writing->words.at, writing->words.length });
}

static void write_chat(struct writing *writing, const char *status)
{
	begin_event(writing, DEMO_CHAT, 0, 0);
	put_member(writing, "chatId", writing->chat_id);
	put_member(writing, "sessionId", writing->person->session);
	put_member(writing, "location", writing->person->location);
	put_member(writing, "userAgent", writing->person->user_agent);
	put_member(writing, "status", status);
	json_key(&writing->out, "metadata");
	json_open_object(&writing->out);
	put_member(writing, "language", language_codes[writing->person->language]);
	put_member(writing, "channel", "website");
	json_close_object(&writing->out);
	end_event(writing);
}

static void write_message(struct writing *writing, const char *role, const char *phrase, int64_t least, int64_t most)
{
	char id[32] = "msg_";

	demo_random_hex(writing->random, 20, id + 4);
	begin_event(writing, DEMO_MESSAGE, least, most);
	put_member(writing, "chatId", writing->chat_id);
	put_member(writing, "role", role);
	put_phrase(writing, "content", phrase);
	put_member(writing, "messageId", id);
	end_event(writing);
}

static void put_article(struct writing *writing, unsigned reference, bool view)
{
	const struct demo_article *article = &writing->organization->articles[reference - 1];
	char id[16];

	snprintf(id, sizeof id, "article-%u", 100 + reference);
	put_member(writing, view ? "articleId" : "id", id);
	put_member(writing, view ? "articleTitle" : "title", article->title);
	put_member(writing, view ? "articleSlug" : "slug", article->slug);
	put_member(writing, view ? "articleType" : "type", article->type);
}

static void write_articles(struct writing *writing, const struct demo_exchange *exchange)
{
	if (exchange->articles[0] == 0)
		return;
	begin_event(writing, DEMO_ARTICLE_MENTION, 120, 400);
	json_key(&writing->out, "articles");
	json_open_array(&writing->out);
	for (size_t i = 0; i < DEMO_REFERENCES && exchange->articles[i] != 0; i++) {
		writing->mentioned |= UINT64_C(1) << exchange->articles[i];
		json_open_object(&writing->out);
		put_article(writing, exchange->articles[i], false);
		json_close_object(&writing->out);
	}
	json_close_array(&writing->out);
	put_member(writing, "chatId", writing->chat_id);
	end_event(writing);
	for (size_t i = 0; i < DEMO_REFERENCES && exchange->articles[i] != 0; i++) {
		if (!demo_random_chance(writing->random, i == 0 ? 34 : 14))
			continue;
		begin_event(writing, DEMO_ARTICLE_VIEW, 3000, 20000);
		put_article(writing, exchange->articles[i], true);
		put_member(writing, "chatId", writing->chat_id);
		put_member(writing, "sessionId", writing->person->session);
		end_event(writing);
	}
}

static void put_result(struct writing *writing, const struct demo_result *result)
{
	json_open_object(&writing->out);
	put_member(writing, "url", result->url);
	put_member(writing, "title", result->title);
	json_key(&writing->out, "score");
	json_put_real(&writing->out, (double)demo_random_between(writing->random, 610, 980) / 1000.0);
	put_member(writing, "content", result->content);
	json_close_object(&writing->out);
}

static void write_results(struct writing *writing, const struct demo_exchange *exchange)
{
	const struct demo_result *results = writing->organization->results;
	int64_t count = 0;

	if (exchange->results[0] == 0)
		return;
	begin_event(writing, DEMO_WEB_MENTIONS, 120, 500);
	json_key(&writing->out, "mentions");
	json_open_array(&writing->out);
	while (count < DEMO_REFERENCES && exchange->results[count] != 0)
		put_result(writing, &results[exchange->results[count++] - 1]);
	json_close_array(&writing->out);
	put_member(writing, "sessionId", writing->person->session);
	put_member(writing, "chatId", writing->chat_id);
	put_phrase(writing, "searchQuery", exchange->search);
	end_event(writing);
	if (!demo_random_chance(writing->random, 24))
		return;
	begin_event(writing, DEMO_WEB_CLICK, 2500, 15000);
	put_member(writing, "articleUrl",
		   results[exchange->results[demo_random_between(writing->random, 0, count - 1)] - 1].url);
	put_member(writing, "chatId", writing->chat_id);
	put_member(writing, "sessionId", writing->person->session);
	end_event(writing);
}

static void begin_identify(struct writing *writing, enum demo_kind kind, const char *source)
{
	begin_event(writing, kind, 4000, 25000);
	put_member(writing, "email", writing->person->email);
	put_member(writing, "name", writing->person->name);
	put_member(writing, "session_id", writing->person->session);
	put_member(writing, "chat_id", writing->chat_id);
	put_member(writing, "source", source);
	writing->person->identified = true;
}

/* One to three different entries. */
static void put_some(struct writing *writing, const char *name, const struct demo_choices *choices)
{
	const int64_t count = demo_random_between(writing->random, 1, 3);
	uint64_t taken = 0;

	json_key(&writing->out, name);
	json_open_array(&writing->out);
	for (int64_t i = 0; i < count; i++) {
		const size_t index = demo_random_index(writing->random, choices);

		if ((taken & (UINT64_C(1) << index)) == 0)
			json_put_string(&writing->out, choices->at[index].text);
		taken |= UINT64_C(1) << index;
	}
	json_close_array(&writing->out);
}

static void write_newsletter(struct writing *writing)
{
	begin_identify(writing, DEMO_VISITOR, "newsletter");
	json_key(&writing->out, "metadata");
	json_open_object(&writing->out);
	put_member(writing, "season", demo_random_text(writing->random, &demo_seasons));
	put_member(writing, "travelerType", demo_random_text(writing->random, &demo_traveler_types));
	put_some(writing, "preferences", &demo_preferences);
	put_some(writing, "vibes", &demo_vibes);
	json_close_object(&writing->out);
	end_event(writing);
}

static void put_date(struct writing *writing, const char *name, unsigned day)
{
	char date[32];

	snprintf(date, sizeof date, "%04u-%02u-%02u", writing->plan.year, writing->plan.month, day);
	put_member(writing, name, date);
}

static void put_number(struct writing *writing, const char *name, int64_t number)
{
	json_key(&writing->out, name);
	json_put_int(&writing->out, number);
}

/* Somebody who asked for an offer; a third of them book it a while later. */
static void write_lead(struct writing *writing)
{
	const struct demo_plan *plan = &writing->plan;
	char reference[16];

	begin_identify(writing, DEMO_VISITOR, "offer");
	json_key(&writing->out, "metadata");
	json_open_object(&writing->out);
	put_date(writing, "arrival", plan->day);
	put_date(writing, "departure", plan->day + plan->nights);
	put_number(writing, "groupSize", plan->party->people);
	put_number(writing, "budgetPerNight", plan->budget);
	put_some(writing, "preferences", &demo_preferences);
	json_close_object(&writing->out);
	end_event(writing);
	if (!demo_random_chance(writing->random, 33))
		return;
	snprintf(reference, sizeof reference, "BK-%05d", (int)demo_random_between(writing->random, 10000, 99999));
	begin_identify(writing, DEMO_VISITOR, "booking");
	writing->script->events[writing->script->count].after *= 40;
	json_key(&writing->out, "metadata");
	json_open_object(&writing->out);
	json_key(&writing->out, "booking");
	json_open_object(&writing->out);
	put_member(writing, "reference", reference);
	put_number(writing, "nights", plan->nights);
	put_number(writing, "total", demo_plan_total(plan));
	put_member(writing, "currency", "USD");
	json_close_object(&writing->out);
	json_close_object(&writing->out);
	end_event(writing);
}

/* People greet once. */
static bool greets(const char *phrase)
{
	static const char *const greetings[] = { "Hi", "Hello", "Hola" };

	for (size_t i = 0; i < sizeof greetings / sizeof greetings[0]; i++)
		if (strncmp(phrase, greetings[i], strlen(greetings[i])) == 0)
			return true;
	return false;
}

static const char *choose_question(struct writing *writing, const struct demo_exchange *exchange, bool first)
{
	size_t count = 0;
	const char *phrase;

	while (count < DEMO_PHRASINGS && exchange->questions[count] != NULL)
		count++;
	phrase = exchange->questions[demo_random_between(writing->random, 0, (int64_t)count - 1)];
	return !first && greets(phrase) ? exchange->questions[0] : phrase;
}

static void write_exchange(struct writing *writing, const struct demo_exchange *exchange, bool first)
{
	const int64_t typing = first ? 4000 : 9000;

	writing->used |= UINT64_C(1) << (exchange - writing->organization->exchanges);
	write_message(writing, "user", choose_question(writing, exchange, first), typing, 5 * typing);
	write_message(writing, "assistant", exchange->answer, 900, 2200);
	write_results(writing, exchange);
	write_articles(writing, exchange);
}

enum manner { OPENING, CONTINUING };

static bool fits(const struct writing *writing, const struct demo_exchange *exchange, enum demo_topic topic,
		 enum manner manner)
{
	if (exchange->topic != topic || exchange->language != writing->person->language ||
	    exchange->opens != (manner == OPENING))
		return false;
	if ((writing->used & (UINT64_C(1) << (exchange - writing->organization->exchanges))) != 0)
		return false;
	if (manner == OPENING || exchange->articles[0] == 0)
		return true;
	for (size_t i = 0; i < DEMO_REFERENCES && exchange->articles[i] != 0; i++)
		if ((writing->mentioned & (UINT64_C(1) << exchange->articles[i])) != 0)
			return true;
	return false;
}

/* NULL when there is none left. */
static const struct demo_exchange *choose(struct writing *writing, enum demo_topic topic, enum manner manner)
{
	const struct demo_organization *organization = writing->organization;
	const struct demo_exchange *fitting[DEMO_EXCHANGES];
	size_t count = 0;

	for (size_t i = 0; i < organization->exchange_count; i++)
		if (fits(writing, &organization->exchanges[i], topic, manner))
			fitting[count++] = &organization->exchanges[i];
	return count == 0 ? NULL : fitting[demo_random_between(writing->random, 0, (int64_t)count - 1)];
}

/* Where one question leads: on in its topic, or to another. */
static const struct demo_exchange *choose_next(struct writing *writing, enum demo_topic topic)
{
	const struct demo_exchange *next = NULL;

	if (topic == LEAD || demo_random_chance(writing->random, 62))
		next = choose(writing, topic, CONTINUING);
	for (int attempt = 0; next == NULL && topic != LEAD && attempt < 4; attempt++)
		next =
		    choose(writing, (enum demo_topic)demo_random_index(writing->random, &demo_opening_topics), OPENING);
	return next;
}

static void write_conversation(struct writing *writing)
{
	int64_t questions = demo_random_between(writing->random, 1, QUESTIONS);
	const struct demo_exchange *exchange = NULL;
	const struct demo_exchange *farewell;
	enum demo_topic topic;
	bool first = true;

	/* Most conversations are short. */
	if (questions > 3 && demo_random_chance(writing->random, 55))
		questions -= 3;
	for (int attempt = 0; exchange == NULL && attempt < 50; attempt++)
		exchange =
		    choose(writing, (enum demo_topic)demo_random_index(writing->random, &demo_opening_topics), OPENING);
	while (exchange != NULL && questions-- > 0) {
		topic = exchange->topic;
		write_exchange(writing, exchange, first);
		first = false;
		if (topic == LEAD && !exchange->opens)
			write_lead(writing);
		else if (topic == LEAD && questions == 0 && demo_random_chance(writing->random, 60))
			questions = 1;
		exchange = choose_next(writing, topic);
	}
	farewell = choose(writing, BYE, CONTINUING);
	if (farewell != NULL && demo_random_chance(writing->random, 45))
		write_exchange(writing, farewell, false);
	if (writing->person->identified)
		return;
	if (demo_random_chance(writing->random, 9))
		write_newsletter(writing);
	else if (demo_random_chance(writing->random, 2)) {
		begin_identify(writing, DEMO_USER, "account");
		end_event(writing);
	}
}

enum err demo_script_write(struct demo_script *script, const struct demo_organization *organization,
			   struct demo_crowd *crowd, int64_t start, bool past)
{
	struct writing writing = { .script = script,
				   .organization = organization,
				   .random = &crowd->random,
				   .person = demo_crowd_next(crowd),
				   .chat_id = "chat_" };
	const bool silent = demo_random_chance(writing.random, 12);
	const bool completed = demo_random_chance(writing.random, 70);

	script->count = 0;
	buffer_cut(&script->json, 0);
	buffer_init(&writing.words, WORDS_MAX);
	demo_random_hex(writing.random, 32, writing.chat_id + strlen(writing.chat_id));
	demo_plan_make(&writing.plan, writing.person, writing.random, start);
	write_chat(&writing, !past ? NULL : silent ? "abandoned" : completed ? "completed" : "active");
	if (!silent)
		write_conversation(&writing);
	buffer_fini(&writing.words);
	return script->json.failed ? ERR_MEMORY : OK;
}
