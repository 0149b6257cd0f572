#include "api/user_lists.h"

#include "api/chat_lists.h"
#include "api/list.h"

static enum err fill_users(struct call *call, const struct list_page *page, void *out)
{
	(void)call;
	*(struct user_page_in *)out = (struct user_page_in){ page->before_time, page->before_number, page->limit };
	return OK;
}

enum err user_lists_users(struct call *call)
{
	static const struct list users = {
		.statement = STATEMENT_USER_PAGE, .hidden = 2, .member = "users", .file = "users", .fill = fill_users
	};

	return list_answer(call, &users);
}

static enum err find(struct call *call, struct user_show_out *out)
{
	struct uuid id;

	if (uuid_parse(call->parameters[0], &id) != OK)
		return ERR_NOT_FOUND;
	return query_one(call->db, STATEMENT_USER_SHOW, &(struct user_show_in){ .id = id }, out, call->arena);
}

enum err user_lists_show(struct call *call)
{
	struct user_show_out user;
	enum err err = find(call, &user);

	if (err != OK)
		return err;
	json_key(call->out, "user");
	json_open_object(call->out);
	query_members(STATEMENT_USER_SHOW, &user, call->out);
	json_close_object(call->out);
	return OK;
}

/* Chats and views know a user by the text of the id. */
static enum err list_of_user(struct call *call, const struct list *list)
{
	struct text *id = arena_take(call->arena, sizeof *id);
	struct user_show_out user;
	char text[UUID_TEXT_SIZE];
	enum err err = id == NULL ? ERR_MEMORY : find(call, &user);

	if (err != OK)
		return err;
	uuid_format(&user.id, text);
	*id = text_copy(call->arena, text_of(text));
	if (id->at == NULL)
		return ERR_MEMORY;
	call->prepared = id;
	return list_answer(call, list);
}

static enum err fill_chats(struct call *call, const struct list_page *page, void *out)
{
	const struct text *id = call->prepared;

	*(struct user_chat_page_in *)out =
	    (struct user_chat_page_in){ page->before_time, page->before_number, page->limit, *id };
	return OK;
}

enum err user_lists_chats(struct call *call)
{
	static const struct list chats = { .statement = STATEMENT_USER_CHAT_PAGE,
					   .hidden = 3,
					   .member = "chats",
					   .file = "user-chats",
					   .fill = fill_chats,
					   .shape = chat_lists_shape_short };

	return list_of_user(call, &chats);
}

static enum err fill_views(struct call *call, const struct list_page *page, void *out)
{
	const struct text *id = call->prepared;

	*(struct user_view_page_in *)out =
	    (struct user_view_page_in){ page->before_time, page->before_number, page->limit, *id };
	return OK;
}

enum err user_lists_views(struct call *call)
{
	static const struct list views = { .statement = STATEMENT_USER_VIEW_PAGE,
					   .hidden = 2,
					   .member = "views",
					   .file = "user-views",
					   .fill = fill_views };

	return list_of_user(call, &views);
}
