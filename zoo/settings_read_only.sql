/*
title = "The owner's role begins transactions read-only"
[settings]
default_transaction_read_only = "on"
*/
-- [set up]
SELECT 1;
