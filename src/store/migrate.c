#include "store/migrate.h"

#include "base/clock.h"
#include "store/db.h"
#include "store/query.h"
#include "store/scope_make.h"

static const struct scope system_scope = { .system = true };

static const struct migration_text *text_for(const struct db *db, const struct migration *file)
{
	return db_is_remote(db) ? &file->postgres : &file->sqlite;
}

/* A database that has `seen` files must have seen these. */
static enum err check(const struct db *db, const struct migration_list_out *row, const struct migration *files,
		      size_t count, struct fault *fault)
{
	if (row->number < 1 || (uint64_t)row->number > count)
		return fault_set(
		    fault, ERR_CONFLICT, NULL, NULL,
		    "The database is newer than this binary: it has migration %lld, this one ends with %zu. "
		    "Start it with the newer binary, or restore a backup.",
		    (long long)row->number, count);
	if (!text_equal(row->checksum, text_of(text_for(db, &files[row->number - 1])->checksum)))
		return fault_set(
		    fault, ERR_CONFLICT, NULL, NULL,
		    "Migration %s was edited after this database applied it. Put the old text back and add a new "
		    "file instead.",
		    files[row->number - 1].name);
	return OK;
}

static enum err read_seen(struct db *db, const struct migration *files, size_t count, size_t *seen, struct fault *fault)
{
	struct migration_list_out row;
	enum err err = db_start(db, STATEMENT_MIGRATION_LIST, NULL);

	*seen = 0;
	while (err == OK && (err = db_step(db, STATEMENT_MIGRATION_LIST, &row)) == OK) {
		if ((err = check(db, &row, files, count, fault)) != OK)
			break;
		*seen = (size_t)row.number;
	}
	db_stop(db, STATEMENT_MIGRATION_LIST);
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err apply(struct db *db, const struct migration *file, struct fault *fault)
{
	enum err err = db_script(db, text_for(db, file)->text, fault);
	enum err left;

	if (err != OK)
		return err;
	err = db_enter(db, &system_scope);
	if (err != OK)
		return err;
	err = query_run(db, STATEMENT_MIGRATION_RECORD,
			&(struct migration_record_in){ .number = file->number,
						       .name = text_of(file->name),
						       .checksum = text_of(text_for(db, file)->checksum),
						       .applied_at = clock_now() },
			NULL);
	left = db_leave(db, err == OK);
	return err == OK ? left : err;
}

static enum err find_seen(struct db *db, const struct migration *files, size_t count, size_t *seen, struct fault *fault)
{
	enum err err = db_begin(db);
	enum err left;

	if (err != OK)
		return err;
	/* The first file makes the table of records, if it is not there yet. */
	err = db_script(db, text_for(db, &files[0])->text, fault);
	if (err == OK && (err = db_enter(db, &system_scope)) == OK) {
		err = read_seen(db, files, count, seen, fault);
		left = db_leave(db, err == OK);
		err = err == OK ? left : err;
	}
	left = db_end(db, err == OK);
	return err == OK ? left : err;
}

static enum err apply_one(struct db *db, const struct migration *file, const struct log *log, struct fault *fault)
{
	enum err err = db_begin(db);
	enum err ended;

	if (err == OK) {
		err = apply(db, file, fault);
		ended = db_end(db, err == OK);
		err = err == OK ? ended : err;
	}
	if (err == OK)
		LOG(log, LOG_INFO, "migration applied", LOG_STRING("name", file->name));
	return err;
}

enum err migrate(struct text url, const struct migration *files, size_t count, const struct log *log, size_t *applied,
		 struct fault *fault)
{
	struct db *db = NULL;
	size_t seen = 0;
	size_t i = 0;
	enum err err = db_open(&db, url, DB_MIGRATE, log, fault);

	if (applied != NULL)
		*applied = 0;
	if (err != OK)
		return err;
	err = find_seen(db, files, count, &seen, fault);
	if (err != OK && fault->err == OK)
		fault_set(fault, err, NULL, NULL,
			  "The database's record of migrations cannot be read; the log has the reason.");
	for (i = seen; err == OK && i < count; i++) {
		err = apply_one(db, &files[i], log, fault);
		if (err != OK) {
			struct fault reason = *fault;

			fault_set(fault, err, NULL, NULL, "Migration %s failed and left nothing behind: %.120s",
				  files[i].name, reason.sentence);
		}
	}
	/* A sync that failed for the process before may have left its commit in the page cache alone, where it reads
	 * like a stored one. So the log goes home, synced, before anyone is told what the database holds. */
	if (err == OK && db_tidy(db, true) == ERR_STORAGE)
		err = fault_set(fault, ERR_STORAGE, NULL, NULL,
				"The database's log cannot be moved home: check the disk.");
	if (err == OK && applied != NULL)
		*applied = i - seen;
	db_close(db);
	return err;
}

enum err migrate_check(struct text url, const struct migration *files, size_t count, const struct log *log,
		       struct fault *fault)
{
	struct db *db = NULL;
	size_t seen = 0;
	enum err left;
	enum err err = db_open(&db, url, DB_READ, log, fault);

	if (err != OK)
		return err;
	err = db_begin(db);
	if (err == OK && (err = db_enter(db, &system_scope)) == OK) {
		err = read_seen(db, files, count, &seen, fault);
		left = db_leave(db, true);
		err = err == OK ? left : err;
	}
	left = db_end(db, false);
	db_close(db);
	if (err == OK && seen < count)
		return fault_set(fault, ERR_CONFLICT, NULL, NULL,
				 "The database is older than this binary: it has %zu of %zu migrations. Run innkeeper "
				 "migrate.",
				 seen, count);
	if (err != OK && fault->err == OK)
		fault_set(fault, err, NULL, NULL,
			  "The database's record of migrations cannot be read; the log has the reason.");
	return err == OK ? left : err;
}
