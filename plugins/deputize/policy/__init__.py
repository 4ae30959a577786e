"""Policy: trust is judged again at every decision, by Cedar in process or an AuthZEN service."""
