#include "analytics/counting.h"

#include "analytics/apply.h"
#include "store/query.h"

/* Whether a build has gone past a raw row: what becomes of the row then is its business too. Rows are gone through by
 * kind, then time, then number. */
static bool is_past(const struct book *book, enum build_phase phase, int64_t time, int64_t number)
{
	if (book->phase != (int64_t)phase)
		return book->phase > (int64_t)phase;
	return time != book->mark_time ? time < book->mark_time : number <= book->mark_number;
}

/* The editions that an event concerns whose raw row stands there. */
static enum err begin(const struct counting *counting, enum build_phase phase, int64_t time, int64_t number,
		      struct apply *out)
{
	struct book *book;
	enum err err = ledger_book(counting->ledger, counting->db, counting->scope, &book);

	*out = (struct apply){ .counting = counting, .book = book };
	if (err != OK)
		return err;
	if (book->has_current)
		out->editions[out->count++] = book->current;
	if (book->has_build && is_past(book, phase, time, number))
		out->editions[out->count++] = book->build;
	return OK;
}

enum err counting_chat(const struct counting *counting, const struct counted_chat *chat, enum sign sign)
{
	struct apply apply;
	enum err err = begin(counting, BUILD_CHATS, chat->created_at, chat->number, &apply);

	return err == OK ? apply_chat(&apply, chat, sign) : err;
}

static enum err find_chat(const struct counting *counting, int64_t number, struct counted_chat_out *out)
{
	return query_one(counting->db, STATEMENT_COUNTED_CHAT, &(struct counted_chat_in){ .number = number }, out,
			 counting->arena);
}

/* The day on which it is known to have been counted. */
static int64_t engaged_on(const struct book *book, const struct counted_last *last)
{
	return book->has_current && last->edition == book->current.number ? last->day : DB_NULL;
}

enum err counting_message(const struct counting *counting, const struct counted_message *message,
			  struct counted_last *last)
{
	struct counted_chat_out chat;
	struct apply apply = { .counting = counting };
	struct book *book;
	enum err err = ledger_book(counting->ledger, counting->db, counting->scope, &book);

	if (err != OK)
		return err;
	if (book->has_build) {
		err = find_chat(counting, message->chat_number, &chat);
		if (err == OK)
			err = begin(counting, BUILD_CHATS, chat.created_at, message->chat_number, &apply);
		if (err != OK)
			return err;
	} else {
		apply.book = book;
		apply.editions[0] = book->current;
		apply.count = book->has_current;
	}
	/* Not `book`: another call may have moved it. */
	err = apply_message(&apply, message, engaged_on(apply.book, last));
	if (err == OK && apply.book->has_current) {
		last->edition = apply.book->current.number;
		last->day = calendar_day(apply.book->current.calendar, message->created_at);
	}
	return err;
}

void counting_message_foresee(const struct counting *counting, const struct counted_message *message,
			      const struct counted_last *last)
{
	struct apply apply = { .counting = counting, .count = 1 };
	struct book *book;

	if (ledger_book(counting->ledger, counting->db, counting->scope, &book) != OK || !book->has_current)
		return;
	apply.book = book;
	apply.editions[0] = book->current;
	apply_message_foresee(&apply, message, engaged_on(book, last));
}

/* Which editions hold what the chat said, as `apply` has them. */
static void note_rest(const struct apply *apply, const struct counted_chat_out *chat, int64_t chat_number,
		      struct counted_rest *rest)
{
	const struct book *book = apply->book;

	*rest = (struct counted_rest){
		.chat_number = chat_number, .message = chat->last_message, .edition = DB_NULL, .build_edition = DB_NULL
	};
	for (size_t i = 0; i < apply->count; i++) {
		if (i == 0 && book->has_current) {
			rest->edition = book->current.number;
			continue;
		}
		rest->build_edition = book->build.number;
		if (book->phase == BUILD_CHATS && book->mark_number == chat_number && book->mark_message != DB_NULL)
			rest->build_behind = book->mark_message;
	}
	if (apply->count > 0 && chat->last_message != DB_NULL)
		rest->session_id = chat->session_id;
}

enum err counting_chat_erased(const struct counting *counting, int64_t chat_number, struct counted_rest *rest)
{
	struct counted_chat_out row;
	struct apply apply = { 0 };
	enum err err = find_chat(counting, chat_number, &row);

	if (err == OK)
		err = begin(counting, BUILD_CHATS, row.created_at, chat_number, &apply);
	if (err != OK)
		return err;
	note_rest(&apply, &row, chat_number, rest);
	return apply_chat(&apply,
			  &(struct counted_chat){ .number = chat_number,
						  .created_at = row.created_at,
						  .session_id = row.session_id,
						  .location = row.location,
						  .user_agent = row.user_agent },
			  UNCOUNTED);
}

/* Editions come and go meanwhile: what was built may be read now, and what was read be swept. */
static void add_edition(struct apply *apply, const struct edition *edition, const struct counted_rest *rest)
{
	if (edition->number != rest->edition && edition->number != rest->build_edition)
		return;
	apply->behind[apply->count] = edition->number == rest->edition ? 0 : rest->build_behind;
	apply->editions[apply->count++] = *edition;
}

enum err counting_rest(const struct counting *counting, struct counted_rest *rest, size_t most)
{
	struct apply apply = { .counting = counting };
	struct book *book;
	int64_t seen = 0;
	bool more = false;
	enum err err = OK;

	if (rest->session_id.at == NULL)
		return OK;
	err = ledger_book(counting->ledger, counting->db, counting->scope, &book);
	if (err != OK)
		return err;
	apply.book = book;
	if (book->has_current)
		add_edition(&apply, &book->current, rest);
	if (book->has_build)
		add_edition(&apply, &book->build, rest);
	if (apply.count == 0)
		rest->message = DB_NULL;
	err = apply_disengage(&apply, rest->chat_number, rest->session_id, most, &more);
	if (err == OK && !more)
		err = apply_conversation(&apply, rest->chat_number, rest->session_id, &rest->message, most, UNCOUNTED,
					 &seen);
	if (err == OK && !more && rest->message == DB_NULL)
		rest->session_id = (struct text){ 0 };
	return err;
}

static enum err see_article(const struct counting *counting, const struct counted_article *article)
{
	return query_run(counting->db, STATEMENT_ARTICLE_SEEN,
			 &(struct article_seen_in){ .article_id = article->id,
						    .article_name = article->name,
						    .article_slug = article->slug,
						    .article_type = article->type,
						    .seen_at = article->at },
			 NULL);
}

enum err counting_mention(const struct counting *counting, const struct counted_article *mention, enum sign sign)
{
	struct apply apply;
	enum err err = begin(counting, BUILD_MENTIONS, mention->at, mention->number, &apply);

	if (err == OK)
		err = apply_mention(&apply, mention, sign);
	return err == OK && sign == COUNTED ? see_article(counting, mention) : err;
}

enum err counting_view(const struct counting *counting, const struct counted_article *view, enum sign sign)
{
	struct apply apply;
	enum err err = begin(counting, BUILD_VIEWS, view->at, view->number, &apply);

	if (err == OK)
		err = apply_view(&apply, view, sign);
	return err == OK && sign == COUNTED ? see_article(counting, view) : err;
}

static enum err count_click(const struct counting *counting, const struct counted_web_mention *mention, enum sign sign)
{
	struct apply apply;
	enum err err = begin(counting, BUILD_CLICKS, mention->clicked_at, mention->number, &apply);

	return err == OK ? apply_click(&apply, mention, sign) : err;
}

/* The page without a mention of it that is gone: what is newest now, or nothing any more. */
static enum err take_back(const struct counting *counting, const struct counted_web_mention *mention)
{
	struct web_page_newest_mention_out newest;
	enum err err =
	    query_one(counting->db, STATEMENT_WEB_PAGE_NEWEST_MENTION,
		      &(struct web_page_newest_mention_in){ .article_url = mention->url }, &newest, counting->arena);

	if (err == ERR_NOT_FOUND)
		return query_run(counting->db, STATEMENT_WEB_PAGE_DELETE,
				 &(struct web_page_delete_in){ .article_url = mention->url }, NULL);
	if (err != OK)
		return err;
	return query_run(counting->db, STATEMENT_WEB_PAGE_TAKEN_BACK,
			 &(struct web_page_taken_back_in){ .article_url = mention->url,
							   .article_title = newest.article_title,
							   .clicks = mention->clicked_at != DB_NULL,
							   .mentioned_at = newest.mentioned_at },
			 NULL);
}

enum err counting_web_mention(const struct counting *counting, const struct counted_web_mention *mention,
			      enum sign sign)
{
	const bool clicked = mention->clicked_at != DB_NULL;
	enum err err = OK;

	if (sign == UNCOUNTED)
		err = take_back(counting, mention);
	else
		err = query_run(counting->db, STATEMENT_WEB_PAGE_SHOWN,
				&(struct web_page_shown_in){ .article_url = mention->url,
							     .article_title = mention->title,
							     .clicks = clicked,
							     .mentioned_at = mention->mentioned_at },
				NULL);
	return err == OK && clicked ? count_click(counting, mention, sign) : err;
}

enum err counting_click(const struct counting *counting, const struct counted_web_mention *mention)
{
	enum err err = query_run(counting->db, STATEMENT_WEB_PAGE_CLICKED,
				 &(struct web_page_clicked_in){ .article_url = mention->url }, NULL);

	return err == OK ? count_click(counting, mention, COUNTED) : err;
}

static enum err count_visitor(const struct counting *counting, const struct counted_visitor *visitor, enum sign sign)
{
	struct apply apply;
	enum err err = begin(counting, BUILD_VISITORS, visitor->created_at, visitor->number, &apply);

	return err == OK ? apply_visitor(&apply, visitor, sign) : err;
}

enum err counting_visitor(const struct counting *counting, const struct counted_visitor *before,
			  const struct counted_visitor *after)
{
	enum err err = OK;

	if (before != NULL && after != NULL && before->created_at == after->created_at &&
	    text_equal(before->metadata, after->metadata))
		return OK;
	if (before != NULL)
		err = count_visitor(counting, before, UNCOUNTED);
	if (err == OK && after != NULL)
		err = count_visitor(counting, after, COUNTED);
	return err;
}

void counting_foresee(struct db *db)
{
	db_foresee(db, STATEMENT_ROLLUP_STATE, NULL);
}
