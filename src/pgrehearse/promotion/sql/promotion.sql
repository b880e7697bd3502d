-- The state machine of promotions: who may do what, and when, refused by PostgreSQL itself.
--
-- `pgrehearse promote install` applies this file, in one transaction, to the database of an environment. By hand:
--
--     psql -1 -v ON_ERROR_STOP=1 -v environment=production -v prefix=pgrehearse_production -v approvals=2
--          -v gates='{applied,approvals}' -f promotion.sql
--
-- The role that applies it has CREATEROLE, and CREATE on the database; it need not be a superuser. It may be
-- applied again: rules are replaced, what was recorded stays. `:'prefix'` begins the names of six roles:
-- _owner, which nobody is a member of, owns everything here and can log in nowhere; _requester, _approver,
-- _runner and _viewer are granted to people and programs, _dashboard to what shows status: it may read that, and
-- see what sessions do, where the installer may grant so. Nothing here believes current_user, a setting or a
-- clock of the client: a person is the session_user, as it logged in.

-- Version of this file's tables: 1.

SELECT pg_catalog.set_config('pgrehearse_promotion.prefix', :'prefix', true),
       pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);

-- --- roles ---------------------------------------------------------------------------------------------

DO $$
DECLARE
    prefix CONSTANT text := current_setting('pgrehearse_promotion.prefix');
    name text;
    owner CONSTANT text := prefix || '_owner';
    schema_owner text;
BEGIN
    FOREACH name IN ARRAY ARRAY['owner', 'requester', 'approver', 'runner', 'viewer', 'dashboard'] LOOP
        name := prefix || '_' || name;
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', name);
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;  -- the same file was applied to another database of this server at this moment
        END;
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = name
                   AND (rolcanlogin OR rolsuper OR rolcreaterole OR rolbypassrls OR rolreplication)) THEN
            RAISE EXCEPTION 'the role % exists and has powers of its own', name
                USING HINT = 'rename that role, or apply this file with another prefix';
        END IF;
    END LOOP;
    IF EXISTS (SELECT FROM pg_auth_members AS m WHERE m.roleid = to_regrole(quote_ident(owner))
               AND m.member <> to_regrole(quote_ident(current_user))
               AND coalesce(to_jsonb(m) ->> 'inherit_option' = 'true' OR to_jsonb(m) ->> 'set_option' = 'true',
                            true)) THEN
        RAISE EXCEPTION 'the role % has members, who could change what is recorded', owner
            USING HINT = 'REVOKE it from them';
    END IF;
    SELECT pg_get_userbyid(nspowner) INTO schema_owner FROM pg_namespace WHERE nspname = 'pgrehearse_promotion';
    IF schema_owner IS NOT NULL AND schema_owner <> owner THEN
        RAISE EXCEPTION 'the schema pgrehearse_promotion belongs to %, not to %', schema_owner, owner
            USING HINT = 'look who made it and why; drop it, or apply this file with the prefix it was made with';
    END IF;
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        EXECUTE format('GRANT %I TO %I', owner, current_user);  -- until the end of this file
    END IF;
    IF schema_owner IS NULL THEN
        EXECUTE format('CREATE SCHEMA pgrehearse_promotion AUTHORIZATION %I', owner);
    END IF;
    EXECUTE format('SET LOCAL ROLE %I', owner);
END $$;

-- --- tables --------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS pgrehearse_promotion.setting (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version int NOT NULL,
    environment text NOT NULL,
    prefix text NOT NULL,
    approvals int NOT NULL CHECK (approvals >= 0),
    gates text[] NOT NULL CHECK (cardinality(gates) > 0)
);
COMMENT ON TABLE pgrehearse_promotion.setting IS 'The rules of this environment, written by promote install.';

CREATE TABLE IF NOT EXISTS pgrehearse_promotion.transition (
    action text NOT NULL,
    from_state text NOT NULL,
    to_state text NOT NULL,
    roles text[] NOT NULL,
    demands text NOT NULL,
    PRIMARY KEY (action, from_state)
);
COMMENT ON TABLE pgrehearse_promotion.transition IS 'Every step a promotion may take. What is not here is refused.';

CREATE TABLE IF NOT EXISTS pgrehearse_promotion.promotion (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    state text NOT NULL,
    action text NOT NULL,
    plan_hash text NOT NULL CHECK (plan_hash ~ '^[0-9a-f]{64}$'),
    requester oid NOT NULL,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL,
    why text NOT NULL DEFAULT '' CHECK (length(why) <= 1000),
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL,
    gates jsonb NOT NULL DEFAULT '[]',
    said text NOT NULL DEFAULT '' CHECK (length(said) <= 4000)
);
COMMENT ON COLUMN pgrehearse_promotion.promotion.gates IS 'What the gates said when it was last started.';
COMMENT ON COLUMN pgrehearse_promotion.promotion.said IS 'Why it was stopped or canceled.';
CREATE UNIQUE INDEX IF NOT EXISTS promotion_open ON pgrehearse_promotion.promotion ((true))
    WHERE state IN ('requested', 'approved', 'applying', 'stopped');

CREATE TABLE IF NOT EXISTS pgrehearse_promotion.item (
    promotion bigint NOT NULL REFERENCES pgrehearse_promotion.promotion,
    number int NOT NULL CHECK (number > 0),
    version text NOT NULL CHECK (version ~ '^[0-9]{1,40}$'),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200 AND name !~ '[[:cntrl:]]'),
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    PRIMARY KEY (promotion, number),
    UNIQUE (promotion, version)
);
COMMENT ON TABLE pgrehearse_promotion.item IS 'The migrations of a plan, in order.';

CREATE TABLE IF NOT EXISTS pgrehearse_promotion.target (
    promotion bigint NOT NULL REFERENCES pgrehearse_promotion.promotion,
    number int NOT NULL CHECK (number > 0),
    database text NOT NULL CHECK (length(database) BETWEEN 1 AND 200 AND database !~ '[[:cntrl:]]'),
    PRIMARY KEY (promotion, number),
    UNIQUE (promotion, database)
);
COMMENT ON TABLE pgrehearse_promotion.target IS 'The databases of a plan, in order.';

CREATE TABLE IF NOT EXISTS pgrehearse_promotion.approval (
    promotion bigint NOT NULL REFERENCES pgrehearse_promotion.promotion,
    plan_hash text NOT NULL,
    approver oid NOT NULL,
    approved_by text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (promotion, approver)
);
ALTER TABLE pgrehearse_promotion.approval ADD COLUMN IF NOT EXISTS membership jsonb NOT NULL DEFAULT '[]';
COMMENT ON COLUMN pgrehearse_promotion.approval.membership IS 'How the approver had that role then, and who granted it.';
COMMENT ON COLUMN pgrehearse_promotion.approval.approver IS 'A role made later under the same name is somebody else.';

CREATE TABLE IF NOT EXISTS pgrehearse_promotion.step (
    promotion bigint NOT NULL,
    target int NOT NULL,
    item int NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('started', 'done', 'failed')),
    changed_by text NOT NULL,
    started_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    detail jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (promotion, target, item),
    FOREIGN KEY (promotion, target) REFERENCES pgrehearse_promotion.target (promotion, number),
    FOREIGN KEY (promotion, item) REFERENCES pgrehearse_promotion.item (promotion, number)
);
COMMENT ON TABLE pgrehearse_promotion.step IS 'One migration in one database; what was really done stands in its ledger.';

-- A promotion to several databases goes in waves. A row of rollout says when no further database is begun, a row
-- of visit what became of one database; of each migration in it, step does.
CREATE TABLE IF NOT EXISTS pgrehearse_promotion.rollout (
    promotion bigint PRIMARY KEY REFERENCES pgrehearse_promotion.promotion,
    begun_at timestamptz NOT NULL,
    canary int NOT NULL CHECK (canary >= 0),
    failures int NOT NULL CHECK (failures >= 0),
    duration interval CHECK (duration > '0'),
    blocked interval CHECK (blocked > '0'),
    lag interval CHECK (lag > '0')
);
ALTER TABLE pgrehearse_promotion.rollout ADD COLUMN IF NOT EXISTS at_once int NOT NULL DEFAULT 0 CHECK (at_once >= 0);
COMMENT ON COLUMN pgrehearse_promotion.rollout.at_once IS 'How many are worked at at a time; 0: as many as workers take.';
COMMENT ON COLUMN pgrehearse_promotion.rollout.begun_at IS 'Also by resume: what was seen before counts no more.';
COMMENT ON COLUMN pgrehearse_promotion.rollout.duration IS 'A wave that takes longer stops it; NULL: no limit.';
COMMENT ON COLUMN pgrehearse_promotion.rollout.blocked IS 'Somebody who waits longer for a migration stops it.';
COMMENT ON COLUMN pgrehearse_promotion.rollout.lag IS 'A standby that is further behind stops it.';

CREATE TABLE IF NOT EXISTS pgrehearse_promotion.visit (
    promotion bigint NOT NULL,
    target int NOT NULL,
    wave int NOT NULL DEFAULT 0 CHECK (wave >= 0),
    state text NOT NULL CHECK (state IN ('planned', 'open', 'working', 'done', 'failed', 'skipped')),
    attempt int NOT NULL DEFAULT 0,
    worker text NOT NULL DEFAULT '' CHECK (length(worker) <= 200),
    opened_at timestamptz,
    seen_at timestamptz,
    blocked interval,
    lag interval,
    said text NOT NULL DEFAULT '' CHECK (length(said) <= 4000),
    changed_by text NOT NULL,
    PRIMARY KEY (promotion, target),
    FOREIGN KEY (promotion, target) REFERENCES pgrehearse_promotion.target (promotion, number)
);
COMMENT ON COLUMN pgrehearse_promotion.visit.seen_at IS 'When its worker was last heard of.';
COMMENT ON COLUMN pgrehearse_promotion.visit.said IS 'Why it failed, is skipped, or was given back.';
CREATE INDEX IF NOT EXISTS visit_unfinished ON pgrehearse_promotion.visit (promotion, wave)
    WHERE state NOT IN ('done', 'skipped');
CREATE INDEX IF NOT EXISTS visit_noted ON pgrehearse_promotion.visit (promotion)
    WHERE state = 'failed' OR blocked IS NOT NULL OR lag IS NOT NULL;
CREATE INDEX IF NOT EXISTS visit_begun ON pgrehearse_promotion.visit (promotion, target)
    WHERE state IN ('open', 'working');

CREATE TABLE IF NOT EXISTS pgrehearse_promotion.audit (
    seq bigint PRIMARY KEY,
    entry text NOT NULL,
    hash text NOT NULL
);
COMMENT ON TABLE pgrehearse_promotion.audit IS 'Everything that happened; hash is sha256(previous hash, line feed, entry).';

-- What an earlier version of this file made otherwise, or does no longer. Triggers follow below.
DROP FUNCTION IF EXISTS pgrehearse_promotion.approvals(bigint),
    pgrehearse_promotion.claim(bigint, int, text),
    pgrehearse_promotion.roll_out(bigint, int, int, int, interval, interval, interval);

-- --- who somebody is -----------------------------------------------------------------------------------

-- The person of this session. SET ROLE does not change session_user; SET SESSION AUTHORIZATION, which only a
-- superuser may, does, and is refused here: an approval must not be given for somebody else.
CREATE OR REPLACE FUNCTION pgrehearse_promotion.person() RETURNS oid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    me CONSTANT oid := to_regrole(quote_ident(session_user));
    logged_in oid;
BEGIN
    SELECT usesysid INTO logged_in FROM pg_stat_get_activity(pg_backend_pid());
    IF logged_in IS DISTINCT FROM me THEN
        RAISE insufficient_privilege USING
            MESSAGE = format('this session logged in as %s and calls itself %s',
                             coalesce(pg_get_userbyid(logged_in)::text, 'nobody'), session_user),
            HINT = 'log in as the person who acts';
    END IF;
    RETURN me;
END $$;

-- Memberships that can be used. Being a superuser is none, nor is the right to grant one: pg_has_role() would say
-- yes to both.
CREATE OR REPLACE FUNCTION pgrehearse_promotion.memberships() RETURNS SETOF pg_catalog.pg_auth_members
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT m.* FROM pg_auth_members AS m
     WHERE coalesce(to_jsonb(m) ->> 'inherit_option' = 'true' OR to_jsonb(m) ->> 'set_option' = 'true', true)
$$;

-- The group role of this environment that is called ``word``.
CREATE OR REPLACE FUNCTION pgrehearse_promotion.group_role(word text) RETURNS oid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN to_regrole(quote_ident((SELECT s.prefix FROM pgrehearse_promotion.setting AS s) || '_' || word));
END $$;

-- Everybody who has a group role now, by whatever way.
CREATE OR REPLACE FUNCTION pgrehearse_promotion.holders(word text) RETURNS SETOF oid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE down(role) AS (
        SELECT m.member FROM pgrehearse_promotion.memberships() AS m WHERE m.roleid = pgrehearse_promotion.group_role(word)
        UNION
        SELECT m.member FROM pgrehearse_promotion.memberships() AS m JOIN down ON m.roleid = down.role
    )
    SELECT role FROM down
$$;

-- A role, and all that it is or can become.
CREATE OR REPLACE FUNCTION pgrehearse_promotion.reach(who oid) RETURNS SETOF oid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE up(role) AS (
        SELECT who
        UNION
        SELECT m.roleid FROM pgrehearse_promotion.memberships() AS m JOIN up ON m.member = up.role
    )
    SELECT role FROM up
$$;

-- Whether a role has a group role now.
CREATE OR REPLACE FUNCTION pgrehearse_promotion.holds(who oid, word text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wanted CONSTANT oid := pgrehearse_promotion.group_role(word);
BEGIN
    RETURN coalesce(who <> wanted AND EXISTS (SELECT FROM pgrehearse_promotion.reach(who) AS r(role)
                                               WHERE r.role = wanted), false);
END $$;

-- How a role has a group role now: every membership on a way from one to the other, its own first.
CREATE OR REPLACE FUNCTION pgrehearse_promotion.membership(who oid, word text) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('member', u.member, 'role', u.role, 'granted_by', u.granted_by,
                                                 'admin', u.admin) ORDER BY u.own DESC, u.member, u.role, u.granted_by), '[]')
      FROM (SELECT m.member = who AS own, pg_get_userbyid(m.member) AS member, pg_get_userbyid(m.roleid) AS role,
                   pg_get_userbyid(m.grantor) AS granted_by, m.admin_option AS admin
              FROM pgrehearse_promotion.memberships() AS m
             WHERE m.member IN (SELECT pgrehearse_promotion.reach(who))
               AND (m.roleid = pgrehearse_promotion.group_role(word)
                    OR m.roleid IN (SELECT pgrehearse_promotion.holders(word)))) AS u
$$;

-- Who has the role of an approver and could have given it to himself, and by what. On 15 that is everybody with
-- CREATEROLE; no trigger of PostgreSQL sees a GRANT of a role.
CREATE OR REPLACE FUNCTION pgrehearse_promotion.doubtful() RETURNS TABLE (person name, by_what text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT p.rolname, string_agg(DISTINCT v.said, ', ' ORDER BY v.said)
      FROM pgrehearse_promotion.holders('approver') AS h(role) JOIN pg_roles AS p ON p.oid = h.role AND p.rolcanlogin,
           pgrehearse_promotion.reach(p.oid) AS r(role) JOIN pg_roles AS a ON a.oid = r.role,
           LATERAL (VALUES
               (CASE WHEN a.rolsuper THEN 'superuser' END),
               (CASE WHEN a.rolcreaterole AND current_setting('server_version_num')::int < 160000 THEN 'CREATEROLE' END),
               (CASE WHEN EXISTS (SELECT FROM pg_auth_members AS m WHERE m.member = a.oid AND m.admin_option
                                   AND m.roleid = pgrehearse_promotion.group_role('approver'))
                    THEN 'ADMIN OPTION' END)) AS v (said)
     WHERE v.said IS NOT NULL
     GROUP BY p.rolname ORDER BY p.rolname
$$;

-- Raises unless this session holds the lock that promote apply takes.
CREATE OR REPLACE FUNCTION pgrehearse_promotion.demand_lock() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT pgrehearse_promotion.at_work(true) THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = 'this session does not hold the lock of promote apply',
            HINT = 'pgrehearse promote apply takes it';
    END IF;
END $$;

-- Raises unless the person of this session has one of the group roles, as the roles are at this moment: in a
-- transaction that sees one moment only, somebody who lost a role would have it to its end.
CREATE OR REPLACE FUNCTION pgrehearse_promotion.demand(action text, words text[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    me CONSTANT oid := pgrehearse_promotion.person();
    word text;
BEGIN
    IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('this transaction is %s, and would not see that a role was revoked meanwhile',
                             current_setting('transaction_isolation')),
            HINT = 'take the step in a transaction that is READ COMMITTED';
    END IF;
    FOREACH word IN ARRAY words LOOP
        IF pgrehearse_promotion.holds(me, word) THEN
            RETURN;
        END IF;
    END LOOP;
    RAISE insufficient_privilege USING
        MESSAGE = format('%s may not %s: that needs the role %s', session_user, action,
            (SELECT string_agg(s.prefix || '_' || w, ' or ' ORDER BY w)
               FROM unnest(words) AS w, pgrehearse_promotion.setting AS s)),
        HINT = 'ask somebody who has it; being a superuser does not count';
END $$;

-- Whether a session applies: it holds the lock that promote apply takes. ``mine``: only this session counts.
CREATE OR REPLACE FUNCTION pgrehearse_promotion.at_work(mine boolean) RETURNS boolean
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM pg_locks
         WHERE locktype = 'advisory' AND granted AND mode = 'ExclusiveLock' AND objsubid = 2
           AND classid = 1885827685 AND objid = 1886547821
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND (pid = pg_backend_pid() OR NOT mine))
$$;

-- --- what is recorded ----------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION pgrehearse_promotion.note(action text, about bigint, detail json) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    last pgrehearse_promotion.audit;
    said text;
BEGIN
    LOCK TABLE pgrehearse_promotion.audit IN SHARE ROW EXCLUSIVE MODE;
    SELECT * INTO last FROM pgrehearse_promotion.audit ORDER BY seq DESC LIMIT 1;
    said := json_build_object(
        'seq', coalesce(last.seq, 0) + 1,
        'at', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'who', session_user, 'action', action, 'promotion', about, 'detail', detail)::text;
    INSERT INTO pgrehearse_promotion.audit VALUES (
        coalesce(last.seq, 0) + 1, said,
        encode(sha256(convert_to(coalesce(last.hash, repeat('0', 64)) || E'\n' || said, 'UTF8')), 'hex'));
    -- A transaction that notifies cannot be prepared: what is recorded and holds that lock has no later end.
    PERFORM pg_notify('pgrehearse_promotion', '');
END $$;

-- The hash of a plan: environment, databases and migrations, a line each.
CREATE OR REPLACE FUNCTION pgrehearse_promotion.hash_of(about bigint) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT encode(sha256(convert_to(
        'environment ' || s.environment || E'\n'
        || coalesce((SELECT string_agg('database ' || t.database || E'\n', '' ORDER BY t.number)
                       FROM pgrehearse_promotion.target AS t WHERE t.promotion = about), '')
        || coalesce((SELECT string_agg('migration ' || i.version || ' ' || i.sha256 || ' ' || i.name || E'\n', ''
                                       ORDER BY i.number)
                       FROM pgrehearse_promotion.item AS i WHERE i.promotion = about), ''), 'UTF8')), 'hex')
      FROM pgrehearse_promotion.setting AS s
$$;

-- The approvals of a promotion, how the approver had that role then, and what keeps one from counting now.
CREATE OR REPLACE FUNCTION pgrehearse_promotion.approvals(about bigint)
RETURNS TABLE (approved_by text, at timestamptz, problem text, membership jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT a.approved_by, a.at,
           CASE WHEN a.plan_hash <> p.plan_hash THEN 'it was given for another plan'
                WHEN a.approver = p.requester THEN 'requester and approver are one person'
                WHEN NOT EXISTS (SELECT FROM pg_roles AS r WHERE r.oid = a.approver) THEN 'that role is gone'
                WHEN NOT pgrehearse_promotion.holds(a.approver, 'approver')
                    THEN a.approved_by || ' is no longer an approver'
                ELSE '' END, a.membership
      FROM pgrehearse_promotion.approval AS a JOIN pgrehearse_promotion.promotion AS p ON p.id = a.promotion
     WHERE a.promotion = about ORDER BY a.at
$$;

-- --- what is refused -----------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION pgrehearse_promotion.refuse() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE insufficient_privilege USING
        MESSAGE = format('%s of pgrehearse_promotion.%s is refused: what is recorded stays', lower(TG_OP),
                         TG_TABLE_NAME),
        HINT = 'a change of mind is a new promotion';
END $$;

CREATE OR REPLACE FUNCTION pgrehearse_promotion.known(about bigint, there boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT there THEN
        RAISE object_not_in_prerequisite_state USING MESSAGE = format('there is no promotion %s', about),
            HINT = 'pgrehearse promote status says which one is open';
    END IF;
END $$;

-- Every change of a promotion, whoever makes it and by which statement, is a legal step or fails.
CREATE OR REPLACE FUNCTION pgrehearse_promotion.guard_promotion() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    me CONSTANT oid := pgrehearse_promotion.person();
    rule pgrehearse_promotion.setting;
    step pgrehearse_promotion.transition;
    before CONSTANT text := CASE WHEN TG_OP = 'INSERT' THEN '' ELSE OLD.state END;
    counted int;
    problem text;
BEGIN
    SELECT * INTO STRICT rule FROM pgrehearse_promotion.setting;
    SELECT * INTO step FROM pgrehearse_promotion.transition AS t
     WHERE t.action = NEW.action AND t.from_state = before AND t.to_state = NEW.state;
    IF step.action IS NULL THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('promotion %s is %s: it cannot be made %s by %s', NEW.id,
                             coalesce(nullif(before, ''), 'new'), NEW.state, NEW.action),
            HINT = 'pgrehearse promote status says what can be done';
    END IF;
    PERFORM pgrehearse_promotion.demand(step.action, step.roles);
    NEW.changed_by := session_user;
    NEW.changed_at := clock_timestamp();
    IF TG_OP = 'INSERT' THEN
        NEW.requester := me;
        NEW.requested_by := session_user;
        NEW.requested_at := NEW.changed_at;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.plan_hash, NEW.requester, NEW.requested_by, NEW.requested_at, NEW.why)
       IS DISTINCT FROM (OLD.id, OLD.plan_hash, OLD.requester, OLD.requested_by, OLD.requested_at, OLD.why) THEN
        RAISE insufficient_privilege USING MESSAGE = 'the request of a promotion does not change',
            HINT = 'a changed plan is a new promotion';
    END IF;
    IF NEW.state IN ('approved', 'applying', 'applied') THEN
        IF pgrehearse_promotion.hash_of(NEW.id) <> NEW.plan_hash THEN
            RAISE object_not_in_prerequisite_state USING
                MESSAGE = format('the plan of promotion %s changed since it was requested', NEW.id),
                HINT = 'request it again';
        END IF;
    END IF;
    IF NEW.state IN ('approved', 'applying') THEN
        SELECT count(*) FILTER (WHERE a.problem = ''), string_agg(nullif(a.problem, ''), '; ')
          INTO counted, problem FROM pgrehearse_promotion.approvals(NEW.id) AS a;
        IF counted < rule.approvals THEN
            RAISE object_not_in_prerequisite_state USING
                MESSAGE = format('promotion %s has %s of %s approvals', NEW.id, counted, rule.approvals)
                          || coalesce(': ' || problem, ''),
                HINT = 'somebody who has the role ' || rule.prefix || '_approver and is not the requester approves it';
        END IF;
    END IF;
    IF NEW.state = 'applying' THEN
        PERFORM pgrehearse_promotion.check_gates(NEW.gates, rule.gates);
        PERFORM pgrehearse_promotion.demand_lock();
    ELSIF NEW.state = 'canceled' AND OLD.state = 'applying' AND pgrehearse_promotion.at_work(false) THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('promotion %s is being applied at this moment', NEW.id),
            HINT = 'wait for its end, or end that session first';
    ELSIF NEW.state = 'applied' AND EXISTS (
        SELECT FROM pgrehearse_promotion.target AS t JOIN pgrehearse_promotion.item AS i USING (promotion)
          LEFT JOIN pgrehearse_promotion.step AS s
            ON s.promotion = t.promotion AND s.target = t.number AND s.item = i.number AND s.outcome = 'done'
         WHERE t.promotion = NEW.id AND s.promotion IS NULL
           AND NOT EXISTS (SELECT FROM pgrehearse_promotion.visit AS v
                            WHERE v.promotion = t.promotion AND v.target = t.number AND v.state = 'skipped')) THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('promotion %s has steps that are not done', NEW.id), HINT = 'apply it';
    END IF;
    IF NEW.state IN ('canceled', 'superseded') AND pgrehearse_promotion.visited(NEW.id) > 0 THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('promotion %s: %s of its databases are being worked at', NEW.id,
                             pgrehearse_promotion.visited(NEW.id)),
            HINT = 'wait until they are done; pgrehearse promote status shows them';
    END IF;
    RETURN NEW;
END $$;

-- All gates that the rules name have to be there, and none may be red. No match means refuse.
CREATE OR REPLACE FUNCTION pgrehearse_promotion.check_gates(given jsonb, wanted text[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    red text;
BEGIN
    IF jsonb_typeof(given) IS DISTINCT FROM 'array' THEN
        given := '[]';
    END IF;
    SELECT string_agg(name, ', ' ORDER BY name) INTO red FROM (
        SELECT w AS name FROM unnest(wanted) AS w
         WHERE NOT EXISTS (SELECT FROM jsonb_array_elements(given) AS g WHERE g ->> 'gate' = w
                           AND g -> 'green' = 'true'::jsonb)
        UNION
        SELECT coalesce(g ->> 'gate', '(no name)') FROM jsonb_array_elements(given) AS g
         WHERE g -> 'green' IS DISTINCT FROM 'true'::jsonb) AS r;
    IF red IS NOT NULL THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('gates that are not green: %s', red),
            HINT = 'pgrehearse promote plan says why';
    END IF;
END $$;

CREATE OR REPLACE FUNCTION pgrehearse_promotion.note_promotion() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pgrehearse_promotion.note(NEW.action, NEW.id, json_build_object(
        'state', NEW.state, 'plan', NEW.plan_hash, 'said', nullif(CASE WHEN TG_OP = 'INSERT' THEN NEW.why
                                                                     ELSE NEW.said END, ''),
        'gates', CASE WHEN NEW.state = 'applying' THEN NEW.gates::json END));
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION pgrehearse_promotion.guard_approval() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    me CONSTANT oid := pgrehearse_promotion.person();
    meant pgrehearse_promotion.promotion;
BEGIN
    PERFORM pgrehearse_promotion.demand('approve', ARRAY['approver']);
    SELECT * INTO STRICT meant FROM pgrehearse_promotion.promotion WHERE id = NEW.promotion FOR UPDATE;
    IF meant.state NOT IN ('requested', 'approved') THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('promotion %s is %s: there is nothing to approve', meant.id, meant.state),
            HINT = 'pgrehearse promote status says which one is open';
    ELSIF NEW.plan_hash IS DISTINCT FROM meant.plan_hash
          OR pgrehearse_promotion.hash_of(meant.id) <> meant.plan_hash THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('the plan changed: promotion %s is another one than was reviewed', meant.id),
            HINT = 'look at the plan again, then approve what it is now';
    ELSIF meant.requester = me THEN
        RAISE insufficient_privilege USING
            MESSAGE = format('%s requested promotion %s and cannot approve it', session_user, meant.id),
            HINT = 'somebody else approves';
    END IF;
    NEW.approver := me;
    NEW.approved_by := session_user;
    NEW.at := clock_timestamp();
    NEW.membership := pgrehearse_promotion.membership(me, 'approver');
    PERFORM pgrehearse_promotion.note('approval', meant.id, json_build_object(
        'plan', NEW.plan_hash, 'membership', NEW.membership));
    RETURN NEW;
END $$;

-- Items and targets come with the request, in its transaction and before it is answered for.
CREATE OR REPLACE FUNCTION pgrehearse_promotion.guard_plan() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pgrehearse_promotion.demand('request', ARRAY['requester']);
    IF NOT EXISTS (SELECT FROM pgrehearse_promotion.promotion AS p
                    WHERE p.id = NEW.promotion AND p.state = 'requested' AND p.requester = pgrehearse_promotion.person()
                      AND p.changed_at >= transaction_timestamp()) THEN
        RAISE insufficient_privilege USING MESSAGE = 'the plan of a promotion does not change',
            HINT = 'a changed plan is a new promotion';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION pgrehearse_promotion.guard_step() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    state text;
    visit text;
BEGIN
    PERFORM pgrehearse_promotion.demand('record a step', ARRAY['runner']);
    SELECT p.state INTO state FROM pgrehearse_promotion.promotion AS p WHERE p.id = NEW.promotion FOR SHARE;
    SELECT v.state INTO visit FROM pgrehearse_promotion.visit AS v
     WHERE v.promotion = NEW.promotion AND v.target = NEW.target;
    IF visit <> 'working' THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('database %s of promotion %s is %s: nobody may work at it now', NEW.target,
                             NEW.promotion, visit),
            HINT = 'pgrehearse promote status shows which wave is open';
    ELSIF state IS DISTINCT FROM 'applying' AND (state, visit) IS DISTINCT FROM ('stopped', 'working') THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('promotion %s is %s, not applying: no step of it is recorded', NEW.promotion,
                             coalesce(state, 'unknown')),
            HINT = 'pgrehearse promote apply starts it';
    ELSIF TG_OP = 'UPDATE' AND (OLD.outcome = 'done' OR (NEW.promotion, NEW.target, NEW.item)
                                IS DISTINCT FROM (OLD.promotion, OLD.target, OLD.item)) THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('step %s of database %s is done', OLD.item, OLD.target), HINT = 'leave it';
    ELSIF TG_OP = 'INSERT' AND NEW.outcome <> 'started' THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('step %s of database %s was not started', NEW.item, NEW.target),
            HINT = 'pgrehearse promote apply records both';
    END IF;
    NEW.changed_by := session_user;
    NEW.changed_at := clock_timestamp();
    NEW.started_at := CASE WHEN NEW.outcome = 'started' THEN NEW.changed_at ELSE OLD.started_at END;
    PERFORM pgrehearse_promotion.note('step ' || NEW.outcome, NEW.promotion,
        (SELECT json_build_object('database', NEW.target, 'item', NEW.item, 'called', t.database || ' ' || i.name,
                                  'detail', NEW.detail::json)
           FROM pgrehearse_promotion.target AS t JOIN pgrehearse_promotion.item AS i USING (promotion)
          WHERE t.promotion = NEW.promotion AND t.number = NEW.target AND i.number = NEW.item));
    RETURN NEW;
END $$;

-- A worker that was not heard of for so long is gone, and its database may be given to another.
CREATE OR REPLACE FUNCTION pgrehearse_promotion.silence() RETURNS interval
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$ SELECT interval '10 seconds' $$;

-- Whether a worker has to take a database: its worker is gone, or it is open. What was given back rests a moment.
CREATE OR REPLACE FUNCTION pgrehearse_promotion.wanted(state text, seen_at timestamptz) RETURNS boolean
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(CASE state
        WHEN 'open' THEN coalesce(seen_at < clock_timestamp() - interval '2 seconds', true)
        WHEN 'working' THEN seen_at < clock_timestamp() - pgrehearse_promotion.silence() END, false)
$$;

-- How many databases of a promotion somebody works at now.
CREATE OR REPLACE FUNCTION pgrehearse_promotion.visited(about bigint) RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT count(*) FROM pgrehearse_promotion.visit
     WHERE promotion = about AND state = 'working'
       AND seen_at > clock_timestamp() - pgrehearse_promotion.silence()
$$;

-- Why no further database of a promotion may be begun; NULL when one may.
CREATE OR REPLACE FUNCTION pgrehearse_promotion.halt(about bigint) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- Most often nothing was seen that could be a reason, and each database of a fleet asks twice.
    IF EXISTS (SELECT FROM pgrehearse_promotion.promotion AS p JOIN pgrehearse_promotion.rollout AS r ON r.promotion = p.id
                WHERE p.id = about AND p.state = 'applying' AND r.duration IS NULL)
       AND NOT EXISTS (SELECT FROM pgrehearse_promotion.visit AS v WHERE v.promotion = about
                          AND (v.state = 'failed' OR v.blocked IS NOT NULL OR v.lag IS NOT NULL)) THEN
        RETURN NULL;
    END IF;
    RETURN (WITH seen AS (
        SELECT v.*, t.database, r.begun_at FROM pgrehearse_promotion.visit AS v
          JOIN pgrehearse_promotion.target AS t ON t.promotion = v.promotion AND t.number = v.target
          JOIN pgrehearse_promotion.rollout AS r ON r.promotion = v.promotion
         WHERE v.promotion = about AND (v.opened_at >= r.begun_at OR v.seen_at >= r.begun_at)
           AND (v.state = 'failed' OR v.blocked IS NOT NULL OR v.lag IS NOT NULL)
    ), wave AS (
        SELECT v.wave, CASE WHEN bool_or(v.state IN ('open', 'working')) THEN clock_timestamp()
                            ELSE max(v.seen_at) END - min(v.opened_at) AS took
          FROM pgrehearse_promotion.visit AS v JOIN pgrehearse_promotion.rollout AS r ON r.promotion = v.promotion
         WHERE v.promotion = about AND v.opened_at >= r.begun_at GROUP BY v.wave
    )
    SELECT CASE
        WHEN p.state <> 'applying' THEN format('promotion %s is %s', p.id, p.state)
        WHEN r.promotion IS NULL THEN format('promotion %s was not begun in waves', p.id)
        WHEN (SELECT count(*) FROM seen WHERE state = 'failed') > r.failures THEN
            (SELECT format('%s failed, %s allowed: %s', count(*), r.failures, string_agg(database, ', ' ORDER BY target))
               FROM seen WHERE state = 'failed')
        WHEN r.duration IS NOT NULL AND (SELECT max(took) FROM wave) > r.duration THEN
            (SELECT format('wave %s takes longer than %s', min(wave), r.duration) FROM wave WHERE took > r.duration)
        WHEN (SELECT max(blocked) FROM seen) > r.blocked THEN
            (SELECT format('in %s somebody waited longer than %s for the migration',
                           string_agg(database, ', ' ORDER BY target), r.blocked)
               FROM seen WHERE blocked > r.blocked)
        WHEN (SELECT max(lag) FROM seen) > r.lag THEN
            (SELECT format('a standby of %s was more than %s behind', string_agg(database, ', ' ORDER BY target), r.lag)
               FROM seen WHERE lag > r.lag)
        END
      FROM pgrehearse_promotion.promotion AS p LEFT JOIN pgrehearse_promotion.rollout AS r ON r.promotion = p.id
     WHERE p.id = about);
END $$;

-- Whoever changes what is known of a database of a roll-out, the waves are kept.
CREATE OR REPLACE FUNCTION pgrehearse_promotion.guard_visit() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    before CONSTANT text := CASE WHEN TG_OP = 'INSERT' THEN '' ELSE OLD.state END;
    gone CONSTANT boolean := TG_OP = 'UPDATE' AND coalesce(OLD.seen_at
                             < clock_timestamp() - pgrehearse_promotion.silence(), true);
    state text;
    stop text;
BEGIN
    PERFORM pgrehearse_promotion.demand('apply', ARRAY['runner']);
    SELECT p.state INTO state FROM pgrehearse_promotion.promotion AS p WHERE p.id = NEW.promotion FOR SHARE;
    IF NOT (CASE NEW.state
        WHEN 'planned' THEN state = 'applying' AND (before IN ('', 'planned', 'open', 'failed')
                                                    OR before = 'working' AND gone)
        WHEN 'open' THEN state = 'applying' AND before = 'planned' OR before = 'working'
        WHEN 'working' THEN state = 'applying' AND (before = 'open' OR before = 'working' AND gone)
                            OR before = 'working' AND NEW.attempt = OLD.attempt
        WHEN 'skipped' THEN state IN ('approved', 'applying', 'stopped')
                            AND (before IN ('', 'planned', 'open', 'failed', 'skipped') OR before = 'working' AND gone)
        ELSE before = 'working' AND state IN ('applying', 'stopped')
        END) THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('database %s of promotion %s (%s) is %s: it cannot be made %s', NEW.target, NEW.promotion,
                             coalesce(state, 'unknown'), coalesce(nullif(before, ''), 'new'), NEW.state),
            HINT = 'pgrehearse promote status shows which are done, which failed and why';
    END IF;
    IF NEW.state = 'open' AND before = 'planned' AND EXISTS (
        SELECT FROM pgrehearse_promotion.visit AS v WHERE v.promotion = NEW.promotion AND v.wave < NEW.wave
           AND v.state NOT IN ('done', 'skipped')) THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('wave %s of promotion %s is not to be opened: one before it is not done', NEW.wave,
                             NEW.promotion),
            HINT = 'resume it, or skip what cannot be done';
    ELSIF NEW.state = 'done' AND EXISTS (
        SELECT FROM pgrehearse_promotion.item AS i LEFT JOIN pgrehearse_promotion.step AS s
            ON s.promotion = i.promotion AND s.item = i.number AND s.target = NEW.target AND s.outcome = 'done'
         WHERE i.promotion = NEW.promotion AND s.promotion IS NULL) THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('database %s of promotion %s has steps that are not done', NEW.target, NEW.promotion),
            HINT = 'resume it';
    ELSIF NEW.state = 'working' AND (before = 'open' OR NEW.attempt <> OLD.attempt) THEN
        stop := pgrehearse_promotion.halt(NEW.promotion);
        IF stop IS NOT NULL THEN
            RAISE object_not_in_prerequisite_state USING MESSAGE = 'no further database is begun: ' || stop,
                HINT = 'look why, then pgrehearse promote resume';
        END IF;
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.promotion, NEW.target) IS DISTINCT FROM (OLD.promotion, OLD.target) THEN
        RAISE insufficient_privilege USING MESSAGE = 'the plan of a promotion does not change',
            HINT = 'a changed plan is a new promotion';
    END IF;
    NEW.changed_by := session_user;
    RETURN NEW;
END $$;

-- What stops a roll-out is said by whoever applies it.
CREATE OR REPLACE FUNCTION pgrehearse_promotion.guard_rollout() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pgrehearse_promotion.demand('apply', ARRAY['runner']);
    PERFORM pgrehearse_promotion.demand_lock();
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION pgrehearse_promotion.note_rules() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' OR NEW IS DISTINCT FROM OLD THEN
        PERFORM pgrehearse_promotion.note('install', NULL, to_json(NEW));
    END IF;
    RETURN NULL;
END $$;

-- ALWAYS: a superuser's session_replication_role = replica does not pass them by.
DO $$
DECLARE
    given record;
BEGIN
    FOR given IN SELECT * FROM (VALUES
        ('promotion', 'guard', 'BEFORE INSERT OR UPDATE', 'ROW', 'guard_promotion'),
        ('promotion', 'note', 'AFTER INSERT OR UPDATE', 'ROW', 'note_promotion'),
        ('promotion', 'keep', 'BEFORE DELETE OR TRUNCATE', 'STATEMENT', 'refuse'),
        ('approval', 'guard', 'BEFORE INSERT', 'ROW', 'guard_approval'),
        ('approval', 'keep', 'BEFORE UPDATE OR DELETE OR TRUNCATE', 'STATEMENT', 'refuse'),
        ('item', 'guard', 'BEFORE INSERT', 'ROW', 'guard_plan'),
        ('item', 'keep', 'BEFORE UPDATE OR DELETE OR TRUNCATE', 'STATEMENT', 'refuse'),
        ('target', 'guard', 'BEFORE INSERT', 'ROW', 'guard_plan'),
        ('target', 'keep', 'BEFORE UPDATE OR DELETE OR TRUNCATE', 'STATEMENT', 'refuse'),
        ('step', 'guard', 'BEFORE INSERT OR UPDATE', 'ROW', 'guard_step'),
        ('step', 'keep', 'BEFORE DELETE OR TRUNCATE', 'STATEMENT', 'refuse'),
        ('visit', 'guard', 'BEFORE INSERT OR UPDATE', 'ROW', 'guard_visit'),
        ('visit', 'keep', 'BEFORE DELETE OR TRUNCATE', 'STATEMENT', 'refuse'),
        ('rollout', 'guard', 'BEFORE INSERT OR UPDATE', 'ROW', 'guard_rollout'),
        ('rollout', 'keep', 'BEFORE DELETE OR TRUNCATE', 'STATEMENT', 'refuse'),
        ('audit', 'keep', 'BEFORE UPDATE OR DELETE OR TRUNCATE', 'STATEMENT', 'refuse'),
        ('setting', 'note', 'AFTER INSERT OR UPDATE', 'ROW', 'note_rules'),
        ('setting', 'keep', 'BEFORE DELETE OR TRUNCATE', 'STATEMENT', 'refuse')
    ) AS v (on_table, name, moment, each, calls) LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER %I %s ON pgrehearse_promotion.%I FOR EACH %s '
                       'EXECUTE FUNCTION pgrehearse_promotion.%I()',
                       given.name, given.moment, given.on_table, given.each, given.calls);
        EXECUTE format('ALTER TABLE pgrehearse_promotion.%I ENABLE ALWAYS TRIGGER %I', given.on_table, given.name);
    END LOOP;
END $$;

-- --- what people and programs call ---------------------------------------------------------------------
-- Who may call each, is granted below; that a superuser's call does not count, is seen by the triggers above.

-- A new promotion; one that was open and is not being applied is superseded by it.
-- ``items``: [{"version": ..., "name": ..., "sha256": ...}] in order.
CREATE OR REPLACE FUNCTION pgrehearse_promotion.request(items jsonb, databases text[], why text)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made bigint;
    hash text;
    open_one pgrehearse_promotion.promotion;
    rule pgrehearse_promotion.setting;
BEGIN
    PERFORM pgrehearse_promotion.demand('request', ARRAY['requester']);
    LOCK TABLE pgrehearse_promotion.setting IN SHARE ROW EXCLUSIVE MODE;  -- of two at once, the later sees the other
    SELECT * INTO STRICT rule FROM pgrehearse_promotion.setting;
    IF jsonb_typeof(items) IS DISTINCT FROM 'array' OR jsonb_array_length(items) = 0
       OR coalesce(cardinality(databases), 0) = 0 THEN
        RAISE object_not_in_prerequisite_state USING MESSAGE = 'a plan has migrations and databases',
            HINT = 'request something that is pending';
    END IF;
    UPDATE pgrehearse_promotion.promotion SET state = 'superseded', action = 'supersede'
     WHERE state IN ('requested', 'approved', 'applying', 'stopped');
    hash := encode(sha256(convert_to(
        'environment ' || rule.environment || E'\n'
        || (SELECT string_agg('database ' || d || E'\n', '' ORDER BY n)
              FROM unnest(databases) WITH ORDINALITY AS u(d, n))
        || (SELECT string_agg('migration ' || (i ->> 'version') || ' ' || (i ->> 'sha256') || ' '
                              || (i ->> 'name') || E'\n', '' ORDER BY n)
              FROM jsonb_array_elements(items) WITH ORDINALITY AS u(i, n)), 'UTF8')), 'hex');
    INSERT INTO pgrehearse_promotion.promotion (state, action, plan_hash, requester, requested_by, requested_at,
        why, changed_by, changed_at)
    VALUES ('requested', 'request', hash, 0, '', now(), coalesce(request.why, ''), '', now())
    RETURNING id INTO made;
    INSERT INTO pgrehearse_promotion.item (promotion, number, version, name, sha256)
    SELECT made, n, i ->> 'version', i ->> 'name', i ->> 'sha256'
      FROM jsonb_array_elements(items) WITH ORDINALITY AS u(i, n);
    INSERT INTO pgrehearse_promotion.target (promotion, number, database)
    SELECT made, n, d FROM unnest(databases) WITH ORDINALITY AS u(d, n);
    IF rule.approvals = 0 THEN
        UPDATE pgrehearse_promotion.promotion SET state = 'approved', action = 'request' WHERE id = made;
    END IF;
    RETURN made;
END $$;

-- One approval, of the plan with this hash; the last one that was missing makes it approved. The state then.
CREATE OR REPLACE FUNCTION pgrehearse_promotion.approve(about bigint, plan_hash text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found_state text;
BEGIN
    PERFORM pgrehearse_promotion.demand('approve', ARRAY['approver']);
    -- A trigger, a view or a function that somebody else wrote runs as the approver who happens upon it. What the
    -- approver sent is what counts, and that is not theirs to write.
    IF current_query() !~* '\mpgrehearse_promotion"?\s*\.\s*"?approve"?\s*\(' THEN
        RAISE insufficient_privilege USING
            MESSAGE = format('%s did not ask to approve: something that another statement ran did', session_user),
            HINT = 'an approval is a statement of its own: SELECT pgrehearse_promotion.approve(...); find who'
                   || ' made the trigger, view or function that called it';
    END IF;
    SELECT p.state INTO found_state FROM pgrehearse_promotion.promotion AS p WHERE p.id = about FOR UPDATE;
    PERFORM pgrehearse_promotion.known(about, FOUND);
    INSERT INTO pgrehearse_promotion.approval (promotion, plan_hash, approver, approved_by, at)
    VALUES (about, approve.plan_hash, pgrehearse_promotion.person(), session_user, now());
    IF found_state = 'requested' AND (SELECT count(*) FROM pgrehearse_promotion.approvals(about) WHERE problem = '')
                                 >= (SELECT s.approvals FROM pgrehearse_promotion.setting AS s) THEN
        UPDATE pgrehearse_promotion.promotion SET state = 'approved', action = 'approve' WHERE id = about;
    END IF;
    RETURN (SELECT p.state FROM pgrehearse_promotion.promotion AS p WHERE p.id = about);
END $$;

-- The approvals are looked at and the promotion is started in one transaction, under the lock of its row.
-- ``gates``: [{"gate": ..., "green": true, "evidence": ...}].
CREATE OR REPLACE FUNCTION pgrehearse_promotion.start(about bigint, plan_hash text, gates jsonb)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    meant pgrehearse_promotion.promotion;
BEGIN
    PERFORM pgrehearse_promotion.demand('apply', ARRAY['runner']);
    SELECT * INTO meant FROM pgrehearse_promotion.promotion WHERE id = about FOR UPDATE;
    IF meant.id IS NULL OR start.plan_hash IS DISTINCT FROM meant.plan_hash THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('the plan changed: promotion %s was approved for another one', about),
            HINT = 'put the migrations back as they were approved, or request the plan that is now';
    END IF;
    UPDATE pgrehearse_promotion.promotion
       SET state = 'applying', gates = start.gates, said = '',
           action = CASE WHEN meant.state IN ('stopped', 'applying') THEN 'resume' ELSE 'start' END
     WHERE id = about;
END $$;

CREATE OR REPLACE FUNCTION pgrehearse_promotion.step(about bigint, target int, item int, outcome text, detail jsonb)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    UPDATE pgrehearse_promotion.step AS s SET outcome = step.outcome, detail = coalesce(step.detail, '{}')
     WHERE s.promotion = step.about AND s.target = step.target AND s.item = step.item;
    IF NOT FOUND THEN
        INSERT INTO pgrehearse_promotion.step (promotion, target, item, outcome, changed_by, started_at,
            changed_at, detail)
        VALUES (step.about, step.target, step.item, step.outcome, '', now(), now(), coalesce(step.detail, '{}'));
    END IF;
END $$;

CREATE OR REPLACE FUNCTION pgrehearse_promotion.stop(about bigint, said text)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pgrehearse_promotion.demand('stop', ARRAY['runner']);
    UPDATE pgrehearse_promotion.promotion SET state = 'stopped', action = 'stop', said = left(stop.said, 4000)
     WHERE id = about;
    PERFORM pgrehearse_promotion.known(about, FOUND);
END $$;

CREATE OR REPLACE FUNCTION pgrehearse_promotion.finish(about bigint)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pgrehearse_promotion.demand('finish', ARRAY['runner']);
    UPDATE pgrehearse_promotion.promotion SET state = 'applied', action = 'finish' WHERE id = about;
    PERFORM pgrehearse_promotion.known(about, FOUND);
END $$;

CREATE OR REPLACE FUNCTION pgrehearse_promotion.cancel(about bigint, said text)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pgrehearse_promotion.demand('cancel', ARRAY['requester', 'approver', 'runner']);
    UPDATE pgrehearse_promotion.promotion SET state = 'canceled', action = 'cancel', said = left(cancel.said, 4000)
     WHERE id = about;
    PERFORM pgrehearse_promotion.known(about, FOUND);
END $$;

-- --- in waves ------------------------------------------------------------------------------------------

-- The wave of a database, by its number.
CREATE OR REPLACE FUNCTION pgrehearse_promotion.wave_of(target int, canary int, size int) RETURNS int
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN target <= canary THEN 1 WHEN size = 0 THEN (canary > 0)::int + 1
                ELSE (canary > 0)::int + (target - canary + size - 1) / size END
$$;

-- Begin a roll-out, or go on with one: what failed or was open is planned again. ``canary``: databases of the
-- first wave; ``size``: of each later one, 0 for all the rest. Waves stay as they were made the first time.
CREATE OR REPLACE FUNCTION pgrehearse_promotion.roll_out(about bigint, canary int, size int, at_once int, failures int,
    duration interval, blocked interval, lag interval)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    INSERT INTO pgrehearse_promotion.rollout
        (promotion, begun_at, canary, failures, duration, blocked, lag, at_once)
    VALUES (about, clock_timestamp(), canary, failures, duration, blocked, lag, at_once)
    ON CONFLICT ON CONSTRAINT rollout_pkey DO UPDATE SET (begun_at, failures, duration, blocked, lag, at_once)
        = (excluded.begun_at, excluded.failures, excluded.duration, excluded.blocked, excluded.lag, excluded.at_once);
    INSERT INTO pgrehearse_promotion.visit (promotion, target, wave, state, changed_by)
    SELECT t.promotion, t.number, pgrehearse_promotion.wave_of(t.number, canary, size), 'planned', ''
      FROM pgrehearse_promotion.target AS t WHERE t.promotion = about
    ON CONFLICT DO NOTHING;
    UPDATE pgrehearse_promotion.visit AS v SET wave = pgrehearse_promotion.wave_of(v.target, canary, size)
     WHERE v.promotion = about AND v.wave = 0;  -- skipped before it was begun
    UPDATE pgrehearse_promotion.visit AS v SET state = 'planned', blocked = NULL, lag = NULL
     WHERE v.promotion = about
       AND (v.state IN ('open', 'failed')
            OR v.state = 'working' AND v.seen_at < clock_timestamp() - pgrehearse_promotion.silence());
    PERFORM pgrehearse_promotion.note('roll out', about, json_build_object(
        'canary', canary, 'size', size, 'at_once', at_once, 'failures', failures, 'duration', duration,
        'blocked', blocked, 'lag', lag));
END $$;

-- Open the first wave that is not done, or what is left of it; its number, NULL when all are. As long as none is
-- done, for the canaries may have been skipped, no more are opened than there are canaries.
CREATE OR REPLACE FUNCTION pgrehearse_promotion.open_wave(about bigint)
RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    coming int;
    stop CONSTANT text := pgrehearse_promotion.halt(about);
    canaries int;
    opened bigint;
BEGIN
    PERFORM pgrehearse_promotion.demand('apply', ARRAY['runner']);
    PERFORM pgrehearse_promotion.demand_lock();
    SELECT min(v.wave) INTO coming FROM pgrehearse_promotion.visit AS v
     WHERE v.promotion = about AND v.state NOT IN ('done', 'skipped');
    IF coming IS NULL THEN
        RETURN NULL;
    ELSIF stop IS NOT NULL THEN
        RAISE object_not_in_prerequisite_state USING MESSAGE = 'no further wave is begun: ' || stop,
            HINT = 'look why, then pgrehearse promote resume';
    ELSIF EXISTS (SELECT FROM pgrehearse_promotion.visit AS v
                   WHERE v.promotion = about AND v.wave = coming AND v.state = 'failed')
          AND NOT EXISTS (SELECT FROM pgrehearse_promotion.visit AS v
                           WHERE v.promotion = about AND v.wave = coming AND v.state IN ('open', 'working')) THEN
        RAISE object_not_in_prerequisite_state USING MESSAGE = format('wave %s is not done: databases failed', coming),
            HINT = 'pgrehearse promote resume tries them again, promote skip leaves one out';
    END IF;
    SELECT nullif(r.canary, 0) INTO canaries FROM pgrehearse_promotion.rollout AS r
     WHERE r.promotion = about AND NOT EXISTS (SELECT FROM pgrehearse_promotion.visit AS v
                                                WHERE v.promotion = about AND v.state IN ('done', 'open', 'working'));
    UPDATE pgrehearse_promotion.visit AS v SET state = 'open', opened_at = clock_timestamp(), seen_at = NULL
     WHERE v.promotion = about AND v.target IN (
           SELECT w.target FROM pgrehearse_promotion.visit AS w
            WHERE w.promotion = about AND w.wave = coming AND w.state = 'planned' ORDER BY w.target LIMIT canaries);
    GET DIAGNOSTICS opened = ROW_COUNT;
    IF opened > 0 THEN
        PERFORM pgrehearse_promotion.note('wave', about, json_build_object('called', coming, 'databases', opened));
    END IF;
    RETURN coming;
END $$;

-- Take the next database of the open wave, or one whose worker is gone. No row when none is to be taken.
CREATE OR REPLACE FUNCTION pgrehearse_promotion.claim(about bigint, worker text)
RETURNS TABLE (target int, attempt int, database text, lag interval, done int[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    rule pgrehearse_promotion.rollout;
    found_one int;
BEGIN
    PERFORM pgrehearse_promotion.demand('apply', ARRAY['runner']);
    IF pgrehearse_promotion.halt(about) IS NOT NULL THEN
        RETURN;
    END IF;
    SELECT r.* INTO rule FROM pgrehearse_promotion.rollout AS r WHERE r.promotion = about;
    IF rule.at_once > 0 THEN  -- who counts is alone, so that two do not both take the last
        PERFORM FROM pgrehearse_promotion.rollout AS r WHERE r.promotion = about FOR UPDATE;
        IF pgrehearse_promotion.visited(about) >= rule.at_once THEN
            RETURN;
        END IF;
    END IF;
    SELECT v.target INTO found_one FROM pgrehearse_promotion.visit AS v
     WHERE v.promotion = about AND v.state IN ('open', 'working') AND pgrehearse_promotion.wanted(v.state, v.seen_at)
     ORDER BY v.target LIMIT 1 FOR UPDATE SKIP LOCKED;
    RETURN QUERY
    UPDATE pgrehearse_promotion.visit AS v
       SET state = 'working', attempt = v.attempt + 1, worker = left(claim.worker, 200), seen_at = clock_timestamp(),
           blocked = NULL, lag = NULL, said = ''
      FROM pgrehearse_promotion.target AS t
     WHERE v.promotion = about AND v.target = found_one AND t.promotion = about AND t.number = found_one
    RETURNING v.target, v.attempt, t.database, rule.lag,
              ARRAY(SELECT s.item FROM pgrehearse_promotion.step AS s
                     WHERE s.promotion = about AND s.target = found_one AND s.outcome = 'done' ORDER BY s.item);
END $$;

-- The worker of an attempt is still there; ``blocked`` and ``lag`` are what it saw since. False: it is another's.
CREATE OR REPLACE FUNCTION pgrehearse_promotion.beat(
    about bigint, target int, attempt int, blocked interval, lag interval)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE pgrehearse_promotion.visit AS v
       SET seen_at = clock_timestamp(), blocked = greatest(v.blocked, beat.blocked), lag = greatest(v.lag, beat.lag)
     WHERE v.promotion = about AND v.target = beat.target AND v.attempt = beat.attempt AND v.state = 'working';
    RETURN FOUND;
END $$;

-- How an attempt ended: done, failed, or given back (open). False: it is another's.
CREATE OR REPLACE FUNCTION pgrehearse_promotion.settle(about bigint, target int, attempt int, state text, said text)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    mine boolean;
BEGIN
    IF state IS NULL OR state NOT IN ('done', 'failed', 'open') THEN
        RAISE object_not_in_prerequisite_state USING MESSAGE = 'an attempt ends done, failed or open, and not otherwise',
            HINT = 'promote skip leaves a database out, and keeps why';
    END IF;
    UPDATE pgrehearse_promotion.visit AS v
       SET state = settle.state, said = left(settle.said, 4000), seen_at = clock_timestamp()
     WHERE v.promotion = about AND v.target = settle.target AND v.attempt = settle.attempt AND v.state = 'working';
    mine := FOUND;
    IF mine AND state = 'failed' THEN
        PERFORM pgrehearse_promotion.note('visit failed', about,
            json_build_object('database', target, 'said', left(said, 1000)));
    END IF;
    RETURN mine;
END $$;

-- Leave a database out, for the reason ``why``.
CREATE OR REPLACE FUNCTION pgrehearse_promotion.skip(about bigint, target int, why text)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pgrehearse_promotion.demand('skip', ARRAY['runner']);
    IF coalesce(btrim(why), '') = '' THEN
        RAISE object_not_in_prerequisite_state USING MESSAGE = 'a database is not skipped without a reason',
            HINT = 'say why';
    END IF;
    IF NOT EXISTS (SELECT FROM pgrehearse_promotion.fleet AS f
                    WHERE f.promotion = about AND f.number <> skip.target AND f.state <> 'skipped') THEN
        RAISE object_not_in_prerequisite_state USING MESSAGE = 'this is the last database that is not skipped',
            HINT = 'pgrehearse promote cancel gives the promotion up';
    END IF;
    INSERT INTO pgrehearse_promotion.visit (promotion, target, state, said, changed_by)
    VALUES (about, skip.target, 'skipped', left(why, 4000), '')
    ON CONFLICT ON CONSTRAINT visit_pkey DO UPDATE SET state = 'skipped', said = excluded.said;
    PERFORM pgrehearse_promotion.note('skip', about, json_build_object('database', target, 'said', left(why, 1000),
        'called', (SELECT t.database FROM pgrehearse_promotion.target AS t
                    WHERE t.promotion = about AND t.number = skip.target)));
END $$;

-- A promotion to several databases, one row each: which are done, which are not, and why.
CREATE OR REPLACE VIEW pgrehearse_promotion.fleet AS
SELECT t.promotion, t.number, t.database, coalesce(v.wave, 0) AS wave, coalesce(v.state, 'planned') AS state,
       coalesce(v.attempt, 0) AS attempt, coalesce(v.worker, '') AS worker, v.opened_at, v.seen_at, v.blocked, v.lag,
       coalesce(v.said, '') AS said,
       coalesce(v.state = 'working' AND v.seen_at < clock_timestamp() - pgrehearse_promotion.silence(), false) AS gone
  FROM pgrehearse_promotion.target AS t
  LEFT JOIN pgrehearse_promotion.visit AS v ON v.promotion = t.promotion AND v.target = t.number;

-- --- rights --------------------------------------------------------------------------------------------

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA pgrehearse_promotion FROM PUBLIC;
REVOKE ALL ON SCHEMA pgrehearse_promotion FROM PUBLIC;
GRANT USAGE ON SCHEMA pgrehearse_promotion TO :"requester", :"approver", :"runner", :"viewer", :"dashboard";
GRANT SELECT ON ALL TABLES IN SCHEMA pgrehearse_promotion TO :"requester", :"approver", :"runner", :"viewer", :"dashboard";
GRANT EXECUTE ON FUNCTION pgrehearse_promotion.approvals(bigint), pgrehearse_promotion.doubtful()
    TO :"requester", :"approver", :"runner", :"viewer", :"dashboard";
GRANT EXECUTE ON FUNCTION pgrehearse_promotion.request(jsonb, text[], text) TO :"requester";
GRANT EXECUTE ON FUNCTION pgrehearse_promotion.approve(bigint, text) TO :"approver";
GRANT EXECUTE ON FUNCTION pgrehearse_promotion.start(bigint, text, jsonb) TO :"runner";
GRANT EXECUTE ON FUNCTION pgrehearse_promotion.step(bigint, int, int, text, jsonb) TO :"runner";
GRANT EXECUTE ON FUNCTION pgrehearse_promotion.stop(bigint, text) TO :"runner";
GRANT EXECUTE ON FUNCTION pgrehearse_promotion.finish(bigint) TO :"runner";
GRANT EXECUTE ON FUNCTION
    pgrehearse_promotion.roll_out(bigint, int, int, int, int, interval, interval, interval),
    pgrehearse_promotion.open_wave(bigint), pgrehearse_promotion.claim(bigint, text),
    pgrehearse_promotion.beat(bigint, int, int, interval, interval),
    pgrehearse_promotion.settle(bigint, int, int, text, text), pgrehearse_promotion.skip(bigint, int, text)
    TO :"runner";
GRANT EXECUTE ON FUNCTION pgrehearse_promotion.silence(), pgrehearse_promotion.halt(bigint),
    pgrehearse_promotion.wanted(text, timestamptz)
    TO :"requester", :"approver", :"runner", :"viewer", :"dashboard";
GRANT EXECUTE ON FUNCTION pgrehearse_promotion.cancel(bigint, text) TO :"requester", :"approver", :"runner";

-- FORCE: the policies bind the owner too, so a mistake in a function above could still not write another name,
-- nor change what is recorded.
DO $$
DECLARE
    name text;
    owner CONSTANT text := current_setting('pgrehearse_promotion.prefix') || '_owner';
    given record;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'pgrehearse_promotion' LOOP
        EXECUTE format('ALTER TABLE pgrehearse_promotion.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE pgrehearse_promotion.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('DROP POLICY IF EXISTS look ON pgrehearse_promotion.%I', name);
        EXECUTE format('CREATE POLICY look ON pgrehearse_promotion.%I FOR SELECT USING (true)', name);
    END LOOP;
    FOR given IN SELECT * FROM (VALUES
        ('promotion', 'INSERT', 'WITH CHECK (requested_by = session_user)'),
        ('promotion', 'UPDATE', 'USING (true) WITH CHECK (changed_by = session_user)'),
        ('approval', 'INSERT', 'WITH CHECK (approved_by = session_user)'),
        ('item', 'INSERT', 'WITH CHECK (true)'),
        ('target', 'INSERT', 'WITH CHECK (true)'),
        ('step', 'INSERT', 'WITH CHECK (changed_by = session_user)'),
        ('step', 'UPDATE', 'USING (true) WITH CHECK (changed_by = session_user)'),
        ('rollout', 'INSERT', 'WITH CHECK (true)'),
        ('rollout', 'UPDATE', 'USING (true)'),
        ('visit', 'INSERT', 'WITH CHECK (changed_by = session_user)'),
        ('visit', 'UPDATE', 'USING (true) WITH CHECK (changed_by = session_user)'),
        ('audit', 'INSERT', 'WITH CHECK (true)'),
        ('setting', 'INSERT', 'WITH CHECK (true)'),
        ('setting', 'UPDATE', 'USING (true)'),
        ('transition', 'INSERT', 'WITH CHECK (true)'),
        ('transition', 'DELETE', 'USING (true)')
    ) AS v (on_table, verb, condition) LOOP
        name := 'own_' || lower(given.verb);
        EXECUTE format('DROP POLICY IF EXISTS %I ON pgrehearse_promotion.%I', name, given.on_table);
        EXECUTE format('CREATE POLICY %I ON pgrehearse_promotion.%I FOR %s TO %I %s',
                       name, given.on_table, given.verb, owner, given.condition);
    END LOOP;
END $$;

-- --- the steps a promotion may take, and the rules of this environment ---------------------------------

DELETE FROM pgrehearse_promotion.transition;
INSERT INTO pgrehearse_promotion.transition (action, from_state, to_state, roles, demands) VALUES
    ('request', '', 'requested', '{requester}', 'no other one is being applied'),
    ('request', 'requested', 'approved', '{requester}', 'the environment asks for no approval'),
    ('approve', 'requested', 'approved', '{approver}', 'enough approvals of this plan, none by the requester'),
    ('supersede', 'requested', 'superseded', '{requester}', 'a new plan is requested'),
    ('supersede', 'approved', 'superseded', '{requester}', 'a new plan is requested'),
    ('supersede', 'stopped', 'superseded', '{requester}', 'a new plan is requested'),
    ('start', 'approved', 'applying', '{runner}',
     'the plan is the approved one, each approver still is one, every gate is green, the lock is held'),
    ('resume', 'stopped', 'applying', '{runner}', 'as for start'),
    ('resume', 'applying', 'applying', '{runner}', 'as for start; the session that applied it is gone'),
    ('stop', 'applying', 'stopped', '{runner}', 'something happened that nobody expected'),
    ('finish', 'applying', 'applied', '{runner}', 'every step in every database is done'),
    ('cancel', 'requested', 'canceled', '{requester,approver}', ''),
    ('cancel', 'approved', 'canceled', '{requester,approver}', ''),
    ('cancel', 'stopped', 'canceled', '{requester,approver,runner}', ''),
    ('cancel', 'applying', 'canceled', '{requester,approver,runner}', 'no session is applying it');

DO $$
BEGIN
    IF EXISTS (SELECT FROM pgrehearse_promotion.setting WHERE version > 1) THEN
        RAISE EXCEPTION 'this database has a newer version of these tables'
            USING HINT = 'install it with the newer pgrehearse';
    END IF;
END $$;
INSERT INTO pgrehearse_promotion.setting (version, environment, prefix, approvals, gates)
VALUES (1, :'environment', :'prefix', :'approvals'::int, :'gates'::text[])
ON CONFLICT (only_row) DO UPDATE SET (version, environment, approvals, gates)
    = (excluded.version, excluded.environment, excluded.approvals, excluded.gates);

-- --- the end of the installer's own powers --------------------------------------------------------------

-- To see who would hold a change up. Who may not grant it leaves that to somebody who may; status says so.
RESET ROLE;
DO $$
BEGIN
    EXECUTE format('GRANT pg_read_all_stats TO %I', current_setting('pgrehearse_promotion.prefix') || '_dashboard');
EXCEPTION WHEN insufficient_privilege THEN
    NULL;
END $$;

-- createrole_self_grant may have made the installer a member of what it made: nobody is one unasked.
DO $$
DECLARE
    name text;
BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        FOREACH name IN ARRAY ARRAY['owner', 'requester', 'approver', 'runner', 'viewer', 'dashboard'] LOOP
            EXECUTE format('REVOKE %I FROM %I', current_setting('pgrehearse_promotion.prefix') || '_' || name,
                           current_user);
        END LOOP;
    END IF;
END $$;
