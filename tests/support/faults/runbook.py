"""The runbook that faults happen to. Steps that PostgreSQL cannot take back look first what is done."""

from __future__ import annotations

__all__ = ["RUNBOOK"]

RUNBOOK = """\
---
title: Sample
jupyter:
  jupytext:
    main_language: python
---

# Sample

## Preflight

```sql
SELECT 'ok' AS preflight;
```

## Apply

### 1. One statement

```sql
INSERT INTO trace (what) VALUES ('one');
```

### 2. A transaction in one cell

```sql
BEGIN;
INSERT INTO trace (what) VALUES ('two a');
INSERT INTO trace (what) VALUES ('two b');
COMMIT;
```

### 3. A transaction of several cells begins

```sql
BEGIN;
INSERT INTO trace (what) VALUES ('three a');
```

### 4. It ends

```sql
INSERT INTO trace (what) VALUES ('three b');
COMMIT;
```

### 5. A setting of the session

```sql
SET sample.mark = 'ok';
```

### 6. An index is built

```sql
SELECT format('DROP INDEX CONCURRENTLY %s', indexrelid::regclass)
  FROM pg_index WHERE indexrelid = to_regclass('item_n') AND NOT indisvalid \\gexec
CREATE INDEX CONCURRENTLY IF NOT EXISTS item_n ON item (n);
```

### 7. What the session remembers

```sql
INSERT INTO trace (what) VALUES ('with ' || current_setting('sample.mark'));
```

### 8. In Python

```python
import psycopg

with psycopg.connect() as connection:
    connection.execute(
        "INSERT INTO by_python SELECT 'done' WHERE NOT EXISTS (SELECT FROM by_python)"
    )
```

### 9. The last one

```sql
INSERT INTO trace (what) VALUES ('last');
```

## Verify

```sql
SELECT 'ok' AS verify;
```

## Roll back

```sql
TRUNCATE trace;
```
"""
