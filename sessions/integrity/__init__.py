"""An independent recount of a session from its rows (docs/integrity.md)."""
