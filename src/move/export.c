#include "analytics/counting.h"
#include "auth/audit.h"
#include "base/clock.h"
#include "move/move.h"
#include "store/query.h"

#define NOTE_ROWS 256 /* between two words of how far it is */

struct exporting {
	const struct move_place *place;
	struct db *db; /* of one moment */
	struct arena *arena;
	struct archive *archive;
	struct fault *fault;
	size_t tables[MOVE_LEAVINGS]; /* of the archive, by move_tables */
	size_t accounts;
	size_t identities;
	struct member {
		struct member *next;
		struct uuid account;
	} * members;
	int64_t rows;
	int64_t unsaid; /* of them, since it was last said how far it is */
};

static enum err add(struct exporting *exporting, size_t which, const void *row)
{
	enum err err = archive_add(exporting->archive, which, row);

	exporting->rows++;
	if (++exporting->unsaid == NOTE_ROWS) {
		moves_step(exporting->place->moves, exporting->unsaid);
		exporting->unsaid = 0;
	}
	return err;
}

/* A row whose number is there already: a chain that leads twice to one message. */
static enum err explain(const struct exporting *exporting, const char *table, enum err err)
{
	if (err != ERR_CONFLICT)
		return err;
	return fault_set(exporting->fault, ERR_STORAGE, NULL, NULL,
			 "The database is damaged: a row of %s is there twice. Restore a backup.", table);
}

static enum err make_tables(struct exporting *exporting, size_t *organizations)
{
	struct archive *archive = exporting->archive;
	enum err err = archive_table(archive, "organizations", STATEMENT_MOVE_OUT_ORGANIZATIONS, organizations);

	if (err == OK)
		err = archive_table(archive, "accounts", STATEMENT_MOVE_OUT_ACCOUNT, &exporting->accounts);
	if (err == OK)
		err = archive_table(archive, "identities", STATEMENT_MOVE_OUT_IDENTITIES, &exporting->identities);
	for (size_t i = 0; err == OK && i < move_table_count; i++)
		err = archive_table(archive, move_tables[i].name, move_tables[i].out, &exporting->tables[i]);
	return err;
}

static enum err add_organization(struct exporting *exporting, size_t which, struct archive_manifest *manifest)
{
	struct move_out_organizations_out row;
	enum err err = query_one(exporting->db, STATEMENT_MOVE_OUT_ORGANIZATIONS, NULL, &row, exporting->arena);

	if (err != OK)
		return err;
	*manifest = (struct archive_manifest){ .format = ARCHIVE_FORMAT,
					       .schema = migrations[migration_count - 1].number,
					       .organization = row.id,
					       .slug = row.slug,
					       .organization_name = row.organization_name,
					       .engine = exporting->place->remote ? TEXT("postgres") : TEXT("sqlite"),
					       .made_at = clock_now() };
	return add(exporting, which, &row);
}

/* The account is read later: a scope that is left ends what is read around it. */
static enum err remember_member(struct exporting *exporting, const struct uuid *account)
{
	struct member *member;

	if (uuid_is_nil(account))
		return OK;
	member = arena_take(exporting->arena, sizeof *member);
	if (member == NULL)
		return ERR_MEMORY;
	*member = (struct member){ exporting->members, *account };
	exporting->members = member;
	return OK;
}

static enum err add_conversation(struct exporting *exporting, size_t which, int64_t last_message)
{
	const struct move_out_conversation_in in = { .last_message = last_message };
	struct move_out_conversation_out row;
	enum err err =
	    last_message == DB_NULL ? ERR_NOT_FOUND : db_start(exporting->db, STATEMENT_MOVE_OUT_CONVERSATION, &in);

	while (err == OK && (err = db_step(exporting->db, STATEMENT_MOVE_OUT_CONVERSATION, &row)) == OK)
		err = explain(exporting, "messages", add(exporting, which, &row));
	db_stop(exporting->db, STATEMENT_MOVE_OUT_CONVERSATION);
	return err == ERR_NOT_FOUND ? OK : err;
}

static size_t table_of(enum move_kind kind)
{
	size_t i = 0;

	while (move_tables[i].kind != kind)
		i++;
	return i;
}

static enum err add_row(struct exporting *exporting, size_t table, const union query_row *row)
{
	enum err err = explain(exporting, move_tables[table].name, add(exporting, exporting->tables[table], row));

	if (err == OK && move_tables[table].kind == MOVE_USERS)
		err = remember_member(exporting, &((const struct move_out_users_out *)row)->account_id);
	if (err == OK && move_tables[table].kind == MOVE_ACTIVITIES && !exporting->place->remote)
		err = add_conversation(exporting, exporting->tables[table_of(MOVE_MESSAGES)],
				       ((const struct move_out_chat_activity_out *)row)->last_message);
	return err;
}

static enum err add_table(struct exporting *exporting, size_t table)
{
	const enum statement_id id = move_tables[table].out;
	union query_row row;
	enum err err;

	if (move_tables[table].kind == MOVE_MESSAGES && !exporting->place->remote)
		return OK; /* chat by chat */
	moves_part(exporting->place->moves, move_tables[table].name, 0);
	err = db_start(exporting->db, id, NULL);
	while (err == OK && (err = db_step(exporting->db, id, &row)) == OK) {
		err = add_row(exporting, table, &row);
		if (err == OK && atomic_load(exporting->place->ending))
			err = ERR_UNAVAILABLE;
	}
	db_stop(exporting->db, id);
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err add_identity(void *context, const struct move_out_identities_out *identity)
{
	struct exporting *exporting = context;

	return add(exporting, exporting->identities, identity);
}

/* One that two members share is there once. */
static enum err add_accounts(struct exporting *exporting)
{
	enum err err = OK;

	for (const struct member *member = exporting->members; err == OK && member != NULL; member = member->next) {
		struct move_out_account_out row;

		err = moving_account(exporting->db, exporting->arena, &member->account, &row);
		if (err == OK)
			err = add(exporting, exporting->accounts, &row);
		if (err == OK)
			err = moving_identities(exporting->db, &member->account, add_identity, exporting);
		else if (err == ERR_CONFLICT)
			err = OK;
	}
	return err;
}

static enum err read_all(struct exporting *exporting, const struct scope *scope, struct archive_manifest *manifest)
{
	struct reading reading;
	size_t organizations;
	enum err err = make_tables(exporting, &organizations);

	if (err == OK)
		err = readers_enter(exporting->place->readers, scope, &reading);
	if (err != OK)
		return err;
	readers_take_time(&reading);
	exporting->db = reading.db;
	err = add_organization(exporting, organizations, manifest);
	for (size_t i = 0; err == OK && i < move_table_count; i++)
		err = add_table(exporting, i);
	if (err == OK)
		err = add_accounts(exporting);
	readers_leave(exporting->place->readers, &reading);
	return err;
}

static enum err write_record(struct db *db, void *context)
{
	return audit_write(db, context);
}

/* Before the moment that is read: the file tells of it too, and the organization reads the same wherever it comes in.
 */
static enum err record(const struct move_place *place, const struct scope *scope)
{
	struct audit_entry entry = { .at = clock_now(), .actor = AUDIT_OPERATOR, .action = "organization.export" };

	return move_piece(place, scope, write_record, &entry);
}

enum err move_export(const struct move_place *place, const struct scope *scope, struct text path, struct arena *arena,
		     struct move_exported *out, struct fault *fault)
{
	struct exporting exporting = { .place = place, .arena = arena, .fault = fault };
	enum err err = archive_create(&exporting.archive, path, place->log, fault);

	if (err == OK)
		err = record(place, scope);
	if (err == OK)
		err = read_all(&exporting, scope, &out->manifest);
	moves_part(place->moves, "checksums", 0);
	if (err == OK)
		err = archive_finish(exporting.archive, &out->manifest, &out->file);
	archive_close(exporting.archive);
	out->rows = exporting.rows;
	return err;
}
