-- migrate:up

CREATE TABLE lists (n bigint);
CREATE SEQUENCE lists_n AS integer OWNED BY lists.n;
ALTER TABLE lists ALTER n SET DEFAULT nextval('lists_n');

-- migrate:down

SELECT 1;
