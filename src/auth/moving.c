#include "auth/moving.h"

#include "auth/password.h"
#include "auth/session.h"
#include "auth/system_query.h"
#include "auth/tenant.h"
#include "store/query.h"

static enum err understand(struct arena *arena, struct text way, struct moving *out)
{
	out->way = way.at == NULL ? MOVING_NOT : text_equal(way, TEXT("in")) ? MOVING_IN : MOVING_OUT;
	out->scope = tenant_scope(arena, &out->id);
	return out->scope == NULL ? ERR_MEMORY : OK;
}

enum err moving_by_slug(struct readers *readers, struct arena *arena, struct text slug, struct moving *out)
{
	struct moving_by_slug_out row;
	enum err err =
	    system_ask(readers, STATEMENT_MOVING_BY_SLUG, &(struct moving_by_slug_in){ .slug = slug }, &row, arena);

	if (err != OK)
		return err;
	*out = (struct moving){ .id = row.id, .slug = slug, .by = row.moving_by, .at = row.moving_at };
	return understand(arena, row.moving, out);
}

enum err moving_by_id(struct readers *readers, struct arena *arena, const struct uuid *id, struct moving *out)
{
	struct moving_by_id_out row;
	enum err err = system_ask(readers, STATEMENT_MOVING_BY_ID, &(struct moving_by_id_in){ .id = *id }, &row, arena);

	if (err != OK)
		return err;
	*out = (struct moving){ .id = *id, .slug = row.slug, .by = row.moving_by, .at = row.moving_at };
	return understand(arena, row.moving, out);
}

enum err moving_next(struct readers *readers, struct arena *arena, const struct uuid *after, struct moving *out)
{
	struct moving_next_out row;
	enum err err =
	    system_ask(readers, STATEMENT_MOVING_NEXT, &(struct moving_next_in){ .after = *after }, &row, arena);

	if (err != OK)
		return err;
	*out = (struct moving){ .id = row.id, .by = row.moving_by, .at = row.moving_at };
	return understand(arena, row.moving, out);
}

static enum err found(struct db *db, void *context)
{
	return query_run(db, STATEMENT_MOVE_IN_ORGANIZATION, context, NULL);
}

enum err moving_found(struct writer *writer, struct arena *arena, const struct move_in_organization_in *organization,
		      const struct scope **scope)
{
	struct move_in_organization_in row = *organization;

	*scope = tenant_scope(arena, &organization->id);
	return *scope == NULL ? ERR_MEMORY : writer_perform(writer, tenant_system(), found, &row);
}

enum err moving_account(struct db *db, struct arena *arena, const struct uuid *id, struct move_out_account_out *out)
{
	return system_one(db, STATEMENT_MOVE_OUT_ACCOUNT, &(struct move_out_account_in){ .id = *id }, out, arena);
}

enum err moving_identities(struct db *db, const struct uuid *account,
			   enum err (*each)(void *context, const struct move_out_identities_out *identity),
			   void *context)
{
	const struct move_out_identities_in in = { .account_id = *account };
	struct move_out_identities_out row;
	enum err err = db_enter(db, tenant_system());
	enum err left;

	if (err != OK)
		return err;
	err = db_start(db, STATEMENT_MOVE_OUT_IDENTITIES, &in);
	while (err == OK && (err = db_step(db, STATEMENT_MOVE_OUT_IDENTITIES, &row)) == OK)
		err = each(context, &row);
	db_stop(db, STATEMENT_MOVE_OUT_IDENTITIES);
	left = db_leave(db, true);
	if (err == ERR_NOT_FOUND)
		err = OK;
	return err == OK ? left : err;
}

/* A password of a stranger's making could cost more than we have each time somebody signs in. */
static enum err make_account(struct db *db, struct arena *arena, const struct move_in_account_in *row, struct uuid *id)
{
	struct move_in_account_in made = *row;
	struct account_by_id_out other;
	enum err err =
	    system_one(db, STATEMENT_ACCOUNT_BY_ID, &(struct account_by_id_in){ .id = row->id }, &other, arena);

	if (err == OK)
		made.id = uuid_new();
	else if (err != ERR_NOT_FOUND)
		return err;
	if (!password_is_hash(made.password_hash))
		made.password_hash = (struct text){ 0 };
	*id = made.id;
	return system_run(db, STATEMENT_MOVE_IN_ACCOUNT, &made, NULL);
}

enum err moving_take_account(struct db *db, struct arena *arena, const struct move_in_account_in *row, struct uuid *id,
			     bool *made)
{
	struct move_in_account_in own = *row;
	struct account_by_email_out there;
	enum err err = text_email(arena, row->email, &own.email);

	*made = false;
	if (err != OK)
		return err;
	err = system_one(db, STATEMENT_ACCOUNT_BY_EMAIL, &(struct account_by_email_in){ .email = own.email }, &there,
			 arena);
	if (err == OK)
		*id = there.id;
	if (err != ERR_NOT_FOUND)
		return err;
	*made = true;
	return make_account(db, arena, &own, id);
}

enum err moving_take_identity(struct db *db, const struct move_in_identity_in *row)
{
	return system_run(db, STATEMENT_MOVE_IN_IDENTITY, row, NULL);
}

enum err moving_drop_account(struct db *db, struct arena *arena, const struct uuid *account, bool *gone)
{
	struct membership_count_out left;
	enum err err = system_one(db, STATEMENT_MEMBERSHIP_COUNT,
				  &(struct membership_count_in){ .account_id = *account }, &left, arena);

	*gone = err == OK && left.count == 0;
	if (!*gone)
		return err;
	err = session_end_all(db, account);
	if (err == OK)
		err = system_run(db, STATEMENT_IDENTITIES_DELETE_OF_ACCOUNT,
				 &(struct identities_delete_of_account_in){ .account_id = *account }, NULL);
	return err == OK ? system_run(db, STATEMENT_ACCOUNT_DELETE, &(struct account_delete_in){ .id = *account }, NULL)
			 : err;
}

enum err moving_end_sessions(struct db *db, const struct uuid *organization, int64_t *count)
{
	return system_run(db, STATEMENT_SESSIONS_DELETE_OF_ORGANIZATION,
			  &(struct sessions_delete_of_organization_in){ .organization_id = *organization }, count);
}

const struct scope *moving_system(void)
{
	return tenant_system();
}
