#include "api/visitors.h"

#include "api/chat_find.h"
#include "api/live.h"

#define METADATA_MAX 65536 /* bytes, merged */

struct identify_input {
	struct text email;
	struct text session_id;
	struct text chat_id;
	struct text source;
	struct text visitor_id;
	struct text name;
	struct text metadata;
	int64_t timestamp;
};

#define AT(member) .offset = offsetof(struct identify_input, member)
static const struct json_field identify_fields[] = {
	{ .name = "email", .kind = JSON_EMAIL, .required = true, AT(email), .about = "Compared without case." },
	{ .name = "session_id",
	  .kind = JSON_TEXT,
	  AT(session_id),
	  .about = "Its chats and views become the visitor's." },
	{ .name = "chat_id", .kind = JSON_TEXT, AT(chat_id), .about = "A chat of the visitor's, by either id." },
	{ .name = "source", .kind = JSON_TEXT, AT(source), .fallback = "newsletter", .about = "Where they said it." },
	{ .name = "visitor_id", .kind = JSON_TEXT, AT(visitor_id), .about = "A visitor's id, if one is known." },
	{ .name = "name", .kind = JSON_TEXT, AT(name), .max = 1000, .about = "The visitor's name." },
	{ .name = "metadata", .kind = JSON_OBJECT, AT(metadata), .about = "Merged key by key into what is stored." },
	{ .name = "timestamp", .kind = JSON_TIME, AT(timestamp), .about = "When; now when missing." },
};
#undef AT
const struct json_shape visitors_identify_body = JSON_SHAPE(identify_input, identify_fields);

static enum err read_visitor(struct call *call, const struct uuid *id, struct visitor_by_id_out *out)
{
	return query_one(call->db, STATEMENT_VISITOR_BY_ID, &(struct visitor_by_id_in){ .id = *id }, out, call->arena);
}

static enum err find_by_session(struct call *call, struct text session_id, struct uuid *out)
{
	struct visitor_of_session_chat_out chat;
	struct visitor_of_session_view_out view;
	enum err err = query_one(call->db, STATEMENT_VISITOR_OF_SESSION_CHAT,
				 &(struct visitor_of_session_chat_in){ .session_id = session_id }, &chat, call->arena);

	if (err == OK) {
		*out = chat.visitor_id;
		return OK;
	}
	if (err != ERR_NOT_FOUND)
		return err;
	err = query_one(call->db, STATEMENT_VISITOR_OF_SESSION_VIEW,
			&(struct visitor_of_session_view_in){ .session_id = session_id }, &view, call->arena);
	if (err == OK)
		*out = view.visitor_id;
	return err;
}

static enum err find_by_email(struct call *call, struct text email, struct uuid *out)
{
	struct visitor_by_email_out visitor;
	enum err err = query_one(call->db, STATEMENT_VISITOR_BY_EMAIL, &(struct visitor_by_email_in){ .email = email },
				 &visitor, call->arena);

	if (err == OK)
		*out = visitor.id;
	return err;
}

static enum err find(struct call *call, const struct identify_input *in, struct visitor_by_id_out *out)
{
	struct uuid id;
	enum err err = ERR_NOT_FOUND;

	if (in->visitor_id.at != NULL && uuid_parse(in->visitor_id, &id) == OK)
		err = read_visitor(call, &id, out);
	if (err != ERR_NOT_FOUND)
		return err;
	if (in->session_id.at != NULL)
		err = find_by_session(call, in->session_id, &id);
	if (err == ERR_NOT_FOUND)
		err = find_by_email(call, in->email, &id);
	return err == OK ? read_visitor(call, &id, out) : err;
}

static enum err make(struct call *call, const struct identify_input *in, int64_t at, struct uuid *out)
{
	const struct visitor_create_in visitor = { .id = uuid_new_at(at),
						   .email = in->email,
						   .name = in->name,
						   .source = in->source,
						   .metadata = in->metadata,
						   .created_at = at };

	const struct counting counting = call_counting(call);
	enum err err = query_run(call->db, STATEMENT_VISITOR_CREATE, &visitor, NULL);

	*out = visitor.id;
	live_note(call, LIVE_VISITOR, &visitor.id, (struct text){ 0 }, DB_NULL);
	return err == OK ? counting_visitor(&counting, NULL,
					    &(struct counted_visitor){ db_inserted(call->db), at, visitor.metadata })
			 : err;
}

static struct counted_visitor counted(const struct visitor_by_id_out *visitor)
{
	return (struct counted_visitor){ visitor->number, visitor->created_at, visitor->metadata };
}

/* What hangs on `from` hangs on `to` afterwards, and `from` is gone. */
static enum err absorb(struct call *call, const struct uuid *from, const struct uuid *to)
{
	enum err err = query_run(call->db, STATEMENT_CHATS_MOVE_VISITOR,
				 &(struct chats_move_visitor_in){ .visitor_id = *from, .new_visitor_id = *to }, NULL);

	if (err == OK)
		err = query_run(call->db, STATEMENT_ARTICLE_VIEWS_MOVE_VISITOR,
				&(struct article_views_move_visitor_in){ .visitor_id = *from, .new_visitor_id = *to },
				NULL);
	if (err == OK)
		err = query_run(call->db, STATEMENT_WEB_MENTIONS_MOVE_VISITOR,
				&(struct web_mentions_move_visitor_in){ .visitor_id = *from, .new_visitor_id = *to },
				NULL);
	if (err == OK)
		err = query_run(call->db, STATEMENT_VISITOR_DELETE, &(struct visitor_delete_in){ .id = *from }, NULL);
	return err;
}

static bool is_older(const struct visitor_by_id_out *a, const struct visitor_by_id_out *b)
{
	return a->created_at != b->created_at ? a->created_at < b->created_at : a->number < b->number;
}

/* If another visitor has the e-mail already, the two become the older one: its values stay, the other's fill the gaps.
 * `*before`: the one that stays, as it is stored. */
static enum err unite(struct call *call, struct text email, struct visitor_by_id_out *visitor,
		      struct counted_visitor *before)
{
	const struct counting counting = call_counting(call);
	struct visitor_by_id_out other;
	struct visitor_by_id_out kept = *visitor;
	struct visitor_by_id_out gone;
	struct counted_visitor taken;
	struct uuid id;
	enum err err = find_by_email(call, email, &id);

	*before = counted(visitor);
	if (err == ERR_NOT_FOUND || (err == OK && uuid_equal(&id, &visitor->id)))
		return OK;
	if (err == OK)
		err = read_visitor(call, &id, &other);
	if (err != OK)
		return err;
	gone = other;
	if (is_older(&other, visitor)) {
		kept = other;
		gone = *visitor;
	}
	taken = counted(&gone);
	err = absorb(call, &gone.id, &kept.id);
	if (err == OK)
		err = counting_visitor(&counting, &taken, NULL);
	*before = counted(&kept);
	if (err == OK)
		err = json_merge(call->arena, gone.metadata, kept.metadata, &kept.metadata);
	if (kept.name.at == NULL)
		kept.name = gone.name;
	*visitor = kept;
	return err;
}

static enum err change(struct call *call, const struct identify_input *in, int64_t at,
		       struct visitor_by_id_out *visitor)
{
	struct visitor_change_in changed = { .email = in->email, .last_active_at = at };
	const struct counting counting = call_counting(call);
	struct counted_visitor before;
	struct counted_visitor after;
	enum err err = unite(call, in->email, visitor, &before);

	if (err == OK)
		err = json_merge(call->arena, visitor->metadata, in->metadata, &changed.metadata);
	if (err != OK)
		return err;
	if (changed.metadata.length > METADATA_MAX)
		return call_fail(call, ERR_INVALID, "metadata", "metadata would grow past %d bytes.", METADATA_MAX);
	changed.id = visitor->id;
	changed.name = in->name.at != NULL ? in->name : visitor->name;
	after = before;
	after.metadata = changed.metadata;
	err = query_run(call->db, STATEMENT_VISITOR_CHANGE, &changed, NULL);
	return err == OK ? counting_visitor(&counting, &before, &after) : err;
}

struct linked {
	int64_t chats;
	int64_t views;
};

static enum err link_chat(struct call *call, struct text chat_id, const struct uuid *visitor_id, struct linked *linked)
{
	struct chat_by_external_id_out chat;
	enum err err = chat_find(call, chat_id, &chat);

	if (err != OK || uuid_equal(&chat.visitor_id, visitor_id))
		return err == ERR_NOT_FOUND ? OK : err;
	linked->chats++;
	return query_run(call->db, STATEMENT_CHAT_LINK_VISITOR,
			 &(struct chat_link_visitor_in){ .number = chat.number, .visitor_id = *visitor_id }, NULL);
}

static enum err link_all(struct call *call, const struct identify_input *in, const struct uuid *visitor_id,
			 struct linked *linked)
{
	enum err err = OK;

	*linked = (struct linked){ 0 };
	if (in->session_id.at != NULL) {
		err = query_run(
		    call->db, STATEMENT_CHATS_LINK_SESSION,
		    &(struct chats_link_session_in){ .session_id = in->session_id, .visitor_id = *visitor_id },
		    &linked->chats);
		if (err == OK)
			err = query_run(call->db, STATEMENT_ARTICLE_VIEWS_LINK_SESSION,
					&(struct article_views_link_session_in){ .session_id = in->session_id,
										 .visitor_id = *visitor_id },
					&linked->views);
	}
	if (err == OK && in->chat_id.at != NULL)
		err = link_chat(call, in->chat_id, visitor_id, linked);
	return err;
}

enum err visitors_identify(struct call *call)
{
	const struct identify_input *in = call->input;
	const int64_t at = in->timestamp == JSON_ABSENT ? call->now : in->timestamp;
	struct visitor_by_id_out visitor;
	struct linked linked;
	enum err err = find(call, in, &visitor);

	if (err == OK)
		err = change(call, in, at, &visitor);
	else if (err == ERR_NOT_FOUND)
		err = make(call, in, at, &visitor.id);
	if (err == OK)
		err = link_all(call, in, &visitor.id, &linked);
	if (err != OK)
		return err;
	json_key(call->out, "success");
	json_put_bool(call->out, true);
	json_key(call->out, "visitor_id");
	json_put_uuid(call->out, &visitor.id);
	json_key(call->out, "message");
	json_put_string(call->out, "Visitor identified successfully");
	json_key(call->out, "linked");
	json_open_object(call->out);
	json_key(call->out, "chats");
	json_put_int(call->out, linked.chats);
	json_key(call->out, "views");
	json_put_int(call->out, linked.views);
	json_close_object(call->out);
	return OK;
}
