"""What a task leaves: one signed bundle that anybody can check without us."""
