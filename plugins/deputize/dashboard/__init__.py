"""Cross-room pages: who acts for me, and stop it."""
