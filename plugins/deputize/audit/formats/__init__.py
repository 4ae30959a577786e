"""The trail as others read it, a file each: an event's canonical JSON in, one line out. Pure."""
