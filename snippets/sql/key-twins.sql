-- Columns that hold the key of a table: its own, those of foreign keys that reference it, those that reference them.
CREATE OR REPLACE FUNCTION pg_temp.key_members(target oid, key text)
RETURNS TABLE (relid oid, number int2, name name, type regtype) LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $body$
    WITH RECURSIVE member AS (
        SELECT attrelid, attnum FROM pg_attribute
        WHERE attrelid = target AND attname = key AND attnum > 0 AND NOT attisdropped
        UNION
        SELECT conrelid, conkey[place]
        FROM member
        JOIN pg_constraint ON contype = 'f' AND conparentid = 0 AND confrelid = member.attrelid
        CROSS JOIN generate_subscripts(confkey, 1) AS place
        WHERE confkey[place] = member.attnum
    )
    SELECT attrelid, attnum, attname, atttypid::regtype FROM member JOIN pg_attribute USING (attrelid, attnum)
$body$;

-- The same with the partitions below them.
CREATE OR REPLACE FUNCTION pg_temp.key_tables(target oid, key text)
RETURNS TABLE (top oid, relid oid, number int2, name name, type regtype) LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $body$
    SELECT member.relid, tree.relid, attnum, attname, atttypid::regtype
    FROM pg_temp.key_members(target, key) AS member
    CROSS JOIN LATERAL (SELECT member.relid UNION SELECT own.relid FROM pg_partition_tree(member.relid) AS own) AS tree
    JOIN pg_attribute ON attrelid = tree.relid AND attname = member.name AND NOT attisdropped
$body$;

-- The receipts of the tables, one a table; that of the key's own table names the others.
CREATE OR REPLACE FUNCTION pg_temp.key_receipts(target oid, key text)
RETURNS TABLE (relid oid, receipt jsonb) LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $body$
    SELECT class.oid, own.receipt
    FROM (SELECT relid FROM pg_temp.key_members(target, key)
          UNION
          SELECT jsonb_array_elements_text(pg_temp.receipt('pg_class', target, format('key-bigint %s %s', target, key))
                                           -> 'tables')::oid) AS member
    JOIN pg_class AS class ON class.oid = relid
    CROSS JOIN LATERAL (SELECT pg_temp.receipt('pg_class', relid, format('key-bigint %s %s', target, key))) AS own (receipt)
    WHERE own.receipt IS NOT NULL
$body$;

-- The columns that Apply widens, as the receipts say: the name, the column that has it, its twin and the twin's name.
CREATE OR REPLACE FUNCTION pg_temp.key_columns(target oid, key text)
RETURNS TABLE (relid oid, name text, live int2, twin int2, twin_name name, switched boolean, item jsonb)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $body$
    SELECT own.relid, item ->> 'name', attnum,
           CASE attnum WHEN (item ->> 'new')::int THEN (item ->> 'number')::int2 ELSE (item ->> 'new')::int2 END,
           (item ->> 'name') || CASE attnum WHEN (item ->> 'new')::int THEN '_old' ELSE '_new' END,
           attnum = (item ->> 'new')::int, item
    FROM pg_temp.key_receipts(target, key) AS own
    CROSS JOIN jsonb_array_elements(receipt -> 'columns') AS item
    JOIN pg_attribute ON attrelid = own.relid AND attname = item ->> 'name' AND NOT attisdropped
$body$;

CREATE OR REPLACE FUNCTION pg_temp.key_switched(target oid, key text) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $body$
    SELECT coalesce(bool_or(switched), false) FROM pg_temp.key_columns(target, key)
    WHERE relid = target AND name = key
$body$;

-- The indexes, CHECKs and foreign keys of these columns, as they are now, without those that this runbook builds;
-- of partitions those that they have for themselves.
CREATE OR REPLACE FUNCTION pg_temp.key_parts(target oid, key text)
RETURNS TABLE (relid oid, kind text, name name, part oid, constraint_id oid) LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $body$
    SELECT DISTINCT indrelid, 'index', class.relname, indexrelid, pg_constraint.oid
    FROM pg_temp.key_tables(target, key) AS member
    JOIN pg_index ON indrelid = relid
    JOIN pg_class AS class ON class.oid = indexrelid AND NOT relispartition
    LEFT JOIN pg_constraint ON conindid = indexrelid AND conrelid = indrelid AND contype IN ('p', 'u')
    WHERE class.relname !~ '^key_bigint_[0-9a-f]{16}$'
      AND (number = ANY (indkey)
           OR EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = indexrelid
                                              AND refobjid = indrelid AND refobjsubid = number))
    UNION
    SELECT conrelid, CASE contype WHEN 'c' THEN 'check' ELSE 'foreign' END, conname, pg_constraint.oid, pg_constraint.oid
    FROM pg_temp.key_tables(target, key) AS member
    JOIN pg_constraint ON contype IN ('c', 'f') AND conrelid = relid AND number = ANY (conkey)
                       OR contype = 'f' AND confrelid = relid AND number = ANY (confkey)
    WHERE conparentid = 0 AND (conrelid = top OR conislocal) AND conname !~ '^key_bigint_([0-9a-f]{16}|[0-9]+_is_set)$'
$body$;

-- The same as the receipts say, and the twin of each under a name of its own while it is built. Partitions have no
-- receipt: what theirs are called is read from below the index or the foreign key of their table (above).
CREATE OR REPLACE FUNCTION pg_temp.key_twins(target oid, key text)
RETURNS TABLE (relid oid, kind text, name text, helper text, wanted text, item jsonb, there oid, valid boolean,
               top boolean, branch boolean, late boolean, above text, above_there oid) LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $body$
    WITH RECURSIVE helped AS (
        SELECT own.relid, item, 'key_bigint_' || left(md5(concat(item ->> 'kind', ' ', item ->> 'name')), 16) AS helper,
               relnamespace AS home
        FROM pg_temp.key_receipts(target, key) AS own
        JOIN pg_class ON pg_class.oid = own.relid
        CROSS JOIN jsonb_array_elements(receipt -> 'parts') AS item
    ), part AS (
        SELECT helped.relid, item, (item ->> 'name') COLLATE "C" AS name, helper COLLATE "C" AS helper, true AS top,
               NULL::text COLLATE "C" AS above, NULL::oid AS above_there,
               coalesce(own.oid, own_rule.oid) AS live, coalesce(twin_index.indexrelid, twin_rule.oid) AS there
        FROM helped
        LEFT JOIN pg_class AS own ON item ->> 'kind' = 'index' AND own.relnamespace = home AND own.relname = item ->> 'name'
        LEFT JOIN pg_class AS twin ON item ->> 'kind' = 'index' AND twin.relnamespace = home AND twin.relname = helper
        LEFT JOIN pg_index AS twin_index ON twin_index.indexrelid = twin.oid AND twin_index.indrelid = helped.relid
        LEFT JOIN pg_constraint AS own_rule ON item ->> 'kind' <> 'index' AND own_rule.conrelid = helped.relid
                                           AND own_rule.conname = item ->> 'name'
        LEFT JOIN pg_constraint AS twin_rule ON item ->> 'kind' <> 'index' AND twin_rule.conrelid = helped.relid
                                            AND twin_rule.conname = helper
        UNION ALL
        SELECT child.relid, item || child.facts, child.name COLLATE "C", child.helper COLLATE "C", false,
               (SELECT format('%s.%I', relnamespace::regnamespace, part.name) FROM pg_class WHERE oid = part.relid) COLLATE "C",
               part.there, child.live, child.there
        FROM part CROSS JOIN LATERAL (
            SELECT indrelid AS relid, class.oid AS live, class.relname::text AS name, named.helper,
                   coalesce((SELECT other.indexrelid FROM pg_inherits JOIN pg_index AS other ON indexrelid = inhrelid
                             WHERE inhparent = part.there AND other.indrelid = own.indrelid),
                            (SELECT other.indexrelid FROM pg_index AS other JOIN pg_class AS twin ON twin.oid = other.indexrelid
                             WHERE other.indrelid = own.indrelid AND twin.relname = named.helper)) AS there,
                   jsonb_build_object(
                       'space', spcname, 'about', obj_description(class.oid, 'pg_class'),
                       'comment', (SELECT obj_description(oid, 'pg_constraint') FROM pg_constraint
                                   WHERE conindid = class.oid AND conrelid = indrelid AND contype IN ('p', 'u')),
                       'statistics', (SELECT jsonb_object_agg(attnum, attstattarget) FROM pg_attribute
                                      WHERE attrelid = class.oid AND attstattarget >= 0)) AS facts
            FROM pg_inherits JOIN pg_index AS own ON indexrelid = inhrelid JOIN pg_class AS class ON class.oid = indexrelid
            LEFT JOIN pg_tablespace ON pg_tablespace.oid = reltablespace
            CROSS JOIN LATERAL (SELECT 'key_bigint_' || left(md5(concat('index ', class.relname)), 16)) AS named (helper)
            WHERE inhparent = part.live AND item ->> 'kind' = 'index'
            UNION ALL
            SELECT conrelid, own.oid, conname::text, part.helper,
                   coalesce((SELECT oid FROM pg_constraint AS other
                             WHERE other.conparentid = part.there AND other.conrelid = own.conrelid),
                            (SELECT oid FROM pg_constraint AS other
                             WHERE other.conrelid = own.conrelid AND other.conname = part.helper)),
                   jsonb_build_object('comment', obj_description(own.oid, 'pg_constraint'))
            FROM pg_constraint AS own WHERE conparentid = part.live AND item ->> 'kind' = 'foreign'
        ) AS child
    )
    SELECT part.relid, item ->> 'kind', part.name, part.helper,
           item ->> CASE WHEN (SELECT pg_temp.key_switched(target, key)) THEN 'old' ELSE 'new' END, item, part.there,
           coalesce(indisvalid, convalidated OR NOT (item ->> 'valid')::boolean), part.top, relkind = 'p',
           relkind = 'p' AND item ->> 'constraint' IS NOT NULL, part.above, part.above_there
    FROM part
    JOIN pg_class ON pg_class.oid = part.relid
    LEFT JOIN pg_index ON indexrelid = part.there
    LEFT JOIN pg_constraint ON item ->> 'kind' <> 'index' AND pg_constraint.oid = part.there
$body$;

-- What names these columns and would stay with the old ones, or stand in the way of the switch.
CREATE OR REPLACE FUNCTION pg_temp.key_followers(target oid, key text) RETURNS text LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $body$
    SELECT string_agg(DISTINCT pg_describe_object(classid, objid, objsubid), '; ')
    FROM pg_temp.key_tables(target, key) AS member
    JOIN pg_depend ON refclassid = 'pg_class'::regclass AND refobjid = relid AND refobjsubid = number
    LEFT JOIN pg_attrdef ON pg_attrdef.oid = objid AND adrelid = relid AND adnum = number
    LEFT JOIN pg_trigger ON classid = 'pg_trigger'::regclass AND pg_trigger.oid = objid
    WHERE classid IN ('pg_trigger'::regclass, 'pg_policy'::regclass, 'pg_rewrite'::regclass, 'pg_proc'::regclass,
                      'pg_publication_rel'::regclass, 'pg_attrdef'::regclass, 'pg_statistic_ext'::regclass)
      AND (classid <> 'pg_attrdef'::regclass OR pg_attrdef.oid IS NULL)
      AND (classid <> 'pg_trigger'::regclass OR NOT tgisinternal)
$body$;

-- How the definition of a foreign key begins, with a suffix behind the names of some columns.
CREATE OR REPLACE FUNCTION pg_temp.key_reference(foreign_key oid, suffix text, renamed text[]) RETURNS text LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off AS $body$
    SELECT format('FOREIGN KEY (%s) REFERENCES %s(%s)',
                  string_agg(quote_ident(own.attname || CASE WHEN format('%s %s', conrelid, own.attnum) = ANY (renamed) THEN suffix
                                                             ELSE '' END), ', ' ORDER BY place),
                  confrelid::regclass,
                  string_agg(quote_ident(other.attname || CASE WHEN format('%s %s', confrelid, other.attnum) = ANY (renamed) THEN suffix
                                                               ELSE '' END), ', ' ORDER BY place))
    FROM pg_constraint
    CROSS JOIN generate_subscripts(conkey, 1) AS place
    JOIN pg_attribute AS own ON own.attrelid = conrelid AND own.attnum = conkey[place]
    JOIN pg_attribute AS other ON other.attrelid = confrelid AND other.attnum = confkey[place]
    WHERE pg_constraint.oid = foreign_key
    GROUP BY confrelid
$body$;

-- Writes down what there is to do on a table. PostgreSQL puts each definition into words for the new columns itself:
-- on an empty temporary table of the same columns, that changes their types and names.
CREATE OR REPLACE FUNCTION pg_temp.key_plan(relation oid, target oid, key text) RETURNS jsonb LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off SET datestyle = 'ISO' AS $body$
DECLARE
    changed CONSTANT name[] := ARRAY(SELECT name FROM pg_temp.key_members(target, key)
                                     WHERE relid = relation AND type IN ('int2'::regtype, 'int4'::regtype));
    part record;
    parts jsonb := '[]';
    facts jsonb;
    unlike boolean;
    suffix text;
BEGIN
    EXECUTE format('CREATE TEMPORARY TABLE key_probe (LIKE %s)', relation::regclass);
    FOR part IN SELECT * FROM pg_temp.key_parts(target, key) WHERE relid = relation ORDER BY kind DESC, name LOOP
        IF part.kind = 'index' THEN
            SELECT jsonb_build_object(
                       'unique', indisunique, 'constraint', contype, 'valid', true,
                       'later', CASE WHEN condeferred THEN ' DEFERRABLE INITIALLY DEFERRED'
                                     WHEN condeferrable THEN ' DEFERRABLE' ELSE '' END,
                       'space', spcname, 'about', obj_description(indexrelid, 'pg_class'),
                       'statistics', (SELECT jsonb_object_agg(attnum, attstattarget) FROM pg_attribute
                                      WHERE attrelid = indexrelid AND attstattarget >= 0),
                       'rule', pg_get_constraintdef(part.constraint_id),
                       'own', substr(pg_get_indexdef(indexrelid), 1 + length(
                           format('CREATE %sINDEX %I ON %s%s', CASE WHEN indisunique THEN 'UNIQUE ' END, relname,
                                  CASE relkind WHEN 'I' THEN 'ONLY ' END, indrelid::regclass))))
            INTO facts
            FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
            LEFT JOIN pg_constraint ON pg_constraint.oid = part.constraint_id
            LEFT JOIN pg_tablespace ON pg_tablespace.oid = reltablespace
            WHERE indexrelid = part.part;
            EXECUTE format('CREATE %sINDEX %I ON pg_temp.key_probe', CASE WHEN (facts ->> 'unique')::boolean THEN 'UNIQUE ' END,
                           concat('key_probe_', part.part)) || (facts ->> 'own');
        ELSE
            SELECT jsonb_build_object('valid', convalidated, 'own', pg_get_constraintdef(oid),
                                      'target', nullif(confrelid, 0))
            INTO facts FROM pg_constraint WHERE oid = part.part;
            IF part.kind = 'check' THEN
                EXECUTE format('ALTER TABLE pg_temp.key_probe ADD CONSTRAINT key_probe_%s ', part.part) || (facts ->> 'own');
            END IF;
        END IF;
        parts := parts || (facts || jsonb_build_object('kind', part.kind, 'name', part.name, 'part', part.part, 'comment',
                                                       obj_description(part.constraint_id, 'pg_constraint')));
    END LOOP;

    -- After the switch the present column is called _old, and what Roll back builds is for that name.
    FOREACH suffix IN ARRAY ARRAY['old', 'new'] LOOP
        FOR part IN SELECT unnest(changed) AS name LOOP
            IF suffix = 'old' THEN
                EXECUTE format('ALTER TABLE pg_temp.key_probe RENAME COLUMN %I TO %I', part.name, part.name || '_old');
            ELSE
                EXECUTE format('ALTER TABLE pg_temp.key_probe ALTER COLUMN %I TYPE bigint', part.name || '_old');
                EXECUTE format('ALTER TABLE pg_temp.key_probe RENAME COLUMN %I TO %I', part.name || '_old', part.name || '_new');
            END IF;
        END LOOP;
        FOR part IN SELECT place - 1 AS place, item FROM jsonb_array_elements(parts) WITH ORDINALITY AS list (item, place) LOOP
            IF part.item ->> 'kind' = 'index' THEN
                facts := to_jsonb(substr(
                    pg_get_indexdef(format('pg_temp.key_probe_%s', part.item ->> 'part')::regclass),
                    1 + length(format('CREATE %sINDEX key_probe_%s ON pg_temp.key_probe',
                                      CASE WHEN (part.item ->> 'unique')::boolean THEN 'UNIQUE ' END, part.item ->> 'part'))));
            ELSIF part.item ->> 'kind' = 'check' THEN
                SELECT to_jsonb(pg_get_constraintdef(oid)) INTO facts FROM pg_constraint
                WHERE conrelid = 'pg_temp.key_probe'::regclass AND conname = concat('key_probe_', part.item ->> 'part');
            ELSE
                SELECT to_jsonb(twin.said || substr(part.item ->> 'own', 1 + length(head.said))),
                       NOT starts_with(part.item ->> 'own', head.said) OR (to_jsonb(foreign_key) ->> 'confdelsetcols') IS NOT NULL
                INTO facts, unlike
                FROM pg_constraint AS foreign_key
                CROSS JOIN LATERAL pg_temp.key_reference(foreign_key.oid, '', '{}') AS head (said)
                CROSS JOIN LATERAL pg_temp.key_reference(foreign_key.oid, '_' || suffix, ARRAY(
                    SELECT format('%s %s', relid, number) FROM pg_temp.key_members(target, key)
                    WHERE type IN ('int2'::regtype, 'int4'::regtype))) AS twin (said)
                WHERE foreign_key.oid = (part.item ->> 'part')::oid;
                IF unlike THEN
                    RAISE EXCEPTION 'stop: foreign key % is of a kind that this cannot copy', part.item ->> 'name';
                END IF;
            END IF;
            parts := jsonb_set(parts, ARRAY[part.place::text, suffix], facts);
        END LOOP;
    END LOOP;
    DROP TABLE pg_temp.key_probe;
    RETURN jsonb_build_object('parts', parts, 'columns', (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
                   'name', attname, 'number', attnum, 'type', atttypid::regtype, 'sequences', (
                       SELECT coalesce(jsonb_agg(DISTINCT jsonb_build_object('oid', seqrelid, 'type', seqtypid::regtype)), '[]')
                       FROM pg_attrdef JOIN pg_depend ON classid = 'pg_attrdef'::regclass AND objid = pg_attrdef.oid
                       JOIN pg_sequence ON refclassid = 'pg_class'::regclass AND refobjid = seqrelid
                       WHERE adrelid = attrelid AND adnum = attnum))), '[]')
        FROM pg_attribute WHERE attrelid = relation AND attname = ANY (changed)));
END
$body$;

-- Locks tables, and gives up within a moment where somebody is slow: then it lets all go, and tries again.
CREATE OR REPLACE FUNCTION pg_temp.key_lock(tables oid[], mode text, also text[] DEFAULT '{}') RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    one text;
BEGIN
    FOR try IN 1 .. 20 LOOP
        BEGIN
            SET LOCAL lock_timeout = '30ms';
            FOREACH one IN ARRAY tables LOOP
                EXECUTE format('LOCK TABLE %s IN %s MODE', one::oid::regclass, mode);
            END LOOP;
            FOREACH one IN ARRAY also LOOP
                EXECUTE one;
            END LOOP;
            RETURN;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            NULL;
        END;
        PERFORM pg_sleep(0.05 + random() / 10);
    END LOOP;
    RAISE EXCEPTION USING ERRCODE = '55P03', MESSAGE = 'twenty times somebody was on the tables; run this step again';
END
$body$;

-- A statement that would lock a partitioned table and its partitions one after the other: first all of them, as above.
CREATE OR REPLACE FUNCTION pg_temp.key_alter(relation oid, mode text, statement text) RETURNS text LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $body$
    SELECT CASE relkind WHEN 'p' THEN format('DO %L', format('BEGIN PERFORM pg_temp.key_lock(ARRAY[%s]::oid[], %L); %s; END',
                                                             relation, mode, statement))
                        ELSE statement END
    FROM pg_class WHERE oid = relation
$body$;

-- The function of the trigger that keeps a twin like its column. An old column that cannot hold a value gets NULL.
CREATE OR REPLACE FUNCTION pg_temp.key_sync(target oid, key text, relation oid, column_name text, of_old boolean)
RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $body$
    SELECT format('CREATE OR REPLACE FUNCTION %s.%I() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS ',
                  relnamespace::regnamespace, concat(relname, '_', name, '_sync'))
           || quote_literal(CASE WHEN of_old THEN format($old$
BEGIN
    -- An INSERT that names no columns finds the old one in the place of the key.
    IF TG_OP = 'INSERT' AND NEW.%1$I IS NOT NULL THEN
        NEW.%2$I := coalesce(NEW.%2$I, NEW.%1$I);
        IF NEW.%1$I <> NEW.%2$I THEN
            RAISE EXCEPTION 'the columns have another order: name them, without %%', %3$L;
        END IF;
    END IF;
    NEW.%1$I := CASE WHEN NEW.%2$I BETWEEN %4$s THEN NEW.%2$I END;
    RETURN NEW;
END$old$, name || '_old', name, name || '_old',
               CASE item ->> 'type' WHEN 'smallint' THEN '-32768 AND 32767' ELSE '-2147483648 AND 2147483647' END)
           ELSE format($new$
BEGIN
    NEW.%1$I := NEW.%2$I;
    RETURN NEW;
END$new$, name || '_new', name) END)
    FROM pg_temp.key_columns(target, key) JOIN pg_class ON pg_class.oid = relid
    WHERE relid = relation AND name = column_name
$body$;

-- What hangs on the tables, in one word: asked before the switch and under its locks, where time counts.
CREATE OR REPLACE FUNCTION pg_temp.key_print(tables oid[]) RETURNS text LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $body$
    SELECT md5(string_agg(DISTINCT concat(classid, ' ', objid), ',')) FROM pg_depend
    WHERE refclassid = 'pg_class'::regclass AND refobjid = ANY (tables)
$body$;

-- Raises what stands in the way of the switch.
CREATE OR REPLACE FUNCTION pg_temp.key_ready(target oid, key text) RETURNS text LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    named text := pg_temp.key_followers(target, key);
BEGIN
    IF named IS NOT NULL THEN
        RAISE EXCEPTION 'stop: these follow the present columns: %', named;
    END IF;
    SELECT string_agg(format('%s %I of %s', kind, name, relid::regclass), '; ') INTO named FROM (
        SELECT relid, kind, name::text FROM pg_temp.key_parts(target, key)
        EXCEPT SELECT relid, kind, name FROM pg_temp.key_twins(target, key)) AS late;
    IF named IS NOT NULL THEN
        RAISE EXCEPTION 'stop: these came after Apply had begun; roll back, and run Apply again: %', named;
    END IF;
    SELECT string_agg(format('%s %I of %s', kind, name, relid::regclass), '; ') INTO named FROM (
        SELECT relid, kind, name FROM pg_temp.key_twins(target, key) WHERE top
        EXCEPT SELECT relid, kind, name::text FROM pg_temp.key_parts(target, key)) AS gone;
    IF named IS NOT NULL THEN
        RAISE EXCEPTION 'stop: these are gone since Apply began; roll back, and run Apply again: %', named;
    END IF;
    SELECT string_agg(format('%s %I of %s', kind, name, relid::regclass), '; ') INTO named
    FROM pg_temp.key_twins(target, key) WHERE valid IS NOT TRUE AND NOT late;
    IF named IS NOT NULL THEN
        RAISE EXCEPTION 'stop: these have no valid twin; run this again from the top: %', named;
    END IF;
    SELECT string_agg(format('%s.%I', relid::regclass, own.name), '; ') INTO named
    FROM pg_temp.key_members(target, key) AS own
    LEFT JOIN pg_temp.key_columns(target, key) AS done USING (relid, name)
    LEFT JOIN pg_attribute AS live ON live.attrelid = relid AND live.attnum = done.live
    LEFT JOIN pg_attribute AS other ON other.attrelid = relid AND other.attnum = twin AND NOT other.attisdropped
    WHERE (done.live IS NULL AND type <> 'int8'::regtype)
       OR (done.live IS NOT NULL AND (other.attname IS DISTINCT FROM twin_name OR live.attnotnull > other.attnotnull
           OR EXISTS (SELECT FROM pg_temp.key_tables(target, key) AS one
                      WHERE one.top = relid AND one.name = own.name
                        AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = one.relid AND tgenabled = 'A'
                                                                 AND tgname = concat('zz_', own.name, '_sync')))));
    IF named IS NOT NULL THEN
        RAISE EXCEPTION 'stop: these have no twin, it may be NULL, or its trigger is missing: %', named;
    END IF;
    RETURN 'ok';
END
$body$;

-- The statements of the switch, in their order: what is on the present columns goes, the twins take the names.
CREATE OR REPLACE FUNCTION pg_temp.key_switch(target oid, key text)
RETURNS TABLE (number numeric, statement text) LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $body$
    WITH member AS (
        SELECT array_agg(relid ORDER BY relid = target, relid) AS every
        FROM (SELECT relid FROM pg_temp.key_receipts(target, key)
              UNION SELECT relid FROM pg_temp.key_tables(target, key)) AS own
    ), part AS (
        SELECT twin.*, relid::regclass AS relation, relnamespace::regnamespace AS home, item ->> 'constraint' AS of_key,
               coalesce((SELECT relname FROM pg_class WHERE oid = there), helper) AS twin_index,
               coalesce((SELECT conname FROM pg_constraint WHERE oid = there), helper) AS twin_rule
        FROM pg_temp.key_twins(target, key) AS twin JOIN pg_class ON pg_class.oid = relid
    ), changed AS (
        SELECT own.*, relid::regclass AS relation, attnotnull, attidentity, own.name || CASE WHEN switched THEN '_new' ELSE '_old' END AS aside
        FROM pg_temp.key_columns(target, key) AS own
        JOIN pg_attribute ON attrelid = relid AND attnum = live
    ), given AS (  -- partitions may have none, or another one
        SELECT concat(CASE relkind WHEN 'p' THEN 'ONLY ' END, one.relid::regclass) AS relation, one.name,
               pg_get_expr(adbin, adrelid) AS default_value
        FROM changed
        JOIN pg_temp.key_tables(target, key) AS one ON one.top = changed.relid AND one.name = changed.name
        JOIN pg_class ON pg_class.oid = one.relid
        JOIN pg_attrdef ON adrelid = one.relid AND adnum = one.number
    ), sequence AS (
        SELECT changed.*, deptype, seq.*, objid::regclass AS place, relacl, relowner, obj_description(objid, 'pg_class') AS about,
               CASE seqtypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647
                             ELSE 9223372036854775807 END AS largest
        FROM changed
        JOIN pg_depend ON classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass AND refobjid = relid
                      AND refobjsubid = live AND deptype IN ('a', 'i')
        JOIN pg_sequence AS seq ON seqrelid = objid
        JOIN pg_class ON pg_class.oid = objid
    )
    SELECT 1, format('SELECT pg_temp.key_ready(%s, %L)', target, key)
    UNION ALL SELECT 2, format('SELECT pg_temp.key_lock(%L::oid[], %L, %L::text[])', every, 'ACCESS EXCLUSIVE',
                               ARRAY(SELECT format('ALTER SEQUENCE %s OWNED BY %s.%I', place, relation, twin_name)
                                     FROM sequence WHERE deptype = 'a'))
    FROM member
    UNION ALL SELECT 2.1, format($do$
            DO $same$ BEGIN
                IF pg_temp.key_print(%1$L) <> %2$L THEN
                    RAISE EXCEPTION 'stop: something was made or dropped on the tables meanwhile; run this step again';
                END IF;
            END $same$
        $do$, every, pg_temp.key_print(every)) FROM member
    UNION ALL SELECT CASE kind WHEN 'foreign' THEN 3 ELSE 4 END, format('ALTER TABLE %s DROP CONSTRAINT %I', relation, name)
    FROM part WHERE top AND (kind <> 'index' OR of_key IS NOT NULL)
    UNION ALL SELECT 4, format('DROP INDEX %s.%I', home, name) FROM part WHERE top AND kind = 'index' AND of_key IS NULL
    UNION ALL SELECT 5, format('ALTER TABLE %s ALTER COLUMN %I DROP DEFAULT', relation, name) FROM given
    UNION ALL SELECT 6, format('ALTER TABLE %s RENAME COLUMN %I TO %I', relation, name, aside) FROM changed
    UNION ALL SELECT 7, format('ALTER TABLE %s RENAME COLUMN %I TO %I', relation, twin_name, name) FROM changed
    UNION ALL SELECT 8, format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT ', relation, name) || default_value FROM given
    UNION ALL SELECT 9, format($do$
            DO $identity$
            DECLARE last bigint; called boolean;
            BEGIN
                SELECT last_value, is_called INTO last, called FROM %1$s;
                ALTER TABLE %2$s ALTER COLUMN %3$I DROP IDENTITY;
                ALTER TABLE %2$s ALTER COLUMN %4$I ADD GENERATED %5$s AS IDENTITY (
                    SEQUENCE NAME %1$s START %6$s INCREMENT %7$s%8$s%9$s CACHE %10$s%11$s);
                PERFORM pg_catalog.setval(%12$s, last, called);
            END $identity$
        $do$, place, relation, aside, name, CASE attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END, seqstart, seqincrement,
        CASE WHEN seqmax <> CASE WHEN seqincrement > 0 THEN largest ELSE -1 END THEN ' MAXVALUE ' || seqmax END,
        CASE WHEN seqmin <> CASE WHEN seqincrement > 0 THEN 1 ELSE -largest - 1 END THEN ' MINVALUE ' || seqmin END,
        seqcache, CASE WHEN seqcycle THEN ' CYCLE' END, quote_literal(place))
    FROM sequence WHERE deptype = 'i'
    UNION ALL SELECT 9.1, format('REVOKE ALL ON SEQUENCE %s FROM %s', place,
                                 CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END)
    FROM (SELECT DISTINCT place, (aclexplode(defaclacl)).grantee
          FROM sequence JOIN pg_default_acl ON defaclobjtype = 'S' AND deptype = 'i') AS given
    UNION ALL SELECT 9.2 + rank / 10000.0, format('GRANT %s ON SEQUENCE %s TO %s', privilege_type, place,
                                                  CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END)
                                           || CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
    FROM sequence CROSS JOIN aclexplode(relacl) WITH ORDINALITY AS given (grantor, grantee, privilege_type, is_grantable, rank)
    WHERE deptype = 'i'
    UNION ALL SELECT 9.3, format('COMMENT ON SEQUENCE %s IS %L', place, about) FROM sequence
    WHERE deptype = 'i' AND about IS NOT NULL
    UNION ALL SELECT CASE kind WHEN 'index' THEN 10 ELSE 12 END,
           CASE WHEN kind <> 'index' THEN format('ALTER TABLE %s RENAME CONSTRAINT %I TO %I', relation, twin_rule, name)
                WHEN of_key IS NULL THEN format('ALTER INDEX %s.%I RENAME TO %I', home, twin_index, name)
                WHEN late THEN format('ALTER TABLE ONLY %s ADD CONSTRAINT %I ', relation, name) || (item ->> 'rule')
                ELSE format('ALTER TABLE %s ADD CONSTRAINT %I %s USING INDEX %I', relation, name,
                            CASE of_key WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END, twin_index) || (item ->> 'later') END
    FROM part
    -- A key of a partitioned table takes no index that is there, but those of its partitions can be put below it.
    UNION ALL SELECT 11, format('ALTER INDEX %s ATTACH PARTITION %s.%I', above, home, name)
    FROM part WHERE kind = 'index' AND of_key IS NOT NULL AND NOT top
    UNION ALL SELECT 13, format('COMMENT ON INDEX %s.%I IS %L', home, name, item ->> 'about')
    FROM part WHERE item ->> 'about' IS NOT NULL
    UNION ALL SELECT 13, format('COMMENT ON CONSTRAINT %I ON %s IS %L', name, relation, item ->> 'comment')
    FROM part WHERE item ->> 'comment' IS NOT NULL
    UNION ALL SELECT 13, format('ALTER INDEX %s.%I ALTER COLUMN %s SET STATISTICS %s', home, name, place, value)
    FROM part CROSS JOIN jsonb_each_text(nullif(item -> 'statistics', 'null')) AS list (place, value)
    UNION ALL SELECT 14, format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL', relation, aside) FROM changed WHERE attnotnull AND NOT switched
    -- What a partition has for itself does not go with that of its table: so is the NOT NULL of a key since 18.
    UNION ALL SELECT 15.5, format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL', one.relid::regclass, aside)
    FROM changed JOIN pg_temp.key_tables(target, key) AS one ON one.top = changed.relid AND one.name = changed.name
    WHERE attnotnull AND one.relid <> one.top
      AND (NOT switched OR current_setting('server_version_num')::integer >= 180000)
    UNION ALL SELECT 15 + step, statement
    FROM changed
    JOIN pg_constraint AS own ON own.contype = 'n' AND own.conrelid = relid AND own.conkey = ARRAY[live]
    JOIN pg_constraint AS new ON new.contype = 'n' AND new.conrelid = relid AND new.conkey = ARRAY[twin]
    CROSS JOIN LATERAL (VALUES
        (0, CASE WHEN switched THEN format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL', relation, aside) END),
        (1, format('ALTER TABLE %s RENAME CONSTRAINT %I TO %I', relation, new.conname, own.conname)),
        (2, format('COMMENT ON CONSTRAINT %I ON %s IS %L', own.conname, relation, obj_description(own.oid, 'pg_constraint')))
    ) AS steps (step, statement)
    WHERE statement IS NOT NULL AND (step < 2 OR obj_description(own.oid, 'pg_constraint') IS NOT NULL)
    UNION ALL SELECT 18, pg_temp.key_sync(target, key, relid, name, NOT switched) FROM changed
$body$;
