#include "api/users.h"

#include "api/chat_find.h"

struct identify_input {
	struct text email;
	struct text session_id;
	struct text chat_id;
	struct text source;
	struct text name;
	int64_t timestamp;
};

#define AT(member) .offset = offsetof(struct identify_input, member)
static const struct json_field identify_fields[] = {
	{ .name = "email", .kind = JSON_EMAIL, .required = true, AT(email), .about = "Compared without case." },
	{ .name = "session_id", .kind = JSON_TEXT, AT(session_id), .about = "Its chats and views become the user's." },
	{ .name = "chat_id", .kind = JSON_TEXT, AT(chat_id), .about = "A chat of the user's, by either id." },
	{ .name = "source", .kind = JSON_TEXT, AT(source), .fallback = "newsletter", .about = "Where they said it." },
	{ .name = "name", .kind = JSON_TEXT, AT(name), .max = 1000, .about = "The user's name." },
	{ .name = "timestamp", .kind = JSON_TIME, AT(timestamp), .about = "When; now when missing." },
};
#undef AT
const struct json_shape users_identify_body = JSON_SHAPE(identify_input, identify_fields);

static enum err find_or_make(struct call *call, const struct identify_input *in, struct uuid *out)
{
	struct user_by_email_out user;
	struct user_create_in made = { .id = uuid_new(),
				       .email = in->email,
				       .name = in->name,
				       .role = TEXT("Visitor"),
				       .provider = in->source,
				       .now = in->timestamp == JSON_ABSENT ? call->now : in->timestamp };
	enum err err = query_one(call->db, STATEMENT_USER_BY_EMAIL, &(struct user_by_email_in){ .email = in->email },
				 &user, call->arena);

	*out = err == OK ? user.id : made.id;
	return err == ERR_NOT_FOUND ? query_run(call->db, STATEMENT_USER_CREATE, &made, NULL) : err;
}

/* Chats and views of the session, and the chat named, that have no user yet. */
static enum err link_all(struct call *call, const struct identify_input *in, struct text user_id)
{
	struct chat_by_external_id_out chat;
	enum err err = OK;

	if (in->session_id.at != NULL) {
		err = query_run(
		    call->db, STATEMENT_CHATS_TAKE_USER_BY_SESSION,
		    &(struct chats_take_user_by_session_in){ .session_id = in->session_id, .user_id = user_id }, NULL);
		if (err == OK)
			err = query_run(call->db, STATEMENT_ARTICLE_VIEWS_TAKE_USER_BY_SESSION,
					&(struct article_views_take_user_by_session_in){ .session_id = in->session_id,
											 .user_id = user_id },
					NULL);
	}
	if (err != OK || in->chat_id.at == NULL)
		return err;
	err = chat_find(call, in->chat_id, &chat);
	if (err == OK)
		err = query_run(call->db, STATEMENT_CHAT_TAKE_USER,
				&(struct chat_take_user_in){ .number = chat.number, .user_id = user_id }, NULL);
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err users_identify(struct call *call)
{
	const struct identify_input *in = call->input;
	char user_id[UUID_TEXT_SIZE];
	struct uuid id;
	enum err err = find_or_make(call, in, &id);

	uuid_format(&id, user_id);
	if (err == OK)
		err = link_all(call, in, text_of(user_id));
	if (err != OK)
		return err;
	json_key(call->out, "success");
	json_put_bool(call->out, true);
	json_key(call->out, "user_id");
	json_put_uuid(call->out, &id);
	json_key(call->out, "message");
	json_put_string(call->out, "User identified successfully");
	return OK;
}
