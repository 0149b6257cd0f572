-- Spreads the organizations over the nodes of Citus: each row lies where its organization's others lie, and what belongs to
-- nobody lies on every node. Run as the tables' owner, in one transaction; harmless to run again, and to be run again when a
-- later version brought tables. docs/scale.md tells when, and what was not tried.
DO $$
DECLARE
	known regclass[] := '{}'; -- what Citus has already
	reference regclass[];
	tenant regclass[];
	first regclass;
	item record;
	made_again text[] := '{}';
	command text;
BEGIN
	IF NOT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'citus') THEN
		RAISE EXCEPTION 'The extension citus is not there: an administrator installs it on every node and runs CREATE EXTENSION citus in this database (docs/scale.md)';
	END IF;
	IF to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
		EXECUTE 'SELECT coalesce(array_agg(logicalrelid), ''{}'') FROM pg_catalog.pg_dist_partition' INTO known;
	END IF;
	reference := ARRAY(SELECT t FROM unnest(ARRAY['organizations', 'accounts', 'sessions', 'identities']::regclass[]) AS t
	                   WHERE t <> ALL (known));
	SELECT min(a.attrelid::regclass::text)::regclass INTO first
	FROM pg_catalog.pg_attribute AS a
	WHERE a.attrelid = ANY (known) AND a.attname = 'organization_id';
	tenant := ARRAY(SELECT c.oid::regclass
	                FROM pg_catalog.pg_class AS c
	                JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
	                WHERE c.relnamespace = 'innkeeper'::regnamespace AND c.relkind = 'r'
	                  AND a.attname = 'organization_id' AND NOT a.attisdropped AND c.oid <> ALL (known)
	                ORDER BY c.relname);
	-- One node after the other within this transaction: foreign keys reach over all of them.
	PERFORM set_config('citus.multi_shard_modify_mode', 'sequential', true);
	FOR item IN SELECT k.conrelid::regclass AS at, k.conname AS name, pg_get_constraintdef(k.oid) AS definition
	            FROM pg_catalog.pg_constraint AS k
	            WHERE k.contype = 'f' AND k.connamespace = 'innkeeper'::regnamespace
	              AND (k.conrelid = ANY (tenant || reference) OR k.confrelid = ANY (tenant || reference))
	            -- What reference tables need comes first.
	            ORDER BY k.confrelid <> ALL (reference), k.conrelid::regclass::text, k.conname LOOP
		made_again := made_again || format('ALTER TABLE %s ADD CONSTRAINT %I %s', item.at, item.name, item.definition);
		EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', item.at, item.name);
	END LOOP;
	-- Citus takes no table with a trigger. What is refused by one, no statement of the house asks for (0002).
	FOR item IN SELECT t.tgrelid::regclass AS at, t.tgname AS name
	            FROM pg_catalog.pg_trigger AS t
	            WHERE t.tgrelid = ANY (tenant) AND NOT t.tgisinternal LOOP
		EXECUTE format('DROP TRIGGER %I ON %s', item.name, item.at);
	END LOOP;
	FOR item IN SELECT t FROM unnest(reference) AS t LOOP
		PERFORM create_reference_table(item.t);
	END LOOP;
	FOR item IN SELECT t FROM unnest(tenant) AS t LOOP
		PERFORM create_distributed_table(item.t, 'organization_id',
		                                 colocate_with => CASE WHEN first IS NULL THEN 'none' ELSE 'innkeeper.' || first END);
		first := coalesce(first, item.t);
	END LOOP;
	FOREACH command IN ARRAY made_again LOOP
		EXECUTE command;
	END LOOP;
	-- How many, for who asked.
	PERFORM set_config('innkeeper.distributed', cardinality(tenant)::text, true);
END
$$;
