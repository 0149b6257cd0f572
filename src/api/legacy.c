#include "api/legacy.h"

#include "auth/audit.h"
#include "legacy/legacy.h"

#define PATH_MOST 4000

struct legacy_input {
	struct text where;
	struct text source_organization;
	struct text rejected;
};

#define AT(member) .offset = offsetof(struct legacy_input, member)
static const struct json_field legacy_fields[] = {
	{ .name = "legacy",
	  .kind = JSON_TEXT,
	  .required = true,
	  AT(where),
	  .max = PATH_MOST,
	  .about = "postgres://…, or the absolute path of a folder of CSV files." },
	{ .name = "sourceOrganization",
	  .kind = JSON_TEXT,
	  AT(source_organization),
	  .about = "Whose rows there are taken, where they say whose they are." },
	{ .name = "rejected",
	  .kind = JSON_TEXT,
	  .required = true,
	  AT(rejected),
	  .max = PATH_MOST,
	  .about = "The file of rows that cannot be taken; absolute, and not there yet." },
};
#undef AT
const struct json_shape legacy_body = JSON_SHAPE(legacy_input, legacy_fields);

static enum err read_slug(struct call *call, struct text *out)
{
	struct organization_show_out own;
	struct reading reading;
	enum err err = readers_enter(call->house->readers, call->scope, &reading);

	if (err != OK)
		return err;
	err = query_one(reading.db, STATEMENT_ORGANIZATION_SHOW, NULL, &own, call->arena);
	readers_leave(call->house->readers, &reading);
	*out = err == OK ? own.slug : (struct text){ 0 };
	return err;
}

static void put_counts(struct json_out *out, const struct legacy_counts *counts)
{
	json_open_object(out);
	json_key(out, "read");
	json_put_int(out, counts->read);
	json_key(out, "stored");
	json_put_int(out, counts->stored);
	json_key(out, "already_there");
	json_put_int(out, counts->there);
	json_key(out, "rejected");
	json_put_int(out, counts->rejected);
	json_key(out, "changed");
	json_put_int(out, counts->changed);
	if (counts->unknown.at != NULL) {
		json_key(out, "unknown_columns");
		json_put_text(out, counts->unknown);
	}
	json_close_object(out);
}

static void put_report(struct json_out *out, const struct legacy_report *report)
{
	static const char *const keys[] = { [LEGACY_NO_KEY] = NULL,
					    [LEGACY_KEY_STORED] = "stored",
					    [LEGACY_KEY_THERE] = "already_there",
					    [LEGACY_KEY_REFUSED] = "rejected" };

	json_key(out, "source_organization");
	json_put_text(out, report->source);
	json_key(out, "api_key");
	json_put_string(out, keys[report->key]);
	json_key(out, "tables");
	json_open_object(out);
	for (size_t i = 0; i < legacy_table_count; i++) {
		if (!report->tables[i].found || legacy_tables[i].again)
			continue;
		json_key(out, legacy_tables[i].name);
		put_counts(out, &report->tables[i]);
	}
	json_close_object(out);
}

static enum err write_record(struct db *db, void *context)
{
	return audit_write(db, context);
}

/* Also of a part, if it ended early. */
static enum err record(struct call *call, const struct legacy_report *report)
{
	struct audit_entry entry = { .at = call->now, .actor = AUDIT_OPERATOR, .action = "import.legacy" };
	struct buffer detail;
	struct json_out out;
	enum err err;

	buffer_init(&detail, ROUTE_BODY);
	json_out_init(&out, &detail);
	json_open_object(&out);
	put_report(&out, report);
	json_close_object(&out);
	entry.detail = (struct text){ detail.at, detail.length };
	err = detail.failed ? ERR_MEMORY : writer_perform(call->house->writer, call->scope, write_record, &entry);
	buffer_fini(&detail);
	return err;
}

static bool has_stored(const struct legacy_report *report)
{
	bool stored = report->key == LEGACY_KEY_STORED;

	for (size_t i = 0; i < legacy_table_count; i++)
		stored = stored || report->tables[i].stored > 0;
	return stored;
}

enum err legacy_take(struct call *call)
{
	const struct legacy_input *in = call->input;
	const struct house *house = call->house;
	const struct text path = text_copy(call->arena, (struct text){ in->rejected.at, in->rejected.length });
	struct legacy_order order = { .where = in->where,
				      .source_organization = in->source_organization,
				      .scope = call->scope,
				      .writer = house->writer,
				      .ledgers = house->ledgers,
				      .awaits = house->awaits,
				      .draining = &house->draining,
				      .log = house->log,
				      .now = call->now };
	struct legacy_report report = { 0 };
	enum err recorded = OK;
	enum err err = path.at == NULL ? ERR_MEMORY : read_slug(call, &order.slug);

	if (err != OK)
		return err;
	if (path.at[0] != '/')
		return call_fail(call, ERR_INVALID, "rejected", "The path of the file must be absolute.");
	order.rejected_path = path.at;
	err = legacy_import(&order, call->arena, &report, &call->fault);
	if (has_stored(&report))
		recorded = record(call, &report);
	if (err != OK)
		return err;
	call_put_success(call);
	put_report(call->out, &report);
	json_key(call->out, "rejected_file");
	json_put_text(call->out, report.lines > 0 ? in->rejected : (struct text){ 0 });
	return recorded;
}
