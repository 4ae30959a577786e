"""`deputize`, or `python -m deputize_idp`: reads the commands in, then runs the one that was typed.

Nothing becomes garbage while they are read in, yet Python would look for it again and again
among all that was made so far: a third of the start. What was read in stays, and is not looked
at later either.
"""

import gc


def main() -> None:
    """Run the command line."""
    gc.disable()
    from .cli import main as run

    gc.freeze()
    gc.enable()
    run()


if __name__ == "__main__":
    main()
