#include "figures_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analytics/build.h"
#include "auth/tenant.h"
#include "erase/erase.h"

const char *const model_zones[ZONES] = { "UTC",          "America/New_York", "Asia/Kathmandu", "America/St_Johns",
					 "Pacific/Apia", "Africa/Monrovia" };

/* xorshift64* (Vigna, 2016). */
uint32_t model_any(struct model_house *house, uint32_t below)
{
	house->random ^= house->random >> 12;
	house->random ^= house->random << 25;
	house->random ^= house->random >> 27;
	return (uint32_t)(house->random * UINT64_C(2685821657736338717) >> 33) % below;
}

struct counting model_counting(struct model_house *house)
{
	return (struct counting){ house->ledger, house->db, house->of->scope, &house->arena };
}

static void change_zone(struct model_house *house)
{
	const struct counting c = model_counting(house);

	assert_int_equal(build_change_zone(&c, text_of(model_zones[model_any(house, ZONES)]), 1), OK);
}

/* An item of some operations, which may be undone. */
static void run_item(struct model_house *house, bool changes_zone)
{
	const uint32_t count = 1 + model_any(house, 3);
	const bool kept = model_any(house, 6) > 0;

	house->of = &house->organizations[model_any(house, ORGANIZATIONS)];
	house->of->at_item = house->of->model;
	assert_int_equal(db_enter(house->db, house->of->scope), OK);
	for (uint32_t i = 0; i < count; i++)
		model_happen(house);
	if (changes_zone && model_any(house, 40) == 0)
		change_zone(house);
	assert_int_equal(db_leave(house->db, kept), OK);
	ledger_end_item(house->ledger, kept);
	if (!kept)
		house->of->model = house->of->at_item;
	arena_fini(&house->arena);
}

/* A transaction of some items, which may be lost. */
void model_run_transaction(struct model_house *house, uint32_t items, bool changes_zone)
{
	const bool kept = model_any(house, 12) > 0;

	for (size_t i = 0; i < ORGANIZATIONS; i++)
		house->organizations[i].at_transaction = house->organizations[i].model;
	assert_int_equal(db_begin(house->db), OK);
	for (uint32_t i = 0; i < items; i++)
		run_item(house, changes_zone);
	if (kept)
		assert_int_equal(ledger_settle(house->db, house->ledger), OK);
	else
		ledger_forget(house->ledger);
	assert_int_equal(db_end(house->db, kept), OK);
	for (size_t i = 0; !kept && i < ORGANIZATIONS; i++)
		house->organizations[i].model = house->organizations[i].at_transaction;
}

static void found(struct model_house *house, const struct uuid *id)
{
	struct fault fault;
	char hex[33];
	char sql[256];

	text_hex(id->bytes, sizeof id->bytes, hex);
	snprintf(sql, sizeof sql,
		 "INSERT INTO organizations (id, slug, organization_name, created_at, updated_at) "
		 "VALUES (X'%s', '%s', 'o', 1, 1)",
		 hex, hex);
	assert_int_equal(db_script(house->db, sql, &fault), OK);
}

/* New organizations for the next sequence. */
void model_settle_in(struct model_house *house, uint64_t seed)
{
	/* Around a change of New York's clocks. */
	static const int64_t bases[] = { INT64_C(1772928000000), INT64_C(1793491200000), INT64_C(1609459200000) };

	house->random = seed * UINT64_C(0x9E3779B97F4A7C15) | 1;
	house->base = bases[model_any(house, 3)];
	for (size_t i = 0; i < ORGANIZATIONS; i++) {
		struct model_organization *organization = &house->organizations[i];
		struct uuid id = { .bytes = { 1 } };

		memset(&organization->model, 0, sizeof organization->model);
		house->organizations_made++;
		memcpy(id.bytes + 4, &house->organizations_made, sizeof house->organizations_made);
		organization->scope = tenant_scope(&house->fixture.arena, &id);
		found(house, &id);
	}
}

struct model_house *model_open(void)
{
	struct model_house *house = calloc(1, sizeof *house);
	struct fault fault;

	assert_non_null(house);
	fixture_open(&house->fixture);
	arena_init(&house->arena, 64 << 20);
	house->db = fixture_db(&house->fixture, DB_MIGRATE);
	assert_int_equal(db_script(house->db, "PRAGMA synchronous = OFF", &fault), OK);
	assert_int_equal(ledger_new(&house->ledger, &house->fixture.log), OK);
	return house;
}

void model_close(struct model_house *house)
{
	ledger_free(house->ledger);
	db_close(house->db);
	arena_fini(&house->arena);
	fixture_close(&house->fixture);
	free(house);
}

/* One step of an organization's build in a transaction of its own. */
bool model_step_build(struct model_house *house, struct model_organization *organization)
{
	struct counting c;
	bool more = false;

	house->of = organization;
	c = model_counting(house);
	assert_int_equal(db_begin(house->db), OK);
	assert_int_equal(db_enter(house->db, organization->scope), OK);
	assert_int_equal(build_step_of(&c, 1 + model_any(house, 9), 1 + model_any(house, 4), &more), OK);
	assert_int_equal(db_leave(house->db, true), OK);
	ledger_end_item(house->ledger, true);
	assert_int_equal(ledger_settle(house->db, house->ledger), OK);
	assert_int_equal(db_end(house->db, true), OK);
	arena_fini(&house->arena);
	return more;
}

bool model_step_uncounting(struct model_house *house, struct model_organization *organization)
{
	struct erasing erasing = { .most = 1 + model_any(house, 3) };
	bool more = false;

	house->of = organization;
	erasing.counting = model_counting(house);
	assert_int_equal(db_begin(house->db), OK);
	assert_int_equal(db_enter(house->db, organization->scope), OK);
	assert_int_equal(erase_uncount(&erasing, &more), OK);
	assert_int_equal(db_leave(house->db, true), OK);
	ledger_end_item(house->ledger, true);
	assert_int_equal(ledger_settle(house->db, house->ledger), OK);
	assert_int_equal(db_end(house->db, true), OK);
	return more;
}

bool model_step_erasing(struct model_house *house)
{
	const struct search_doors doors = { .system = tenant_system(), .open = tenant_scope };
	bool more = false;

	assert_int_equal(db_begin(house->db), OK);
	assert_int_equal(erase_step(house->db, house->ledger, &doors, &more), OK);
	assert_int_equal(db_end(house->db, true), OK);
	return more;
}

void model_finish(struct model_house *house)
{
	while (model_step_erasing(house))
		;
	for (size_t i = 0; i < ORGANIZATIONS; i++)
		while (model_step_build(house, &house->organizations[i]))
			;
}

void model_set_zone(struct model_house *house, struct model_organization *organization, const char *zone)
{
	struct counting c;

	house->of = organization;
	c = model_counting(house);
	assert_int_equal(db_begin(house->db), OK);
	assert_int_equal(db_enter(house->db, organization->scope), OK);
	assert_int_equal(build_change_zone(&c, text_of(zone), 1), OK);
	assert_int_equal(db_leave(house->db, true), OK);
	ledger_end_item(house->ledger, true);
	assert_int_equal(db_end(house->db, true), OK);
}
