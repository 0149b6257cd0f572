/* What a process tells the others that share its database, and what it does when it hears them: keys that changed are
 * forgotten, what just happened goes to who watches it live, wrong passwords count.
 * Owner: the server has one for each lane; the lane's thread gathers and sends, the notices' thread hears.
 * What is gathered leaves with the transaction that did it, so it is heard once that is durable, and in that order.
 * Never holds content: ids, counts, the concierge's names of chats, whose password was tried (a hash, an address).
 * Next: store/notices.h, live_hub.h. */
#ifndef INNKEEPER_API_BULLETIN_H
#define INNKEEPER_API_BULLETIN_H

#include "api/call.h"

struct bulletin;

enum err bulletin_new(struct bulletin **out) WARN_UNUSED;
void bulletin_free(struct bulletin *bulletin);

/* A write has been done, though it is not durable yet: gathers what others must hear of it. */
void bulletin_note(struct bulletin *bulletin, const struct call *call);

/* The keys of an organization open nothing any more, by a write that is no call's. */
void bulletin_keys(struct bulletin *bulletin, const struct uuid *organization);

/* A password of the subject was wrong, or right. `process` has counted it already: it does not again when it hears it.
 */
void bulletin_attempt(struct bulletin *bulletin, const struct uuid *process, const struct attempt_subject *subject,
		      bool right);

/* The writer's hooks: when an item's scope was left, what it said being kept or unsaid; before the commit; and when the
 * transaction is lost. */
void bulletin_end_item(struct bulletin *bulletin, bool kept);
enum err bulletin_send(struct bulletin *bulletin, struct db *db) WARN_UNUSED;
void bulletin_forget(struct bulletin *bulletin);

/* Words that came; absent: some may have been missed. `house` is the server's. */
void bulletin_heard(void *house, struct text words);

#endif
