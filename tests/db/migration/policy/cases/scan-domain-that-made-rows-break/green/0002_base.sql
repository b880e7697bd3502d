-- migrate:up

CREATE DOMAIN size AS integer;
CREATE TABLE "Shoe" (size size);

-- migrate:down

SELECT 1;
