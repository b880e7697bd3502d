/*
title = "Row security that binds the owner too: it sees no row"
*/
-- [set up]
ALTER TABLE item ADD COLUMN tenant integer NOT NULL DEFAULT 1;
UPDATE item SET tenant = 1 + id % 2 WHERE id NOT BETWEEN 50 AND 80;
ALTER TABLE item ENABLE ROW LEVEL SECURITY;
ALTER TABLE item FORCE ROW LEVEL SECURITY;
CREATE POLICY by_tenant ON item USING (tenant = nullif(current_setting('app.tenant', true), '')::integer);

-- [session]
SET app.tenant = '1';
