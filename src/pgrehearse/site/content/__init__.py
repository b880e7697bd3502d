"""Documents of a site as Markdown: which there are, where each is shown, what the records say of them."""
