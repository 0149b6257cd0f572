/* Trips and their places. There is no table for them here yet: each is an element of a list in its visitor's metadata.
 */
#include "base/json_in.h"
#include "base/json_out.h"
#include "base/json_tree.h"
#include "legacy/record.h"
#include "legacy/value.h"
#include "store/query.h"

#define TRIPS     "trips"
#define LOCATIONS "trip_locations"

/* All known columns of the row but those that say whose it is, as an object of texts. */
static struct text object_of(struct arena *arena, const struct legacy_row *row, struct legacy_record *record)
{
	struct buffer buffer;
	struct json_out out;
	struct text object;

	buffer_init(&buffer, LEGACY_JSON_BYTES);
	json_out_init(&out, &buffer);
	json_open_object(&out);
	for (enum legacy_column i = LEGACY_NONE + 1; i < LEGACY_COLUMNS; i++) {
		struct text value;

		if (i == LEGACY_ORGANIZATION_ID || i == LEGACY_VISITOR_ID || i == LEGACY_USER_ID)
			continue;
		value = legacy_text(arena, row, i, LEGACY_TEXT_BYTES, LEGACY_CUT, record);
		if (value.at == NULL)
			continue;
		json_key(&out, legacy_column_name(i));
		json_put_text(&out, value);
	}
	json_close_object(&out);
	object = buffer_copy(&buffer, arena);
	if (buffer.failed)
		legacy_refuse(record, arena, "It is larger than %d bytes.", LEGACY_JSON_BYTES);
	buffer_fini(&buffer);
	return object;
}

enum err legacy_trip_read(struct legacy_reading *reading, const struct legacy_row *row, struct legacy_record *record)
{
	legacy_begin(reading, row, LEGACY_OF_VISITOR, record);
	if (record->foreign)
		return OK;
	legacy_read_links(reading, row, record);
	if (record->visitor.at == NULL)
		legacy_refuse(record, reading->arena, "It has no visitor whose it could be.");
	record->as.trip.object = object_of(reading->arena, row, record);
	return OK;
}

enum err legacy_trip_location_read(struct legacy_reading *reading, const struct legacy_row *row,
				   struct legacy_record *record)
{
	legacy_begin(reading, row, LEGACY_ALONE, record);
	record->as.trip.id =
	    legacy_text(reading->arena, row, LEGACY_TRIP_ID, LEGACY_KEY_BYTES, LEGACY_REQUIRED, record);
	record->as.trip.object = object_of(reading->arena, row, record);
	return OK;
}

/* {name: [what stood there, object]}, to be merged over the metadata. */
static enum err list_with(struct arena *arena, struct text metadata, const char *name, struct text object,
			  struct text *out)
{
	const struct json_value *before = NULL;
	struct text list = { 0 };
	struct buffer buffer;
	struct json_out writer;
	enum err err = metadata.at == NULL ? OK : json_parse(metadata, arena, &before, NULL);

	if (err == OK && json_is_array(json_member(before, name)))
		err = json_compact(arena, json_member(before, name), &list);
	if (err != OK)
		return err;
	buffer_init(&buffer, SIZE_MAX);
	json_out_init(&writer, &buffer);
	json_open_object(&writer);
	json_key(&writer, name);
	json_open_array(&writer);
	if (list.length > 2)
		json_put_raw(&writer, (struct text){ list.at + 1, list.length - 2 });
	json_put_raw(&writer, object);
	json_close_array(&writer);
	json_close_object(&writer);
	*out = buffer_copy(&buffer, arena);
	buffer_fini(&buffer);
	return out->at == NULL ? ERR_MEMORY : OK;
}

static enum err add_to_visitor(struct legacy_storing *storing, struct legacy_record *record, const struct uuid *id,
			       const char *name)
{
	const struct counting *counting = &storing->counting;
	struct visitor_by_id_out visitor;
	struct visitor_change_in change = { .id = *id };
	struct counted_visitor before;
	struct counted_visitor after;
	struct text list;
	enum err err = query_one(counting->db, STATEMENT_VISITOR_BY_ID, &(struct visitor_by_id_in){ .id = *id },
				 &visitor, counting->arena);

	if (err == OK)
		err = list_with(counting->arena, visitor.metadata, name, record->as.trip.object, &list);
	if (err == OK)
		err = json_merge(counting->arena, visitor.metadata, list, &change.metadata);
	if (err != OK)
		return err;
	if (change.metadata.length > LEGACY_JSON_BYTES) {
		legacy_refuse(record, counting->arena, "Its visitor's metadata would grow past %d bytes.",
			      LEGACY_JSON_BYTES);
		return OK;
	}
	change.email = visitor.email;
	change.last_active_at = visitor.created_at; /* never later than what stands there */
	before = (struct counted_visitor){ visitor.number, visitor.created_at, visitor.metadata };
	after = before;
	after.metadata = change.metadata;
	err = query_run(counting->db, STATEMENT_VISITOR_CHANGE, &change, NULL);
	return err == OK ? counting_visitor(counting, &before, &after) : err;
}

static enum err store(struct legacy_storing *storing, struct legacy_record *record, const struct uuid *visitor,
		      const char *source, const char *name)
{
	enum err err = add_to_visitor(storing, record, visitor, name);

	if (err == ERR_NOT_FOUND) {
		legacy_refuse(record, storing->counting.arena, "Its visitor is not there.");
		return OK;
	}
	return err == OK && record->reason.at == NULL ? legacy_remember(storing, source, record->key, visitor) : err;
}

enum err legacy_trip_store(struct legacy_storing *storing, struct legacy_record *record)
{
	struct uuid visitor;
	enum err err = legacy_find(storing, TRIPS, record->key, &visitor);

	record->there = err == OK;
	if (err != ERR_NOT_FOUND)
		return err;
	err = legacy_link_visitor(storing, record, &visitor);
	return err == OK ? store(storing, record, &visitor, TRIPS, "trips") : err;
}

enum err legacy_trip_location_store(struct legacy_storing *storing, struct legacy_record *record)
{
	struct uuid visitor;
	enum err err = legacy_find(storing, LOCATIONS, record->key, &visitor);

	record->there = err == OK;
	if (err == ERR_NOT_FOUND)
		err = legacy_find(storing, TRIPS, record->as.trip.id, &visitor);
	else
		return err;
	if (err == ERR_NOT_FOUND) {
		legacy_refuse(record, storing->counting.arena, "Its trip is not there.");
		return OK;
	}
	return err == OK ? store(storing, record, &visitor, LOCATIONS, "tripLocations") : err;
}
