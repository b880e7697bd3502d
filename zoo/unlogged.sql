/*
title = "An unlogged table"
*/
-- [set up]
ALTER TABLE item SET UNLOGGED;
