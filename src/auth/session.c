#include "auth/session.h"

#include <string.h>

#include "auth/system_query.h"
#include "auth/tenant.h"
#include "store/query.h"

#define SLIDE_EVERY ((int64_t)60 * 60 * 1000) /* ms: no use of a session costs a write more often */

enum err session_find(struct readers *readers, struct arena *arena, struct text token, int64_t now,
		      struct session_holder *out)
{
	struct session_by_hash_out row;
	enum err err;

	*out = (struct session_holder){ 0 };
	if (!token_hash(token, out->hash))
		return ERR_UNAUTHORIZED;
	err = system_ask(readers, STATEMENT_SESSION_BY_HASH,
			 &(struct session_by_hash_in){ .hash = text_of(out->hash), .now = now }, &row, arena);
	if (err == ERR_NOT_FOUND || (err == OK && !role_of(row.role, &out->role)))
		return ERR_UNAUTHORIZED;
	if (err != OK)
		return err;
	out->there = true;
	out->account = row.account_id;
	out->user = row.user_id;
	out->organization = row.organization_id;
	out->email = row.email;
	out->name = row.name;
	out->image = row.image;
	out->slug = row.slug;
	out->organization_name = row.organization_name;
	out->expires_at = row.expires_at;
	return OK;
}

enum err session_confirm(struct db *db, struct arena *arena, struct session_holder *holder, int64_t now)
{
	struct session_by_hash_out row;
	enum err err =
	    system_one(db, STATEMENT_SESSION_BY_HASH,
		       &(struct session_by_hash_in){ .hash = text_of(holder->hash), .now = now }, &row, arena);

	if (err == ERR_NOT_FOUND || (err == OK && (!uuid_equal(&row.organization_id, &holder->organization) ||
						   !role_of(row.role, &holder->role))))
		return ERR_UNAUTHORIZED;
	return err;
}

struct slide {
	char hash[TOKEN_HASH_SIZE];
	int64_t expires_at;
};

static enum err extend(struct db *db, void *context)
{
	const struct slide *slide = context;

	return query_run(db, STATEMENT_SESSION_EXTEND,
			 &(struct session_extend_in){ .hash = text_of(slide->hash), .expires_at = slide->expires_at },
			 NULL);
}

bool session_slide(struct writer *writer, struct session_holder *holder, int64_t now)
{
	struct slide slide = { .expires_at = now + SESSION_LIFETIME };

	if (holder->expires_at > slide.expires_at - SLIDE_EVERY)
		return false;
	memcpy(slide.hash, holder->hash, sizeof slide.hash);
	if (writer_post(writer, tenant_system(), extend, &slide, sizeof slide) != OK)
		return false;
	holder->expires_at = slide.expires_at;
	return true;
}

/* The membership is noted as the one used last: signing in leads there again. */
static enum err enter(struct db *db, struct arena *arena, const struct uuid *account, const struct uuid *organization,
		      int64_t now, struct membership_find_out *member)
{
	const struct scope *scope = tenant_scope(arena, organization);
	enum err err =
	    scope == NULL
		? ERR_MEMORY
		: system_one(db, STATEMENT_MEMBERSHIP_FIND,
			     &(struct membership_find_in){ .account_id = *account, .organization_id = *organization },
			     member, arena);

	if (err != OK)
		return err;
	return tenant_run(db, scope, STATEMENT_USER_SIGNED_IN,
			  &(struct user_signed_in_in){ .id = member->user_id, .now = now }, NULL);
}

/* The one just made, `hash`, stays, whatever the clock has done. */
static enum err end_surplus(struct db *db, struct arena *arena, const struct uuid *account, const char *hash)
{
	struct session_surplus_out first;
	enum err err = system_one(
	    db, STATEMENT_SESSION_SURPLUS,
	    &(struct session_surplus_in){ .account_id = *account, .hash = text_of(hash), .others = SESSION_MOST - 1 },
	    &first, arena);

	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	return system_run(
	    db, STATEMENT_SESSIONS_DELETE_SURPLUS,
	    &(struct sessions_delete_surplus_in){
		.account_id = *account, .hash = text_of(hash), .number = first.number, .expires_at = first.expires_at },
	    NULL);
}

enum err session_create(struct db *db, struct arena *arena, const struct uuid *account, const struct uuid *organization,
			int64_t now, char token[TOKEN_SIZE], struct membership_find_out *member)
{
	char hash[TOKEN_HASH_SIZE];
	enum err err = enter(db, arena, account, organization, now, member);

	token_make(token);
	(void)token_hash(text_of(token), hash);
	if (err != OK)
		return err;
	err = system_run(db, STATEMENT_SESSION_CREATE,
			 &(struct session_create_in){ .hash = text_of(hash),
						      .account_id = *account,
						      .organization_id = *organization,
						      .now = now,
						      .expires_at = now + SESSION_LIFETIME },
			 NULL);
	return err == OK ? end_surplus(db, arena, account, hash) : err;
}

enum err session_switch(struct db *db, struct arena *arena, const struct session_holder *holder,
			const struct uuid *organization, int64_t now, struct membership_find_out *member)
{
	enum err err = enter(db, arena, &holder->account, organization, now, member);

	if (err != OK)
		return err;
	return system_run(
	    db, STATEMENT_SESSION_SWITCH,
	    &(struct session_switch_in){ .hash = text_of(holder->hash), .organization_id = *organization }, NULL);
}

enum err session_end(struct db *db, const char *hash)
{
	return system_run(db, STATEMENT_SESSION_DELETE, &(struct session_delete_in){ .hash = text_of(hash) }, NULL);
}

enum err session_end_all(struct db *db, const struct uuid *account)
{
	return system_run(db, STATEMENT_SESSIONS_DELETE_OF_ACCOUNT,
			  &(struct sessions_delete_of_account_in){ .account_id = *account }, NULL);
}

enum err session_end_member(struct db *db, const struct uuid *account, const struct uuid *organization)
{
	return system_run(
	    db, STATEMENT_SESSIONS_DELETE_OF_MEMBER,
	    &(struct sessions_delete_of_member_in){ .account_id = *account, .organization_id = *organization }, NULL);
}
