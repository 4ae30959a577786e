"""The kinds of what people are told, as lines of the outbox."""

#: A question to the person; subject: the approval.
ASKED = "notify.asked"

#: A question to a group beside the person, once they have said yes; subject: the approval.
GROUPS_ASKED = "notify.groups_asked"

#: An agent says that its task is over, and the person is to accept it; subject: the task.
END_PROPOSED = "notify.end_proposed"

#: An agent asks for more time for its task; subject: the task.
TIME_ASKED = "notify.time_asked"

#: What came in the quiet hours, at their end; subject: the person.
DIGEST = "notify.digest"

#: What a person sends to themselves, to see that it arrives; subject: the person.
TEST = "notify.test"

#: Seconds after the quiet hours in which a digest still means something.
DIGEST_LASTS = 4 * 3600

#: Seconds in which a test arrives, or does not.
TEST_LASTS = 600
