UPDATE wishlist_items SET store = 'kickstarter' WHERE url LIKE 'https://www.kickstarter.com/%';
