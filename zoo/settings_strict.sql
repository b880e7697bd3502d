/*
title = "The owner's role reads only what is asked for, in serializable transactions"
[settings]
default_transaction_isolation = "serializable"
row_security = "off"
check_function_bodies = "off"
default_tablespace = ""
transform_null_equals = "on"
array_nulls = "off"
enable_seqscan = "off"
plan_cache_mode = "force_generic_plan"
client_min_messages = "error"
*/
-- [set up]
SELECT 1;
