#include "store/db.h"

#include <stddef.h>

#include "store/engine.h"

static const struct engine *const engines[] = { &engine_sqlite, &engine_postgres };

#define ENGINE_COUNT (sizeof engines / sizeof engines[0])

enum err db_init(void)
{
	return engine_sqlite.init();
}

static const struct engine *find(struct text url)
{
	for (size_t i = 0; i < ENGINE_COUNT; i++)
		for (const char *const *scheme = engines[i]->schemes; *scheme != NULL; scheme++)
			if (text_starts(url, text_of(*scheme)) && url.length > text_of(*scheme).length)
				return engines[i];
	return NULL;
}

enum err db_know(struct text url, bool *remote, struct fault *fault)
{
	const struct engine *engine = find(url);

	*remote = engine != NULL && engine->remote;
	return engine != NULL ? OK
			      : fault_set(fault, ERR_INVALID, NULL, "database",
					  "The database must be given as sqlite:PATH, for example sqlite:innkeeper.db, "
					  "or as postgres://USER@HOST/DATABASE.");
}

enum err db_open(struct db **out, struct text url, enum db_use use, const struct log *log, struct fault *fault)
{
	bool remote;
	enum err err = db_know(url, &remote, fault);

	*out = NULL;
	if (err != OK)
		return err;
	return find(url)->open(out, url, use == DB_WRITE_ON && !remote ? DB_WRITE : use, log, fault);
}

void db_close(struct db *db)
{
	if (db != NULL)
		db->engine->close(db);
}

bool db_is_remote(const struct db *db)
{
	return db->engine->remote;
}

size_t db_lane(const struct db *db)
{
	return db->lane;
}

void db_set_lane(struct db *db, size_t lane)
{
	db->lane = lane;
}

enum err db_begin(struct db *db)
{
	return db->engine->begin(db);
}

enum err db_end(struct db *db, bool keep)
{
	return db->engine->end(db, keep);
}

bool db_stands(const struct db *db)
{
	return db->engine->stands == NULL || db->engine->stands(db);
}

void db_limit(struct db *db, int64_t microseconds)
{
	db->engine->limit(db, microseconds);
}

void db_hurry(struct db *db, const struct budget *budget)
{
	if (db->engine->hurry != NULL)
		db->engine->hurry(db, budget);
}

enum err db_enter(struct db *db, const struct scope *scope)
{
	return db->engine->enter(db, scope);
}

const struct scope *db_scope(const struct db *db)
{
	return db->engine->scope(db);
}

enum err db_leave(struct db *db, bool keep)
{
	return db->engine->leave(db, keep);
}

enum err db_start(struct db *db, enum statement_id id, const void *in)
{
	return db->engine->start(db, id, in);
}

enum err db_step(struct db *db, enum statement_id id, void *out)
{
	return db->engine->step(db, id, out);
}

void db_stop(struct db *db, enum statement_id id)
{
	db->engine->stop(db, id);
}

static enum err send_at_once(struct db *db, enum statement_id id, const void *in)
{
	enum err err = db_start(db, id, in);

	if (err == OK)
		err = db_step(db, id, NULL);
	db_stop(db, id);
	if (err == ERR_NOT_FOUND)
		err = db_changed(db) == 1 ? OK : ERR_CONFLICT;
	return err;
}

enum err db_send(struct db *db, enum statement_id id, const void *in)
{
	return db->engine->send == NULL ? send_at_once(db, id, in) : db->engine->send(db, id, in);
}

enum err db_catch_up(struct db *db)
{
	return db->engine->catch_up == NULL ? OK : db->engine->catch_up(db);
}

void db_foresee(struct db *db, enum statement_id id, const void *in)
{
	if (db->engine->foresee != NULL)
		db->engine->foresee(db, id, in);
}

void db_set_care(struct db *db, bool care)
{
	if (db->engine->set_care != NULL)
		db->engine->set_care(db, care);
}

bool db_looks_ahead(const struct db *db)
{
	return db->engine->looks_ahead != NULL && db->engine->looks_ahead(db);
}

bool db_wants_care(const struct db *db)
{
	return db->engine->wants_care != NULL && db->engine->wants_care(db);
}

enum err db_notify(struct db *db, struct text words)
{
	return db->engine->notify == NULL ? OK : db->engine->notify(db, words);
}

int64_t db_changed(const struct db *db)
{
	return db->engine->changed(db);
}

int64_t db_inserted(const struct db *db)
{
	return db->engine->inserted(db);
}

enum err db_script(struct db *db, const char *sql, struct fault *fault)
{
	return db->engine->script(db, sql, fault);
}

enum err db_tidy(struct db *db, bool idle)
{
	return db->engine->tidy(db, idle);
}

int64_t db_size(struct db *db)
{
	return db->engine->size(db);
}
