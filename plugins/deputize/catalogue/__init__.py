"""What can be asked for: scopes and the resource servers that they belong to."""
