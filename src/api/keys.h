/* An organization's API keys: made, listed, revoked; by an Admin or the operator.
 * Owner: handlers; see call.h.
 * A key is shown when it is made and never again; several may be valid at once, so that one can be changed without a
 * gap. Never answers a revocation before the key has stopped working. Next: auth/api_key.h. */
#ifndef INNKEEPER_API_KEYS_H
#define INNKEEPER_API_KEYS_H

#include "api/call.h"

extern const struct json_shape keys_create_body;
enum err keys_create(struct call *call);

enum err keys_list(struct call *call); /* the operator's, oldest first */
enum err keys_page(struct call *call); /* the dashboard's, newest first, in pages */

extern const struct json_shape keys_revoke_body;
enum err keys_revoke(struct call *call);
enum err keys_remove(struct call *call); /* the same for the id in the path */
void keys_revoked(struct call *call);

/* Makes a key and stores its hash: the key itself is shown this once. `id` gets its id. */
enum err keys_make(struct call *call, struct text name, char key[API_KEY_SIZE], struct uuid *id) WARN_UNUSED;

#endif
