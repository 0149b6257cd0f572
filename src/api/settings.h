/* An organization's own settings, as its members see them and its Admins change them.
 * Owner: handlers; see call.h.
 * The key is shown masked; whole only once, in the answer that made it.
 * Never changes what is the operator's: slug, status, limits.
 * Next: keys.h; organizations.h, the operator's side. */
#ifndef INNKEEPER_API_SETTINGS_H
#define INNKEEPER_API_SETTINGS_H

#include "api/call.h"

enum err settings_show(struct call *call);

extern const struct json_shape settings_change_body;
enum err settings_change(struct call *call);

/* The organization's days are those of `zone` from now on. ERR_INVALID with field `time_zone`. */
enum err settings_change_time_zone(struct call *call, struct text zone) WARN_UNUSED;

/* Makes a new key in the place of the one that the settings show, which stops working at once. */
extern const struct json_shape settings_act_body;
enum err settings_act(struct call *call);

#endif
