#include "api/sign_in.h"

#include <stdio.h>
#include <string.h>

#include "api/bulletin.h"
#include "api/session_cookie.h"
#include "auth/audit.h"
#include "auth/joining.h"
#include "auth/membership.h"
#include "auth/password.h"
#include "move/moves.h"

struct sign_in_input {
	struct text email;
	struct text password;
};

static const struct json_field sign_in_fields[] = {
	{ .name = "email",
	  .kind = JSON_EMAIL,
	  .required = true,
	  .offset = offsetof(struct sign_in_input, email),
	  .about = "Compared without case." },
	{ .name = "password",
	  .kind = JSON_TEXT,
	  .required = true,
	  .offset = offsetof(struct sign_in_input, password),
	  .max = PASSWORD_MAX },
};
const struct json_shape sign_in_body = JSON_SHAPE(sign_in_input, sign_in_fields);

static enum err must_wait(struct call *call, int64_t seconds)
{
	char text[24];

	snprintf(text, sizeof text, "%lld", (long long)seconds);
	http_reply_header(call->request, "Retry-After", text_copy(call->arena, text_of(text)));
	atomic_fetch_add_explicit(&call->house->metrics->rate_limited, 1, memory_order_relaxed);
	return call_fail(call, ERR_RATE_LIMITED, NULL,
			 "Too many wrong passwords: wait as long as Retry-After says, in seconds.");
}

struct news {
	const struct house *house;
	struct attempt_subject subjects[2];
	size_t count;
	bool right;
};

static enum err spread(struct db *db, void *context)
{
	const struct news *news = context;

	for (size_t i = 0; i < news->count; i++)
		bulletin_attempt(news->house->bulletins[db_lane(db)], moves_process(news->house->moves),
				 &news->subjects[i], news->right);
	return OK;
}

/* Other processes of the database count it too: a second door gives nobody more attempts. Nobody waits for it. */
static void tell_others(const struct call *call, const struct attempt_subject *subjects, size_t count, bool right)
{
	struct news news = { .house = call->house, .count = count, .right = right };

	if (!call->house->remote)
		return;
	memcpy(news.subjects, subjects, count * sizeof subjects[0]);
	/* Refused when the queue is full; then they learn of the next one. */
	if (writer_post(call->house->writer, call->scope, spread, &news, sizeof news) != OK)
		return;
}

enum err sign_in_check_password(struct call *call, struct text email, const struct uuid *account, struct text hash,
				struct text password)
{
	struct attempts *attempts = call->house->attempts;
	const struct attempt_subject subjects[] = { attempt_of_address(call->request->peer.bytes),
						    attempt_of_account(email) };

	for (size_t i = 0; i < 2; i++) {
		const int64_t wait = attempts_wait(attempts, &subjects[i]);

		if (wait > 0)
			return must_wait(call, wait);
	}
	if (password_verify(hash, password)) {
		if (attempts_right(attempts, &subjects[1]))
			tell_others(call, &subjects[1], 1, true);
		return OK;
	}
	for (size_t i = 0; i < 2; i++)
		attempts_wrong(attempts, &subjects[i]);
	tell_others(call, subjects, 2, false);
	if (!uuid_is_nil(account))
		audit_failed_sign_in(call->house->writer, account, call->request->peer.bytes, !call->request->control,
				     call->now);
	return ERR_UNAUTHORIZED;
}

static enum err wrong(struct call *call)
{
	return call_fail(call, ERR_UNAUTHORIZED, NULL, "The e-mail or the password is wrong.");
}

/* Whom the password lets in, and where. */
struct prepared {
	struct account_by_email_out by_email;
	struct account_by_id_out by_id;
	struct uuid account;
	struct uuid organization;  /* nil: there is none any more */
	struct text proven;        /* the hash that the password was checked against */
	struct text password_hash; /* a new one */
};

static struct prepared *prepare(struct call *call)
{
	struct prepared *prepared = arena_take(call->arena, sizeof *prepared);

	if (prepared != NULL)
		*prepared = (struct prepared){ 0 };
	call->prepared = prepared;
	return prepared;
}

/* An e-mail that is not known is asked about as one that is: the time must not tell. */
enum err sign_in_look(struct call *call)
{
	const struct sign_in_input *in = call->input;
	struct prepared *prepared = prepare(call);
	enum err err = prepared == NULL
			   ? ERR_MEMORY
			   : joining_account(call->house->readers, call->arena, in->email, &prepared->by_email);

	if (err == OK || err == ERR_NOT_FOUND)
		err =
		    membership_last(call->house->readers, call->arena, &prepared->by_email.id, &prepared->organization);
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err sign_in_prepare(struct call *call)
{
	const struct sign_in_input *in = call->input;
	struct prepared *prepared = call->prepared;
	const struct account_by_email_out *account = &prepared->by_email;
	enum err err = sign_in_check_password(call, in->email, &account->id, account->password_hash, in->password);

	if (err == ERR_UNAUTHORIZED || (err == OK && uuid_is_nil(&prepared->organization)))
		return wrong(call);
	prepared->account = account->id;
	prepared->proven = account->password_hash;
	return err;
}

/* The actor is filled in by whoever knows the membership. */
static struct audit_entry entry_of(const struct call *call, const char *action)
{
	struct audit_entry entry = { .at = call->now, .actor = AUDIT_USER, .action = action, .from_network = true };

	memcpy(entry.address, call->request->peer.bytes, sizeof entry.address);
	return entry;
}

static enum err record(struct call *call, const struct uuid *organization, const char *action, const struct uuid *user,
		       struct text email)
{
	struct audit_entry entry = entry_of(call, action);

	entry.actor_id = *user;
	entry.actor_email = email;
	return audit_write_for(call->db, call->arena, organization, &entry);
}

static enum err enter(struct call *call, const struct uuid *account, const struct uuid *organization,
		      struct membership_find_out *member)
{
	char token[TOKEN_SIZE];
	enum err err = session_create(call->db, call->arena, account, organization, call->now, token, member);

	/* Whoever was signed in with this browser is so no longer: an old cookie that somebody planted opens nothing.
	 */
	if (err == OK && call->session.there)
		err = session_end(call->db, call->session.hash);
	if (err == OK)
		session_cookie_set(call->request, text_of(token));
	return err;
}

enum err sign_in_account(struct call *call, const struct uuid *account, const struct uuid *organization,
			 const char *action)
{
	struct membership_find_out member;
	enum err err = enter(call, account, organization, &member);

	return err == OK ? record(call, organization, action, &member.user_id, member.email) : err;
}

enum err sign_in_anew(struct call *call, const struct uuid *account, const struct uuid *organization,
		      const char *action)
{
	const struct audit_entry entry = entry_of(call, action);
	struct membership_find_out member;
	enum err err = enter(call, account, organization, &member);

	return err == OK ? audit_write_to_all(call->db, call->arena, account, &entry) : err;
}

enum err sign_in(struct call *call)
{
	const struct prepared *prepared = call->prepared;
	enum err err = membership_confirm_password(call->db, call->arena, &prepared->account, prepared->proven);

	if (err == OK)
		err = sign_in_account(call, &prepared->account, &prepared->organization, "session.create");
	/* Removed, or given another password, in the moment between. */
	if (err == ERR_NOT_FOUND)
		return wrong(call);
	if (err == OK)
		call_put_success(call);
	return err;
}

enum err sign_out(struct call *call)
{
	const struct session_holder *session = &call->session;
	enum err err = session->hash[0] != '\0' ? session_end(call->db, session->hash) : OK;

	/* Who is not there, removed or in a suspended organization, leaves nothing that could come back with it. */
	if (err == OK && session->there)
		err = record(call, &session->organization, "session.end", &session->user, session->email);
	session_cookie_clear(call->request);
	call_put_success(call);
	return err;
}

static void put_user(struct call *call)
{
	const struct session_holder *session = &call->session;

	json_key(call->out, "user");
	json_open_object(call->out);
	json_key(call->out, "id");
	json_put_uuid(call->out, &session->user);
	json_key(call->out, "name");
	json_put_text(call->out, session->name);
	json_key(call->out, "email");
	json_put_text(call->out, session->email);
	json_key(call->out, "image");
	json_put_text(call->out, session->image);
	json_key(call->out, "role");
	json_put_string(call->out, role_names[session->role]);
	json_key(call->out, "organizationId");
	json_put_uuid(call->out, &session->organization);
	json_close_object(call->out);
	json_key(call->out, "organization");
	json_open_object(call->out);
	json_key(call->out, "id");
	json_put_uuid(call->out, &session->organization);
	json_key(call->out, "slug");
	json_put_text(call->out, session->slug);
	json_key(call->out, "name");
	json_put_text(call->out, session->organization_name);
	json_close_object(call->out);
}

static enum err put_memberships(struct call *call)
{
	struct membership_list_out row;
	enum err err = db_start(call->db, STATEMENT_MEMBERSHIP_LIST,
				&(struct membership_list_in){ .account_id = call->session.account });

	json_key(call->out, "organizations");
	json_open_array(call->out);
	while (err == OK && (err = db_step(call->db, STATEMENT_MEMBERSHIP_LIST, &row)) == OK) {
		json_open_object(call->out);
		json_key(call->out, "id");
		json_put_uuid(call->out, &row.organization_id);
		json_key(call->out, "slug");
		json_put_text(call->out, row.slug);
		json_key(call->out, "name");
		json_put_text(call->out, row.name);
		json_key(call->out, "role");
		json_put_text(call->out, row.role);
		json_close_object(call->out);
	}
	json_close_array(call->out);
	db_stop(call->db, STATEMENT_MEMBERSHIP_LIST);
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err sign_in_show(struct call *call)
{
	enum err err;

	if (!call->session.there)
		return OK;
	put_user(call);
	err = put_memberships(call);
	json_key(call->out, "expires");
	json_put_time(call->out, call->session.expires_at);
	return err;
}

struct switch_input {
	struct text organization_id;
};

static const struct json_field switch_fields[] = {
	{ .name = "organizationId",
	  .kind = JSON_TEXT,
	  .required = true,
	  .offset = offsetof(struct switch_input, organization_id),
	  .about = "One of the person's own, by its id." },
};
const struct json_shape sign_in_switch_body = JSON_SHAPE(switch_input, switch_fields);

enum err sign_in_switch(struct call *call)
{
	const struct switch_input *in = call->input;
	const struct session_holder *session = &call->session;
	struct membership_find_out member;
	struct uuid organization;
	enum err err = uuid_parse(in->organization_id, &organization) == OK ? OK : ERR_NOT_FOUND;

	if (err == OK)
		err = session_switch(call->db, call->arena, session, &organization, call->now, &member);
	/* The one that was left is not told where to. */
	if (err == OK && !uuid_equal(&organization, &session->organization))
		err = record(call, &session->organization, "session.end", &session->user, session->email);
	if (err == OK)
		err = record(call, &organization, "session.switch", &member.user_id, member.email);
	call_put_success(call);
	return err;
}

struct password_input {
	struct text current;
	struct text next;
};

static const struct json_field password_fields[] = {
	{ .name = "current_password",
	  .kind = JSON_TEXT,
	  .offset = offsetof(struct password_input, current),
	  .max = PASSWORD_MAX,
	  .about = "Not needed by who has none yet and signs in through a provider." },
	{ .name = "new_password",
	  .kind = JSON_TEXT,
	  .required = true,
	  .offset = offsetof(struct password_input, next),
	  .min = PASSWORD_MIN,
	  .max = PASSWORD_MAX },
};
const struct json_shape sign_in_password_body = JSON_SHAPE(password_input, password_fields);

enum err sign_in_password_look(struct call *call)
{
	struct prepared *prepared = prepare(call);

	return prepared == NULL
		   ? ERR_MEMORY
		   : membership_account(call->house->readers, call->arena, &call->session.account, &prepared->by_id);
}

enum err sign_in_password_prepare(struct call *call)
{
	const struct password_input *in = call->input;
	struct prepared *prepared = call->prepared;
	const struct account_by_id_out *account = &prepared->by_id;
	enum err err = OK;

	if (account->password_hash.at != NULL)
		err = sign_in_check_password(call, account->email, &call->session.account, account->password_hash,
					     in->current.at != NULL ? in->current : TEXT(""));
	if (err == ERR_UNAUTHORIZED)
		return call_fail(call, ERR_INVALID, "current_password", "The current password is wrong.");
	return err == OK ? password_hash(call->arena, in->next, &prepared->password_hash) : err;
}

/* Every session of the account ends, this one too: who knew the old password, or stole a cookie, is out. */
enum err sign_in_password(struct call *call)
{
	const struct prepared *prepared = call->prepared;
	enum err err = membership_set_password(call->db, &call->session.account, prepared->password_hash, call->now);

	call->session.there = false;
	if (err == OK)
		err = sign_in_anew(call, &call->session.account, &call->session.organization, "password.change");
	call_put_success(call);
	return err;
}
