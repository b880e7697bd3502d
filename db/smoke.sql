-- What the schema promises. `pgrehearse db smoke` tries every statement and undoes it again.
-- The line above a statement says what it shows. Each constraint, index, enum label and default is here.

-- Accounts ---------------------------------------------------------------------------------------

-- refuses 23505 app_users_pkey
INSERT INTO app_users (id, email) OVERRIDING SYSTEM VALUE
SELECT min(id), 'smoke@example.com' FROM app_users;

-- refuses 23505 app_users_email_key
INSERT INTO app_users (email) SELECT min(email) FROM app_users;

-- refuses 23514 app_users_email_check
INSERT INTO app_users (email) VALUES ('smoke.example.com');

-- refuses 23502 app_users.email
INSERT INTO app_users (email) VALUES (NULL);

-- refuses 23502 app_users.created_at
INSERT INTO app_users (email, created_at) VALUES ('smoke@example.com', NULL);

-- The application may not choose identifiers.
-- refuses 428C9 column "id"
INSERT INTO app_users (id, email) VALUES (1, 'smoke@example.com');

-- default app_users.id
INSERT INTO app_users (email) VALUES ('smoke@example.com') RETURNING id > 0;

-- default app_users.created_at = now()
INSERT INTO app_users (email) VALUES ('smoke@example.com') RETURNING created_at;

-- Wishes -----------------------------------------------------------------------------------------

-- refuses 23505 wishlist_items_pkey
INSERT INTO wishlist_items (id, user_id, title) OVERRIDING SYSTEM VALUE
SELECT min(id), min(user_id), 'A wish' FROM wishlist_items;

-- The same link twice for one account.
-- refuses 23505 wishlist_items_url_user_key
INSERT INTO wishlist_items (user_id, title, url)
SELECT min(id), 'A wish', 'https://smoke.example/1' FROM app_users
UNION ALL
SELECT min(id), 'The same wish', 'https://smoke.example/1' FROM app_users;

-- Without a link there is no limit.
-- returns 2
WITH wish AS (
    INSERT INTO wishlist_items (user_id, title)
    SELECT min(id), 'A thought' FROM app_users
    UNION ALL
    SELECT min(id), 'Another thought' FROM app_users
    RETURNING id
)
SELECT count(*) FROM wish;

-- refuses 23503 wishlist_items_user_id_fkey
INSERT INTO wishlist_items (user_id, title) VALUES (-1, 'A wish of nobody');

-- Wishes go when their account goes.
-- returns 0
INSERT INTO app_users (id, email) OVERRIDING SYSTEM VALUE VALUES (-1, 'smoke@example.com');
INSERT INTO wishlist_items (user_id, title) VALUES (-1, 'A wish');
DELETE FROM app_users WHERE id = -1;
SELECT count(*) FROM wishlist_items WHERE user_id = -1;

-- refuses 23514 wishlist_items_title_check
INSERT INTO wishlist_items (user_id, title) SELECT min(id), '' FROM app_users;

-- refuses 23514 wishlist_items_title_check
INSERT INTO wishlist_items (user_id, title) SELECT min(id), repeat('x', 201) FROM app_users;

-- refuses 23514 wishlist_items_url_check
INSERT INTO wishlist_items (user_id, title, url) SELECT min(id), 'A wish', 'javascript:alert(1)' FROM app_users;

-- refuses 23514 wishlist_items_url_check
INSERT INTO wishlist_items (user_id, title, url)
SELECT min(id), 'A wish', rpad('https://smoke.example/', 2001, 'x') FROM app_users;

-- refuses 23514 wishlist_items_price_check
INSERT INTO wishlist_items (user_id, title, price, currency)
SELECT min(id), 'A wish', -0.01, 'EUR' FROM app_users;

-- refuses 23514 wishlist_items_price_check
INSERT INTO wishlist_items (user_id, title, price, currency)
SELECT min(id), 'A wish', 100000.01, 'EUR' FROM app_users;

-- refuses 23514 wishlist_items_price_currency_check
INSERT INTO wishlist_items (user_id, title, price) SELECT min(id), 'A wish', 1 FROM app_users;

-- refuses 23514 wishlist_items_price_currency_check
INSERT INTO wishlist_items (user_id, title, currency) SELECT min(id), 'A wish', 'EUR' FROM app_users;

-- refuses 23514 wishlist_items_priority_check
INSERT INTO wishlist_items (user_id, title, priority) SELECT min(id), 'A wish', 0 FROM app_users;

-- refuses 23514 wishlist_items_priority_check
INSERT INTO wishlist_items (user_id, title, priority) SELECT min(id), 'A wish', 6 FROM app_users;

-- refuses 23514 wishlist_items_purchased_check
INSERT INTO wishlist_items (user_id, title, purchased_at)
SELECT min(id), 'A wish', now() - interval '1 second' FROM app_users;

-- refuses 23502 wishlist_items.user_id
INSERT INTO wishlist_items (user_id, title) VALUES (NULL, 'A wish');

-- refuses 23502 wishlist_items.title
INSERT INTO wishlist_items (user_id, title) SELECT min(id), NULL FROM app_users;

-- refuses 23502 wishlist_items.store
INSERT INTO wishlist_items (user_id, title, store) SELECT min(id), 'A wish', NULL FROM app_users;

-- refuses 23502 wishlist_items.priority
INSERT INTO wishlist_items (user_id, title, priority) SELECT min(id), 'A wish', NULL FROM app_users;

-- refuses 23502 wishlist_items.created_at
INSERT INTO wishlist_items (user_id, title, created_at) SELECT min(id), 'A wish', NULL FROM app_users;

-- default wishlist_items.id
INSERT INTO wishlist_items (user_id, title) SELECT min(id), 'A wish' FROM app_users RETURNING id > 0;

-- default wishlist_items.store = 'other'
INSERT INTO wishlist_items (user_id, title) SELECT min(id), 'A wish' FROM app_users RETURNING store;

-- default wishlist_items.priority = 3
INSERT INTO wishlist_items (user_id, title) SELECT min(id), 'A wish' FROM app_users RETURNING priority;

-- default wishlist_items.created_at = now()
INSERT INTO wishlist_items (user_id, title) SELECT min(id), 'A wish' FROM app_users RETURNING created_at;

-- A user's list, newest wish first.
-- uses wishlist_items_user_created_idx
SELECT * FROM wishlist_items WHERE user_id = 7 ORDER BY created_at DESC LIMIT 20;

-- The nightly job: wishes of unknown shops, oldest first.
-- uses wishlist_items_unmatched_idx
SELECT * FROM wishlist_items WHERE store = 'other' ORDER BY created_at LIMIT 100;

-- All who wish for a link.
-- uses wishlist_items_url_user_key
SELECT user_id FROM wishlist_items WHERE url = 'https://etsy.example/item/7';

-- Closed lists -----------------------------------------------------------------------------------

-- labels store: amazon, ebay, etsy, ikea, other
INSERT INTO wishlist_items (user_id, title, store)
SELECT min(id), 'A wish', :'label' FROM app_users
RETURNING store;

-- labels currency: EUR, USD, GBP, CHF
INSERT INTO wishlist_items (user_id, title, price, currency)
SELECT min(id), 'A wish', 9.99, :'label' FROM app_users
RETURNING currency;

-- refuses 22P02 enum store
SELECT 'corner shop'::store;
