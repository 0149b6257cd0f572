/* The organization's settings, users, visitors. */
#include <string.h>

#include "base/json_in.h"
#include "base/json_out.h"
#include "legacy/record.h"
#include "legacy/value.h"
#include "store/query.h"

enum err legacy_settings_read(struct legacy_reading *reading, const struct legacy_row *row,
			      struct legacy_record *record)
{
	struct arena *arena = reading->arena;
	const struct text id = legacy_text(arena, row, LEGACY_ID, LEGACY_KEY_BYTES, LEGACY_REQUIRED, record);

	record->key = id;
	if (id.at != NULL && !text_equal_ignoring_case(id, reading->source)) {
		record->foreign = true;
		legacy_refuse(record, arena, "It is another organization%s.",
			      reading->source.at == NULL ? ": --source-organization says which is meant" : "");
		return OK;
	}
	record->as.settings = (struct organization_change_in){
		.location = legacy_text(arena, row, LEGACY_LOCATION, LEGACY_NAME_BYTES, LEGACY_CUT, record),
		.website_url = legacy_text(arena, row, LEGACY_WEBSITE_URL, LEGACY_NAME_BYTES, LEGACY_CUT, record),
		.requests_per_minute = DB_NULL,
	};
	*reading->old_key = legacy_text(arena, row, LEGACY_API_KEY, LEGACY_KEY_BYTES, LEGACY_CUT, record);
	return OK;
}

/* What is set here already stays. */
enum err legacy_settings_store(struct legacy_storing *storing, struct legacy_record *record)
{
	struct organization_change_in change = record->as.settings;
	struct organization_show_out own;
	enum err err =
	    query_one(storing->counting.db, STATEMENT_ORGANIZATION_SHOW, NULL, &own, storing->counting.arena);

	if (err != OK)
		return err;
	if (own.location.at != NULL)
		change.location = (struct text){ 0 };
	if (own.website_url.at != NULL)
		change.website_url = (struct text){ 0 };
	change.now = storing->now;
	record->there = change.location.at == NULL && change.website_url.at == NULL;
	return record->there ? OK : query_run(storing->counting.db, STATEMENT_ORGANIZATION_CHANGE, &change, NULL);
}

/* Who cannot sign in there, or is not known to, is a contact here. */
static struct text role_of(struct arena *arena, const struct legacy_row *row, struct text provider,
			   struct legacy_record *record)
{
	static const char *const roles[] = { "Admin", "Creator", "Member", "Visitor" };
	const struct text given = legacy_text(arena, row, LEGACY_ROLE, LEGACY_KEY_BYTES, LEGACY_CUT, record);

	if (provider.at != NULL && text_equal_ignoring_case(provider, TEXT("newsletter")))
		return TEXT("Visitor");
	for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
		if (text_equal_ignoring_case(given, text_of(roles[i])))
			return text_of(roles[i]);
	if (given.at != NULL)
		legacy_note(record, arena, "role is none of ours: taken as Visitor.");
	return TEXT("Visitor");
}

enum err legacy_user_read(struct legacy_reading *reading, const struct legacy_row *row, struct legacy_record *record)
{
	struct arena *arena = reading->arena;
	struct legacy_user_create_in *user = &record->as.person;
	enum err err = OK;

	legacy_begin(reading, row, LEGACY_ALONE, record);
	if (record->foreign)
		return legacy_add_foreign(reading, LEGACY_USERS, record->key);
	user->email = legacy_text(arena, row, LEGACY_EMAIL, LEGACY_NAME_BYTES, LEGACY_REQUIRED, record);
	if (record->reason.at == NULL && text_email(arena, user->email, &user->email) != OK)
		legacy_refuse(record, arena, "email is none.");
	user->name = legacy_text(arena, row, LEGACY_NAME, LEGACY_NAME_BYTES, LEGACY_CUT, record);
	user->image = legacy_text(arena, row, LEGACY_IMAGE, LEGACY_URL_BYTES, LEGACY_CUT, record);
	user->provider = legacy_text(arena, row, LEGACY_PROVIDER, LEGACY_KEY_BYTES, LEGACY_CUT, record);
	user->provider_id = legacy_text(arena, row, LEGACY_PROVIDER_ID, LEGACY_KEY_BYTES, LEGACY_CUT, record);
	user->role = role_of(arena, row, user->provider, record);
	user->created_at = legacy_time(arena, row, LEGACY_CREATED_AT, record);
	user->updated_at = legacy_time(arena, row, LEGACY_UPDATED_AT, record);
	user->last_sign_in_at = legacy_time(arena, row, LEGACY_LAST_SIGN_IN_AT, record);
	if (user->created_at == DB_NULL)
		user->created_at = user->updated_at != DB_NULL ? user->updated_at : reading->now;
	if (user->updated_at == DB_NULL)
		user->updated_at = user->created_at;
	return err;
}

static enum err make_user(struct legacy_storing *storing, struct legacy_record *record)
{
	struct legacy_user_create_in user = record->as.person;
	enum err err;

	user.id = uuid_is_nil(&record->id) ? uuid_new_at(user.created_at) : record->id;
	err = query_run(storing->counting.db, STATEMENT_LEGACY_USER_CREATE, &user, NULL);
	return err == OK && uuid_is_nil(&record->id) ? legacy_remember(storing, "users", record->key, &user.id) : err;
}

enum err legacy_user_store(struct legacy_storing *storing, struct legacy_record *record)
{
	struct db *db = storing->counting.db;
	struct arena *arena = storing->counting.arena;
	struct user_by_id_out own;
	struct user_by_email_out other;
	struct uuid kept;
	enum err err = ERR_NOT_FOUND;

	if (!uuid_is_nil(&record->id))
		err = query_one(db, STATEMENT_USER_BY_ID, &(struct user_by_id_in){ .id = record->id }, &own, arena);
	if (err == ERR_NOT_FOUND)
		err = legacy_find(storing, "users", record->key, &kept);
	record->there = err == OK;
	if (err != ERR_NOT_FOUND)
		return err;
	err = query_one(db, STATEMENT_USER_BY_EMAIL, &(struct user_by_email_in){ .email = record->as.person.email },
			&other, arena);
	if (err == ERR_NOT_FOUND)
		return make_user(storing, record);
	if (err != OK)
		return err;
	legacy_note(record, arena, "A user with this e-mail is there already: the two are one.");
	return legacy_remember(storing, "users", record->key, &other.id);
}

/* The metadata with what later generations kept in columns of their own. */
static enum err gather_metadata(struct arena *arena, const struct legacy_row *row, struct text *out,
				struct legacy_record *record)
{
	const struct json_value *object;
	struct text given = { 0 };
	struct text columns;
	struct buffer buffer;
	struct json_out writer;
	enum err err = legacy_object(arena, row, LEGACY_METADATA, &object, record);

	if (err == OK && object != NULL)
		err = json_compact(arena, object, &given);
	if (err != OK)
		return err;
	buffer_init(&buffer, LEGACY_JSON_BYTES);
	json_out_init(&writer, &buffer);
	json_open_object(&writer);
	for (enum legacy_column i = LEGACY_FIRST_NAME; i <= LEGACY_APOLLO_LAST_SYNCED_AT; i++) {
		const struct text value = legacy_text(arena, row, i, LEGACY_NAME_BYTES, LEGACY_CUT, record);

		if (value.at == NULL)
			continue;
		json_key(&writer, legacy_column_name(i));
		json_put_text(&writer, value);
	}
	json_close_object(&writer);
	columns = buffer.length > 2 ? buffer_copy(&buffer, arena) : (struct text){ 0 };
	buffer_fini(&buffer);
	err = json_merge(arena, columns, given, out);
	if (err == OK && out->length > LEGACY_JSON_BYTES) {
		legacy_note(record, arena, "metadata and what belongs to it is too large: left out.");
		*out = (struct text){ 0 };
	}
	return err;
}

enum err legacy_visitor_read(struct legacy_reading *reading, const struct legacy_row *row, struct legacy_record *record)
{
	struct arena *arena = reading->arena;
	struct legacy_visitor_create_in *visitor = &record->as.visit.row;

	legacy_begin(reading, row, LEGACY_ALONE, record);
	if (record->foreign)
		return legacy_add_foreign(reading, LEGACY_VISITORS, record->key);
	visitor->email = legacy_email(arena, row, record);
	visitor->name = legacy_text(arena, row, LEGACY_NAME, LEGACY_NAME_BYTES, LEGACY_CUT, record);
	visitor->source = legacy_text(arena, row, LEGACY_SOURCE, LEGACY_KEY_BYTES, LEGACY_CUT, record);
	visitor->created_at = legacy_time(arena, row, LEGACY_CREATED_AT, record);
	visitor->last_active_at = legacy_time(arena, row, LEGACY_LAST_ACTIVE_AT, record);
	if (visitor->created_at == DB_NULL)
		visitor->created_at = visitor->last_active_at != DB_NULL ? visitor->last_active_at : reading->now;
	if (visitor->last_active_at == DB_NULL)
		visitor->last_active_at = visitor->created_at;
	record->as.visit.session = legacy_text(arena, row, LEGACY_SESSION_ID, LEGACY_KEY_BYTES, LEGACY_CUT, record);
	return gather_metadata(arena, row, &visitor->metadata, record);
}

/* Another visitor has the e-mail: what they say of themselves stays, this row fills the gaps. */
static enum err unite(struct legacy_storing *storing, struct legacy_record *record, const struct uuid *id)
{
	const struct legacy_visitor_create_in *gone = &record->as.visit.row;
	const struct counting *counting = &storing->counting;
	struct visitor_by_id_out kept;
	struct visitor_change_in change = { .id = *id, .email = gone->email, .last_active_at = gone->last_active_at };
	struct counted_visitor before;
	struct counted_visitor after;
	enum err err = query_one(counting->db, STATEMENT_VISITOR_BY_ID, &(struct visitor_by_id_in){ .id = *id }, &kept,
				 counting->arena);

	if (err == OK)
		err = json_merge(counting->arena, gone->metadata, kept.metadata, &change.metadata);
	if (err != OK)
		return err;
	if (change.metadata.length > LEGACY_JSON_BYTES) {
		legacy_note(record, counting->arena, "metadata would grow past %d bytes: left out.", LEGACY_JSON_BYTES);
		change.metadata = kept.metadata;
	}
	if (kept.name.at == NULL)
		change.name = gone->name;
	before = (struct counted_visitor){ kept.number, kept.created_at, kept.metadata };
	after = before;
	after.metadata = change.metadata;
	err = query_run(counting->db, STATEMENT_VISITOR_CHANGE, &change, NULL);
	if (err == OK)
		err = counting_visitor(counting, &before, &after);
	legacy_note(record, counting->arena, "Another visitor has this e-mail: the two are one.");
	return err == OK ? legacy_remember(storing, "visitors", record->key, id) : err;
}

static enum err make_visitor(struct legacy_storing *storing, struct legacy_record *record)
{
	const struct counting *counting = &storing->counting;
	struct legacy_visitor_create_in visitor = record->as.visit.row;
	enum err err;

	visitor.id = uuid_is_nil(&record->id) ? uuid_new_at(visitor.created_at) : record->id;
	err = query_run(counting->db, STATEMENT_LEGACY_VISITOR_CREATE, &visitor, NULL);
	if (err == OK)
		err = counting_visitor(
		    counting, NULL,
		    &(struct counted_visitor){ db_inserted(counting->db), visitor.created_at, visitor.metadata });
	return err == OK && uuid_is_nil(&record->id) ? legacy_remember(storing, "visitors", record->key, &visitor.id)
						     : err;
}

/* Whether this row was taken before, and under which id. */
static enum err find_taken(struct legacy_storing *storing, const struct legacy_record *record, struct uuid *out)
{
	struct visitor_by_id_out own;
	enum err err = ERR_NOT_FOUND;

	*out = record->id;
	if (!uuid_is_nil(&record->id))
		err = query_one(storing->counting.db, STATEMENT_VISITOR_BY_ID,
				&(struct visitor_by_id_in){ .id = record->id }, &own, storing->counting.arena);
	return err == ERR_NOT_FOUND ? legacy_find(storing, "visitors", record->key, out) : err;
}

void legacy_visitor_foresee(struct legacy_storing *storing, const struct legacy_record *record)
{
	const struct text email = record->as.visit.row.email;
	struct db *db = storing->counting.db;

	if (!uuid_is_nil(&record->id))
		db_foresee(db, STATEMENT_VISITOR_BY_ID, &(struct visitor_by_id_in){ .id = record->id });
	legacy_foresee_find(storing, "visitors", record->key);
	if (email.at != NULL)
		db_foresee(db, STATEMENT_VISITOR_BY_EMAIL, &(struct visitor_by_email_in){ .email = email });
}

enum err legacy_visitor_store(struct legacy_storing *storing, struct legacy_record *record)
{
	const struct text email = record->as.visit.row.email;
	struct visitor_by_email_out other;
	struct uuid taken;
	enum err err = find_taken(storing, record, &taken);

	record->there = err == OK;
	if (err == ERR_NOT_FOUND && email.at != NULL) {
		err = query_one(storing->counting.db, STATEMENT_VISITOR_BY_EMAIL,
				&(struct visitor_by_email_in){ .email = email }, &other, storing->counting.arena);
		if (err == OK)
			return unite(storing, record, &other.id);
	}
	return err == ERR_NOT_FOUND ? make_visitor(storing, record) : err;
}

/* Chats and views of the visitor's session that have no visitor yet are theirs, as if they were identified now. */
enum err legacy_session_store(struct legacy_storing *storing, struct legacy_record *record)
{
	const struct text session = record->as.visit.session;
	int64_t chats = 0;
	int64_t views = 0;
	struct uuid visitor;
	enum err err;

	record->there = true;
	if (session.at == NULL)
		return OK;
	err = find_taken(storing, record, &visitor);
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	err = query_run(storing->counting.db, STATEMENT_CHATS_LINK_SESSION,
			&(struct chats_link_session_in){ .session_id = session, .visitor_id = visitor }, &chats);
	if (err == OK)
		err = query_run(storing->counting.db, STATEMENT_ARTICLE_VIEWS_LINK_SESSION,
				&(struct article_views_link_session_in){ .session_id = session, .visitor_id = visitor },
				&views);
	record->there = chats + views == 0;
	return err;
}
