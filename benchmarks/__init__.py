"""What an exchange costs, beside the least that it could cost and beside a peer.

`python -m benchmarks` starts each server in turn on this machine, drives it over
loopback and prints medians of interleaved rounds. README.md tells what is measured.
"""
