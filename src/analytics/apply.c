#include "analytics/apply.h"

#include <stdio.h>

#include "analytics/facet.h"
#include "store/query.h"

#define NUMBER_SIZE 21 /* of 64 bits in decimal, and a NUL */

/* A member of something counted once, on a day of an edition. */
struct member {
	const struct edition *edition;
	enum metric metric;
	struct text name;
	int64_t day;
};

/* A member's row of a day and its neighbours: the days on which the same member was seen before and after. */
struct around {
	int64_t amount; /* 0: there is no row */
	int64_t before; /* DAY_NEVER: none */
	int64_t behind; /* DB_NULL: none */
};

static struct rollup_member_around_in around_of(const struct member *member)
{
	return (struct rollup_member_around_in){
		.edition = member->edition->number, .metric = member->metric, .member = member->name, .day = member->day
	};
}

static enum err look_around(const struct apply *apply, const struct member *member, struct around *out)
{
	const struct counting *counting = apply->counting;
	const struct rollup_member_around_in in = around_of(member);
	struct rollup_member_around_out row;
	enum err err = query_one(counting->db, STATEMENT_ROLLUP_MEMBER_AROUND, &in, &row, counting->arena);

	/* What was read ahead does not know what this transaction has written since. */
	if (err == OK && db_looks_ahead(counting->db) &&
	    ledger_has_moved(counting->ledger, apply->book, in.edition, member->metric, member->name))
		err = query_one(counting->db, STATEMENT_ROLLUP_MEMBER_AROUND, &in, &row, counting->arena);
	if (err != OK)
		return err;
	out->amount = row.amount == DB_NULL ? 0 : row.amount;
	out->before = row.before == DB_NULL ? DAY_NEVER : row.before;
	out->behind = row.behind;
	return OK;
}

static void foresee_around(const struct apply *apply, const struct member *member)
{
	const struct rollup_member_around_in in = around_of(member);

	db_foresee(apply->counting->db, STATEMENT_ROLLUP_MEMBER_AROUND, &in);
}

/* A row of the member is about to be written. */
static enum err note_move(const struct apply *apply, const struct member *member)
{
	if (!db_looks_ahead(apply->counting->db))
		return OK;
	return ledger_moved(apply->counting->ledger, apply->book, member->edition->number, member->metric,
			    member->name);
}

/* The member's row came (+1) or went (-1): it sits down between its neighbours, or gets up from between them. */
static enum err mend_gaps(const struct apply *apply, const struct member *member, const struct around *around,
			  int64_t sign)
{
	struct ledger *ledger = apply->counting->ledger;
	const int64_t edition = member->edition->number;
	enum err err = ledger_gap(ledger, apply->book, edition, member->metric, member->day, around->before, sign);

	if (err == OK && around->behind != DB_NULL) {
		err = ledger_gap(ledger, apply->book, edition, member->metric, around->behind, around->before, -sign);
		if (err == OK)
			err =
			    ledger_gap(ledger, apply->book, edition, member->metric, around->behind, member->day, sign);
	}
	return err;
}

static enum err create_member(const struct apply *apply, const struct member *member, const struct around *around,
			      int64_t amount)
{
	enum err err = db_send(apply->counting->db, STATEMENT_ROLLUP_MEMBER_CREATE,
			       &(struct rollup_member_create_in){ .edition = member->edition->number,
								  .metric = member->metric,
								  .member = member->name,
								  .day = member->day,
								  .amount = amount });

	return err == OK ? mend_gaps(apply, member, around, 1) : err;
}

static enum err delete_member(const struct apply *apply, const struct member *member, const struct around *around)
{
	enum err err = db_send(apply->counting->db, STATEMENT_ROLLUP_MEMBER_DELETE,
			       &(struct rollup_member_delete_in){ .edition = member->edition->number,
								  .metric = member->metric,
								  .member = member->name,
								  .day = member->day });

	return err == OK ? mend_gaps(apply, member, around, -1) : err;
}

/* One row more or less stands behind a member. `*gone` (may be NULL): none of any day is left. */
static enum err move_member(const struct apply *apply, const struct member *member, int64_t amount, bool *gone)
{
	struct around around = { 0 };
	enum err err = look_around(apply, member, &around);

	if (gone != NULL)
		*gone = false;
	if (err == OK)
		err = note_move(apply, member);
	if (err != OK)
		return err;
	if (around.amount == 0)
		/* What was never counted cannot be uncounted: `verify` tells of it. */
		return amount > 0 ? create_member(apply, member, &around, amount) : OK;
	if (around.amount + amount > 0)
		return db_send(apply->counting->db, STATEMENT_ROLLUP_MEMBER_SET,
			       &(struct rollup_member_set_in){ .edition = member->edition->number,
							       .metric = member->metric,
							       .member = member->name,
							       .day = member->day,
							       .amount = around.amount + amount });
	if (gone != NULL)
		*gone = around.before == DAY_NEVER && around.behind == DB_NULL;
	return delete_member(apply, member, &around);
}

static enum err count(const struct apply *apply, const struct edition *edition, enum metric metric, int64_t time,
		      struct text label, int64_t amount)
{
	/* A facet's absent value is counted nowhere. */
	if (label.at == NULL)
		return OK;
	return ledger_count(apply->counting->ledger, apply->book, edition->number, metric,
			    calendar_day(edition->calendar, time), label, amount);
}

static enum err count_once(const struct apply *apply, const struct edition *edition, enum metric metric, int64_t time,
			   struct text member, int64_t amount)
{
	if (member.at == NULL)
		return OK;
	return move_member(apply, &(struct member){ edition, metric, member, calendar_day(edition->calendar, time) },
			   amount, NULL);
}

enum err apply_chat(const struct apply *apply, const struct counted_chat *chat, enum sign sign)
{
	const struct text city = facet_city(chat->location);
	const struct text country = facet_country(chat->location);
	const int64_t at = chat->created_at;
	enum err err = OK;

	for (size_t i = 0; err == OK && i < apply->count; i++) {
		const struct edition *edition = &apply->editions[i];

		err = count(apply, edition, METRIC_CHATS, at, TEXT(""), sign);
		if (err == OK)
			err = count(apply, edition, METRIC_DEVICE, at, facet_device(chat->user_agent), sign);
		if (err == OK)
			err = count(apply, edition, METRIC_CITY, at, city, sign);
		if (err == OK)
			err = count(apply, edition, METRIC_COUNTRY, at, country, sign);
		if (err == OK)
			err = count_once(apply, edition, METRIC_SESSIONS, at, chat->session_id, sign);
	}
	return err;
}

static struct text write_number(int64_t number, char out[NUMBER_SIZE])
{
	snprintf(out, NUMBER_SIZE, "%lld", (long long)number);
	return text_of(out);
}

/* Who is counted once for a message: its chat, which is engaged then, and with the chat its session. */
struct engagement {
	struct member chat;
	struct member session;
	char chat_number[NUMBER_SIZE];
};

static void set_engagement(struct engagement *engagement, const struct edition *edition,
			   const struct counted_message *message)
{
	const int64_t day = calendar_day(edition->calendar, message->created_at);
	const struct text chat = write_number(message->chat_number, engagement->chat_number);

	engagement->chat = (struct member){ edition, METRIC_ENGAGED_CHATS, chat, day };
	engagement->session = (struct member){ edition, METRIC_SESSIONS_SENT, message->session_id, day };
}

/* The chat has a user message on this day. */
static enum err engage(const struct apply *apply, const struct engagement *engagement)
{
	struct around around;
	enum err err = look_around(apply, &engagement->chat, &around);

	if (err != OK || around.amount > 0)
		return err;
	err = note_move(apply, &engagement->chat);
	if (err == OK)
		err = create_member(apply, &engagement->chat, &around, 1);
	return err == OK ? move_member(apply, &engagement->session, 1, NULL) : err;
}

enum err apply_message(const struct apply *apply, const struct counted_message *message, int64_t engaged_on)
{
	struct engagement engagement;
	enum err err = OK;

	for (size_t i = 0; err == OK && i < apply->count; i++) {
		set_engagement(&engagement, &apply->editions[i], message);
		err = count(apply, &apply->editions[i], METRIC_USER_MESSAGES, message->created_at, TEXT(""), 1);
		if (err == OK && (i > 0 || engagement.chat.day != engaged_on))
			err = engage(apply, &engagement);
	}
	return err;
}

void apply_message_foresee(const struct apply *apply, const struct counted_message *message, int64_t engaged_on)
{
	struct engagement engagement;

	for (size_t i = 0; i < apply->count; i++) {
		set_engagement(&engagement, &apply->editions[i], message);
		if (i == 0 && engagement.chat.day == engaged_on)
			continue;
		foresee_around(apply, &engagement.chat);
		foresee_around(apply, &engagement.session);
	}
}

/* Its first day that is left. ERR_NOT_FOUND: none is. */
static enum err disengage(const struct apply *apply, const struct edition *edition, struct text chat,
			  struct text session_id)
{
	struct member engaged = { edition, METRIC_ENGAGED_CHATS, chat, DAY_NEVER };
	struct around around;
	enum err err = look_around(apply, &engaged, &around);

	if (err != OK)
		return err;
	if (around.behind == DB_NULL)
		return ERR_NOT_FOUND;
	engaged.day = around.behind;
	err = look_around(apply, &engaged, &around);
	if (err == OK)
		err = note_move(apply, &engaged);
	if (err == OK)
		err = delete_member(apply, &engaged, &around);
	if (err != OK)
		return err;
	return move_member(apply, &(struct member){ edition, METRIC_SESSIONS_SENT, session_id, engaged.day }, -1, NULL);
}

enum err apply_disengage(const struct apply *apply, int64_t chat_number, struct text session_id, size_t most,
			 bool *more)
{
	char number[NUMBER_SIZE];
	const struct text chat = write_number(chat_number, number);

	*more = false;
	for (size_t i = 0; i < apply->count; i++) {
		enum err err = OK;

		while (err == OK && most > 0) {
			err = disengage(apply, &apply->editions[i], chat, session_id);
			most -= err == OK;
		}
		if (err == OK)
			*more = true;
		else if (err != ERR_NOT_FOUND)
			return err;
	}
	return OK;
}

static enum err uncount_message(const struct apply *apply, int64_t number, int64_t created_at)
{
	enum err err = OK;

	for (size_t i = 0; err == OK && i < apply->count; i++)
		if (number > apply->behind[i])
			err = count(apply, &apply->editions[i], METRIC_USER_MESSAGES, created_at, TEXT(""), -1);
	return err;
}

enum err apply_conversation(const struct apply *apply, int64_t chat_number, struct text session_id, int64_t *message,
			    size_t most, enum sign sign, int64_t *seen)
{
	const struct counted_conversation_in in = { .number = *message, .limit = (int64_t)most };
	struct db *db = apply->counting->db;
	struct counted_conversation_out row;
	int64_t engaged_on = DB_NULL;
	int64_t left = in.limit;
	enum err err = OK;

	if (*message == DB_NULL || most == 0)
		return OK;
	err = db_start(db, STATEMENT_COUNTED_CONVERSATION, &in);
	while (err == OK && *message != DB_NULL && left-- > 0) {
		err = db_step(db, STATEMENT_COUNTED_CONVERSATION, &row);
		if (err != OK)
			break;
		++*seen;
		*message = row.previous;
		/* The role is the one text in it, and it is looked at before the next step. */
		if (!text_equal(row.role, TEXT("user")))
			continue;
		if (sign == COUNTED) {
			err = apply_message(apply, &(struct counted_message){ chat_number, session_id, row.created_at },
					    engaged_on);
			engaged_on = calendar_day(apply->editions[0].calendar, row.created_at);
		} else {
			err = uncount_message(apply, row.number, row.created_at);
		}
	}
	db_stop(db, STATEMENT_COUNTED_CONVERSATION);
	return err == ERR_NOT_FOUND ? ERR_STORAGE : err; /* a link that leads nowhere */
}

static enum err apply_article(const struct apply *apply, const struct counted_article *article, enum metric metric,
			      enum sign sign)
{
	enum err err = OK;

	for (size_t i = 0; err == OK && i < apply->count; i++) {
		const struct edition *edition = &apply->editions[i];
		const struct member place = { edition, METRIC_PLACES, article->id,
					      calendar_day(edition->calendar, article->at) };
		bool gone = false;

		err = count(apply, edition, metric, article->at, article->id, sign);
		if (err == OK)
			err = move_member(apply, &place, sign, &gone);
		/* An edition that is being built has not seen everything yet. */
		if (err == OK && gone && apply->book->has_current && edition->number == apply->book->current.number)
			err = query_run(apply->counting->db, STATEMENT_ARTICLE_FORGET,
					&(struct article_forget_in){ .article_id = article->id }, NULL);
	}
	return err;
}

enum err apply_mention(const struct apply *apply, const struct counted_article *mention, enum sign sign)
{
	return apply_article(apply, mention, METRIC_ARTICLE_MENTIONS, sign);
}

enum err apply_view(const struct apply *apply, const struct counted_article *view, enum sign sign)
{
	enum err err = apply_article(apply, view, METRIC_ARTICLE_VIEWS, sign);

	for (size_t i = 0; err == OK && i < apply->count; i++) {
		err = count(apply, &apply->editions[i], METRIC_VIEWS, view->at, TEXT(""), sign);
		if (err == OK)
			err = count_once(apply, &apply->editions[i], METRIC_SESSIONS_VIEWED, view->at, view->session_id,
					 sign);
	}
	return err;
}

enum err apply_click(const struct apply *apply, const struct counted_web_mention *mention, enum sign sign)
{
	const int64_t at = mention->clicked_at;
	enum err err = OK;

	for (size_t i = 0; err == OK && i < apply->count; i++) {
		const struct edition *edition = &apply->editions[i];

		err = count(apply, edition, METRIC_CLICKS, at, TEXT(""), sign);
		if (err == OK)
			err = count_once(apply, edition, METRIC_SESSIONS_CLICKED, at, mention->session_id, sign);
		if (err == OK)
			err = count_once(apply, edition, METRIC_CHATS_CLICKED, at, mention->chat_id, sign);
	}
	return err;
}

enum err apply_visitor(const struct apply *apply, const struct counted_visitor *visitor, enum sign sign)
{
	const int64_t at = visitor->created_at;
	struct interests interests;
	enum err err = facet_interests(apply->counting->arena, visitor->metadata, &interests);

	for (size_t i = 0; err == OK && i < apply->count; i++) {
		const struct edition *edition = &apply->editions[i];

		err = count(apply, edition, METRIC_VISITORS, at, TEXT(""), sign);
		if (err == OK && interests.count > 0)
			err = count(apply, edition, METRIC_INTERESTED, at, TEXT(""), sign);
		for (size_t k = 0; err == OK && k < interests.count; k++)
			err = count(apply, edition, interests.list[k].metric, at, interests.list[k].value, sign);
	}
	return err;
}
