"""Pieces of pages, made of records and evidence."""
