-- migrate:up

ALTER TYPE shade ADD VALUE 'dusk';

-- migrate:down

-- not restored: PostgreSQL cannot remove a value of an enum.
