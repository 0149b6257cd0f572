/* Moves one organization as a whole: out into a file, in from one, and out of the house.
 * Owner: the caller, a thread that may wait (an errand, the job that tidies up), which has the turn (moves.h). What is
 * written, the writer does in pieces of some milliseconds, so that no other organization notices. All or nothing as
 * anybody can see: what comes in is seen by nobody before it is whole, with its figures; what goes out is seen by
 * nobody from the first piece on. A move that ends in between (a crash, a full disk, a wrong file) leaves what
 * organizations.moving tells of, and move_tidy removes it.
 * Never changes a row of another organization; an account that is there keeps its password and gets the membership.
 * Next: tables.h (what moves), export.c, import.c, remove.c. */
#ifndef INNKEEPER_MOVE_MOVE_H
#define INNKEEPER_MOVE_MOVE_H

#include <stdatomic.h>

#include "analytics/ledger.h"
#include "auth/moving.h"
#include "move/moves.h"
#include "move/tables.h"
#include "store/archive.h"

/* Where it happens. */
struct move_place {
	struct readers *readers;
	struct writer *writer;
	struct ledger *const *ledgers; /* by lane */
	bool remote;
	struct moves *moves;
	const struct log *log;
	const _Atomic bool *ending; /* the server stops: no further piece */
	/* The keys of an organization open nothing any more: in the transaction that makes it so, and when it is
	 * durable. */
	void (*hide)(void *context, const struct db *db, const struct uuid *organization);
	void (*hidden)(void *context, const struct uuid *organization);
	void *context;
};

/* One moment of the organization of a scope into a new file. Faults name the file. */
struct move_exported {
	struct archive_result file;
	struct archive_manifest manifest;
	int64_t rows;
};
enum err move_export(const struct move_place *place, const struct scope *scope, struct text path, struct arena *arena,
		     struct move_exported *out, struct fault *fault) WARN_UNUSED;

/* A file's organization, under another slug if one is given. ERR_INVALID: the file is not whole, not what it says, or
 * newer; ERR_CONFLICT: the organization, its slug or one of its keys is here already. */
struct move_imported {
	struct uuid organization;
	struct text slug;
	struct text organization_name;
	int64_t rows;
};
enum err move_import(const struct move_place *place, struct text path, struct text slug, struct arena *arena,
		     struct move_imported *out, struct fault *fault) WARN_UNUSED;

/* Rows that were removed, by table: the first ones named below, then move_leavings. */
enum move_removed {
	REMOVED_CHATS,
	REMOVED_CHAT_ACTIVITY,
	REMOVED_MESSAGES,
	REMOVED_CHAT_SUMMARIES,
	REMOVED_SESSIONS,
	REMOVED_ACCOUNTS, /* of members who belong nowhere else */
	REMOVED_TABLES,
};
#define MOVE_RECEIPT (REMOVED_TABLES + MOVE_LEAVINGS)
struct move_receipt {
	int64_t rows[MOVE_RECEIPT];
};
size_t move_receipt_count(void);
const char *move_receipt_name(size_t index);

/* A line for each table of which rows went, "messages 16000". */
#define MOVE_RECEIPT_MAX 4096 /* bytes */
void move_receipt_write(const struct move_receipt *receipt, struct buffer *out);

/* Removes an organization, or goes on where its removal ended; the receipt holds what both removed. */
enum err move_remove(const struct move_place *place, const struct moving *moving, struct move_receipt *receipt,
		     struct fault *fault) WARN_UNUSED;

/* Whether nobody is at it any more, whatever organizations.moving says. For who has the turn. */
bool move_is_left(const struct move_place *place, const struct moving *moving);

/* Removes what moves that ended in between have left, for some seconds at most. Does nothing while another has the
 * turn. */
void move_tidy(const struct move_place *place);

/* Does a piece on the writer's thread and waits for it; again, as long as the queue is full. */
enum err move_piece(const struct move_place *place, const struct scope *scope,
		    enum err (*run)(struct db *db, void *context), void *context) WARN_UNUSED;

/* Whether a piece that began then (clock_monotonic) has taken enough: some milliseconds, and a few more while nobody
 * waits behind it. */
bool move_piece_is_over(const struct move_place *place, int64_t began);

/* At the end of a piece: this process is at it still. In the organization's scope. */
enum err move_note_step(const struct move_place *place, struct db *db) WARN_UNUSED;

#endif
