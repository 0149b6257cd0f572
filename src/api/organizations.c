#include "api/organizations.h"

#include "api/settings.h"
#include "auth/api_key.h"
#include "auth/founding.h"
#include "auth/slug.h"

static const char *const statuses[] = { "active", "suspended", NULL };

struct create_input {
	struct text name;
	struct text slug;
	struct text location;
	struct text website_url;
	int64_t requests_per_minute;
};

#define AT(member) .offset = offsetof(struct create_input, member)
static const struct json_field create_fields[] = {
	{ .name = "organization_name",
	  .kind = JSON_TEXT,
	  .required = true,
	  AT(name),
	  .max = 200,
	  .about = "For people." },
	{ .name = "slug",
	  .kind = JSON_TEXT,
	  AT(slug),
	  .max = SLUG_MAX,
	  .about = "Short name; from the name when missing." },
	{ .name = "location", .kind = JSON_TEXT, AT(location), .max = 200 },
	{ .name = "website_url", .kind = JSON_TEXT, AT(website_url), .max = 2000 },
	{ .name = "requests_per_minute",
	  .kind = JSON_INT,
	  AT(requests_per_minute),
	  .max = API_KEY_RATE_MAX,
	  .about = "Of each of its keys; 0 is no limit." },
};
#undef AT
const struct json_shape organizations_create_body = JSON_SHAPE(create_input, create_fields);

static enum err choose_slug(struct call *call, const struct create_input *in, struct text *out)
{
	char slug[SLUG_SIZE];
	const size_t length = slug_of(in->slug.at != NULL ? in->slug : in->name, slug);

	if (length == 0 || (in->slug.at != NULL && !text_equal(text_of(slug), in->slug)))
		return call_fail(call, ERR_INVALID, "slug",
				 "slug must be letters a to z, digits and single hyphens, for example fort-myers.");
	*out = text_copy(call->arena, (struct text){ slug, length });
	return out->at == NULL ? ERR_MEMORY : OK;
}

enum err organizations_create(struct call *call)
{
	const struct create_input *in = call->input;
	struct organization_create_in organization = { .id = uuid_new(),
						       .organization_name = in->name,
						       .location = in->location,
						       .website_url = in->website_url,
						       .requests_per_minute = in->requests_per_minute == JSON_ABSENT
										  ? 0
										  : in->requests_per_minute,
						       .now = call->now };
	struct api_key_create_in stored = { .id = uuid_new(), .name = TEXT("first"), .now = call->now };
	char key[API_KEY_SIZE];
	char hash[API_KEY_HASH_SIZE];
	char masked[API_KEY_MASKED_SIZE];
	enum err err = choose_slug(call, in, &organization.slug);

	if (err != OK)
		return err;
	api_key_make(key);
	api_key_hash(text_of(key), hash);
	api_key_mask(text_of(key), masked);
	stored.hash = text_of(hash);
	stored.masked = text_of(masked);
	err = founding_organization(call->db, call->arena, &organization, &stored);
	if (err == ERR_CONFLICT)
		return call_fail(call, err, "slug", "There is an organization with this slug already: choose another.");
	if (err != OK)
		return err;
	json_key(call->out, "id");
	json_put_uuid(call->out, &organization.id);
	json_key(call->out, "slug");
	json_put_text(call->out, organization.slug);
	json_key(call->out, "organization_name");
	json_put_text(call->out, in->name);
	json_key(call->out, "api_key");
	json_put_string(call->out, key);
	return OK;
}

enum err organizations_list(struct call *call)
{
	return query_rows(call->db, STATEMENT_ORGANIZATION_LIST, NULL, call->out);
}

struct change_input {
	struct text name;
	struct text location;
	struct text website_url;
	struct text status;
	struct text time_zone;
	int64_t requests_per_minute;
};

#define AT(member) .offset = offsetof(struct change_input, member)
static const struct json_field change_fields[] = {
	{ .name = "organization_name", .kind = JSON_TEXT, AT(name), .max = 200 },
	{ .name = "location", .kind = JSON_TEXT, .clears = true, AT(location), .max = 200 },
	{ .name = "website_url", .kind = JSON_TEXT, .clears = true, AT(website_url), .max = 2000 },
	{ .name = "status",
	  .kind = JSON_CHOICE,
	  AT(status),
	  .choices = statuses,
	  .about = "suspended: its keys are refused." },
	{ .name = "time_zone",
	  .kind = JSON_TEXT,
	  AT(time_zone),
	  .about = "Whose midnight ends a day, for example America/New_York; the figures follow." },
	{ .name = "requests_per_minute", .kind = JSON_INT, AT(requests_per_minute), .max = API_KEY_RATE_MAX },
};
#undef AT
const struct json_shape organizations_change_body = JSON_SHAPE(change_input, change_fields);

enum err organizations_change(struct call *call)
{
	const struct change_input *in = call->input;
	const struct organization_change_in change = { .organization_name = in->name,
						       .location = in->location,
						       .website_url = in->website_url,
						       .status = in->status,
						       .requests_per_minute = in->requests_per_minute,
						       .now = call->now };
	struct organization_show_out row;
	enum err err = query_run(call->db, STATEMENT_ORGANIZATION_CHANGE, &change, NULL);

	if (err == OK && in->time_zone.at != NULL)
		err = settings_change_time_zone(call, in->time_zone);
	if (err == OK)
		err = query_one(call->db, STATEMENT_ORGANIZATION_SHOW, NULL, &row, call->arena);
	if (err == OK)
		query_members(STATEMENT_ORGANIZATION_SHOW, &row, call->out);
	return err;
}

void organizations_changed(struct call *call)
{
	api_keys_forget(call->house->keys, scope_organization(call->scope));
}
