#include "api/verify.h"

#include "analytics/build.h"
#include "analytics/recount.h"
#include "auth/tenants.h"

#define SHOWN_MAX 1000 /* differences that are written out; the rest is only counted */
#define ARENA_CAP ((size_t)64 * 1024 * 1024)

struct verify_input {
	struct text organization;
	bool repair;
};

#define AT(member) .offset = offsetof(struct verify_input, member)
static const struct json_field verify_fields[] = {
	{ .name = "organization", .kind = JSON_TEXT, AT(organization), .about = "Its slug; all when missing." },
	{ .name = "repair", .kind = JSON_FLAG, AT(repair), .about = "Count what differs anew, and look again." },
};
#undef AT
const struct json_shape verify_body = JSON_SHAPE(verify_input, verify_fields);

enum wrong_kind { PAGE, ARTICLE, CHAT };

/* What is wrong beside an organization's edition. */
struct wrong {
	struct wrong *next;
	enum wrong_kind kind;
	struct text id;
	int64_t number;
};

struct audit {
	struct call *call;
	const struct tenant *tenant;
	struct arena arena;     /* of one organization's audit */
	struct wrong *wrongs;   /* newest first */
	struct json_out *shown; /* NULL: differences are not written out this time */
	int64_t shown_count;
	int64_t differences;
	int64_t rows;
};

static void put_value(struct json_out *out, const char *name, const struct recount_part *part)
{
	json_key(out, name);
	if (part->text.at != NULL)
		json_put_text(out, part->text);
	else if (part->number == DB_NULL)
		json_put_null(out);
	else
		json_put_int(out, part->number);
}

static void show(const struct audit *audit, const struct recount_difference *difference)
{
	struct json_out *out = audit->shown;

	json_open_object(out);
	json_key(out, "organization");
	json_put_text(out, audit->tenant->slug);
	json_key(out, "table");
	json_put_string(out, difference->table);
	json_key(out, "key");
	json_open_object(out);
	for (size_t i = 0; i < RECOUNT_PARTS && difference->key[i].name != NULL; i++)
		put_value(out, difference->key[i].name, &difference->key[i]);
	json_close_object(out);
	put_value(out, "stored", &difference->stored);
	put_value(out, "counted", &difference->counted);
	json_close_object(out);
}

/* What building the edition anew does not mend is remembered. */
static void remember(struct audit *audit, const struct recount_difference *difference)
{
	static const struct {
		const char *table;
		enum wrong_kind kind;
	} kinds[] = { { "web_pages", PAGE }, { "articles", ARTICLE }, { "chat_activity", CHAT } };

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		struct wrong *wrong;

		if (!text_equal(text_of(difference->table), text_of(kinds[i].table)))
			continue;
		wrong = arena_take(&audit->arena, sizeof *wrong);
		if (wrong == NULL)
			return; /* the arena remembers it */
		wrong->kind = kinds[i].kind;
		wrong->id = text_copy(&audit->arena, difference->key[0].text);
		wrong->number = difference->key[0].number;
		wrong->next = audit->wrongs;
		audit->wrongs = wrong;
	}
}

static void tell(void *context, const struct recount_difference *difference)
{
	struct audit *audit = context;
	const struct verify_input *in = audit->call->input;

	audit->differences++;
	if (audit->shown != NULL && audit->shown_count < SHOWN_MAX) {
		audit->shown_count++;
		show(audit, difference);
	}
	if (in->repair)
		remember(audit, difference);
}

/* `*found`: differences of this organization. */
static enum err look(struct audit *audit, int64_t *found)
{
	struct readers *readers = audit->call->house->readers;
	struct reading reading;
	struct recount recount = { 0 };
	enum err err = readers_enter(readers, audit->tenant->scope, &reading);

	*found = 0;
	if (err != OK)
		return err;
	readers_take_time(&reading);
	err = recount_all(reading.db, &recount, tell, audit);
	readers_leave(readers, &reading);
	audit->rows += recount.rows;
	*found = recount.differences;
	if (err == OK && !recount.complete)
		return call_fail(audit->call, ERR_UNAVAILABLE, NULL,
				 "The figures of %.*s are being counted for the first time: try again in a while.",
				 (int)audit->tenant->slug.length, audit->tenant->slug.at);
	return err;
}

static struct counting counting(const struct audit *audit, struct db *db, struct arena *arena)
{
	return (struct counting){ house_ledger(audit->call->house, db), db, audit->tenant->scope, arena };
}

struct repair {
	struct audit *audit;
	const struct wrong *wrong;
	bool more;
};

static enum err start_build(struct db *db, void *context)
{
	const struct repair *repair = context;
	struct arena arena;
	struct counting own = counting(repair->audit, db, &arena);
	enum err err;

	arena_init(&arena, ARENA_CAP);
	err = build_again(&own);
	arena_fini(&arena);
	return err;
}

static enum err go_on(struct db *db, void *context)
{
	struct repair *repair = context;
	struct arena arena;
	struct counting own = counting(repair->audit, db, &arena);
	enum err err;

	arena_init(&arena, ARENA_CAP);
	err = build_step(&own, &repair->more);
	arena_fini(&arena);
	return err;
}

static enum err mend(struct db *db, void *context)
{
	const struct repair *repair = context;
	const struct wrong *wrong = repair->wrong;
	struct arena arena;
	struct counting own = counting(repair->audit, db, &arena);
	enum err err;

	arena_init(&arena, ARENA_CAP);
	err = wrong->kind == PAGE      ? build_repair_page(&own, wrong->id)
	      : wrong->kind == ARTICLE ? build_repair_article(&own, wrong->id)
				       : build_repair_chat(&own, wrong->number);
	arena_fini(&arena);
	return err;
}

static enum err repair_all(struct audit *audit)
{
	struct writer *writer = audit->call->house->writer;
	const struct scope *scope = audit->tenant->scope;
	struct repair repair = { .audit = audit, .more = true };
	enum err err = audit->arena.failed ? ERR_MEMORY : writer_perform(writer, scope, start_build, &repair);

	while (err == OK && repair.more)
		err = writer_perform(writer, scope, go_on, &repair);
	for (repair.wrong = audit->wrongs; err == OK && repair.wrong != NULL; repair.wrong = repair.wrong->next)
		err = writer_perform(writer, scope, mend, &repair);
	return err;
}

static enum err audit_one(struct audit *audit)
{
	const struct verify_input *in = audit->call->input;
	struct json_out *shown = audit->shown;
	int64_t found;
	enum err err;

	arena_init(&audit->arena, ARENA_CAP);
	audit->wrongs = NULL;
	if (in->repair)
		audit->shown = NULL;
	err = look(audit, &found);
	if (err == OK && in->repair && found > 0) {
		err = repair_all(audit);
		audit->differences -= found;
	}
	audit->shown = shown;
	if (err == OK && in->repair && found > 0)
		err = look(audit, &found);
	arena_fini(&audit->arena);
	return err;
}

static enum err list(struct call *call, struct tenants *out)
{
	struct reading reading;
	enum err err = readers_enter(call->house->readers, call->scope, &reading);

	if (err != OK)
		return err;
	err = tenants_list(reading.db, call->arena, out);
	readers_leave(call->house->readers, &reading);
	return err;
}

enum err verify_figures(struct call *call)
{
	const struct verify_input *in = call->input;
	struct audit audit = { .call = call, .shown = call->out };
	struct tenants tenants;
	int64_t audited = 0;
	enum err err = list(call, &tenants);

	json_key(call->out, "differences");
	json_open_array(call->out);
	for (size_t i = 0; err == OK && i < tenants.count; i++) {
		audit.tenant = &tenants.list[i];
		if (in->organization.at != NULL && !text_equal(in->organization, audit.tenant->slug))
			continue;
		err = audit_one(&audit);
		audited++;
	}
	json_close_array(call->out);
	if (err == OK && in->organization.at != NULL && audited == 0)
		return call_fail(call, ERR_NOT_FOUND, "organization", "There is no organization with this slug.");
	if (err != OK)
		return err;
	json_key(call->out, "organizations");
	json_put_int(call->out, audited);
	json_key(call->out, "rows");
	json_put_int(call->out, audit.rows);
	json_key(call->out, "count");
	json_put_int(call->out, audit.differences);
	json_key(call->out, "result");
	json_put_string(call->out, audit.differences == 0 ? "exact" : "different");
	return OK;
}
