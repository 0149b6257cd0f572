#include "api/audit_lists.h"

#include "api/list.h"

static enum err fill_entries(struct call *call, const struct list_page *page, void *out)
{
	(void)call;
	*(struct audit_page_in *)out = (struct audit_page_in){ page->before_time, page->before_number, page->limit };
	return OK;
}

enum err audit_lists_entries(struct call *call)
{
	static const struct list entries = { .statement = STATEMENT_AUDIT_PAGE,
					     .hidden = 2,
					     .member = "entries",
					     .file = "audit",
					     .fill = fill_entries };

	return list_answer(call, &entries);
}
