/*
title = "Row security that the owner passes: the application sees a part"
*/
-- [set up]
ALTER TABLE item ADD COLUMN tenant integer NOT NULL DEFAULT 1;
UPDATE item SET tenant = 1 + id % 2 WHERE id NOT BETWEEN 50 AND 80;
ALTER TABLE item ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_tenant ON item USING (tenant = nullif(current_setting('app.tenant', true), '')::integer);
CREATE POLICY by_state ON item FOR DELETE USING (state <> 'cancelled' AND qty > -1);

-- [session]
SET app.tenant = '1';
