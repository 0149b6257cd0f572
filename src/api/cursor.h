/* Where a list's next page begins, as a client carries it: opaque, and worth nothing elsewhere.
 * Owner: the text lives in the call's arena. Any thread.
 * Sealed with this database's key, for the organization and the path of the request.
 * Never says why one is refused: forged, cut short, of another organization or list, all the same.
 * Next: auth/seal.h, list.h. */
#ifndef INNKEEPER_API_CURSOR_H
#define INNKEEPER_API_CURSOR_H

#include "api/list.h"

/* Any place as a cursor; absent when memory is out. */
struct text cursor_seal(struct call *call, struct text place);

/* The place of one that was sealed for this organization and path. ERR_INVALID with field `cursor` for any other. */
enum err cursor_open(struct call *call, struct text cursor, struct text *place) WARN_UNUSED;

/* ERR_INVALID with field `cursor`: it is none that this list gave out. */
enum err cursor_refuse(struct call *call) WARN_UNUSED;

/* The cursor of the rows before this time and number; absent when memory is out. */
struct text cursor_make(struct call *call, int64_t time, int64_t number);

/* Sets where the page begins. As cursor_open, and for a place that is no time and number. */
enum err cursor_read(struct call *call, struct text cursor, struct list_page *page) WARN_UNUSED;

#endif
