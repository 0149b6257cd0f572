/* Visitors: who said who they are, made one however often and however they said it.
 * Owner: handlers; see call.h. On the writer's thread, each identify one transaction.
 * Found by id, by session, by e-mail, in this order; two that turn out to be one become the older.
 * Never looks past the organization: another's id, session or e-mail is unknown here.
 * Next: sql/visitors.sql. */
#ifndef INNKEEPER_API_VISITORS_H
#define INNKEEPER_API_VISITORS_H

#include "api/call.h"

extern const struct json_shape visitors_identify_body;
enum err visitors_identify(struct call *call);

#endif
