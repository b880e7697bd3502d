-- Believable rows for the example database: psql -v rows=100000 -f db/seed.sql
--
-- rows = number of wishlist_items (there is one account for every twenty of them).
-- Wants the empty tables that the migrations leave. A second run is refused (23505).
-- No random(): a row depends on its number only, so every run gives the same rows.
-- From 1000 rows on every enum label, every NULL and every boundary of a constraint occurs.

-- The last account has no wishes. Every seventh account has not chosen a name.
INSERT INTO app_users (email, display_name, created_at)
SELECT 'user' || n || '@example.com',
       CASE WHEN n % 7 <> 0 THEN 'User ' || n END,
       timestamptz '2026-01-06 08:00:00+00' + (n % 24) * interval '1 hour'
FROM generate_series(1, greatest(:'rows'::bigint / 20, 2)) AS n;

-- Accounts take turns, one wish each per round. The item number holds the round, so an account
-- never has the same link twice, while accounts may share one.
-- a, b and c are multiplicative hashes of the row number, independent enough to look mixed.
INSERT INTO wishlist_items
    (user_id, title, url, store, price, currency, priority, created_at, purchased_at)
SELECT wish.user_id,
       CASE i % 1000
           WHEN 991 THEN 'x'                                 -- shortest title
           WHEN 992 THEN rpad('A long story about tea ', 200, 'and tea ')  -- longest title
           ELSE (ARRAY['blue', 'folding', 'handmade', 'large', 'light', 'second-hand',
                       'small', 'wooden'])[1 + b % 8]
                || ' ' ||
                (ARRAY['backpack', 'bookshelf', 'camping stove', 'chess set', 'desk lamp',
                       'garden chair', 'headphones', 'kettle', 'notebook', 'rain jacket',
                       'scarf', 'teapot', 'tent', 'wall clock'])[1 + a % 14]
       END,
       CASE
           WHEN i % 1000 = 993                               -- longest link, in bytes
               THEN rpad('http://' || shop || '.example/item/' || item || '?ref=', 2000, 'x')
           WHEN shop <> 'other' OR c % 3 = 0
               THEN 'https://' || shop || '.example/item/' || item
       END,
       shop::store,
       CASE
           WHEN i % 1000 = 994 THEN 0                        -- lowest price: a gift
           WHEN i % 1000 = 995 THEN 100000                   -- highest price
           WHEN priced THEN 1.99 + c % 50 * (1 + a % 6)
       END,
       CASE
           WHEN priced OR i % 1000 IN (994, 995)
               THEN (ARRAY['EUR', 'EUR', 'EUR', 'EUR', 'USD', 'USD', 'USD', 'GBP', 'GBP',
                           'CHF'])[1 + a % 10]::currency
       END,
       1 + (b + c) % 5,
       wish.created_at,
       CASE
           WHEN i % 1000 = 996 THEN wish.created_at          -- bought at once
           WHEN b % 4 = 0 THEN wish.created_at + (1 + c % 720) * interval '1 hour'
       END
FROM generate_series(1, :'rows'::bigint) AS i
CROSS JOIN LATERAL (
    SELECT greatest(:'rows'::bigint / 20, 2) - 1 AS active,
           (i * 2654435761 % 4294967296) >> 12 AS a,
           (i * 2246822519 % 4294967296) >> 12 AS b,
           (i * 3266489917 % 4294967296) >> 12 AS c
) AS hash
CROSS JOIN LATERAL (
    SELECT 1 + i % active AS user_id,
           i / active * 100 + a % 100 AS item,
           (ARRAY['amazon', 'amazon', 'amazon', 'amazon', 'amazon', 'amazon', 'amazon',
                  'ebay', 'ebay', 'ebay', 'etsy', 'etsy', 'etsy', 'etsy',
                  'ikea', 'ikea', 'ikea', 'other', 'other', 'other'])[1 + b % 20] AS shop,
           c % 10 <> 0 AS priced,
           timestamptz '2026-01-07 08:00:00+00'
               + i * interval '240 days' / greatest(:'rows'::bigint, 1) AS created_at
) AS wish;

ANALYZE app_users;

ANALYZE wishlist_items;
