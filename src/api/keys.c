#include "api/keys.h"

#include "api/list.h"

struct create_input {
	struct text name;
};

static const struct json_field create_fields[] = {
	{ .name = "name",
	  .kind = JSON_TEXT,
	  .offset = offsetof(struct create_input, name),
	  .fallback = "unnamed",
	  .about = "For people to tell keys apart." },
};
const struct json_shape keys_create_body = JSON_SHAPE(create_input, create_fields);

static void note_target(struct call *call, const struct uuid *id)
{
	char text[UUID_TEXT_SIZE];

	uuid_format(id, text);
	call->audit_target = text_copy(call->arena, text_of(text));
}

enum err keys_make(struct call *call, struct text name, char key[API_KEY_SIZE], struct uuid *id)
{
	char hash[API_KEY_HASH_SIZE];
	char masked[API_KEY_MASKED_SIZE];
	struct api_key_create_in stored = { .id = uuid_new(), .name = name, .now = call->now };

	api_key_make(key);
	api_key_hash(text_of(key), hash);
	api_key_mask(text_of(key), masked);
	stored.hash = text_of(hash);
	stored.masked = text_of(masked);
	*id = stored.id;
	note_target(call, id);
	return query_run(call->db, STATEMENT_API_KEY_CREATE, &stored, NULL);
}

enum err keys_create(struct call *call)
{
	const struct create_input *in = call->input;
	char key[API_KEY_SIZE];
	struct uuid id;
	enum err err = keys_make(call, in->name, key, &id);

	if (err != OK)
		return err;
	json_key(call->out, "id");
	json_put_uuid(call->out, &id);
	json_key(call->out, "name");
	json_put_text(call->out, in->name);
	json_key(call->out, "api_key");
	json_put_string(call->out, key);
	return OK;
}

enum err keys_list(struct call *call)
{
	return query_rows(call->db, STATEMENT_API_KEY_LIST, NULL, call->out);
}

static enum err fill_page(struct call *call, const struct list_page *page, void *out)
{
	(void)call;
	*(struct api_key_page_in *)out =
	    (struct api_key_page_in){ page->before_time, page->before_number, page->limit };
	return OK;
}

enum err keys_page(struct call *call)
{
	static const struct list keys = {
		.statement = STATEMENT_API_KEY_PAGE, .hidden = 2, .file = "keys", .fill = fill_page
	};

	return list_answer(call, &keys);
}

struct revoke_input {
	struct text id;
};

static const struct json_field revoke_fields[] = {
	{ .name = "id",
	  .kind = JSON_TEXT,
	  .required = true,
	  .offset = offsetof(struct revoke_input, id),
	  .about = "As the list shows it." },
};
const struct json_shape keys_revoke_body = JSON_SHAPE(revoke_input, revoke_fields);

static enum err revoke(struct call *call, const struct uuid *id)
{
	struct api_key_revoke_out row;
	enum err err = query_one(call->db, STATEMENT_API_KEY_REVOKE,
				 &(struct api_key_revoke_in){ .id = *id, .now = call->now }, &row, call->arena);

	note_target(call, id);
	if (err == OK)
		query_members(STATEMENT_API_KEY_REVOKE, &row, call->out);
	return err;
}

enum err keys_revoke(struct call *call)
{
	const struct revoke_input *in = call->input;
	struct uuid id;
	enum err err = uuid_parse(in->id, &id);

	if (err != OK)
		return call_fail(call, err, "id", "id must be a key's id, as `innkeeper key list` shows it.");
	err = revoke(call, &id);
	if (err == ERR_NOT_FOUND)
		return call_fail(call, err, NULL, "This organization has no such key, or it is revoked already.");
	return err;
}

enum err keys_remove(struct call *call)
{
	struct uuid id;
	enum err err = call_parameter_id(call, 0, &id);

	return err == OK ? revoke(call, &id) : err;
}

void keys_revoked(struct call *call)
{
	api_keys_forget(call->house->keys, scope_organization(call->scope));
}
