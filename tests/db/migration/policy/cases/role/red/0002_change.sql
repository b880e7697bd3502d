-- migrate:up

CREATE ROLE lint_reader_of_cases NOLOGIN;
CREATE ROLE lint_reader_of_cases NOLOGIN; -- red: runnable

-- migrate:down

SELECT 1;
