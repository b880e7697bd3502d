-- The closed lists of a wish: where it is sold and in which currency its price is.

-- migrate:up

CREATE TYPE store AS ENUM ('amazon', 'ebay', 'etsy', 'ikea', 'other');

COMMENT ON TYPE store IS 'Shop that sells an item; other means the shop is not known yet.';

CREATE TYPE currency AS ENUM ('EUR', 'USD', 'GBP', 'CHF');

COMMENT ON TYPE currency IS 'ISO 4217 code of a price.';

-- migrate:down

DROP TYPE currency;

DROP TYPE store;
