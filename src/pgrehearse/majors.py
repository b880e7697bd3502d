"""The PostgreSQL majors this program knows."""

from __future__ import annotations

__all__ = ["SUPPORTED"]

SUPPORTED = (15, 16, 17, 18)
