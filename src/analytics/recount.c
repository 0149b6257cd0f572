#include "analytics/recount.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analytics/calendar.h"
#include "analytics/facet.h"
#include "analytics/figures.h"
#include "analytics/recount_catalogue.h"
#include "analytics/tally.h"
#include "store/query.h"

#define TEXT_CAP    ((size_t)4 * 1024 * 1024 * 1024)
#define VISITOR_CAP ((size_t)64 * 1024 * 1024) /* of one visitor's metadata, as a tree */
#define NUMBER_SIZE 21

/* The numbers of a tally's key. A member's day stands in START. */
enum { METRIC, SPAN, START, BEFORE };

struct count {
	struct db *db;
	struct calendar *calendar;
	struct recount *result;
	void (*tell)(void *context, const struct recount_difference *difference);
	void *context;
	struct tally counts;
	struct tally members;
	struct tally gaps;
	struct catalogue pages;
	struct catalogue articles;
};

static void differ(void *given, const struct recount_difference *difference)
{
	struct count *count = given;

	count->result->differences++;
	count->tell(count->context, difference);
}

static enum err add_count(struct count *count, enum metric metric, int64_t day, struct text label)
{
	const int64_t block = (day + BLOCK_DAYS * (int64_t)1000000) / BLOCK_DAYS - 1000000;
	const int64_t keys[][TALLY_NUMBERS] = { { metric, SPAN_DAY, day },
						{ metric, SPAN_BLOCK, block },
						{ metric, SPAN_EVER, 0 } };
	enum err err = OK;

	for (size_t i = 0; err == OK && label.at != NULL && i < sizeof keys / sizeof keys[0]; i++)
		err = tally_add(&count->counts, keys[i], label, 1);
	return err;
}

static enum err add_member(struct count *count, enum metric metric, int64_t day, struct text member)
{
	const int64_t key[TALLY_NUMBERS] = { [METRIC] = metric, [START] = day };

	return member.at == NULL ? OK : tally_add(&count->members, key, member, 1);
}

/* A chat is engaged on a day once, and its session so for each of its chats. */
static enum err add_engaged(struct count *count, int64_t chat_number, struct text session_id, int64_t day)
{
	const int64_t key[TALLY_NUMBERS] = { [METRIC] = METRIC_ENGAGED_CHATS, [START] = day };
	char number[NUMBER_SIZE];
	size_t place;
	enum err err;

	snprintf(number, sizeof number, "%lld", (long long)chat_number);
	err = tally_place(&count->members, key, text_of(number), &place);
	if (err != OK || count->members.rows[place].amount == 1)
		return err;
	count->members.rows[place].amount = 1;
	return add_member(count, METRIC_SESSIONS_SENT, day, session_id);
}

static enum err count_messages(struct count *count, const struct recount_chats_out *chat)
{
	struct counted_message_out message = { .previous = chat->last_message };
	int64_t messages = 0;
	bool hinted = chat->counted_edition != count->result->edition || chat->counted_day == DB_NULL;
	enum err err = OK;

	while (err == OK && message.previous != DB_NULL) {
		int64_t day;

		err = db_start(count->db, STATEMENT_COUNTED_MESSAGE,
			       &(struct counted_message_in){ .number = message.previous });
		if (err == OK)
			err = db_step(count->db, STATEMENT_COUNTED_MESSAGE, &message);
		if (err != OK)
			break;
		messages++;
		if (!text_equal(message.role, TEXT("user")))
			continue;
		day = calendar_day(count->calendar, message.created_at);
		hinted = hinted || day == chat->counted_day;
		err = add_count(count, METRIC_USER_MESSAGES, day, TEXT(""));
		if (err == OK)
			err = add_engaged(count, chat->number, chat->session_id, day);
	}
	db_stop(count->db, STATEMENT_COUNTED_MESSAGE);
	count->result->rows += messages;
	if (err == OK && messages != chat->message_count)
		differ(count, &(struct recount_difference){ "chat_activity",
							    { { .name = "chat_number", .number = chat->number },
							      { .name = "column", .text = TEXT("message_count") } },
							    { .number = chat->message_count },
							    { .number = messages } });
	if (err == OK && !hinted)
		differ(count, &(struct recount_difference){ "chat_activity",
							    { { .name = "chat_number", .number = chat->number },
							      { .name = "column", .text = TEXT("counted_day") } },
							    { .number = chat->counted_day },
							    { .number = DB_NULL } });
	return err == ERR_NOT_FOUND ? ERR_STORAGE : err; /* a link that leads nowhere */
}

static enum err count_chats(struct count *count)
{
	struct recount_chats_out chat;
	enum err err = db_start(count->db, STATEMENT_RECOUNT_CHATS, NULL);

	while (err == OK && (err = db_step(count->db, STATEMENT_RECOUNT_CHATS, &chat)) == OK) {
		const int64_t day = calendar_day(count->calendar, chat.created_at);

		count->result->rows++;
		err = add_count(count, METRIC_CHATS, day, TEXT(""));
		if (err == OK)
			err = add_count(count, METRIC_DEVICE, day, facet_device(chat.user_agent));
		if (err == OK)
			err = add_count(count, METRIC_CITY, day, facet_city(chat.location));
		if (err == OK)
			err = add_count(count, METRIC_COUNTRY, day, facet_country(chat.location));
		if (err == OK)
			err = add_member(count, METRIC_SESSIONS, day, chat.session_id);
		if (err == OK)
			err = count_messages(count, &chat);
	}
	db_stop(count->db, STATEMENT_RECOUNT_CHATS);
	return err == ERR_NOT_FOUND ? OK : err;
}

/* A chat that was erased: what it said is uncounted in steps, the days on which it was engaged first. What of these is
 * left cannot be told from the messages: it is taken as it stands, and its session is counted by it. */
static enum err count_days_left(struct count *count, const struct recount_erasures_out *chat)
{
	char number[NUMBER_SIZE];
	struct rollup_member_behind_in in = { .edition = count->result->edition,
					      .metric = METRIC_ENGAGED_CHATS,
					      .day = DAY_NEVER };
	struct rollup_member_behind_out row;
	enum err err = OK;

	snprintf(number, sizeof number, "%lld", (long long)chat->chat_number);
	in.member = text_of(number);
	while (err == OK) {
		err = db_start(count->db, STATEMENT_ROLLUP_MEMBER_BEHIND, &in);
		if (err == OK)
			err = db_step(count->db, STATEMENT_ROLLUP_MEMBER_BEHIND, &row);
		db_stop(count->db, STATEMENT_ROLLUP_MEMBER_BEHIND);
		if (err != OK)
			break;
		in.day = row.day;
		err = add_engaged(count, chat->chat_number, chat->session_id, row.day);
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err count_messages_left(struct count *count, int64_t newest, int64_t behind)
{
	struct counted_message_out message = { .previous = newest };
	enum err err = OK;

	while (err == OK && message.previous != DB_NULL && message.previous > behind) {
		err = db_start(count->db, STATEMENT_COUNTED_MESSAGE,
			       &(struct counted_message_in){ .number = message.previous });
		if (err == OK)
			err = db_step(count->db, STATEMENT_COUNTED_MESSAGE, &message);
		if (err == OK && text_equal(message.role, TEXT("user")))
			err = add_count(count, METRIC_USER_MESSAGES, calendar_day(count->calendar, message.created_at),
					TEXT(""));
	}
	db_stop(count->db, STATEMENT_COUNTED_MESSAGE);
	return err == ERR_NOT_FOUND ? ERR_STORAGE : err; /* a link that leads nowhere */
}

static enum err count_erasures(struct count *count)
{
	const int64_t edition = count->result->edition;
	struct recount_erasures_out chat;
	enum err err = db_start(count->db, STATEMENT_RECOUNT_ERASURES, NULL);

	while (err == OK && (err = db_step(count->db, STATEMENT_RECOUNT_ERASURES, &chat)) == OK) {
		if (chat.edition != edition && chat.build_edition != edition)
			continue;
		err = count_days_left(count, &chat);
		if (err == OK)
			err = count_messages_left(count, chat.counted_message,
						  chat.edition == edition ? 0 : chat.build_behind);
	}
	db_stop(count->db, STATEMENT_RECOUNT_ERASURES);
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err count_visitor(struct count *count, const struct recount_visitors_out *visitor, struct arena *arena)
{
	const int64_t day = calendar_day(count->calendar, visitor->created_at);
	struct interests interests;
	enum err err = facet_interests(arena, visitor->metadata, &interests);

	if (err == OK)
		err = add_count(count, METRIC_VISITORS, day, TEXT(""));
	if (err == OK && interests.count > 0)
		err = add_count(count, METRIC_INTERESTED, day, TEXT(""));
	for (size_t i = 0; err == OK && i < interests.count; i++)
		err = add_count(count, interests.list[i].metric, day, interests.list[i].value);
	return err;
}

static enum err count_visitors(struct count *count)
{
	struct recount_visitors_out visitor;
	struct arena arena;
	enum err err = db_start(count->db, STATEMENT_RECOUNT_VISITORS, NULL);

	arena_init(&arena, VISITOR_CAP);
	while (err == OK && (err = db_step(count->db, STATEMENT_RECOUNT_VISITORS, &visitor)) == OK) {
		count->result->rows++;
		err = count_visitor(count, &visitor, &arena);
		arena_fini(&arena);
	}
	db_stop(count->db, STATEMENT_RECOUNT_VISITORS);
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err count_mentions(struct count *count)
{
	struct recount_mentions_out row;
	enum err err = db_start(count->db, STATEMENT_RECOUNT_MENTIONS, NULL);

	while (err == OK && (err = db_step(count->db, STATEMENT_RECOUNT_MENTIONS, &row)) == OK) {
		const int64_t day = calendar_day(count->calendar, row.mentioned_at);

		count->result->rows++;
		err = add_count(count, METRIC_ARTICLE_MENTIONS, day, row.article_id);
		if (err == OK)
			err = add_member(count, METRIC_PLACES, day, row.article_id);
		if (err == OK)
			err = catalogue_see_article(&count->articles, row.article_id, row.article_name,
						    row.article_slug, row.article_type, row.mentioned_at);
	}
	db_stop(count->db, STATEMENT_RECOUNT_MENTIONS);
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err count_views(struct count *count)
{
	struct recount_views_out row;
	enum err err = db_start(count->db, STATEMENT_RECOUNT_VIEWS, NULL);

	while (err == OK && (err = db_step(count->db, STATEMENT_RECOUNT_VIEWS, &row)) == OK) {
		const int64_t day = calendar_day(count->calendar, row.viewed_at);

		count->result->rows++;
		err = add_count(count, METRIC_ARTICLE_VIEWS, day, row.article_id);
		if (err == OK)
			err = add_count(count, METRIC_VIEWS, day, TEXT(""));
		if (err == OK)
			err = add_member(count, METRIC_PLACES, day, row.article_id);
		if (err == OK)
			err = add_member(count, METRIC_SESSIONS_VIEWED, day, row.session_id);
		if (err == OK)
			err = catalogue_see_article(&count->articles, row.article_id, row.article_name,
						    row.article_slug, row.article_type, row.viewed_at);
	}
	db_stop(count->db, STATEMENT_RECOUNT_VIEWS);
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err count_web_mention(struct count *count, const struct recount_web_mentions_out *row)
{
	const bool clicked = row->clicked_at != DB_NULL;
	enum err err =
	    catalogue_see_page(&count->pages, row->article_url, row->article_title, row->mentioned_at, clicked);
	int64_t day;

	if (err != OK || !clicked)
		return err;
	day = calendar_day(count->calendar, row->clicked_at);
	err = add_count(count, METRIC_CLICKS, day, TEXT(""));
	if (err == OK)
		err = add_member(count, METRIC_SESSIONS_CLICKED, day, row->session_id);
	return err == OK ? add_member(count, METRIC_CHATS_CLICKED, day, row->chat_id) : err;
}

static enum err count_web_mentions(struct count *count)
{
	struct recount_web_mentions_out row;
	enum err err = db_start(count->db, STATEMENT_RECOUNT_WEB_MENTIONS, NULL);

	while (err == OK && (err = db_step(count->db, STATEMENT_RECOUNT_WEB_MENTIONS, &row)) == OK) {
		count->result->rows++;
		err = count_web_mention(count, &row);
	}
	db_stop(count->db, STATEMENT_RECOUNT_WEB_MENTIONS);
	return err == ERR_NOT_FOUND ? OK : err;
}

/* As the table of members is ordered. */
static int compare_members(const void *left, const void *right)
{
	const struct tally_row *a = left;
	const struct tally_row *b = right;
	int order;

	if (a->numbers[METRIC] != b->numbers[METRIC])
		return a->numbers[METRIC] < b->numbers[METRIC] ? -1 : 1;
	order = tally_compare_texts(a->label, b->label);
	if (order != 0 || a->numbers[START] == b->numbers[START])
		return order;
	return a->numbers[START] < b->numbers[START] ? -1 : 1;
}

static int64_t block_of(int64_t day)
{
	return (day + BLOCK_DAYS * (int64_t)1000000) / BLOCK_DAYS - 1000000;
}

/* A member's days stand one behind the other now: each is a first sight of its day, and may be one of its block and of
 * all time. */
static enum err count_gaps(struct count *count)
{
	const struct tally *members = &count->members;
	enum err err = OK;

	if (members->count > 1)
		qsort(members->rows, members->count, sizeof *members->rows, compare_members);
	for (size_t i = 0; err == OK && i < members->count; i++) {
		const struct tally_row *row = &members->rows[i];
		const bool follows =
		    i > 0 && row[-1].numbers[METRIC] == row->numbers[METRIC] && text_equal(row[-1].label, row->label);
		const int64_t metric = row->numbers[METRIC];
		const int64_t day = row->numbers[START];
		const int64_t before = follows ? row[-1].numbers[START] : DAY_NEVER;

		err = tally_add(&count->gaps, (const int64_t[TALLY_NUMBERS]){ metric, SPAN_DAY, day, before }, TEXT(""),
				1);
		if (err == OK && (!follows || block_of(before) < block_of(day)))
			err = tally_add(&count->gaps,
					(const int64_t[TALLY_NUMBERS]){ metric, SPAN_BLOCK, block_of(day), before },
					TEXT(""), 1);
		if (err == OK && !follows)
			err = tally_add(&count->gaps, (const int64_t[TALLY_NUMBERS]){ metric, SPAN_EVER, 0, before },
					TEXT(""), 1);
	}
	return err;
}

/* How a rollup's rows are read and compared. */
struct table {
	const char *name;
	enum statement_id id;
	void (*read)(const void *row, struct tally_row *out);
	int (*compare)(const void *left, const void *right);
	const char *parts[RECOUNT_PARTS]; /* of its key, "" the label, in the order of the numbers */
};

union stored {
	struct recount_stored_counts_out counts;
	struct recount_stored_gaps_out gaps;
	struct recount_stored_members_out members;
};

static void read_count(const void *given, struct tally_row *out)
{
	const struct recount_stored_counts_out *row = given;

	*out = (struct tally_row){ { row->metric, row->span, row->start }, row->label, 0, row->amount };
}

static void read_gap(const void *given, struct tally_row *out)
{
	const struct recount_stored_gaps_out *row = given;

	*out = (struct tally_row){ { row->metric, row->span, row->start, row->before }, TEXT(""), 0, row->amount };
}

static void read_member(const void *given, struct tally_row *out)
{
	const struct recount_stored_members_out *row = given;

	*out = (struct tally_row){ { [METRIC] = row->metric, [START] = row->day }, row->member, 0, row->amount };
}

static int compare_plain(const void *left, const void *right)
{
	const struct tally_row *a = left;
	const struct tally_row *b = right;

	for (size_t i = 0; i < TALLY_NUMBERS; i++)
		if (a->numbers[i] != b->numbers[i])
			return a->numbers[i] < b->numbers[i] ? -1 : 1;
	return tally_compare_texts(a->label, b->label);
}

static const struct table counts_table = { "rollup_counts",
					   STATEMENT_RECOUNT_STORED_COUNTS,
					   read_count,
					   compare_plain,
					   { "metric", "span", "start", NULL, "label" } };
static const struct table gaps_table = {
	"rollup_gaps", STATEMENT_RECOUNT_STORED_GAPS, read_gap, compare_plain, { "metric", "span", "start", "before" }
};
static const struct table members_table = { "rollup_members",
					    STATEMENT_RECOUNT_STORED_MEMBERS,
					    read_member,
					    compare_members,
					    { "metric", NULL, "day", NULL, "member" } };

static void differ_row(struct count *count, const struct table *table, const struct tally_row *key, int64_t stored,
		       int64_t counted)
{
	struct recount_difference difference = { .table = table->name,
						 .stored = { .number = stored },
						 .counted = { .number = counted } };
	size_t parts = 0;

	for (size_t i = 0; i < 4; i++)
		if (table->parts[i] != NULL)
			difference.key[parts++] =
			    (struct recount_part){ .name = table->parts[i], .number = key->numbers[i] };
	if (table->parts[4] != NULL)
		difference.key[parts] = (struct recount_part){ .name = table->parts[4], .text = key->label };
	differ(count, &difference);
}

/* What was counted (sorted) against what is stored, both in the table's order. */
static enum err compare_table(struct count *count, const struct table *table, const struct tally *counted)
{
	struct recount_stored_counts_in in = { .edition = count->result->edition };
	union stored row;
	struct tally_row stored;
	size_t at = 0;
	enum err err = db_start(count->db, table->id, &in);

	while (err == OK && (err = db_step(count->db, table->id, &row)) == OK) {
		table->read(&row, &stored);
		while (at < counted->count && table->compare(&counted->rows[at], &stored) < 0) {
			differ_row(count, table, &counted->rows[at], DB_NULL, counted->rows[at].amount);
			at++;
		}
		if (at == counted->count || table->compare(&counted->rows[at], &stored) != 0) {
			differ_row(count, table, &stored, stored.amount, DB_NULL);
			continue;
		}
		if (counted->rows[at].amount != stored.amount)
			differ_row(count, table, &stored, stored.amount, counted->rows[at].amount);
		at++;
	}
	db_stop(count->db, table->id);
	for (; err == ERR_NOT_FOUND && at < counted->count; at++)
		differ_row(count, table, &counted->rows[at], DB_NULL, counted->rows[at].amount);
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err run(struct count *count)
{
	const struct catalogue_listener listener = { differ, count };
	enum err err = count_chats(count);

	if (err == OK)
		err = count_erasures(count);
	if (err == OK)
		err = count_visitors(count);
	if (err == OK)
		err = count_mentions(count);
	if (err == OK)
		err = count_views(count);
	if (err == OK)
		err = count_web_mentions(count);
	if (err == OK)
		err = count_gaps(count);
	tally_sort(&count->counts);
	tally_sort(&count->gaps);
	if (err == OK)
		err = compare_table(count, &counts_table, &count->counts);
	if (err == OK)
		err = compare_table(count, &members_table, &count->members);
	if (err == OK)
		err = compare_table(count, &gaps_table, &count->gaps);
	if (err == OK)
		err = catalogue_compare_pages(&count->pages, count->db, &listener);
	if (err == OK)
		err = catalogue_compare_articles(&count->articles, count->db, &listener);
	return err;
}

enum err recount_all(struct db *db, struct recount *out,
		     void (*tell)(void *context, const struct recount_difference *difference), void *context)
{
	struct count count = { .db = db, .result = out, .tell = tell, .context = context };
	struct tally *tallies[] = { &count.counts, &count.members, &count.gaps };
	struct figures figures;
	struct arena arena;
	enum err err;

	*out = (struct recount){ 0 };
	arena_init(&arena, 4096);
	for (size_t i = 0; i < sizeof tallies / sizeof tallies[0]; i++)
		tally_init(tallies[i], TEXT_CAP);
	catalogue_init(&count.pages, TEXT_CAP);
	catalogue_init(&count.articles, TEXT_CAP);
	err = figures_open(&figures, db, &arena);
	if (err == OK) {
		out->complete = true;
		out->edition = figures.edition;
		err = calendar_new(&count.calendar, figures.zone);
		if (err == OK)
			err = run(&count);
		else
			err = err == ERR_NOT_FOUND ? ERR_UNAVAILABLE : err;
	} else if (err == ERR_UNAVAILABLE) {
		err = OK;
	}
	calendar_free(count.calendar);
	for (size_t i = 0; i < sizeof tallies / sizeof tallies[0]; i++)
		tally_fini(tallies[i]);
	catalogue_fini(&count.pages);
	catalogue_fini(&count.articles);
	arena_fini(&arena);
	return err;
}
