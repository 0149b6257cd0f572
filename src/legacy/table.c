#include "legacy/record.h"

static const char *const names[LEGACY_COLUMNS] = {
	[LEGACY_ID] = "id",
	[LEGACY_ORGANIZATION_ID] = "organization_id",
	[LEGACY_CREATED_AT] = "created_at",
	[LEGACY_UPDATED_AT] = "updated_at",
	[LEGACY_METADATA] = "metadata",
	[LEGACY_NAME] = "name",
	[LEGACY_EMAIL] = "email",
	[LEGACY_STATUS] = "status",
	[LEGACY_LOCATION] = "location",
	[LEGACY_SLUG] = "slug",
	[LEGACY_ORGANIZATION_NAME] = "organization_name",
	[LEGACY_WEBSITE_URL] = "website_url",
	[LEGACY_API_KEY] = "api_key",
	[LEGACY_IMAGE] = "image",
	[LEGACY_ROLE] = "role",
	[LEGACY_PROVIDER] = "provider",
	[LEGACY_PROVIDER_ID] = "provider_id",
	[LEGACY_LAST_SIGN_IN_AT] = "last_sign_in_at",
	[LEGACY_SOURCE] = "source",
	[LEGACY_LAST_ACTIVE_AT] = "last_active_at",
	[LEGACY_SESSION_ID] = "session_id",
	[LEGACY_FIRST_NAME] = "first_name",
	[LEGACY_LAST_NAME] = "last_name",
	[LEGACY_TITLE] = "title",
	[LEGACY_HEADLINE] = "headline",
	[LEGACY_LINKEDIN_URL] = "linkedin_url",
	[LEGACY_CITY] = "city",
	[LEGACY_STATE] = "state",
	[LEGACY_COUNTRY] = "country",
	[LEGACY_COMPANY_NAME] = "company_name",
	[LEGACY_COMPANY_WEBSITE] = "company_website",
	[LEGACY_COMPANY_INDUSTRY] = "company_industry",
	[LEGACY_APOLLO_ID] = "apollo_id",
	[LEGACY_APOLLO_ENRICHED_AT] = "apollo_enriched_at",
	[LEGACY_APOLLO_LAST_SYNCED_AT] = "apollo_last_synced_at",
	[LEGACY_CHAT_ID] = "chat_id",
	[LEGACY_USER_ID] = "user_id",
	[LEGACY_VISITOR_ID] = "visitor_id",
	[LEGACY_EXTERNAL_USER_ID] = "external_user_id",
	[LEGACY_USER_AGENT] = "user_agent",
	[LEGACY_CONTENT] = "content",
	[LEGACY_TIMESTAMP] = "timestamp",
	[LEGACY_ARTICLE_ID] = "article_id",
	[LEGACY_ARTICLE_NAME] = "article_name",
	[LEGACY_ARTICLE_SLUG] = "article_slug",
	[LEGACY_ARTICLE_TYPE] = "article_type",
	[LEGACY_MENTIONED_AT] = "mentioned_at",
	[LEGACY_VIEWED_AT] = "viewed_at",
	[LEGACY_ARTICLE_URL] = "article_url",
	[LEGACY_ARTICLE_TITLE] = "article_title",
	[LEGACY_SEARCH_QUERY] = "search_query",
	[LEGACY_CLICKED] = "clicked",
	[LEGACY_CLICKED_AT] = "clicked_at",
	[LEGACY_TRIP_ID] = "trip_id",
	[LEGACY_DESTINATION] = "destination",
	[LEGACY_START_DATE] = "start_date",
	[LEGACY_END_DATE] = "end_date",
	[LEGACY_DAYS] = "days",
	[LEGACY_IMAGE_URL] = "image_url",
	[LEGACY_LAT] = "lat",
	[LEGACY_LNG] = "lng",
	[LEGACY_LATITUDE] = "latitude",
	[LEGACY_LONGITUDE] = "longitude",
	[LEGACY_DESCRIPTION] = "description",
	[LEGACY_ADDED_AT] = "added_at",
};

const char *legacy_column_name(enum legacy_column column)
{
	return names[column];
}

#define VISITOR_COLUMNS                                                                                                \
	{                                                                                                              \
		LEGACY_ID, LEGACY_ORGANIZATION_ID, LEGACY_EMAIL, LEGACY_NAME, LEGACY_SOURCE, LEGACY_CREATED_AT,        \
		    LEGACY_LAST_ACTIVE_AT, LEGACY_METADATA, LEGACY_SESSION_ID, LEGACY_FIRST_NAME, LEGACY_LAST_NAME,    \
		    LEGACY_TITLE, LEGACY_HEADLINE, LEGACY_LINKEDIN_URL, LEGACY_CITY, LEGACY_STATE, LEGACY_COUNTRY,     \
		    LEGACY_COMPANY_NAME, LEGACY_COMPANY_WEBSITE, LEGACY_COMPANY_INDUSTRY, LEGACY_APOLLO_ID,            \
		    LEGACY_APOLLO_ENRICHED_AT, LEGACY_APOLLO_LAST_SYNCED_AT                                            \
	}
#define WEB_COLUMNS                                                                                                    \
	LEGACY_ID, LEGACY_ORGANIZATION_ID, LEGACY_ARTICLE_URL, LEGACY_ARTICLE_TITLE, LEGACY_ARTICLE_TYPE,              \
	    LEGACY_CHAT_ID, LEGACY_SESSION_ID, LEGACY_VISITOR_ID, LEGACY_SEARCH_QUERY, LEGACY_MENTIONED_AT,            \
	    LEGACY_CLICKED, LEGACY_CLICKED_AT, LEGACY_METADATA, LEGACY_CREATED_AT

// clang-format off
const struct legacy_table legacy_tables[] = {
	{ "organization_settings",
	  { LEGACY_ID, LEGACY_SLUG, LEGACY_ORGANIZATION_NAME, LEGACY_LOCATION, LEGACY_WEBSITE_URL, LEGACY_STATUS, LEGACY_API_KEY, LEGACY_CREATED_AT, LEGACY_UPDATED_AT },
	  { LEGACY_CREATED_AT }, .read = legacy_settings_read, .store = legacy_settings_store },
	{ "users",
	  { LEGACY_ID, LEGACY_ORGANIZATION_ID, LEGACY_EMAIL, LEGACY_NAME, LEGACY_IMAGE, LEGACY_ROLE, LEGACY_PROVIDER, LEGACY_PROVIDER_ID, LEGACY_CREATED_AT, LEGACY_UPDATED_AT, LEGACY_LAST_SIGN_IN_AT },
	  { LEGACY_CREATED_AT }, .read = legacy_user_read, .store = legacy_user_store },
	{ "visitors", VISITOR_COLUMNS,
	  { LEGACY_CREATED_AT, LEGACY_LAST_ACTIVE_AT }, .read = legacy_visitor_read, .store = legacy_visitor_store, .foresee = legacy_visitor_foresee },
	{ "chats",
	  { LEGACY_ID, LEGACY_ORGANIZATION_ID, LEGACY_CHAT_ID, LEGACY_SESSION_ID, LEGACY_USER_ID, LEGACY_VISITOR_ID, LEGACY_EXTERNAL_USER_ID, LEGACY_LOCATION, LEGACY_USER_AGENT, LEGACY_STATUS, LEGACY_METADATA, LEGACY_CREATED_AT, LEGACY_UPDATED_AT },
	  { LEGACY_CREATED_AT }, .read = legacy_chat_read, .store = legacy_chat_store, .foresee = legacy_chat_foresee },
	{ "messages",
	  { LEGACY_ID, LEGACY_ORGANIZATION_ID, LEGACY_CHAT_ID, LEGACY_ROLE, LEGACY_CONTENT, LEGACY_METADATA, LEGACY_CREATED_AT, LEGACY_TIMESTAMP },
	  { LEGACY_CREATED_AT, LEGACY_TIMESTAMP }, .read = legacy_message_read, .store = legacy_message_store, .foresee = legacy_message_foresee },
	{ "article_mentions",
	  { LEGACY_ARTICLE_ID, LEGACY_ARTICLE_NAME, LEGACY_ARTICLE_SLUG, WEB_COLUMNS },
	  { LEGACY_MENTIONED_AT, LEGACY_CREATED_AT }, .read = legacy_article_mention_read, .store = legacy_article_mention_store, .foresee = legacy_article_mention_foresee },
	{ "tavily_mentions", { WEB_COLUMNS },
	  { LEGACY_MENTIONED_AT, LEGACY_CREATED_AT }, .read = legacy_web_mention_read, .store = legacy_web_mention_store, .foresee = legacy_web_mention_foresee },
	{ "article_views",
	  { LEGACY_ID, LEGACY_ORGANIZATION_ID, LEGACY_ARTICLE_ID, LEGACY_ARTICLE_SLUG, LEGACY_ARTICLE_NAME, LEGACY_ARTICLE_TYPE, LEGACY_CHAT_ID, LEGACY_SESSION_ID, LEGACY_USER_ID, LEGACY_VISITOR_ID, LEGACY_VIEWED_AT, LEGACY_CREATED_AT },
	  { LEGACY_VIEWED_AT, LEGACY_CREATED_AT }, .read = legacy_article_view_read, .store = legacy_article_view_store, .foresee = legacy_article_view_foresee },
	{ "trips",
	  { LEGACY_ID, LEGACY_ORGANIZATION_ID, LEGACY_NAME, LEGACY_DESTINATION, LEGACY_START_DATE, LEGACY_END_DATE, LEGACY_DAYS, LEGACY_IMAGE, LEGACY_IMAGE_URL, LEGACY_VISITOR_ID, LEGACY_USER_ID, LEGACY_CREATED_AT, LEGACY_UPDATED_AT },
	  { LEGACY_CREATED_AT }, .read = legacy_trip_read, .store = legacy_trip_store },
	{ "trip_locations",
	  { LEGACY_ID, LEGACY_TRIP_ID, LEGACY_NAME, LEGACY_LAT, LEGACY_LNG, LEGACY_LATITUDE, LEGACY_LONGITUDE, LEGACY_DESCRIPTION, LEGACY_ADDED_AT },
	  { LEGACY_ADDED_AT }, .read = legacy_trip_location_read, .store = legacy_trip_location_store },
	/* Their sessions, when everything is there that may belong to them. */
	{ "visitors", VISITOR_COLUMNS,
	  { LEGACY_CREATED_AT, LEGACY_LAST_ACTIVE_AT }, .again = true, .read = legacy_visitor_read, .store = legacy_session_store },
};
// clang-format on
const size_t legacy_table_count = sizeof legacy_tables / sizeof legacy_tables[0];

_Static_assert(sizeof legacy_tables / sizeof legacy_tables[0] == LEGACY_TABLES, "as many as a report has room for");
