/* Import from a single-tenant CRM of the older kind: its tables, as a PostgreSQL database or a folder of CSV files,
 * into one organization. Owner: the caller's, for one import. Runs on an errand's thread; what it stores goes through
 * the writer, in batches that hold it for some milliseconds, so that other organizations do not notice. A row is stored
 * with its figures in one transaction and is known again: an import that ended early goes on when it is run again, and
 * one that is complete stores nothing twice. Never touches another organization, and never writes to the source. Next:
 * table.h (what is read), record.h (what becomes of it), api/legacy.c (who asks). */
#ifndef INNKEEPER_LEGACY_LEGACY_H
#define INNKEEPER_LEGACY_LEGACY_H

#include <stdatomic.h>

#include "analytics/ledger.h"
#include "base/log.h"
#include "legacy/table.h"
#include "search/indexer.h"
#include "store/writer.h"

struct legacy_order {
	struct text where;               /* postgres://…, or a folder */
	struct text source_organization; /* whose rows are taken, where they say whose they are; absent: as found out */
	const char *rejected_path;
	struct text slug; /* of the organization they go to */
	const struct scope *scope;
	struct writer *writer;
	struct ledger *const *ledgers; /* by lane */
	struct search_awaits *awaits;  /* the same */
	const _Atomic bool *draining;  /* it ends early, to go on another time */
	const struct log *log;         /* of its progress */
	int64_t now;                   /* ms */
};

enum legacy_key_outcome { LEGACY_NO_KEY, LEGACY_KEY_STORED, LEGACY_KEY_THERE, LEGACY_KEY_REFUSED };

struct legacy_counts {
	bool found; /* the source has the table */
	int64_t read;
	int64_t stored;
	int64_t there;
	int64_t rejected;
	int64_t changed;     /* stored otherwise than they were */
	struct text unknown; /* names of columns that are not known, with commas between; absent: none */
};

struct legacy_report {
	struct legacy_counts tables[LEGACY_TABLES]; /* by legacy_tables; `again`: what was linked */
	struct text source;                         /* the organization whose rows were taken; absent: none is known */
	enum legacy_key_outcome key;                /* of the old system's API key */
	int64_t lines;                              /* in the file of what was rejected; 0: there is none */
};

/* `report` is filled as far as it came, also when it failed; its texts live in the arena. ERR_UNAVAILABLE: the server
 * is stopping, or the source is gone. */
enum err legacy_import(const struct legacy_order *order, struct arena *arena, struct legacy_report *report,
		       struct fault *fault) WARN_UNUSED;

#endif
