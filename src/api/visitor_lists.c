#include "api/visitor_lists.h"

#include "api/chat_lists.h"
#include "api/list.h"

static enum err fill_visitors(struct call *call, const struct list_page *page, void *out)
{
	(void)call;
	*(struct visitor_page_in *)out =
	    (struct visitor_page_in){ page->before_time, page->before_number, page->limit };
	return OK;
}

enum err visitor_lists_visitors(struct call *call)
{
	static const struct list visitors = { .statement = STATEMENT_VISITOR_PAGE,
					      .hidden = 2,
					      .member = "visitors",
					      .file = "visitors",
					      .fill = fill_visitors };

	return list_answer(call, &visitors);
}

static enum err find(struct call *call, struct visitor_show_out *out)
{
	struct uuid id;

	if (uuid_parse(call->parameters[0], &id) != OK)
		return ERR_NOT_FOUND;
	return query_one(call->db, STATEMENT_VISITOR_SHOW, &(struct visitor_show_in){ .id = id }, out, call->arena);
}

enum err visitor_lists_show(struct call *call)
{
	struct visitor_show_out visitor;
	enum err err = find(call, &visitor);

	if (err != OK)
		return err;
	json_key(call->out, "visitor");
	json_open_object(call->out);
	query_members(STATEMENT_VISITOR_SHOW, &visitor, call->out);
	json_close_object(call->out);
	return OK;
}

/* A list of what hangs on the visitor of the path. */
static enum err list_of_visitor(struct call *call, const struct list *list)
{
	struct visitor_show_out *visitor = arena_take(call->arena, sizeof *visitor);
	enum err err = visitor == NULL ? ERR_MEMORY : find(call, visitor);

	call->prepared = visitor;
	return err == OK ? list_answer(call, list) : err;
}

static enum err fill_chats(struct call *call, const struct list_page *page, void *out)
{
	const struct visitor_show_out *visitor = call->prepared;

	*(struct visitor_chat_page_in *)out =
	    (struct visitor_chat_page_in){ page->before_time, page->before_number, page->limit, visitor->id };
	return OK;
}

enum err visitor_lists_chats(struct call *call)
{
	static const struct list chats = { .statement = STATEMENT_VISITOR_CHAT_PAGE,
					   .hidden = 3,
					   .member = "chats",
					   .file = "visitor-chats",
					   .fill = fill_chats,
					   .shape = chat_lists_shape_short };

	return list_of_visitor(call, &chats);
}

static enum err fill_views(struct call *call, const struct list_page *page, void *out)
{
	const struct visitor_show_out *visitor = call->prepared;

	*(struct visitor_view_page_in *)out =
	    (struct visitor_view_page_in){ page->before_time, page->before_number, page->limit, visitor->id };
	return OK;
}

enum err visitor_lists_views(struct call *call)
{
	static const struct list views = { .statement = STATEMENT_VISITOR_VIEW_PAGE,
					   .hidden = 2,
					   .member = "views",
					   .file = "visitor-views",
					   .fill = fill_views };

	return list_of_visitor(call, &views);
}
