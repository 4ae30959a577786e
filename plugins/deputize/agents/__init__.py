"""Who acts: agents as a class of OAuth client of their own."""
