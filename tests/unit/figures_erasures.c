#include "figures_erasures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "erase/erase.h"
#include "store/query.h"

struct model_chat *model_any_chat(struct model_house *house)
{
	struct model *model = &house->of->model;
	struct model_chat *chat;

	if (model->chat_count == 0)
		return NULL;
	chat = &model->chats[model_any(house, (uint32_t)model->chat_count)];
	return chat->gone ? NULL : chat;
}

/* What goes with a chat in the model. */
static void forget_chat(struct model_house *house, struct model_chat *chat)
{
	struct model *model = &house->of->model;
	struct model_event *lists[] = { model->mentions, model->views, model->web };
	const int counts[] = { model->mention_count, model->view_count, model->web_count };
	int kept = 0;

	chat->gone = true;
	for (int i = 0; i < model->message_count; i++)
		if (&model->chats[model->messages[i].chat] != chat)
			model->messages[kept++] = model->messages[i];
	model->message_count = kept;
	for (size_t kind = 0; chat->name >= 0 && kind < 3; kind++)
		for (int i = 0; i < counts[kind]; i++)
			lists[kind][i].gone = lists[kind][i].gone || lists[kind][i].name == chat->name;
}

static bool is_named(const struct model *model, const struct model_event *event)
{
	for (int i = 0; event->name >= 0 && i < model->chat_count; i++)
		if (!model->chats[i].gone && model->chats[i].name == event->name)
			return true;
	return false;
}

/* Views and web results that carry a session alone. */
static void forget_carriers(struct model *model, int session)
{
	struct model_event *lists[] = { model->views, model->web };
	const int counts[] = { model->view_count, model->web_count };

	for (size_t kind = 0; kind < 2; kind++)
		for (int i = 0; i < counts[kind]; i++) {
			struct model_event *event = &lists[kind][i];

			if (event->session == session && event->visitor < 0 && !is_named(model, event))
				event->gone = true;
		}
}

/* What a chat said is uncounted in one go, or a little of it, and the rest later. */
static struct erasing begin_erasing(struct model_house *house)
{
	return (struct erasing){ .counting = model_counting(house), .most = model_any(house, 3) };
}

void model_erase_a_chat(struct model_house *house)
{
	struct erasing erasing = begin_erasing(house);
	struct model *model = &house->of->model;
	struct model_chat *chat = model_any_chat(house);
	bool more = false;
	bool last = true;

	if (chat == NULL)
		return;
	if (model_any(house, 2) == 0)
		assert_int_equal(erase_chat_some(&erasing, chat->number, &more), OK);
	assert_int_equal(erase_chat(&erasing, chat->number), OK);
	forget_chat(house, chat);
	for (int i = 0; i < model->chat_count; i++)
		last = last && (model->chats[i].gone || model->chats[i].session != chat->session);
	if (last)
		forget_carriers(model, chat->session);
}

static void find_sessions(const struct model *model, int visitor, bool sessions[SESSIONS])
{
	const struct model_event *lists[] = { model->views, model->web };
	const int counts[] = { model->view_count, model->web_count };

	for (int i = 0; i < model->chat_count; i++)
		if (!model->chats[i].gone && model->chats[i].visitor == visitor)
			sessions[model->chats[i].session] = true;
	for (size_t kind = 0; kind < 2; kind++)
		for (int i = 0; i < counts[kind]; i++) {
			const struct model_event *event = &lists[kind][i];

			if (!event->gone && event->visitor == visitor && event->session >= 0)
				sessions[event->session] = true;
		}
}

/* Its chats, what else is linked to it, and what is nobody's of its sessions. */
static void forget_visitor(struct model_house *house, int which)
{
	struct model *model = &house->of->model;
	struct model_event *lists[] = { model->views, model->web };
	const int counts[] = { model->view_count, model->web_count };
	bool sessions[SESSIONS] = { false };

	find_sessions(model, which, sessions);
	model->visitors[which].gone = true;
	for (int i = 0; i < model->chat_count; i++) {
		struct model_chat *chat = &model->chats[i];

		if (!chat->gone && (chat->visitor == which || (chat->visitor < 0 && sessions[chat->session])))
			forget_chat(house, chat);
	}
	for (size_t kind = 0; kind < 2; kind++)
		for (int i = 0; i < counts[kind]; i++)
			lists[kind][i].gone = lists[kind][i].gone || lists[kind][i].visitor == which;
	for (int session = 0; session < SESSIONS; session++)
		if (sessions[session])
			forget_carriers(model, session);
}

void model_erase_a_visitor(struct model_house *house)
{
	struct erasing erasing = begin_erasing(house);
	struct model *model = &house->of->model;
	struct erase_person person;
	bool more = true;
	int which;

	if (model->visitor_count == 0)
		return;
	which = (int)model_any(house, (uint32_t)model->visitor_count);
	if (model->visitors[which].gone)
		return;
	assert_int_equal(erase_find_person(house->db, &house->arena, &model->visitors[which].id, &person), OK);
	while (model_any(house, 2) == 0 && more)
		assert_int_equal(erase_visitor_some(&erasing, &person, &more), OK);
	assert_int_equal(erase_visitor(&erasing, &model->visitors[which].id), OK);
	forget_visitor(house, which);
}

static void expire_chats(struct model_house *house, struct erasing *erasing, int64_t before)
{
	struct model *model = &house->of->model;
	struct chats_older_in in = { .before = before, .after_time = INT64_MIN + 1, .limit = ROOM };
	struct chats_older_out rows[ROOM];
	size_t count = 0;

	assert_int_equal(db_start(house->db, STATEMENT_CHATS_OLDER, &in), OK);
	while (count < ROOM && db_step(house->db, STATEMENT_CHATS_OLDER, &rows[count]) == OK)
		count++;
	db_stop(house->db, STATEMENT_CHATS_OLDER);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(erase_chat_alone(erasing, rows[i].number), OK);
	for (int i = 0; i < model->chat_count; i++)
		if (!model->chats[i].gone && model->chats[i].at < before && model->chats[i].moved_at < before)
			forget_chat(house, &model->chats[i]);
}

static void expire_events(struct model_house *house, struct erasing *erasing, int64_t before)
{
	static const struct erase_source kinds[] = { { ERASE_MENTIONS, STATEMENT_MENTIONS_OLDER },
						     { ERASE_VIEWS, STATEMENT_VIEWS_OLDER },
						     { ERASE_WEB_MENTIONS, STATEMENT_WEB_MENTIONS_OLDER } };
	struct model *model = &house->of->model;
	struct model_event *lists[] = { model->mentions, model->views, model->web };
	const int counts[] = { model->mention_count, model->view_count, model->web_count };
	/* They all take the moment and the limit. */
	const struct mentions_older_in in = { .before = before, .limit = ROOM };

	for (size_t kind = 0; kind < 3; kind++) {
		size_t count;

		assert_int_equal(erase_rows(erasing, kinds[kind].kind, kinds[kind].id, &in, ROOM, &count), OK);
		for (int i = 0; i < counts[kind]; i++)
			lists[kind][i].gone = lists[kind][i].gone || lists[kind][i].at < before;
	}
}

/* A retention: all that is older. */
void model_expire(struct model_house *house)
{
	struct erasing erasing = begin_erasing(house);
	const int64_t before = house->base + ((int64_t)model_any(house, SPREAD) - SPREAD) * DAY_MS;

	if (model_any(house, 4) > 0)
		return;
	expire_chats(house, &erasing, before);
	expire_events(house, &erasing, before);
}
