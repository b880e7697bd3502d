"""The built site: made with MkDocs, its failures explained, its HTML checked block by block, served live."""
