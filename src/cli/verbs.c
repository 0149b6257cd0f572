#include "cli/verb.h"

#define ORGANIZATION                                                                                                   \
	{                                                                                                              \
		"--organization", NULL, VERB_ORGANIZATION, true, "SLUG", "whose"                                       \
	}

#define MOVING "/control/organizations/moving"

// clang-format off
const struct verb verbs[] = {
	{ "serve", "runs the server; creates or migrates its database", .run = serve_run, .founds = true },
	{ "demo", "runs the server with two organizations, 90 days of history and a simulated concierge each", .run = demo_run, .founds = true, .options = {
		{ "--days", "days", VERB_INT, false, "N", "of history, today the last of them (default 90; 0: none)" },
		{ "--seed", "seed", VERB_INT, false, "N", "another number, another history (default 1)" },
		{ "--pace", "pace", VERB_INT, false, "MILLISECONDS", "between two events of a concierge, about (default 2000; 0: no concierge)" } } },
	{ "organization create", "founds an organization; prints its API key, this once", .method = "POST", .path = "/control/organizations", .founds = true, .options = {
		{ NULL, "organization_name", VERB_TEXT, true, "NAME", "for people, for example \"Visit Fort Myers\"" },
		{ "--slug", "slug", VERB_TEXT, false, "SLUG", "a to z, digits and hyphens; made from the name when not given" },
		{ "--location", "location", VERB_TEXT, false, "PLACE", "where it is" },
		{ "--website", "website_url", VERB_TEXT, false, "URL", "its website" },
		{ "--requests-per-minute", "requests_per_minute", VERB_INT, false, "N", "limit of each of its keys; 0: none" } } },
	{ "organization list", "lists organizations", .method = "GET", .path = "/control/organizations" },
	{ "organization change", "changes an organization", .method = "POST", .path = "/control/organizations/change", .options = {
		ORGANIZATION,
		{ "--name", "organization_name", VERB_TEXT, false, "NAME", "another name" },
		{ "--location", "location", VERB_TEXT, false, "PLACE", "another place" },
		{ "--website", "website_url", VERB_TEXT, false, "URL", "another website" },
		{ "--status", "status", VERB_TEXT, false, "STATUS", "active, or suspended: its keys are refused" },
		{ "--time-zone", "time_zone", VERB_TEXT, false, "ZONE", "whose midnight ends a day, for example America/New_York" },
		{ "--requests-per-minute", "requests_per_minute", VERB_INT, false, "N", "limit of each of its keys; 0: none" } } },
	{ "organization delete", "erases an organization with everything of it; prints how many rows of what", .method = "POST", .path = "/control/organizations/delete", .progress = MOVING, .options = {
		{ NULL, "slug", VERB_TEXT, true, "SLUG", "whose rows go, for ever" },
		{ "--confirm", "confirm", VERB_TEXT, true, "SLUG", "the same once more" } } },
	{ "export", "writes an organization as a whole into a file, while the server runs", .method = "POST", .path = "/control/organizations/export", .progress = MOVING, .options = {
		{ NULL, "path", VERB_PATH, true, "FILE", "where to; must not be there yet" },
		ORGANIZATION } },
	{ "import", "brings in what an older single-tenant CRM has stored; prints how many rows of what", .method = "POST", .path = "/control/import/legacy", .tells = true, .chosen_by = "--legacy", .otherwise = "innkeeper-rejected-TIME.jsonl", .options = {
		{ "--legacy", "legacy", VERB_SOURCE, true, "SOURCE", "its database, postgres://…, or a folder of its tables as CSV files" },
		ORGANIZATION,
		{ "--source-organization", "sourceOrganization", VERB_TEXT, false, "ID", "whose rows there are taken, where they say whose they are" },
		{ "--rejected", "rejected", VERB_PATH, false, "FILE", "where rows are listed that cannot be taken as they are (default innkeeper-rejected-TIME.jsonl, here)" } } },
	{ "import", "brings in the organization of such a file, while the server runs", .method = "POST", .path = "/control/organizations/import", .progress = MOVING, .founds = true, .options = {
		{ NULL, "path", VERB_PATH, true, "FILE", "as `export` wrote it" },
		{ "--slug", "slug", VERB_TEXT, false, "SLUG", "another slug than it had" } } },
	{ "key create", "makes an API key; prints it, this once", .method = "POST", .path = "/control/keys", .options = {
		ORGANIZATION,
		{ "--name", "name", VERB_TEXT, false, "NAME", "for people to tell keys apart" } } },
	{ "key list", "lists API keys, masked", .method = "GET", .path = "/control/keys", .options = { ORGANIZATION } },
	{ "key revoke", "revokes an API key; it stops working at once", .method = "POST", .path = "/control/keys/revoke", .options = {
		{ NULL, "id", VERB_TEXT, true, "ID", "as `key list` shows it" },
		ORGANIZATION } },
	{ "user create", "adds a member; prints a link to sign in by, unless a password is given", .method = "POST", .path = "/control/users", .options = {
		ORGANIZATION,
		{ "--email", "email", VERB_TEXT, true, "EMAIL", "what they sign in with" },
		{ "--role", "role", VERB_TEXT, false, "ROLE", "Admin, Creator or Member (default)" },
		{ "--name", "name", VERB_TEXT, false, "NAME", "their name" },
		{ "--password-stdin", "password", VERB_STDIN, false, NULL, "reads the password from standard input" } } },
	{ "user invite", "prints a new link for a member who has not accepted yet", .method = "POST", .path = "/control/users/invitation", .options = {
		ORGANIZATION,
		{ "--email", "email", VERB_TEXT, true, "EMAIL", "the member's" } } },
	{ "user password", "sets the password of a member who has lost it; ends their sessions", .method = "POST", .path = "/control/users/password", .options = {
		ORGANIZATION,
		{ "--email", "email", VERB_TEXT, true, "EMAIL", "the member's" },
		{ "--password-stdin", "password", VERB_STDIN, true, NULL, "reads the password from standard input" } } },
	{ "user list", "lists members", .method = "GET", .path = "/control/users", .options = { ORGANIZATION } },
	{ "backup", "copies the database, consistent, while the server runs", .method = "POST", .path = "/control/backup", .options = {
		{ NULL, "path", VERB_PATH, true, "FILE", "where to; must not be there yet" } } },
	{ "restore", "puts a backup in the place of the database, while no server runs", .run = restore_run, .founds = true, .options = {
		{ NULL, "path", VERB_PATH, true, "FILE", "a backup" } } },
	{ "verify", "counts every figure again from what was stored, and prints each difference", .method = "POST", .path = "/control/verify", .verdict = "exact", .options = {
		{ "--organization", "organization", VERB_TEXT, false, "SLUG", "whose; all when not given" },
		{ "--repair", "repair", VERB_FLAG, false, NULL, "counts anew what differs, and looks again" } } },
	{ "retention", "erases what is older than an organization keeps, or counts it; prints how many rows of what", .method = "POST", .path = "/control/retention", .options = {
		ORGANIZATION,
		{ "--days", "days", VERB_INT, false, "N", "instead of the organization's own setting" },
		{ "--before", "before", VERB_TEXT, false, "TIME", "instead of days: everything from before, for example 2026-01-31" },
		{ "--dry-run", "dryRun", VERB_FLAG, false, NULL, "counts, erases nothing" } } },
	{ "migrate", "brings the database to this version, while no server runs; of PostgreSQL also makes the roles", .run = migrate_run, .founds = true, .options = {
		{ "--new-passwords", "new_passwords", VERB_FLAG, false, NULL, "of PostgreSQL's roles, when theirs were lost" },
		{ "--distribute", "distribute", VERB_FLAG, false, NULL, "spreads the organizations over the nodes of Citus, where PostgreSQL has it" } } },
	{ "routes", "prints what the API answers, route by route; needs no database", .run = routes_run, .options = {
		{ "--json", "json", VERB_FLAG, false, NULL, "for programs: with credentials, roles, and every field of a body or query" } } },
	{ "statements", "prints the name of every SQL statement, and what it writes; needs no database", .run = statements_run, .options = {
		{ "--json", "json", VERB_FLAG, false, NULL, "for programs: with columns, and the engines that have it" } } },
};
// clang-format on
const size_t verb_count = sizeof verbs / sizeof verbs[0];
