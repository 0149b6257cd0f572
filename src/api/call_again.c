#include "api/call_again.h"

/* A call as it was before its handler ran. */
struct call_before {
	struct call call;
	struct http_reply reply;
	size_t body; /* bytes */
};

static void put_back(void *context)
{
	struct call *call = context;
	const struct call_before *before = call->before;
	const struct writer_item item = call->writer_item; /* it hangs in the lane's list */
	struct buffer body = call->request->reply.body;    /* it may lie elsewhere now */

	buffer_cut(&body, before->body);
	*call = before->call;
	call->writer_item = item;
	call->request->reply = before->reply;
	call->request->reply.body = body;
}

enum err call_again_allow(struct call *call)
{
	struct call_before *before = arena_take(call->arena, sizeof *before);

	if (before == NULL)
		return ERR_MEMORY;
	call->before = before;
	call->writer_item.again = put_back;
	before->reply = call->request->reply;
	before->body = call->request->reply.body.length;
	before->call = *call;
	return OK;
}
