"""`deputize demo`: the story of one trip, played by real processes over real HTTP.

    server      deputize serve                             the identity provider, on SQLite
    calendar    python -m deputize_idp.demo.api calendar   a resource server, as flights and pay
    planner     python -m deputize_idp.demo.agent planner  an agent; each in a process of its own

The demo is the wire between the agents, which is how mallory comes to overhear.
"""
