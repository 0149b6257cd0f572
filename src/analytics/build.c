#include "analytics/build.h"

#include "analytics/apply.h"
#include "base/clock.h"
#include "store/query.h"

#define STEP_ROWS           256
#define STEP_MICROSECONDS   4000
#define REMOTE_MICROSECONDS 20000 /* where others have lanes of their own, and a step costs round trips */
#define MESSAGES_AT_ONCE    100
#define SWEEP_ROWS          512
#define MARK_START          (-1000000000000000) /* before any time there is */
#define ROW_CAP             ((size_t)64 * 1024 * 1024)

static enum err read_state(const struct counting *counting, struct rollup_state_out *out)
{
	enum err err = query_one(counting->db, STATEMENT_ROLLUP_STATE, NULL, out, counting->arena);

	if (err != ERR_NOT_FOUND)
		return err;
	*out = (struct rollup_state_out){ .zone = TEXT("UTC"),
					  .build_edition = DB_NULL,
					  .sweep_edition = DB_NULL,
					  .mark_time = MARK_START,
					  .mark_message = DB_NULL };
	return OK;
}

static enum err put_state(const struct counting *counting, const struct rollup_state_out *state)
{
	const struct rollup_state_put_in row = {
		.edition = state->edition,
		.zone = state->zone,
		.newest_edition = state->newest_edition,
		.build_edition = state->build_edition,
		.build_zone = state->build_zone,
		.build_phase = state->build_phase,
		.mark_time = state->mark_time,
		.mark_number = state->mark_number,
		.mark_message = state->mark_message,
		.rows_done = state->rows_done,
		.rows_total = state->rows_total,
		.sweep_edition = state->sweep_edition,
		.has_work = state->build_edition != DB_NULL || state->sweep_edition != DB_NULL,
	};
	struct book *book;
	enum err err = ledger_book(counting->ledger, counting->db, counting->scope, &book);

	if (err == OK)
		err = query_run(counting->db, STATEMENT_ROLLUP_STATE_PUT, &row, NULL);
	if (err == OK)
		ledger_changed(counting->ledger, book);
	return err;
}

/* An edition is read no more, or never was. */
static void discard(struct rollup_state_out *state, int64_t edition)
{
	if (edition != DB_NULL && (state->sweep_edition == DB_NULL || edition < state->sweep_edition))
		state->sweep_edition = edition;
}

static void abandon_build(struct rollup_state_out *state)
{
	discard(state, state->build_edition);
	state->build_edition = DB_NULL;
	state->build_zone = (struct text){ 0 };
}

/* About how many raw rows there are: by the figures that are read. */
static enum err estimate(const struct counting *counting, int64_t edition, int64_t *out)
{
	static const enum metric metrics[] = { METRIC_CHATS,  METRIC_USER_MESSAGES,    METRIC_VISITORS,
					       METRIC_CLICKS, METRIC_ARTICLE_MENTIONS, METRIC_VIEWS };
	enum err err = OK;

	*out = 0;
	for (size_t i = 0; edition != DB_NULL && err == OK && i < sizeof metrics / sizeof metrics[0]; i++) {
		struct figure_count_out row = { 0 };

		err = query_one(
		    counting->db, STATEMENT_FIGURE_COUNT,
		    &(struct figure_count_in){ .edition = edition, .metric = (int64_t)metrics[i], .span = SPAN_EVER },
		    &row, counting->arena);
		*out += row.amount;
	}
	return err;
}

static enum err start(const struct counting *counting, struct rollup_state_out *state, struct text zone)
{
	enum err err = estimate(counting, state->edition, &state->rows_total);

	abandon_build(state);
	state->build_edition = ++state->newest_edition;
	state->build_zone = zone;
	state->build_phase = BUILD_CHATS;
	state->mark_time = MARK_START;
	state->mark_number = 0;
	state->mark_message = DB_NULL;
	state->rows_done = 0;
	return err == OK ? put_state(counting, state) : err;
}

enum err build_change_zone(const struct counting *counting, struct text zone, int64_t now)
{
	struct rollup_state_out state;
	struct calendar *calendar;
	enum err err = ledger_calendar(counting->ledger, zone, &calendar);

	if (err != OK)
		return err == ERR_NOT_FOUND ? ERR_INVALID : err;
	err = query_run(counting->db, STATEMENT_ORGANIZATION_CHANGE_TIME_ZONE,
			&(struct organization_change_time_zone_in){ .time_zone = zone, .now = now }, NULL);
	if (err == OK)
		err = read_state(counting, &state);
	if (err != OK)
		return err;
	if (state.build_edition != DB_NULL && text_equal(state.build_zone, zone))
		return OK;
	if (state.edition == DB_NULL || !text_equal(state.zone, zone))
		return start(counting, &state, zone);
	if (state.build_edition == DB_NULL)
		return OK;
	abandon_build(&state);
	return put_state(counting, &state);
}

enum err build_first(const struct counting *counting, struct text zone)
{
	struct rollup_state_out state;
	struct calendar *calendar;
	enum err err = ledger_calendar(counting->ledger, zone, &calendar);

	if (err != OK)
		return err == ERR_NOT_FOUND ? ERR_INVALID : err;
	err = read_state(counting, &state);
	if (err != OK)
		return err;
	state.edition = DB_NULL;
	state.zone = zone;
	return start(counting, &state, zone);
}

enum err build_again(const struct counting *counting)
{
	struct rollup_state_out state;
	enum err err = read_state(counting, &state);

	if (err != OK)
		return err;
	return start(counting, &state, state.build_edition != DB_NULL ? state.build_zone : state.zone);
}

/* What a build goes through: how many rows of it are read at once, and what each does. */
struct step {
	const struct counting *counting;
	struct apply apply;
	struct rollup_state_out *state;
	int64_t rows;    /* at most */
	size_t messages; /* of a conversation at once, at most */
	int64_t until;   /* clock_monotonic */
};

/* From the message at the mark back, as far as the time allows, at least some. */
static enum err step_conversation(struct step *step, struct text session_id)
{
	struct rollup_state_out *state = step->state;
	enum err err = OK;

	if (state->mark_message == DB_NULL)
		return OK;
	do
		err = apply_conversation(&step->apply, state->mark_number, session_id, &state->mark_message,
					 step->messages, COUNTED, &state->rows_done);
	while (err == OK && state->mark_message != DB_NULL && step->messages == MESSAGES_AT_ONCE &&
	       clock_monotonic() < step->until);
	return err;
}

/* The chat at the mark, whose messages were not all counted when the last step ended. */
static enum err go_on(struct step *step)
{
	struct counted_chat_out chat;
	enum err err =
	    query_one(step->counting->db, STATEMENT_COUNTED_CHAT,
		      &(struct counted_chat_in){ .number = step->state->mark_number }, &chat, step->counting->arena);

	if (err == OK)
		return step_conversation(step, chat.session_id);
	if (err == ERR_NOT_FOUND) { /* erased meanwhile */
		step->state->mark_message = DB_NULL;
		err = OK;
	}
	return err;
}

static enum err step_chat(struct step *step, const void *given)
{
	const struct build_chats_out *row = given;
	const struct counted_chat chat = { row->number, row->created_at, row->session_id, row->location,
					   row->user_agent };
	enum err err = apply_chat(&step->apply, &chat, COUNTED);

	step->state->mark_time = row->created_at;
	step->state->mark_number = row->number;
	step->state->mark_message = row->last_message;
	return err == OK ? step_conversation(step, row->session_id) : err;
}

static enum err step_visitor(struct step *step, const void *given)
{
	const struct build_visitors_out *row = given;

	step->state->mark_time = row->created_at;
	step->state->mark_number = row->number;
	return apply_visitor(&step->apply, &(struct counted_visitor){ row->number, row->created_at, row->metadata },
			     COUNTED);
}

/* Also what the article is called: it heals what was lost. */
static enum err step_article(struct step *step, const struct counted_article *article)
{
	step->state->mark_time = article->at;
	step->state->mark_number = article->number;
	return query_run(step->counting->db, STATEMENT_ARTICLE_SEEN,
			 &(struct article_seen_in){ .article_id = article->id,
						    .article_name = article->name,
						    .article_slug = article->slug,
						    .article_type = article->type,
						    .seen_at = article->at },
			 NULL);
}

static enum err step_mention(struct step *step, const void *given)
{
	const struct build_mentions_out *row = given;
	const struct counted_article mention = { .number = row->number,
						 .at = row->mentioned_at,
						 .id = row->article_id,
						 .name = row->article_name,
						 .slug = row->article_slug,
						 .type = row->article_type };
	enum err err = step_article(step, &mention);

	return err == OK ? apply_mention(&step->apply, &mention, COUNTED) : err;
}

static enum err step_view(struct step *step, const void *given)
{
	const struct build_views_out *row = given;
	const struct counted_article view = { .number = row->number,
					      .at = row->viewed_at,
					      .id = row->article_id,
					      .name = row->article_name,
					      .slug = row->article_slug,
					      .type = row->article_type,
					      .session_id = row->session_id };
	enum err err = step_article(step, &view);

	return err == OK ? apply_view(&step->apply, &view, COUNTED) : err;
}

static enum err step_click(struct step *step, const void *given)
{
	const struct build_clicks_out *row = given;

	step->state->mark_time = row->clicked_at;
	step->state->mark_number = row->number;
	return apply_click(&step->apply,
			   &(struct counted_web_mention){ .number = row->number,
							  .clicked_at = row->clicked_at,
							  .chat_id = row->chat_id,
							  .session_id = row->session_id },
			   COUNTED);
}

union build_row {
	struct build_chats_out chat;
	struct build_visitors_out visitor;
	struct build_mentions_out mention;
	struct build_views_out view;
	struct build_clicks_out click;
};

/* All take the mark and how many rows at most. */
static const struct phase {
	enum statement_id id;
	enum err (*step)(struct step *step, const void *row);
} phases[BUILD_PHASES] = {
	[BUILD_CHATS] = { STATEMENT_BUILD_CHATS, step_chat },
	[BUILD_VISITORS] = { STATEMENT_BUILD_VISITORS, step_visitor },
	[BUILD_MENTIONS] = { STATEMENT_BUILD_MENTIONS, step_mention },
	[BUILD_VIEWS] = { STATEMENT_BUILD_VIEWS, step_view },
	[BUILD_CLICKS] = { STATEMENT_BUILD_CLICKS, step_click },
};

/* ERR_NOT_FOUND: the phase has no more rows. */
static enum err go_through(struct step *step, const struct phase *phase, struct arena *arena)
{
	struct db *db = step->counting->db;
	const struct build_chats_in in = { step->state->mark_time, step->state->mark_number, step->rows };
	union build_row row;
	int64_t rows = 0;
	enum err err = db_start(db, phase->id, &in);

	while (err == OK && (err = db_step(db, phase->id, &row)) == OK) {
		step->state->rows_done++;
		rows++;
		err = phase->step(step, &row);
		arena_fini(arena);
		if (err == OK && (step->state->mark_message != DB_NULL || clock_monotonic() >= step->until))
			break;
	}
	db_stop(db, phase->id);
	return err == ERR_NOT_FOUND && rows == step->rows ? OK : err;
}

/* The build is whole: it is read from now on. */
static void finish(struct rollup_state_out *state)
{
	discard(state, state->edition);
	state->edition = state->build_edition;
	state->zone = state->build_zone;
	state->build_edition = DB_NULL;
	state->build_zone = (struct text){ 0 };
}

static enum err step_build(const struct counting *counting, struct rollup_state_out *state, int64_t rows,
			   size_t messages)
{
	struct counting own = *counting;
	struct step step = { .counting = &own,
			     .state = state,
			     .rows = rows,
			     .messages = messages,
			     .until = clock_monotonic() +
				      (db_is_remote(counting->db) ? REMOTE_MICROSECONDS : STEP_MICROSECONDS) };
	struct arena arena; /* of one row */
	struct book *book;
	enum err err = ledger_book(counting->ledger, counting->db, counting->scope, &book);

	if (err != OK)
		return err;
	arena_init(&arena, ROW_CAP);
	own.arena = &arena;
	step.apply = (struct apply){ .counting = &own, .book = book, .editions = { book->build }, .count = 1 };
	if (state->mark_message != DB_NULL)
		err = go_on(&step);
	if (err == OK && state->mark_message == DB_NULL)
		err = go_through(&step, &phases[state->build_phase], &arena);
	arena_fini(&arena);
	if (err == ERR_NOT_FOUND) {
		state->build_phase++;
		state->mark_time = MARK_START;
		state->mark_number = 0;
		err = OK;
	}
	if (err == OK && state->build_phase == BUILD_PHASES)
		finish(state);
	return err == OK ? put_state(counting, state) : err;
}

/* ERR_NOT_FOUND: nothing is left of the edition in this table. */
static enum err sweep_counts(const struct counting *counting, int64_t edition)
{
	struct sweep_counts_until_out end;
	enum err err = query_one(counting->db, STATEMENT_SWEEP_COUNTS_UNTIL,
				 &(struct sweep_counts_until_in){ edition, SWEEP_ROWS }, &end, counting->arena);

	if (err == OK)
		return query_run(counting->db, STATEMENT_SWEEP_COUNTS,
				 &(struct sweep_counts_in){ edition, end.metric, end.span, end.start, end.label },
				 NULL);
	if (err == ERR_NOT_FOUND)
		err = query_run(counting->db, STATEMENT_SWEEP_COUNTS_REST, &(struct sweep_counts_rest_in){ edition },
				NULL);
	return err == OK ? ERR_NOT_FOUND : err;
}

static enum err sweep_gaps(const struct counting *counting, int64_t edition)
{
	struct sweep_gaps_until_out end;
	enum err err = query_one(counting->db, STATEMENT_SWEEP_GAPS_UNTIL,
				 &(struct sweep_gaps_until_in){ edition, SWEEP_ROWS }, &end, counting->arena);

	if (err == OK)
		return query_run(counting->db, STATEMENT_SWEEP_GAPS,
				 &(struct sweep_gaps_in){ edition, end.metric, end.span, end.start, end.before }, NULL);
	if (err == ERR_NOT_FOUND)
		err = query_run(counting->db, STATEMENT_SWEEP_GAPS_REST, &(struct sweep_gaps_rest_in){ edition }, NULL);
	return err == OK ? ERR_NOT_FOUND : err;
}

static enum err sweep_members(const struct counting *counting, int64_t edition)
{
	struct sweep_members_until_out end;
	enum err err = query_one(counting->db, STATEMENT_SWEEP_MEMBERS_UNTIL,
				 &(struct sweep_members_until_in){ edition, SWEEP_ROWS }, &end, counting->arena);

	if (err == OK)
		return query_run(counting->db, STATEMENT_SWEEP_MEMBERS,
				 &(struct sweep_members_in){ edition, end.metric, end.member, end.day }, NULL);
	if (err == ERR_NOT_FOUND)
		err = query_run(counting->db, STATEMENT_SWEEP_MEMBERS_REST, &(struct sweep_members_rest_in){ edition },
				NULL);
	return err == OK ? ERR_NOT_FOUND : err;
}

/* One slice of the oldest edition that nobody reads; editions that are in use are passed over. */
static enum err step_sweep(const struct counting *counting, struct rollup_state_out *state)
{
	const int64_t edition = state->sweep_edition;
	enum err err = ERR_NOT_FOUND;

	if (edition != state->edition && edition != state->build_edition) {
		err = sweep_counts(counting, edition);
		if (err == ERR_NOT_FOUND)
			err = sweep_gaps(counting, edition);
		if (err == ERR_NOT_FOUND)
			err = sweep_members(counting, edition);
	}
	if (err != ERR_NOT_FOUND)
		return err;
	state->sweep_edition = edition < state->newest_edition ? edition + 1 : DB_NULL;
	return put_state(counting, state);
}

enum err build_step_of(const struct counting *counting, int64_t rows, size_t messages, bool *more)
{
	struct rollup_state_out state;
	enum err err = read_state(counting, &state);

	*more = false;
	if (err == OK && state.build_edition != DB_NULL)
		err = step_build(counting, &state, rows, messages);
	else if (err == OK && state.sweep_edition != DB_NULL)
		err = step_sweep(counting, &state);
	*more = err == OK && (state.build_edition != DB_NULL || state.sweep_edition != DB_NULL);
	return err;
}

enum err build_step(const struct counting *counting, bool *more)
{
	return build_step_of(counting, STEP_ROWS, MESSAGES_AT_ONCE, more);
}

enum err build_look(struct db *db, struct arena *arena, struct build_progress *out)
{
	struct rollup_state_out state;
	enum err err = query_one(db, STATEMENT_ROLLUP_STATE, NULL, &state, arena);

	*out = (struct build_progress){ .zone = TEXT("UTC") };
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	out->zone = state.edition == DB_NULL ? text_of(NULL) : state.zone;
	out->building = state.build_edition != DB_NULL;
	out->build_zone = state.build_zone;
	out->done = state.rows_done;
	out->total = state.rows_total;
	return OK;
}

enum err build_repair_page(const struct counting *counting, struct text url)
{
	struct repair_page_counts_out counts;
	struct web_page_newest_mention_out newest;
	enum err err = query_one(counting->db, STATEMENT_WEB_PAGE_NEWEST_MENTION,
				 &(struct web_page_newest_mention_in){ .article_url = url }, &newest, counting->arena);

	if (err == ERR_NOT_FOUND)
		return query_run(counting->db, STATEMENT_WEB_PAGE_DELETE,
				 &(struct web_page_delete_in){ .article_url = url }, NULL);
	if (err == OK)
		err = query_one(counting->db, STATEMENT_REPAIR_PAGE_COUNTS,
				&(struct repair_page_counts_in){ .article_url = url }, &counts, counting->arena);
	if (err != OK)
		return err;
	return query_run(counting->db, STATEMENT_REPAIR_PAGE,
			 &(struct repair_page_in){ .article_url = url,
						   .article_title = newest.article_title,
						   .mentions = counts.mentions,
						   .clicks = counts.clicks,
						   .last_mentioned = newest.mentioned_at },
			 NULL);
}

/* The build has named every article there is; one that has no day left is none. */
enum err build_repair_article(const struct counting *counting, struct text article_id)
{
	struct rollup_member_behind_out day;
	struct book *book;
	enum err err = ledger_book(counting->ledger, counting->db, counting->scope, &book);

	if (err == OK)
		err = query_one(counting->db, STATEMENT_ROLLUP_MEMBER_BEHIND,
				&(struct rollup_member_behind_in){ .edition = book->current.number,
								   .metric = METRIC_PLACES,
								   .member = article_id,
								   .day = DAY_NEVER },
				&day, counting->arena);
	if (err == ERR_NOT_FOUND && book->has_current)
		return query_run(counting->db, STATEMENT_ARTICLE_FORGET,
				 &(struct article_forget_in){ .article_id = article_id }, NULL);
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err build_repair_chat(const struct counting *counting, int64_t chat_number)
{
	struct counted_chat_out chat;
	struct counted_message_out message;
	int64_t messages = 0;
	enum err err = query_one(counting->db, STATEMENT_COUNTED_CHAT, &(struct counted_chat_in){ chat_number }, &chat,
				 counting->arena);

	message.previous = err == OK ? chat.last_message : DB_NULL;
	while (err == OK && message.previous != DB_NULL) {
		err = query_one(counting->db, STATEMENT_COUNTED_MESSAGE,
				&(struct counted_message_in){ message.previous }, &message, counting->arena);
		messages++;
	}
	if (err == OK)
		err = query_run(counting->db, STATEMENT_REPAIR_CHAT_ACTIVITY,
				&(struct repair_chat_activity_in){ chat_number, messages }, NULL);
	return err == ERR_NOT_FOUND ? OK : err; /* erased meanwhile */
}
