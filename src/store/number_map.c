#include "store/number_map.h"

#include <sqlite3.h>
#include <stdlib.h>

struct number_map {
	sqlite3 *sqlite;
	sqlite3_stmt *put;
	sqlite3_stmt *set;
	sqlite3_stmt *get;
};

/* An empty name is a database of its own on disk, under no name, gone with its connection:
 * https://www.sqlite.org/inmemorydb.html#temp_db. It is never rolled back and never synced. */
static const char setup[] = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -16384; BEGIN;"
			    "CREATE TABLE map (kind INTEGER NOT NULL, given INTEGER NOT NULL, got INTEGER NOT NULL,"
			    " PRIMARY KEY (kind, given)) STRICT, WITHOUT ROWID";

enum err number_map_new(struct number_map **out)
{
	struct number_map *map = calloc(1, sizeof *map);

	*out = NULL;
	if (map == NULL)
		return ERR_MEMORY;
	if (sqlite3_open_v2("", &map->sqlite,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
			    NULL) != SQLITE_OK ||
	    sqlite3_exec(map->sqlite, setup, NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(map->sqlite, "INSERT INTO map (kind, given, got) VALUES (?1, ?2, ?3)", -1, &map->put,
			       NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(map->sqlite, "REPLACE INTO map (kind, given, got) VALUES (?1, ?2, ?3)", -1, &map->set,
			       NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(map->sqlite, "SELECT got FROM map WHERE kind = ?1 AND given = ?2", -1, &map->get,
			       NULL) != SQLITE_OK) {
		number_map_free(map);
		return ERR_MEMORY;
	}
	*out = map;
	return OK;
}

void number_map_free(struct number_map *map)
{
	if (map == NULL)
		return;
	sqlite3_finalize(map->put);
	sqlite3_finalize(map->set);
	sqlite3_finalize(map->get);
	sqlite3_close(map->sqlite);
	free(map);
}

static enum err store(sqlite3_stmt *statement, int64_t kind, int64_t from, int64_t to)
{
	int status;

	sqlite3_bind_int64(statement, 1, kind);
	sqlite3_bind_int64(statement, 2, from);
	sqlite3_bind_int64(statement, 3, to);
	status = sqlite3_step(statement);
	sqlite3_reset(statement);
	if (status == SQLITE_DONE)
		return OK;
	return (status & 0xff) == SQLITE_CONSTRAINT ? ERR_CONFLICT : ERR_UNAVAILABLE; /* no room on the disk */
}

enum err number_map_put(struct number_map *map, int64_t kind, int64_t from, int64_t to)
{
	return store(map->put, kind, from, to);
}

enum err number_map_set(struct number_map *map, int64_t kind, int64_t from, int64_t to)
{
	return store(map->set, kind, from, to);
}

enum err number_map_get(struct number_map *map, int64_t kind, int64_t from, int64_t *to)
{
	int status;

	sqlite3_bind_int64(map->get, 1, kind);
	sqlite3_bind_int64(map->get, 2, from);
	status = sqlite3_step(map->get);
	if (status == SQLITE_ROW)
		*to = sqlite3_column_int64(map->get, 0);
	sqlite3_reset(map->get);
	return status == SQLITE_ROW ? OK : status == SQLITE_DONE ? ERR_NOT_FOUND : ERR_UNAVAILABLE;
}
