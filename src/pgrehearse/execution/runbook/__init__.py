"""A runbook on an operator's database: step by step, logged, resumed where it stopped."""
