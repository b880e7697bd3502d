-- migrate:up

CREATE TABLE lists (
    id bigint,
    -- Opens one list.
    CONSTRAINT lists_pkey PRIMARY KEY (id)
);
COMMENT ON CONSTRAINT lists_pkey ON lists IS 'Opens one list.';

-- migrate:down

DROP TABLE lists;
