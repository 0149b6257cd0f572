/* The older CRM's tables and columns, as far as they are known here, and in which order they are gone through.
 * Owner: constant data of the binary. Any thread.
 * Any column may be missing, any table too; what stands there besides is told of and passed over.
 * Never asks for a column's type: every value is read as text.
 * Next: record.h, what becomes of a row. */
#ifndef INNKEEPER_LEGACY_TABLE_H
#define INNKEEPER_LEGACY_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/text.h"

enum legacy_column {
	LEGACY_NONE, /* ends a list */
	LEGACY_ID,
	LEGACY_ORGANIZATION_ID,
	LEGACY_CREATED_AT,
	LEGACY_UPDATED_AT,
	LEGACY_METADATA,
	LEGACY_NAME,
	LEGACY_EMAIL,
	LEGACY_STATUS,
	LEGACY_LOCATION,
	LEGACY_SLUG,
	LEGACY_ORGANIZATION_NAME,
	LEGACY_WEBSITE_URL,
	LEGACY_API_KEY,
	LEGACY_IMAGE,
	LEGACY_ROLE,
	LEGACY_PROVIDER,
	LEGACY_PROVIDER_ID,
	LEGACY_LAST_SIGN_IN_AT,
	LEGACY_SOURCE,
	LEGACY_LAST_ACTIVE_AT,
	LEGACY_SESSION_ID,
	LEGACY_FIRST_NAME, /* from here to apollo_last_synced_at: kept in a visitor's metadata, under their names */
	LEGACY_LAST_NAME,
	LEGACY_TITLE,
	LEGACY_HEADLINE,
	LEGACY_LINKEDIN_URL,
	LEGACY_CITY,
	LEGACY_STATE,
	LEGACY_COUNTRY,
	LEGACY_COMPANY_NAME,
	LEGACY_COMPANY_WEBSITE,
	LEGACY_COMPANY_INDUSTRY,
	LEGACY_APOLLO_ID,
	LEGACY_APOLLO_ENRICHED_AT,
	LEGACY_APOLLO_LAST_SYNCED_AT,
	LEGACY_CHAT_ID,
	LEGACY_USER_ID,
	LEGACY_VISITOR_ID,
	LEGACY_EXTERNAL_USER_ID,
	LEGACY_USER_AGENT,
	LEGACY_CONTENT,
	LEGACY_TIMESTAMP,
	LEGACY_ARTICLE_ID,
	LEGACY_ARTICLE_NAME,
	LEGACY_ARTICLE_SLUG,
	LEGACY_ARTICLE_TYPE,
	LEGACY_MENTIONED_AT,
	LEGACY_VIEWED_AT,
	LEGACY_ARTICLE_URL,
	LEGACY_ARTICLE_TITLE,
	LEGACY_SEARCH_QUERY,
	LEGACY_CLICKED,
	LEGACY_CLICKED_AT,
	LEGACY_TRIP_ID,
	LEGACY_DESTINATION,
	LEGACY_START_DATE,
	LEGACY_END_DATE,
	LEGACY_DAYS,
	LEGACY_IMAGE_URL,
	LEGACY_LAT,
	LEGACY_LNG,
	LEGACY_LATITUDE,
	LEGACY_LONGITUDE,
	LEGACY_DESCRIPTION,
	LEGACY_ADDED_AT,
	LEGACY_COLUMNS,
};

const char *legacy_column_name(enum legacy_column column);

/* A row of the source; what is null or has no column is absent. */
struct legacy_row {
	struct text values[LEGACY_COLUMNS];
	struct text place; /* how people find it when it has no id: "line 17" */
	const char *wrong; /* it is none: why, static */
};

struct legacy_reading;
struct legacy_storing;
struct legacy_record;

#define LEGACY_TABLE_COLUMNS 32
#define LEGACY_TABLES        11

struct legacy_table {
	const char *name;
	enum legacy_column columns[LEGACY_TABLE_COLUMNS];
	enum legacy_column times[3]; /* the first that is there orders the rows, oldest first */
	bool again;                  /* its rows were gone through before: nothing new is said of them */
	/* Checks a row and makes a record of it, on the importing thread; the record says what is wrong. ERR_MEMORY. */
	enum err (*read)(struct legacy_reading *reading, const struct legacy_row *row, struct legacy_record *record);
	/* Asks ahead for what storing the record will read; NULL: for nothing. */
	void (*foresee)(struct legacy_storing *storing, const struct legacy_record *record);
	/* Stores the record, on the writer's thread, in the organization's scope. */
	enum err (*store)(struct legacy_storing *storing, struct legacy_record *record);
};

/* Parents first. */
extern const struct legacy_table legacy_tables[];
extern const size_t legacy_table_count;

#endif
