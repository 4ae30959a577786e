"""Every way in which authority ends, composed above the rooms whose rows it ends."""
