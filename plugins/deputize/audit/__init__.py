"""What happened: one event for each decision, in the decision's own transaction; sealed behind it.

record → seal → verify; checkpoints leave the machine; what is old is put away.
"""
