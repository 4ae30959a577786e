"""What happened: one event for each decision, in the decision's own transaction."""
