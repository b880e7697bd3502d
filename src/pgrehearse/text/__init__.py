"""Text layer: Markdown to documents and cells. Knows files, not databases."""
