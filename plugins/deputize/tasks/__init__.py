"""Until when: what a delegation is for, and its end."""
