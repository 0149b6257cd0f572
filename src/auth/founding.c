#include "auth/founding.h"

#include "auth/tenant.h"
#include "store/query.h"

static enum err enter_and_run(struct db *db, const struct scope *scope, enum statement_id id, const void *in)
{
	enum err err = db_enter(db, scope);
	enum err left;

	if (err != OK)
		return err;
	err = query_run(db, id, in, NULL);
	left = db_leave(db, err == OK);
	return err == OK ? left : err;
}

enum err founding_organization(struct db *db, struct arena *arena, const struct organization_create_in *organization,
			       const struct api_key_create_in *key)
{
	const struct scope *tenant = tenant_scope(arena, &organization->id);
	enum err err = tenant == NULL ? ERR_MEMORY
				      : enter_and_run(db, tenant_system(), STATEMENT_ORGANIZATION_CREATE, organization);

	return err == OK ? enter_and_run(db, tenant, STATEMENT_API_KEY_CREATE, key) : err;
}

enum err founding_account(struct db *db, struct arena *arena, const struct account_create_in *account, struct uuid *out)
{
	struct account_by_email_out there;
	enum err left;
	enum err err = db_enter(db, tenant_system());

	if (err != OK)
		return err;
	*out = account->id;
	err = query_one(db, STATEMENT_ACCOUNT_BY_EMAIL, &(struct account_by_email_in){ .email = account->email },
			&there, arena);
	if (err == ERR_NOT_FOUND) {
		err = query_run(db, STATEMENT_ACCOUNT_CREATE, account, NULL);
	} else if (err == OK) {
		*out = there.id;
		if (account->password_hash.at != NULL)
			err = ERR_CONFLICT;
	}
	left = db_leave(db, err == OK);
	return err == OK ? left : err;
}
