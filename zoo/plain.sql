/*
title = "A table like the example's: what every runbook is for"
*/
