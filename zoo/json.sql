/*
title = "A json column: it has no equality, and no operator class"
column = "payload"
type = "json"
new_type = "jsonb"
nullable = "payload"
fill = "'{}'::json"
index_columns = "payload"
[constraint-check]
condition = "payload IS NULL OR json_typeof(payload) <> 'string'"
[constraint-unique]
columns = "payload"
[constraint-not-null]
column = "payload"
*/
-- [set up]
ALTER TABLE item ADD COLUMN payload json;
UPDATE item SET payload = json_build_object('number', id) WHERE id % 5 > 0;
ALTER TABLE item ALTER COLUMN payload SET DEFAULT '[]';

-- [traffic]
UPDATE item SET payload = ('{"round": ' || :n || '}')::json WHERE id = 150 + :n;
UPDATE item SET name = name || '.' WHERE id = 180;
INSERT INTO item (id, owner, code, name, note, place, payload)
VALUES (110000 + :n, 1, 'j' || :n, 'Added', 'added', 'Street; Town', '{"a": 1}');
