/* Erasing: a chat, a visitor, and what is older than an organization keeps; and a person's data for that person.
 * Owner: handlers; see call.h.
 * An answer is a receipt: rows by table. What it names is gone for every reader; messages leave the file in steps
 * behind it. Never tells an absent id from another organization's. Next: erase/erase.h, erase/retention.h. */
#ifndef INNKEEPER_API_ERASE_H
#define INNKEEPER_API_ERASE_H

#include "api/call.h"
#include "auth/audit.h"
#include "erase/retention.h"

/* Before their handlers, on a thread that may wait: what hangs on the chat or the visitor goes in small pieces, so that
 * one of any size holds up nobody. Ended early, the next call goes on. */
enum err erase_chat_prepare(struct call *call);
enum err erase_visitor_prepare(struct call *call);

/* Behind them: what was said is counted no more when the answer comes. */
void erase_conclude(struct call *call);

enum err erase_chat_handle(struct call *call);    /* {chatId}: either id */
enum err erase_visitor_handle(struct call *call); /* {id} */
enum err export_visitor(struct call *call);       /* {id} */

/* Erases in the scope what is older, and writes it into the organization's record. A thread that may wait. */
enum err erase_older(const struct house *house, const struct scope *scope, int64_t before, enum audit_actor actor,
		     struct erase_receipt *receipt) WARN_UNUSED;

/* The operator's: applies a retention now, or counts what it would erase. */
extern const struct json_shape retention_body;
enum err retention_handle(struct call *call);

#endif
