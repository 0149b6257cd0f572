/* What stands behind db.h: each function of it as one engine does it. db.h says what each must do.
 * Owner: constant data of db_sqlite.c and db_postgres.c. A struct db is the first member of the engine's own
 * connection. Never included outside the store: who uses a db does not know which engine answers. Next: db.c, which
 * chooses by the URL's scheme. */
#ifndef INNKEEPER_STORE_ENGINE_H
#define INNKEEPER_STORE_ENGINE_H

#include "store/db.h"

struct engine {
	const char *const *schemes; /* how its URLs begin; NULL-terminated */
	bool remote;                /* another process answers: who asks waits for it */
	enum err (*init)(void);     /* may be NULL */
	enum err (*open)(struct db **out, struct text url, enum db_use use, const struct log *log, struct fault *fault);
	void (*close)(struct db *db);
	enum err (*begin)(struct db *db);
	enum err (*end)(struct db *db, bool keep);
	bool (*stands)(const struct db *db); /* NULL: always */
	void (*limit)(struct db *db, int64_t microseconds);
	void (*hurry)(struct db *db, const struct budget *budget); /* NULL: a statement cannot be hurried */
	enum err (*enter)(struct db *db, const struct scope *scope);
	const struct scope *(*scope)(const struct db *db);
	enum err (*leave)(struct db *db, bool keep);
	enum err (*start)(struct db *db, enum statement_id id, const void *in);
	enum err (*step)(struct db *db, enum statement_id id, void *out);
	void (*stop)(struct db *db, enum statement_id id);
	/* NULL, all six: a database of our own has no way to wait for. */
	enum err (*send)(struct db *db, enum statement_id id, const void *in);
	enum err (*catch_up)(struct db *db);
	void (*foresee)(struct db *db, enum statement_id id, const void *in);
	void (*set_care)(struct db *db, bool care);
	bool (*wants_care)(const struct db *db);
	bool (*looks_ahead)(const struct db *db);
	enum err (*notify)(struct db *db, struct text words); /* NULL: there is nobody to tell */
	int64_t (*changed)(const struct db *db);
	int64_t (*inserted)(const struct db *db);
	enum err (*script)(struct db *db, const char *sql, struct fault *fault);
	enum err (*tidy)(struct db *db, bool idle);
	int64_t (*size)(struct db *db);
};

struct db {
	const struct engine *engine;
	size_t lane; /* db_lane */
};

extern const struct engine engine_sqlite;
extern const struct engine engine_postgres;

#endif
