-- migrate:up

CREATE PUBLICATION "all of it" FOR ALL TABLES;

-- migrate:down

SELECT 1;
