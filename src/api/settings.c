#include "api/settings.h"

#include "analytics/build.h"
#include "api/keys.h"
#include "erase/retention.h"

#define CLEARED "Null or an empty text takes it away."

/* The figures by the days of another time zone, on their way: {time_zone, done, total}, in raw rows; else null. */
static enum err put_progress(struct call *call)
{
	struct build_progress progress;
	enum err err = build_look(call->db, call->arena, &progress);

	if (err != OK)
		return err;
	json_key(call->out, "figures_being_counted");
	if (!progress.building) {
		json_put_null(call->out);
		return OK;
	}
	json_open_object(call->out);
	json_key(call->out, "time_zone");
	json_put_text(call->out, progress.build_zone);
	json_key(call->out, "done");
	json_put_int(call->out, progress.done);
	json_key(call->out, "total");
	json_put_int(call->out, progress.total > progress.done ? progress.total : progress.done);
	json_close_object(call->out);
	return OK;
}

/* `key`: the whole key, this once; NULL: the masked one. */
static enum err put_settings(struct call *call, const char *key)
{
	struct organization_settings_out row;
	struct api_key_newest_out newest = { 0 };
	enum err err = query_one(call->db, STATEMENT_ORGANIZATION_SETTINGS, NULL, &row, call->arena);

	if (err == OK)
		err = query_one(call->db, STATEMENT_API_KEY_NEWEST, NULL, &newest, call->arena);
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	query_members(STATEMENT_ORGANIZATION_SETTINGS, &row, call->out);
	json_key(call->out, "api_key");
	json_put_text(call->out, key != NULL ? text_of(key) : newest.masked);
	return put_progress(call);
}

enum err settings_show(struct call *call)
{
	return put_settings(call, NULL);
}

struct change_input {
	struct text name;
	struct text location;
	struct text website_url;
	struct text time_zone;
	int64_t retention_days;
};

#define AT(member) .offset = offsetof(struct change_input, member)
static const struct json_field change_fields[] = {
	{ .name = "organization_name", .kind = JSON_TEXT, AT(name), .max = 200 },
	{ .name = "location", .kind = JSON_TEXT, .clears = true, AT(location), .max = 200, .about = CLEARED },
	{ .name = "website_url", .kind = JSON_TEXT, .clears = true, AT(website_url), .max = 2000, .about = CLEARED },
	{ .name = "time_zone",
	  .kind = JSON_TEXT,
	  AT(time_zone),
	  .about = "Whose midnight ends a day, for example America/New_York; the figures follow." },
	{ .name = "retention_days",
	  .kind = JSON_INT,
	  AT(retention_days),
	  .max = RETENTION_DAYS_MAX,
	  .about = "Data older than this is erased daily; 0: never." },
};
#undef AT
const struct json_shape settings_change_body = JSON_SHAPE(change_input, change_fields);

enum err settings_change_time_zone(struct call *call, struct text zone)
{
	const struct counting counting = call_counting(call);
	enum err err = build_change_zone(&counting, zone, call->now);

	if (err == ERR_INVALID)
		return call_fail(call, err, "time_zone",
				 "time_zone must be an IANA name that this machine knows, for example "
				 "America/New_York.");
	return err;
}

enum err settings_change(struct call *call)
{
	const struct change_input *in = call->input;
	enum err err = query_run(call->db, STATEMENT_ORGANIZATION_CHANGE,
				 &(struct organization_change_in){ .organization_name = in->name,
								   .location = in->location,
								   .website_url = in->website_url,
								   .requests_per_minute = DB_NULL,
								   .now = call->now },
				 NULL);

	if (err == OK && in->time_zone.at != NULL)
		err = settings_change_time_zone(call, in->time_zone);
	if (err == OK && in->retention_days != JSON_ABSENT)
		err = query_run(
		    call->db, STATEMENT_ORGANIZATION_RETAIN,
		    &(struct organization_retain_in){ .retention_days = in->retention_days, .now = call->now }, NULL);
	return err == OK ? put_settings(call, NULL) : err;
}

struct act_input {
	struct text action;
};

static const char *const actions[] = { "regenerate_api_key", NULL };
static const struct json_field act_fields[] = {
	{ .name = "action",
	  .kind = JSON_CHOICE,
	  .required = true,
	  .offset = offsetof(struct act_input, action),
	  .choices = actions },
};
const struct json_shape settings_act_body = JSON_SHAPE(act_input, act_fields);

enum err settings_act(struct call *call)
{
	struct api_key_newest_out newest = { .name = TEXT("first") };
	char key[API_KEY_SIZE];
	struct uuid id;
	enum err err = query_one(call->db, STATEMENT_API_KEY_NEWEST, NULL, &newest, call->arena);

	if (err == OK)
		err = query_run(call->db, STATEMENT_API_KEY_REVOKE,
				&(struct api_key_revoke_in){ .id = newest.id, .now = call->now }, NULL);
	if (err == OK || err == ERR_NOT_FOUND)
		err = keys_make(call, newest.name, key, &id);
	return err == OK ? put_settings(call, key) : err;
}
