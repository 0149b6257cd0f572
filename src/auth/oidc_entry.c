#include "auth/oidc_entry.h"

#include <string.h>

#include "auth/api_key.h"
#include "auth/audit.h"
#include "auth/founding.h"
#include "auth/session.h"
#include "auth/slug.h"
#include "auth/system_query.h"
#include "auth/tenant.h"

/* One person on their way in. */
struct way {
	struct db *db;
	struct arena *arena;
	const struct oidc_person *person;
	int64_t now;
	const uint8_t *address;
	struct oidc_entry *entry;
};

/* ERR_NOT_FOUND: no organization waits for this e-mail. */
static enum err find_invitation(const struct way *way, struct invitation_by_email_out *out)
{
	return system_one(way->db, STATEMENT_INVITATION_BY_EMAIL,
			  &(struct invitation_by_email_in){
			      .email = way->person->email, .account_id = way->entry->account, .now = way->now },
			  out, way->arena);
}

static enum err record(const struct way *way, const struct uuid *organization, const char *action,
		       const struct uuid *user)
{
	struct audit_entry entry = { .at = way->now,
				     .actor = AUDIT_USER,
				     .actor_id = *user,
				     .actor_email = way->person->email,
				     .action = action,
				     .from_network = true };

	memcpy(entry.address, way->address, sizeof entry.address);
	return audit_write_for(way->db, way->arena, organization, &entry);
}

static enum err accept(const struct way *way, const struct invitation_by_email_out *invitation)
{
	const struct scope *scope = tenant_scope(way->arena, &invitation->organization_id);
	int64_t taken = 0;
	enum err err = scope == NULL ? ERR_MEMORY
				     : tenant_run(way->db, scope, STATEMENT_USER_TAKE_ACCOUNT,
						  &(struct user_take_account_in){ .id = invitation->user_id,
										  .account_id = way->entry->account,
										  .name = way->person->name,
										  .now = way->now },
						  &taken);

	if (err == OK && taken != 1)
		return ERR_CONFLICT;
	if (err == OK)
		err = tenant_run(way->db, scope, STATEMENT_INVITATION_DELETE,
				 &(struct invitation_delete_in){ .user_id = invitation->user_id }, NULL);
	return err == OK ? record(way, &invitation->organization_id, "invitation.accept", &invitation->user_id) : err;
}

/* Each one accepted is gone from the next look. */
static enum err accept_all(const struct way *way)
{
	struct invitation_by_email_out invitation;
	enum err err = OK;

	while (err == OK && way->person->email.at != NULL) {
		err = find_invitation(way, &invitation);
		if (err == ERR_NOT_FOUND)
			return OK;
		if (err == OK)
			err = accept(way, &invitation);
	}
	return err;
}

static enum err make_account(const struct way *way)
{
	way->entry->account = uuid_new();
	return system_run(
	    way->db, STATEMENT_ACCOUNT_CREATE,
	    &(struct account_create_in){
		.id = way->entry->account, .email = way->person->email, .name = way->person->name, .now = way->now },
	    NULL);
}

static enum err link_identity(const struct way *way)
{
	way->entry->linked = true;
	return system_run(way->db, STATEMENT_IDENTITY_CREATE,
			  &(struct identity_create_in){ .issuer = way->person->issuer,
							.subject = way->person->subject,
							.account_id = way->entry->account,
							.now = way->now },
			  NULL);
}

/* An account that is there already becomes this person's, and nobody else's. */
static enum err take_over(const struct way *way, const struct account_by_email_out *account)
{
	struct identity_of_account_out other;
	enum err err =
	    system_one(way->db, STATEMENT_IDENTITY_OF_ACCOUNT,
		       &(struct identity_of_account_in){ .issuer = way->person->issuer, .account_id = account->id },
		       &other, way->arena);

	way->entry->account = account->id;
	if (err != ERR_NOT_FOUND)
		return err == OK ? ERR_FORBIDDEN : err;
	err = OK;
	if (account->password_hash.at != NULL)
		err = system_run(way->db, STATEMENT_ACCOUNT_SET_PASSWORD,
				 &(struct account_set_password_in){ .id = account->id, .now = way->now }, NULL);
	return err == OK ? session_end_all(way->db, &account->id) : err;
}

static struct text organization_name(const struct oidc_person *person)
{
	const char *at = memrchr(person->email.at, '@', person->email.length);

	if (person->name.at != NULL)
		return person->name;
	return (struct text){ at + 1, person->email.length - (size_t)(at + 1 - person->email.at) };
}

/* Nobody sees the first key: the settings make another one in its place when it is wanted. */
static enum err found(const struct way *way)
{
	const struct text name = organization_name(way->person);
	struct organization_create_in organization = { .id = uuid_new(), .organization_name = name, .now = way->now };
	struct api_key_create_in stored = { .id = uuid_new(), .name = TEXT("first"), .now = way->now };
	const struct scope *scope = tenant_scope(way->arena, &organization.id);
	char key[API_KEY_SIZE];
	char hash[API_KEY_HASH_SIZE];
	char masked[API_KEY_MASKED_SIZE];
	char slug[SLUG_SIZE];
	enum err err = scope == NULL ? ERR_MEMORY : slug_choose(way->db, way->arena, name, slug);

	api_key_make(key);
	api_key_hash(text_of(key), hash);
	api_key_mask(text_of(key), masked);
	stored.hash = text_of(hash);
	stored.masked = text_of(masked);
	organization.slug = text_of(slug);
	if (err == OK)
		err = founding_organization(way->db, way->arena, &organization, &stored);
	if (err != OK)
		return err;
	return tenant_run(way->db, scope, STATEMENT_USER_CREATE,
			  &(struct user_create_in){ .id = uuid_new(),
						    .account_id = way->entry->account,
						    .email = way->person->email,
						    .name = way->person->name,
						    .role = TEXT("Admin"),
						    .provider = TEXT("oidc"),
						    .now = way->now },
			  NULL);
}

static enum err come_first(const struct way *way, bool open)
{
	struct invitation_by_email_out invitation;
	struct account_by_email_out account;
	bool invited;
	enum err err;

	if (way->person->email.at == NULL)
		return ERR_UNAUTHORIZED;
	err = system_one(way->db, STATEMENT_ACCOUNT_BY_EMAIL,
			 &(struct account_by_email_in){ .email = way->person->email }, &account, way->arena);
	if (err == OK) {
		err = take_over(way, &account);
		return err == OK ? link_identity(way) : err;
	}
	if (err == ERR_NOT_FOUND)
		err = find_invitation(way, &invitation);
	invited = err == OK;
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	if (!invited && !open)
		return ERR_FORBIDDEN;
	err = make_account(way);
	if (err == OK)
		err = link_identity(way);
	return err == OK && !invited ? found(way) : err;
}

enum err oidc_enter(struct db *db, struct arena *arena, const struct oidc_visit *visit, struct oidc_entry *out)
{
	const struct oidc_person *person = visit->person;
	const struct way way = {
		.db = db, .arena = arena, .person = person, .now = visit->now, .address = visit->address, .entry = out
	};
	struct identity_by_subject_out known;
	struct membership_list_out membership;
	enum err err;

	*out = (struct oidc_entry){ 0 };
	err = system_one(db, STATEMENT_IDENTITY_BY_SUBJECT,
			 &(struct identity_by_subject_in){ .issuer = person->issuer, .subject = person->subject },
			 &known, arena);
	if (err == OK)
		out->account = known.account_id;
	else if (err == ERR_NOT_FOUND)
		err = come_first(&way, visit->open);
	/* What an e-mail opens it opens once: who is known may have been given another one since, or taken one over. */
	if (err == OK && out->linked)
		err = accept_all(&way);
	if (err == OK)
		err = system_one(db, STATEMENT_MEMBERSHIP_LIST,
				 &(struct membership_list_in){ .account_id = out->account }, &membership, arena);
	if (err == OK)
		out->organization = membership.organization_id;
	/* Removed from everywhere, or where they belong is suspended. */
	return err == ERR_NOT_FOUND ? ERR_FORBIDDEN : err;
}
