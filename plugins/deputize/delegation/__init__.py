"""On whose behalf: authority handed from a person to an agent, and on to its sub-agents."""
