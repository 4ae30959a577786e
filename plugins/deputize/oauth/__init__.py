"""RFCs that Authlib lacks, one file each, as Authlib would write them: no Flask, no SQL."""
