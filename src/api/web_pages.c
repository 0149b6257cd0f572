#include "api/web_pages.h"

#include "api/list.h"

struct pages_input {
	struct list_query list;
	struct text visitor_id;
	struct text chat_id;
};

#define AT(member) .offset = offsetof(struct pages_input, member)
static const struct json_field pages_fields[] = {
	LIST_FIELDS,
	{ .name = "visitorId", .kind = JSON_TEXT, AT(visitor_id), .about = "What this visitor was shown." },
	{ .name = "chatId", .kind = JSON_TEXT, AT(chat_id), .about = "What was shown in this chat." },
};
#undef AT
const struct json_shape web_pages_query = JSON_SHAPE(pages_input, pages_fields);

/* A text that is no id stays the nil one: it names nobody, who was shown nothing. */
static struct uuid visitor_of(const struct pages_input *in)
{
	struct uuid visitor = { 0 };

	if (in->visitor_id.at != NULL && uuid_parse(in->visitor_id, &visitor) != OK)
		return (struct uuid){ 0 };
	return visitor;
}

static enum err fill_all(struct call *call, const struct list_page *page, void *out)
{
	(void)call;
	*(struct web_page_page_in *)out =
	    (struct web_page_page_in){ page->before_time, page->before_number, page->limit };
	return OK;
}

static enum err fill_of_chat(struct call *call, const struct list_page *page, void *out)
{
	const struct pages_input *in = call->query;

	*(struct web_page_page_of_chat_in *)out =
	    (struct web_page_page_of_chat_in){ .before_time = page->before_time,
					       .before_number = page->before_number,
					       .limit = page->limit,
					       .chat_id = in->chat_id,
					       .visitor_id = visitor_of(in),
					       .any_visitor = in->visitor_id.at == NULL };
	return OK;
}

static enum err fill_of_visitor(struct call *call, const struct list_page *page, void *out)
{
	*(struct web_page_page_of_visitor_in *)out =
	    (struct web_page_page_of_visitor_in){ page->before_time, page->before_number, page->limit,
						  visitor_of(call->query) };
	return OK;
}

static const struct list pages_of_all = {
	.statement = STATEMENT_WEB_PAGE_PAGE, .hidden = 2, .member = "mentions", .file = "web-results", .fill = fill_all
};
static const struct list pages_of_chat = { .statement = STATEMENT_WEB_PAGE_PAGE_OF_CHAT,
					   .hidden = 2,
					   .member = "mentions",
					   .file = "web-results",
					   .fill = fill_of_chat };
static const struct list pages_of_visitor = { .statement = STATEMENT_WEB_PAGE_PAGE_OF_VISITOR,
					      .hidden = 2,
					      .member = "mentions",
					      .file = "web-results",
					      .fill = fill_of_visitor };

/* Of all pages, not of this one. */
static enum err count_all(struct call *call, int64_t *out)
{
	const struct pages_input *in = call->query;
	struct web_page_count_out count = { 0 };
	struct web_page_count_of_chat_out of_chat = { 0 };
	struct web_page_count_of_visitor_out of_visitor = { 0 };
	enum err err;

	if (in->chat_id.at != NULL)
		err = query_one(call->db, STATEMENT_WEB_PAGE_COUNT_OF_CHAT,
				&(struct web_page_count_of_chat_in){ .chat_id = in->chat_id,
								     .visitor_id = visitor_of(in),
								     .any_visitor = in->visitor_id.at == NULL },
				&of_chat, call->arena);
	else if (in->visitor_id.at != NULL)
		err = query_one(call->db, STATEMENT_WEB_PAGE_COUNT_OF_VISITOR,
				&(struct web_page_count_of_visitor_in){ .visitor_id = visitor_of(in) }, &of_visitor,
				call->arena);
	else
		err = query_one(call->db, STATEMENT_WEB_PAGE_COUNT, NULL, &count, call->arena);
	*out = count.pages + of_chat.pages + of_visitor.pages;
	return err;
}

enum err web_pages_list(struct call *call)
{
	const struct pages_input *in = call->query;
	const struct list *list = in->chat_id.at != NULL      ? &pages_of_chat
				  : in->visitor_id.at != NULL ? &pages_of_visitor
							      : &pages_of_all;
	int64_t total = 0;
	enum err err = list_answer(call, list);

	if (err != OK || call->more != NULL)
		return err;
	err = count_all(call, &total);
	json_key(call->out, "total");
	json_put_int(call->out, total);
	return err;
}
