#include "api/move.h"

#include "api/bulletin.h"
#include "auth/slug.h"

#define TURN_MILLISECONDS 15000
#define PATH_BYTES        4000

static void hide(void *context, const struct db *db, const struct uuid *organization)
{
	const struct house *house = context;

	if (house->remote)
		bulletin_keys(house->bulletins[db_lane(db)], organization);
}

static void hidden(void *context, const struct uuid *organization)
{
	const struct house *house = context;

	api_keys_forget(house->keys, organization);
}

struct move_place move_place_of(const struct house *house)
{
	return (struct move_place){ .readers = house->readers,
				    .writer = house->writer,
				    .ledgers = house->ledgers,
				    .remote = house->remote,
				    .moves = house->moves,
				    .log = house->log,
				    .ending = &house->draining,
				    .hide = hide,
				    .hidden = hidden,
				    .context = (void *)house };
}

static enum err take_turn(struct call *call, const char *what)
{
	struct moves_progress other;

	if (moves_begin(call->house->moves, what, TURN_MILLISECONDS))
		return OK;
	moves_look(call->house->moves, &other);
	return call_fail(call, ERR_CONFLICT, NULL,
			 "This server moves one organization at a time, and another %s is under way (%s: %lld of %lld "
			 "rows). Nothing was done: try again when that has ended.",
			 other.what == NULL ? "move" : other.what, other.part == NULL ? "" : other.part,
			 (long long)other.done, (long long)other.total);
}

static enum err end_turn(struct call *call, enum err err)
{
	moves_end(call->house->moves);
	if (err == ERR_UNAVAILABLE && atomic_load(&call->house->draining))
		return call_fail(call, err, NULL, "The server is stopping: try again when it runs.");
	return err;
}

static void put_organization(struct call *call, const struct uuid *id, struct text slug, struct text name)
{
	json_key(call->out, "id");
	json_put_uuid(call->out, id);
	json_key(call->out, "slug");
	json_put_text(call->out, slug);
	json_key(call->out, "organization_name");
	json_put_text(call->out, name);
}

struct out_input {
	struct text path;
};

static const struct json_field out_fields[] = {
	{ .name = "path",
	  .kind = JSON_TEXT,
	  .required = true,
	  .offset = offsetof(struct out_input, path),
	  .max = PATH_BYTES,
	  .about = "Where to; absolute, and not there yet." },
};
const struct json_shape move_out_body = JSON_SHAPE(out_input, out_fields);

enum err move_out(struct call *call)
{
	const struct out_input *in = call->input;
	const struct move_place place = move_place_of(call->house);
	struct move_exported exported = { 0 };
	enum err err = take_turn(call, "export");

	if (err != OK)
		return err;
	err = end_turn(call, move_export(&place, call->scope, in->path, call->arena, &exported, &call->fault));
	if (err != OK)
		return err;
	LOG(call->house->log, LOG_INFO, "organization exported", LOG_TEXT("organization", exported.manifest.slug),
	    LOG_TEXT("file", in->path), LOG_INT("rows", exported.rows), LOG_INT("bytes", exported.file.bytes));
	put_organization(call, &exported.manifest.organization, exported.manifest.slug,
			 exported.manifest.organization_name);
	json_key(call->out, "path");
	json_put_text(call->out, in->path);
	json_key(call->out, "rows");
	json_put_int(call->out, exported.rows);
	json_key(call->out, "bytes");
	json_put_int(call->out, exported.file.bytes);
	json_key(call->out, "sha256");
	json_put_string(call->out, exported.file.checksum);
	return OK;
}

struct in_input {
	struct text path;
	struct text slug;
};

#define AT(member) .offset = offsetof(struct in_input, member)
static const struct json_field in_fields[] = {
	{ .name = "path", .kind = JSON_TEXT, .required = true, AT(path), .max = PATH_BYTES, .about = "An export." },
	{ .name = "slug", .kind = JSON_TEXT, AT(slug), .max = SLUG_MAX, .about = "Another slug than it had." },
};
#undef AT
const struct json_shape move_in_body = JSON_SHAPE(in_input, in_fields);

enum err move_in(struct call *call)
{
	const struct in_input *in = call->input;
	const struct move_place place = move_place_of(call->house);
	struct move_imported imported = { 0 };
	enum err err = take_turn(call, "import");

	if (err != OK)
		return err;
	err = end_turn(call, move_import(&place, in->path, in->slug, call->arena, &imported, &call->fault));
	if (err != OK)
		return err;
	LOG(call->house->log, LOG_INFO, "organization imported", LOG_TEXT("organization", imported.slug),
	    LOG_TEXT("file", in->path), LOG_INT("rows", imported.rows));
	put_organization(call, &imported.organization, imported.slug, imported.organization_name);
	json_key(call->out, "rows");
	json_put_int(call->out, imported.rows);
	return OK;
}

struct away_input {
	struct text slug;
	struct text confirm;
};

#define AT(member) .offset = offsetof(struct away_input, member)
static const struct json_field away_fields[] = {
	{ .name = "slug", .kind = JSON_TEXT, .required = true, AT(slug), .about = "Whose rows go." },
	{ .name = "confirm", .kind = JSON_TEXT, .required = true, AT(confirm), .about = "The same slug once more." },
};
#undef AT
const struct json_shape move_away_body = JSON_SHAPE(away_input, away_fields);

static enum err find(struct call *call, const struct move_place *place, struct text slug, struct moving *moving)
{
	enum err err = moving_by_slug(place->readers, call->arena, slug, moving);

	if (err == ERR_NOT_FOUND)
		return call_fail(call, err, "slug",
				 "There is no organization with this slug: `innkeeper organization list` shows them.");
	if (err == OK && moving->way != MOVING_NOT && !move_is_left(place, moving))
		return call_fail(call, ERR_CONFLICT, NULL,
				 "Another command moves this organization at the moment: wait until it is done.");
	return err;
}

/* An organization's record goes with it: what remains of who erased it, and what, is the log and what is printed. */
static void log_receipt(const struct call *call, const struct moving *moving, const struct move_receipt *receipt)
{
	char id[UUID_TEXT_SIZE];
	struct buffer text;

	uuid_format(&moving->id, id);
	buffer_init(&text, MOVE_RECEIPT_MAX);
	move_receipt_write(receipt, &text);
	LOG(call->house->log, LOG_INFO, "organization erased by the operator", LOG_TEXT("organization", moving->slug),
	    LOG_STRING("id", id), LOG_TEXT("erased", ((struct text){ text.at, text.length })));
	buffer_fini(&text);
}

static enum err remove_found(struct call *call, struct text slug, struct moving *moving, struct move_receipt *receipt)
{
	const struct move_place place = move_place_of(call->house);
	enum err err = find(call, &place, slug, moving);

	if (err != OK)
		return err;
	LOG(call->house->log, LOG_INFO, "the operator erases an organization", LOG_TEXT("organization", slug));
	err = move_remove(&place, moving, receipt, &call->fault);
	if (err == OK)
		log_receipt(call, moving, receipt);
	return err;
}

enum err move_away(struct call *call)
{
	const struct away_input *in = call->input;
	struct move_receipt receipt = { 0 };
	struct moving moving;
	enum err err;

	if (!text_equal(in->slug, in->confirm))
		return call_fail(call, ERR_INVALID, "confirm",
				 "--confirm must be the organization's slug once more: nothing was erased.");
	err = take_turn(call, "delete");
	if (err != OK)
		return err;
	err = end_turn(call, remove_found(call, in->slug, &moving, &receipt));
	if (err != OK)
		return err;
	json_key(call->out, "id");
	json_put_uuid(call->out, &moving.id);
	json_key(call->out, "slug");
	json_put_text(call->out, in->slug);
	json_key(call->out, "erased");
	json_open_object(call->out);
	for (size_t i = 0; i < move_receipt_count(); i++) {
		json_key(call->out, move_receipt_name(i));
		json_put_int(call->out, receipt.rows[i]);
	}
	json_close_object(call->out);
	return OK;
}

enum err move_progress(struct call *call)
{
	struct moves_progress progress;

	moves_look(call->house->moves, &progress);
	json_key(call->out, "what");
	json_put_string(call->out, progress.what);
	json_key(call->out, "part");
	json_put_string(call->out, progress.part);
	json_key(call->out, "done");
	json_put_int(call->out, progress.done);
	json_key(call->out, "total");
	json_put_int(call->out, progress.total);
	return OK;
}
