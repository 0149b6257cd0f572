#include "store/postgres_setup.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "store/postgres_plain.h"
#include "store/statement.h"

#define PASSWORD_BYTES 24
#define PASSWORD_SIZE  sodium_base64_ENCODED_LEN(PASSWORD_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING)

static enum err run(PGconn *connection, const char *sql, struct fault *fault)
{
	char reason[POSTGRES_REASON_SIZE];

	if (postgres_plain_run(connection, sql, reason))
		return OK;
	return fault_set(fault, ERR_STORAGE, NULL, NULL, "The database's roles could not be made: %s.", reason);
}

static bool ask(PGconn *connection, const char *sql)
{
	char answer[8];

	postgres_plain_ask(connection, sql, answer, sizeof answer);
	return strcmp(answer, "t") == 0;
}

/* The server is sent the verifier alone, so that its log never holds the password. */
static enum err set_password(PGconn *connection, const char *role, const char *password, struct fault *fault)
{
	char *verifier = PQencryptPasswordConn(connection, password, role, "scram-sha-256");
	char *literal = verifier == NULL ? NULL : PQescapeLiteral(connection, verifier, strlen(verifier));
	char sql[512];
	enum err err;

	if (literal == NULL)
		err = fault_set(fault, ERR_STORAGE, NULL, NULL, "A password could not be made.");
	else
		err = snprintf(sql, sizeof sql, "ALTER ROLE %s PASSWORD %s", role, literal) < (int)sizeof sql
			  ? run(connection, sql, fault)
			  : fault_set(fault, ERR_STORAGE, NULL, NULL, "A password could not be made.");
	PQfreemem(literal);
	PQfreemem(verifier);
	return err;
}

/* A socket's folder cannot stand before the slash. */
static enum err write_url(PGconn *connection, const char *role, const char *password, struct arena *arena,
			  struct text *out)
{
	const char *host = PQhost(connection);
	const bool socket = host != NULL && host[0] == '/';
	struct buffer url;

	buffer_init(&url, 4096);
	buffer_format(&url, "postgres://%s:%s@%s:%s/%s%s%s", role, password, socket || host == NULL ? "" : host,
		      PQport(connection), PQdb(connection), socket ? "?host=" : "", socket ? host : "");
	*out = text_copy(arena, (struct text){ url.at, url.length });
	buffer_fini(&url);
	return out->at == NULL ? ERR_MEMORY : OK;
}

static enum err give_password(PGconn *connection, const char *role, bool always, struct arena *arena, struct text *out,
			      struct fault *fault)
{
	unsigned char bytes[PASSWORD_BYTES];
	char password[PASSWORD_SIZE];
	char question[160];
	enum err err;

	snprintf(question, sizeof question, "SELECT EXISTS (SELECT FROM innkeeper_roles_before WHERE rolname = '%s')",
		 role);
	if (!always && ask(connection, question))
		return OK;
	randombytes_buf(bytes, sizeof bytes);
	sodium_bin2base64(password, sizeof password, bytes, sizeof bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	err = set_password(connection, role, password, fault);
	if (err == OK)
		err = write_url(connection, role, password, arena, out);
	sodium_memzero(password, sizeof password);
	return err;
}

static enum err set_up(PGconn *connection, bool new_passwords, struct arena *arena, struct postgres_setup *out,
		       struct fault *fault)
{
	enum err err;

	if (!ask(connection, "SELECT rolsuper OR rolcreaterole FROM pg_catalog.pg_roles WHERE rolname = current_user"))
		return OK;
	out->administrator = true;
	err = run(connection, "BEGIN", fault);
	if (err == OK)
		err = run(connection,
			  "CREATE TEMPORARY TABLE innkeeper_roles_before ON COMMIT DROP AS "
			  "SELECT rolname FROM pg_catalog.pg_roles",
			  fault);
	if (err == OK)
		err = run(connection, postgres_roles, fault);
	if (err == OK)
		err = give_password(connection, "innkeeper_server", new_passwords, arena, &out->server_url, fault);
	if (err == OK)
		err = give_password(connection, "innkeeper_migrator", new_passwords, arena, &out->migrator_url, fault);
	return err == OK ? run(connection, "COMMIT", fault) : err;
}

enum err postgres_set_up(struct text url, bool new_passwords, struct arena *arena, struct postgres_setup *out,
			 struct fault *fault)
{
	PGconn *connection;
	enum err err = postgres_plain_open(&connection, url, fault);

	*out = (struct postgres_setup){ 0 };
	if (err == OK)
		err = set_up(connection, new_passwords, arena, out, fault);
	PQfinish(connection);
	return err;
}
