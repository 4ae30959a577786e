"""What is to be sent, and may fail: stored with the decision that it tells of, sent by a thread
or a command, again and again, until it has arrived or it is too late."""
