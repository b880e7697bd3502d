"""Which environment a database says it belongs to, and what may be done there."""
