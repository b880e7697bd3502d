-- migrate:up

CREATE ROLE lint_reader_of_cases NOLOGIN;
GRANT SELECT ON items TO lint_reader_of_cases;

-- migrate:down

SELECT 1;
