"""The person's word in the middle of a task: asked for, given, narrowed, denied, redeemed."""
