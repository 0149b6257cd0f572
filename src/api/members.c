#include "api/members.h"

#include <string.h>

#include "auth/joining.h"
#include "auth/membership.h"
#include "auth/password.h"

#define NAME_MAX_BYTES 1000

struct create_input {
	struct text email;
	struct text name;
	struct text role;
	struct text password;
};

#define AT(member) .offset = offsetof(struct create_input, member)
#define EMAIL                                                                                                          \
	{                                                                                                              \
		.name = "email", .kind = JSON_EMAIL, .required = true, AT(email), .about = "What they sign in with."   \
	}
#define NAME                                                                                                           \
	{                                                                                                              \
		.name = "name", .kind = JSON_TEXT, AT(name), .max = NAME_MAX_BYTES                                     \
	}
#define ROLE                                                                                                           \
	{                                                                                                              \
		.name = "role", .kind = JSON_CHOICE, AT(role), .choices = role_names, .fallback = "Member"             \
	}
#define PASSWORD(about_it, is_required)                                                                                \
	{                                                                                                              \
		.name = "password", .kind = JSON_TEXT, .required = (is_required), AT(password), .min = PASSWORD_MIN,   \
		.max = PASSWORD_MAX, .about = (about_it)                                                               \
	}
static const struct json_field create_fields[] = {
	EMAIL,
	NAME,
	ROLE,
	PASSWORD("Without one they get a link by which they choose it.", false),
};
static const struct json_field add_fields[] = { EMAIL, NAME, ROLE };
static const struct json_field invite_fields[] = { EMAIL };
static const struct json_field password_fields[] = { EMAIL, PASSWORD("The new one.", true) };
#undef AT
const struct json_shape members_create_body = JSON_SHAPE(create_input, create_fields);
const struct json_shape members_add_body = JSON_SHAPE(create_input, add_fields);
const struct json_shape members_invite_body = JSON_SHAPE(create_input, invite_fields);
const struct json_shape members_password_body = JSON_SHAPE(create_input, password_fields);

struct prepared {
	struct text password_hash;
};

enum err members_prepare(struct call *call)
{
	const struct create_input *in = call->input;
	struct prepared *prepared = arena_take(call->arena, sizeof *prepared);

	if (prepared == NULL)
		return ERR_MEMORY;
	call->prepared = prepared;
	return in->password.at == NULL ? OK : password_hash(call->arena, in->password, &prepared->password_hash);
}

/* What the record of the organization says it was done to. */
static void note_target(struct call *call, const struct uuid *id)
{
	char text[UUID_TEXT_SIZE];

	uuid_format(id, text);
	call->audit_target = text_copy(call->arena, text_of(text));
}

static enum err find_by_email(struct call *call, struct text email, struct user_by_email_out *out)
{
	return query_one(call->db, STATEMENT_USER_BY_EMAIL, &(struct user_by_email_in){ .email = email }, out,
			 call->arena);
}

/* A contact with this e-mail becomes the member, and keeps its chats; else a new row. */
static enum err join(struct call *call, const struct create_input *in, struct uuid *out)
{
	struct user_by_email_out there;
	const struct user_create_in made = {
		.id = uuid_new(), .email = in->email, .name = in->name, .role = in->role, .now = call->now
	};
	enum err err = find_by_email(call, in->email, &there);

	*out = err == OK ? there.id : made.id;
	note_target(call, out);
	if (err == ERR_NOT_FOUND)
		return query_run(call->db, STATEMENT_USER_CREATE, &made, NULL);
	if (err == OK && !text_equal(there.role, TEXT("Visitor")))
		return call_fail(call, ERR_CONFLICT, "email", "This person is a member already.");
	if (err == OK)
		err = query_run(
		    call->db, STATEMENT_USER_PROMOTE,
		    &(struct user_promote_in){ .id = there.id, .name = in->name, .role = in->role, .now = call->now },
		    NULL);
	return err;
}

static enum err put_invitation(struct call *call, const struct uuid *user)
{
	struct invitation invitation;
	char link[sizeof "/join?token=" + TOKEN_SIZE] = "/join?token=";
	enum err err = joining_invite(call->db, user, call->now, &invitation);

	strncat(link, invitation.token, TOKEN_SIZE);
	json_key(call->out, "invitation");
	json_open_object(call->out);
	json_key(call->out, "link");
	json_put_string(call->out, link);
	json_key(call->out, "expires_at");
	json_put_time(call->out, invitation.expires_at);
	json_close_object(call->out);
	return err;
}

static enum err put_user(struct call *call, const struct uuid *id)
{
	struct user_show_out row;
	enum err err = query_one(call->db, STATEMENT_USER_SHOW, &(struct user_show_in){ .id = *id }, &row, call->arena);

	if (err != OK)
		return err;
	json_key(call->out, "user");
	json_open_object(call->out);
	query_members(STATEMENT_USER_SHOW, &row, call->out);
	json_close_object(call->out);
	return OK;
}

/* A new account whose password the operator has given. */
static enum err open_account(struct call *call, const struct create_input *in, const struct uuid *user,
			     struct text hash)
{
	const struct account_create_in account = {
		.id = uuid_new(), .email = in->email, .name = in->name, .password_hash = hash, .now = call->now
	};
	enum err err = membership_make_account(call->db, &account);

	if (err == ERR_CONFLICT)
		return call_fail(call, err, "password",
				 "This person has an account already: leave the password out, and they accept the "
				 "invitation with theirs.");
	if (err == OK)
		err = query_run(call->db, STATEMENT_USER_TAKE_ACCOUNT,
				&(struct user_take_account_in){
				    .id = *user, .account_id = account.id, .name = in->name, .now = call->now },
				NULL);
	return err;
}

enum err members_create(struct call *call)
{
	const struct create_input *in = call->input;
	const struct prepared *prepared = call->prepared;
	struct uuid user;
	enum err err = join(call, in, &user);

	if (err != OK)
		return err;
	json_key(call->out, "id");
	json_put_uuid(call->out, &user);
	json_key(call->out, "email");
	json_put_text(call->out, in->email);
	json_key(call->out, "name");
	json_put_text(call->out, in->name);
	json_key(call->out, "role");
	json_put_text(call->out, in->role);
	return prepared->password_hash.at != NULL ? open_account(call, in, &user, prepared->password_hash)
						  : put_invitation(call, &user);
}

enum err members_list(struct call *call)
{
	return query_rows(call->db, STATEMENT_USER_LIST, NULL, call->out);
}

enum err members_add(struct call *call)
{
	const struct create_input *in = call->input;
	struct uuid user;
	enum err err = join(call, in, &user);

	if (err == OK)
		err = put_user(call, &user);
	return err == OK ? put_invitation(call, &user) : err;
}

static enum err read_user(struct call *call, struct user_by_id_out *out)
{
	struct uuid id;
	enum err err = call_parameter_id(call, 0, &id);

	if (err == OK)
		err = query_one(call->db, STATEMENT_USER_BY_ID, &(struct user_by_id_in){ .id = id }, out, call->arena);
	if (err == OK)
		note_target(call, &out->id);
	return err;
}

static enum err invite_anew(struct call *call, const struct uuid *user, const struct uuid *account, struct text role)
{
	if (!uuid_is_nil(account))
		return call_fail(call, ERR_CONFLICT, NULL, "This person has accepted the invitation already.");
	if (text_equal(role, TEXT("Visitor")))
		return call_fail(call, ERR_CONFLICT, NULL, "This is a contact, no member: invite them first.");
	return put_invitation(call, user);
}

enum err members_invite(struct call *call)
{
	const struct create_input *in = call->input;
	struct user_by_email_out user;
	enum err err = find_by_email(call, in->email, &user);

	if (err == ERR_NOT_FOUND)
		return call_fail(call, err, "email", "This organization has no such member.");
	if (err != OK)
		return err;
	note_target(call, &user.id);
	return invite_anew(call, &user.id, &user.account_id, user.role);
}

enum err members_invite_again(struct call *call)
{
	struct user_by_id_out user;
	enum err err = read_user(call, &user);

	return err == OK ? invite_anew(call, &user.id, &user.account_id, user.role) : err;
}

enum err members_set_password(struct call *call)
{
	const struct create_input *in = call->input;
	const struct prepared *prepared = call->prepared;
	struct user_by_email_out user;
	enum err err = find_by_email(call, in->email, &user);

	if (err == ERR_NOT_FOUND || (err == OK && uuid_is_nil(&user.account_id)))
		return call_fail(call, ERR_NOT_FOUND, "email",
				 "This organization has no such member, or they have not accepted the invitation yet.");
	if (err != OK)
		return err;
	note_target(call, &user.id);
	call_put_success(call);
	return membership_set_password(call->db, &user.account_id, prepared->password_hash, call->now);
}

struct change_input {
	struct text name;
	struct text role;
};

static const struct json_field change_fields[] = {
	{ .name = "name", .kind = JSON_TEXT, .offset = offsetof(struct change_input, name), .max = NAME_MAX_BYTES },
	{ .name = "role", .kind = JSON_CHOICE, .offset = offsetof(struct change_input, role), .choices = role_names },
};
const struct json_shape members_change_body = JSON_SHAPE(change_input, change_fields);

/* Whether the organization has another Admin who can sign in, if this one is one. */
static enum err keep_an_admin(struct call *call, const struct user_by_id_out *user)
{
	struct user_count_other_admins_out others;
	enum err err;

	if (!text_equal(user->role, TEXT("Admin")) || uuid_is_nil(&user->account_id))
		return OK;
	err = query_one(call->db, STATEMENT_USER_COUNT_OTHER_ADMINS,
			&(struct user_count_other_admins_in){ .id = user->id }, &others, call->arena);
	if (err == OK && others.count == 0)
		return call_fail(call, ERR_CONFLICT, "role",
				 "This is the last Admin: give somebody else the role first.");
	return err;
}

enum err members_change(struct call *call)
{
	const struct change_input *in = call->input;
	struct user_by_id_out user;
	enum err err = read_user(call, &user);

	if (err == OK && in->role.at != NULL && text_equal(user.role, TEXT("Visitor")))
		return call_fail(call, ERR_CONFLICT, "role",
				 "This is a contact, who has no role: invite them instead.");
	if (err == OK && in->role.at != NULL && !text_equal(in->role, TEXT("Admin")))
		err = keep_an_admin(call, &user);
	if (err == OK)
		err = query_run(
		    call->db, STATEMENT_USER_CHANGE,
		    &(struct user_change_in){ .id = user.id, .name = in->name, .role = in->role, .now = call->now },
		    NULL);
	return err == OK ? put_user(call, &user.id) : err;
}

enum err members_remove(struct call *call)
{
	struct user_by_id_out user;
	char text[UUID_TEXT_SIZE];
	enum err err = read_user(call, &user);

	if (err == OK)
		err = keep_an_admin(call, &user);
	if (err != OK)
		return err;
	uuid_format(&user.id, text);
	err = query_run(call->db, STATEMENT_CHATS_DROP_USER, &(struct chats_drop_user_in){ .user_id = text_of(text) },
			NULL);
	if (err == OK)
		err = query_run(call->db, STATEMENT_ARTICLE_VIEWS_DROP_USER,
				&(struct article_views_drop_user_in){ .user_id = text_of(text) }, NULL);
	if (err == OK)
		err = joining_leave(call->db, call->arena, scope_organization(call->scope), &user);
	call_put_success(call);
	return err;
}
