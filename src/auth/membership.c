#include "auth/membership.h"

#include "auth/session.h"
#include "auth/system_query.h"

enum err membership_last(struct readers *readers, struct arena *arena, const struct uuid *account, struct uuid *out)
{
	struct membership_list_out first;
	enum err err = system_ask(readers, STATEMENT_MEMBERSHIP_LIST,
				  &(struct membership_list_in){ .account_id = *account }, &first, arena);

	if (err == OK)
		*out = first.organization_id;
	return err;
}

enum err membership_account(struct readers *readers, struct arena *arena, const struct uuid *account,
			    struct account_by_id_out *out)
{
	return system_ask(readers, STATEMENT_ACCOUNT_BY_ID, &(struct account_by_id_in){ .id = *account }, out, arena);
}

enum err membership_confirm_password(struct db *db, struct arena *arena, const struct uuid *account, struct text hash)
{
	struct account_by_id_out row;
	enum err err =
	    system_one(db, STATEMENT_ACCOUNT_BY_ID, &(struct account_by_id_in){ .id = *account }, &row, arena);

	return err == OK && !text_equal(row.password_hash, hash) ? ERR_NOT_FOUND : err;
}

enum err membership_set_password(struct db *db, const struct uuid *account, struct text hash, int64_t now)
{
	enum err err =
	    system_run(db, STATEMENT_ACCOUNT_SET_PASSWORD,
		       &(struct account_set_password_in){ .id = *account, .password_hash = hash, .now = now }, NULL);

	return err == OK ? session_end_all(db, account) : err;
}

enum err membership_make_account(struct db *db, const struct account_create_in *account)
{
	return system_run(db, STATEMENT_ACCOUNT_CREATE, account, NULL);
}
