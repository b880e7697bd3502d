INSERT INTO accounts (email) SELECT 'user' || n || '@example.com' FROM generate_series(1, 20) AS n;
INSERT INTO items (account_id, title, note, price)
SELECT 1 + n % 20, 'thing ' || n, 'note', n FROM generate_series(1, :'rows'::int) AS n;
