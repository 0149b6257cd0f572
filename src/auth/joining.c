#include "auth/joining.h"

#include "auth/session.h"
#include "auth/system_query.h"
#include "auth/tenant.h"
#include "store/query.h"

enum err joining_invite(struct db *db, const struct uuid *user, int64_t now, struct invitation *out)
{
	char hash[TOKEN_HASH_SIZE];

	token_make(out->token);
	(void)token_hash(text_of(out->token), hash);
	out->expires_at = now + INVITATION_LIFETIME;
	return query_run(db, STATEMENT_INVITATION_CREATE,
			 &(struct invitation_create_in){
			     .user_id = *user, .hash = text_of(hash), .now = now, .expires_at = out->expires_at },
			 NULL);
}

enum err joining_find(struct readers *readers, struct arena *arena, struct text token, int64_t now,
		      struct invitation_by_hash_out *out)
{
	char hash[TOKEN_HASH_SIZE];

	if (!token_hash(token, hash))
		return ERR_NOT_FOUND;
	return system_ask(readers, STATEMENT_INVITATION_BY_HASH,
			  &(struct invitation_by_hash_in){ .hash = text_of(hash), .now = now }, out, arena);
}

enum err joining_find_beside(struct db *db, struct arena *arena, struct text token, int64_t now,
			     struct invitation_by_hash_out *out)
{
	char hash[TOKEN_HASH_SIZE];

	if (!token_hash(token, hash))
		return ERR_NOT_FOUND;
	return system_one(db, STATEMENT_INVITATION_BY_HASH,
			  &(struct invitation_by_hash_in){ .hash = text_of(hash), .now = now }, out, arena);
}

enum err joining_account(struct readers *readers, struct arena *arena, struct text email,
			 struct account_by_email_out *out)
{
	return system_ask(readers, STATEMENT_ACCOUNT_BY_EMAIL, &(struct account_by_email_in){ .email = email }, out,
			  arena);
}

static enum err bind(struct db *db, struct arena *arena, const struct invitation_by_hash_out *found,
		     const struct uuid *account, struct text name, int64_t now)
{
	const struct scope *scope = tenant_scope(arena, &found->organization_id);
	int64_t taken = 0;
	enum err err = scope == NULL
			   ? ERR_MEMORY
			   : tenant_run(db, scope, STATEMENT_USER_TAKE_ACCOUNT,
					&(struct user_take_account_in){
					    .id = found->user_id, .account_id = *account, .name = name, .now = now },
					&taken);

	if (err == OK && taken != 1)
		return ERR_NOT_FOUND;
	if (err == OK)
		err = tenant_run(db, scope, STATEMENT_INVITATION_DELETE,
				 &(struct invitation_delete_in){ .user_id = found->user_id }, NULL);
	return err;
}

enum err joining_accept(struct db *db, struct arena *arena, struct text token, const struct uuid *account,
			struct text password_hash, struct text name, int64_t now, struct invitation_by_hash_out *out)
{
	char hash[TOKEN_HASH_SIZE];
	enum err err = ERR_NOT_FOUND;

	if (token_hash(token, hash))
		err = system_one(db, STATEMENT_INVITATION_BY_HASH,
				 &(struct invitation_by_hash_in){ .hash = text_of(hash), .now = now }, out, arena);
	if (err == OK && password_hash.at != NULL)
		err = system_run(
		    db, STATEMENT_ACCOUNT_CREATE,
		    &(struct account_create_in){
			.id = *account, .email = out->email, .name = name, .password_hash = password_hash, .now = now },
		    NULL);
	return err == OK ? bind(db, arena, out, account, name, now) : err;
}

static enum err drop_account(struct db *db, const struct uuid *account)
{
	enum err err = session_end_all(db, account);

	if (err == OK)
		err = system_run(db, STATEMENT_IDENTITIES_DELETE_OF_ACCOUNT,
				 &(struct identities_delete_of_account_in){ .account_id = *account }, NULL);
	if (err == OK)
		err = system_run(db, STATEMENT_ACCOUNT_DELETE, &(struct account_delete_in){ .id = *account }, NULL);
	return err;
}

enum err joining_leave(struct db *db, struct arena *arena, const struct uuid *organization,
		       const struct user_by_id_out *user)
{
	struct membership_count_out left;
	enum err err =
	    query_run(db, STATEMENT_INVITATION_DELETE, &(struct invitation_delete_in){ .user_id = user->id }, NULL);

	if (err == OK)
		err = query_run(db, STATEMENT_USER_DELETE, &(struct user_delete_in){ .id = user->id }, NULL);
	if (err != OK || uuid_is_nil(&user->account_id))
		return err;
	err = session_end_member(db, &user->account_id, organization);
	if (err == OK)
		err = system_one(db, STATEMENT_MEMBERSHIP_COUNT,
				 &(struct membership_count_in){ .account_id = user->account_id }, &left, arena);
	if (err == OK && left.count == 0)
		err = drop_account(db, &user->account_id);
	return err;
}
