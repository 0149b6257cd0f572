#include "api/join.h"

#include "api/sign_in.h"
#include "auth/joining.h"
#include "auth/membership.h"
#include "auth/password.h"

struct join_input {
	struct text token;
	struct text name;
	struct text password;
};

#define TOKEN_FIELD                                                                                                    \
	{                                                                                                              \
		.name = "token", .kind = JSON_TEXT, .required = true, .offset = offsetof(struct join_input, token),    \
		.about = "From the link."                                                                              \
	}
static const struct json_field show_fields[] = { TOKEN_FIELD };
const struct json_shape join_show_body = JSON_SHAPE(join_input, show_fields);

static const struct json_field fields[] = {
	TOKEN_FIELD,
	{ .name = "name", .kind = JSON_TEXT, .offset = offsetof(struct join_input, name), .max = 1000 },
	{ .name = "password",
	  .kind = JSON_TEXT,
	  .offset = offsetof(struct join_input, password),
	  .min = PASSWORD_MIN,
	  .max = PASSWORD_MAX,
	  .about = "A new one, or that of the account that is there; not needed by who is signed in." },
};
const struct json_shape join_body = JSON_SHAPE(join_input, fields);

static enum err no_link(struct call *call)
{
	return call_fail(call, ERR_NOT_FOUND, NULL,
			 "This link was used already, has expired or was replaced: ask for a new one.");
}

enum err join_show(struct call *call)
{
	const struct join_input *in = call->input;
	struct invitation_by_hash_out found;
	enum err err = joining_find_beside(call->db, call->arena, in->token, call->now, &found);

	if (err != OK)
		return err == ERR_NOT_FOUND ? no_link(call) : err;
	json_key(call->out, "organization_name");
	json_put_text(call->out, found.organization_name);
	json_key(call->out, "email");
	json_put_text(call->out, found.email);
	json_key(call->out, "role");
	json_put_text(call->out, found.role);
	json_key(call->out, "expires_at");
	json_put_time(call->out, found.expires_at);
	return OK;
}

struct prepared {
	struct invitation_by_hash_out found;
	struct account_by_email_out by_email;
	bool there; /* an account with that e-mail */
	struct uuid account;
	struct text password_hash; /* of an account that is to be made */
	struct text proven;        /* the hash that an account's password was checked against */
	bool by_session;           /* the account is proven by being signed in */
};

static enum err needs_password(struct call *call)
{
	return fault_set(&call->fault, ERR_INVALID, "missing_field", "password", "A password is needed.");
}

/* The account that is there must be proven. */
static enum err prove(struct call *call)
{
	const struct join_input *in = call->input;
	const struct session_holder *session = &call->session;
	struct prepared *prepared = call->prepared;
	const struct account_by_email_out *account = &prepared->by_email;
	enum err err;

	prepared->account = account->id;
	prepared->by_session = session->there && uuid_equal(&session->account, &account->id);
	if (prepared->by_session)
		return OK;
	if (account->password_hash.at == NULL)
		return call_fail(
		    call, ERR_UNAUTHORIZED, NULL,
		    "This e-mail belongs to an account that signs in through a provider: sign in first, then "
		    "open the link again.");
	if (in->password.at == NULL)
		return needs_password(call);
	prepared->proven = account->password_hash;
	err = sign_in_check_password(call, prepared->found.email, &account->id, account->password_hash, in->password);
	if (err == ERR_UNAUTHORIZED)
		return call_fail(call, err, NULL,
				 "This e-mail has an account already, with another password: accept with that one.");
	return err;
}

enum err join_look(struct call *call)
{
	const struct join_input *in = call->input;
	struct readers *readers = call->house->readers;
	struct prepared *prepared = arena_take(call->arena, sizeof *prepared);
	enum err err;

	if (prepared == NULL)
		return ERR_MEMORY;
	*prepared = (struct prepared){ 0 };
	call->prepared = prepared;
	err = joining_find(readers, call->arena, in->token, call->now, &prepared->found);
	if (err != OK)
		return err == ERR_NOT_FOUND ? no_link(call) : err;
	err = joining_account(readers, call->arena, prepared->found.email, &prepared->by_email);
	prepared->there = err == OK;
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err join_prepare(struct call *call)
{
	const struct join_input *in = call->input;
	struct prepared *prepared = call->prepared;

	if (prepared->there)
		return prove(call);
	if (in->password.at == NULL)
		return needs_password(call);
	prepared->account = uuid_new();
	return password_hash(call->arena, in->password, &prepared->password_hash);
}

/* What proved the account may be gone since: a session that ended, a password that was changed. */
static enum err prove_again(struct call *call)
{
	const struct prepared *prepared = call->prepared;
	enum err err = OK;

	if (prepared->proven.at != NULL)
		err = membership_confirm_password(call->db, call->arena, &prepared->account, prepared->proven);
	if (err == ERR_NOT_FOUND || (prepared->by_session && !call->session.there))
		return call_fail(call, ERR_UNAUTHORIZED, NULL,
				 "Your account has changed in this very moment: try again.");
	return err;
}

enum err join_accept(struct call *call)
{
	const struct join_input *in = call->input;
	const struct prepared *prepared = call->prepared;
	struct invitation_by_hash_out found;
	enum err err = prove_again(call);

	if (err == OK)
		err = joining_accept(call->db, call->arena, in->token, &prepared->account, prepared->password_hash,
				     in->name, call->now, &found);

	if (err == ERR_NOT_FOUND)
		return no_link(call);
	if (err == ERR_CONFLICT)
		return call_fail(call, err, NULL, "This e-mail got an account in this very moment: try again.");
	if (err == OK)
		err = sign_in_account(call, &prepared->account, &found.organization_id, "invitation.accept");
	call_put_success(call);
	return err;
}
