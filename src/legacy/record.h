/* A row on its way from the old tables into ours, and what both halves of that way have at hand.
 * Owner: a record and everything it points at live in its batch's arena. One thread at a time: the importing one reads,
 * then waits while the writer's stores.
 * What is refused keeps its reason; what was changed on the way keeps a note of it.
 * Never stores half of a row: a record is stored in one transaction, or not.
 * Next: people.c, chats.c, articles.c, which read and store. */
#ifndef INNKEEPER_LEGACY_RECORD_H
#define INNKEEPER_LEGACY_RECORD_H

#include "analytics/counting.h"
#include "legacy/key_set.h"
#include "legacy/table.h"
#include "search/indexer.h"
#include "statements.h"

#define LEGACY_KEY_BYTES  200 /* of what rows are found by, as the API has it */
#define LEGACY_NAME_BYTES 1000
#define LEGACY_TEXT_BYTES 4096
#define LEGACY_URL_BYTES  8192
#define LEGACY_BODY_BYTES 1048576 /* of a message */
#define LEGACY_JSON_BYTES 65536

struct legacy_note {
	struct legacy_note *next;
	struct text words;
};

struct legacy_summary {
	bool there;
	struct legacy_summary_create_in row; /* but for the chat's number */
};

struct legacy_record {
	struct text key;           /* of the row: for people, and to know it again */
	struct text reason;        /* it is refused; absent: it is not */
	struct legacy_note *notes; /* what was changed, newest first */
	bool there;                /* it was stored before */
	bool foreign;              /* it is another organization's */
	bool web;                  /* of article_mentions in their second meaning */
	struct uuid id;            /* its own; nil: it has none that is a UUID */
	struct text visitor;       /* ids as the source has them; absent: none */
	struct text user;
	union {
		struct legacy_user_create_in person;
		struct {
			struct legacy_visitor_create_in row;
			struct text session;
		} visit;
		struct {
			struct legacy_chat_create_in row;
			struct legacy_summary summary;
			int64_t updated_at;
		} chat;
		struct {
			struct message_create_in row;
			struct text chat_id;
		} message;
		struct article_mention_create_in mention;
		struct legacy_view_create_in view;
		struct legacy_web_mention_create_in web;
		struct organization_change_in settings;
		struct {
			struct text object; /* what is kept of it, as JSON */
			struct text id;     /* the trip's, of a location */
		} trip;
	} as;
};

/* Reading: the importing thread's. */
struct legacy_reading {
	struct arena *arena;     /* the batch's */
	struct text source;      /* the organization there whose rows are taken, lower case; absent: none is known */
	struct key_set *foreign; /* ids of chats, visitors and users of other organizations: legacy_foreign */
	int64_t now;             /* ms: of what has no time at all */
	struct text *old_key;    /* where an API key of the old system is put, of LEGACY_KEY_BYTES at most */
};

/* Storing: the writer's. */
struct legacy_storing {
	struct counting counting; /* db, scope, arena, ledger */
	struct search_awaits *awaits;
	int64_t now;
	struct legacy_known *known; /* chats that this piece has had messages of, by the names they were asked for */
};

/* A chat as this piece has moved it. */
struct legacy_known {
	struct legacy_known *next;
	struct text name;
	struct legacy_chat_out *chat;
};

/* Refuses the record; the first reason stays. */
void legacy_refuse(struct legacy_record *record, struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Notes a change. */
void legacy_note(struct legacy_record *record, struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* To whom a row belongs that does not say it itself. */
enum legacy_parents {
	LEGACY_ALONE,      /* to whom the import is for */
	LEGACY_OF_VISITOR, /* to whom its visitor belongs, else as above */
	LEGACY_OF_CHAT,    /* to whom its chat belongs; without one as above */
};

/* Key and id of the row, and whose it is. */
void legacy_begin(struct legacy_reading *reading, const struct legacy_row *row, enum legacy_parents parents,
		  struct legacy_record *record);

/* What kind of thing an id names, in reading->foreign. */
enum legacy_kind { LEGACY_CHATS = 'c', LEGACY_VISITORS = 'v', LEGACY_USERS = 'u' };
bool legacy_is_foreign(const struct legacy_reading *reading, enum legacy_kind kind, struct text id);
enum err legacy_add_foreign(struct legacy_reading *reading, enum legacy_kind kind, struct text id) WARN_UNUSED;

/* Links to a visitor and a user, cut where those are another organization's. */
void legacy_read_links(struct legacy_reading *reading, const struct legacy_row *row, struct legacy_record *record);

/* Under which id a row of the source stands here, if that was written down. ERR_NOT_FOUND. */
enum err legacy_find(struct legacy_storing *storing, const char *source, struct text key, struct uuid *out) WARN_UNUSED;
enum err legacy_remember(struct legacy_storing *storing, const char *source, struct text key,
			 const struct uuid *kept) WARN_UNUSED;

/* Asks ahead for what the function of the same name will read. */
void legacy_foresee_find(struct legacy_storing *storing, const char *source, struct text key);
void legacy_foresee_links(struct legacy_storing *storing, const struct legacy_record *record);

/* The visitor whom the record names; nil, and a note, when there is none. */
enum err legacy_link_visitor(struct legacy_storing *storing, struct legacy_record *record,
			     struct uuid *out) WARN_UNUSED;
/* The user: under their id here, or as the source has it. */
enum err legacy_link_user(struct legacy_storing *storing, struct legacy_record *record, struct text *out) WARN_UNUSED;

/* The rows of table.c. */
enum err legacy_settings_read(struct legacy_reading *, const struct legacy_row *, struct legacy_record *);
enum err legacy_settings_store(struct legacy_storing *, struct legacy_record *);
enum err legacy_user_read(struct legacy_reading *, const struct legacy_row *, struct legacy_record *);
enum err legacy_user_store(struct legacy_storing *, struct legacy_record *);
enum err legacy_visitor_read(struct legacy_reading *, const struct legacy_row *, struct legacy_record *);
void legacy_visitor_foresee(struct legacy_storing *, const struct legacy_record *);
enum err legacy_visitor_store(struct legacy_storing *, struct legacy_record *);
enum err legacy_session_store(struct legacy_storing *, struct legacy_record *);
enum err legacy_chat_read(struct legacy_reading *, const struct legacy_row *, struct legacy_record *);
void legacy_chat_foresee(struct legacy_storing *, const struct legacy_record *);
enum err legacy_chat_store(struct legacy_storing *, struct legacy_record *);
enum err legacy_message_read(struct legacy_reading *, const struct legacy_row *, struct legacy_record *);
void legacy_message_foresee(struct legacy_storing *, const struct legacy_record *);
enum err legacy_message_store(struct legacy_storing *, struct legacy_record *);
enum err legacy_article_mention_read(struct legacy_reading *, const struct legacy_row *, struct legacy_record *);
void legacy_article_mention_foresee(struct legacy_storing *, const struct legacy_record *);
enum err legacy_article_mention_store(struct legacy_storing *, struct legacy_record *);
enum err legacy_article_view_read(struct legacy_reading *, const struct legacy_row *, struct legacy_record *);
void legacy_article_view_foresee(struct legacy_storing *, const struct legacy_record *);
enum err legacy_article_view_store(struct legacy_storing *, struct legacy_record *);
enum err legacy_web_mention_read(struct legacy_reading *, const struct legacy_row *, struct legacy_record *);
void legacy_web_mention_foresee(struct legacy_storing *, const struct legacy_record *);
enum err legacy_web_mention_store(struct legacy_storing *, struct legacy_record *);
enum err legacy_trip_read(struct legacy_reading *, const struct legacy_row *, struct legacy_record *);
enum err legacy_trip_store(struct legacy_storing *, struct legacy_record *);
enum err legacy_trip_location_read(struct legacy_reading *, const struct legacy_row *, struct legacy_record *);
enum err legacy_trip_location_store(struct legacy_storing *, struct legacy_record *);

#endif
