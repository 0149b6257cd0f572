#include "api/members.h"

#include "auth/founding.h"
#include "auth/password.h"

static const char *const roles[] = { "Admin", "Creator", "Member", NULL };

struct create_input {
	struct text email;
	struct text name;
	struct text role;
	struct text password;
};

#define AT(member) .offset = offsetof(struct create_input, member)
static const struct json_field create_fields[] = {
	{ .name = "email", .kind = JSON_EMAIL, .required = true, AT(email), .about = "What they sign in with." },
	{ .name = "name", .kind = JSON_TEXT, AT(name), .max = 1000 },
	{ .name = "role", .kind = JSON_CHOICE, AT(role), .choices = roles, .fallback = "Member" },
	{ .name = "password",
	  .kind = JSON_TEXT,
	  AT(password),
	  .min = PASSWORD_MIN,
	  .max = PASSWORD_MAX,
	  .about = "Without one they cannot sign in by password." },
};
#undef AT
const struct json_shape members_create_body = JSON_SHAPE(create_input, create_fields);

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

/* A contact with this e-mail becomes the member, and keeps its chats; else a new row. */
static enum err join(struct call *call, const struct create_input *in, const struct uuid *account_id, struct uuid *out)
{
	struct user_by_email_out there;
	struct user_create_in made = { .id = uuid_new(),
				       .account_id = *account_id,
				       .email = in->email,
				       .name = in->name,
				       .role = in->role,
				       .now = call->now };
	enum err err = query_one(call->db, STATEMENT_USER_BY_EMAIL, &(struct user_by_email_in){ .email = in->email },
				 &there, call->arena);

	*out = err == OK ? there.id : made.id;
	if (err == ERR_NOT_FOUND)
		return query_run(call->db, STATEMENT_USER_CREATE, &made, NULL);
	if (err == OK && !text_equal(there.role, TEXT("Visitor")))
		return call_fail(call, ERR_CONFLICT, "email", "This person is a member already.");
	if (err == OK)
		err = query_run(call->db, STATEMENT_USER_PROMOTE,
				&(struct user_promote_in){ .id = there.id,
							   .account_id = *account_id,
							   .name = in->name,
							   .role = in->role,
							   .now = call->now },
				NULL);
	return err;
}

enum err members_create(struct call *call)
{
	const struct create_input *in = call->input;
	const struct prepared *prepared = call->prepared;
	const struct account_create_in account = { .id = uuid_new(),
						   .email = in->email,
						   .name = in->name,
						   .password_hash = prepared->password_hash,
						   .now = call->now };
	struct uuid account_id;
	struct uuid user_id;
	enum err err = founding_account(call->db, call->arena, &account, &account_id);

	if (err == ERR_CONFLICT)
		return call_fail(call, ERR_CONFLICT, "password",
				 "This person has an account already: leave the password out, theirs stays.");
	if (err == OK)
		err = join(call, in, &account_id, &user_id);
	if (err != OK)
		return err;
	json_key(call->out, "id");
	json_put_uuid(call->out, &user_id);
	json_key(call->out, "email");
	json_put_text(call->out, in->email);
	json_key(call->out, "name");
	json_put_text(call->out, in->name);
	json_key(call->out, "role");
	json_put_text(call->out, in->role);
	return OK;
}

enum err members_list(struct call *call)
{
	return query_rows(call->db, STATEMENT_USER_LIST, NULL, call->out);
}
