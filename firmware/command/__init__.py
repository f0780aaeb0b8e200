"""The command line, one module for each command, and what a running unit is made of.

``unit.py`` is the composition: it makes the endpoints, the media engine, the room, buttons, lamps, screen and web
server of one configuration, starts them in order and stops them in reverse.  ``run``, ``echo`` and ``demo`` run units;
``config``, ``board``, ``password`` and ``certificate`` prepare one; ``remote`` has the commands that talk to a running
one over its API; ``media_worker`` is the process that a unit starts for its sound and picture, ``make_certificate`` the
one that it starts once in its life.  ``parser.py`` has the commands and their options as a table; ``tls.py`` makes of
settings what connections are secured with.

A command is a function of its arguments that gives the exit status: 0 done, 1 it failed, 2 the arguments or the
settings are wrong.  It is imported when it is asked for, so that `visavis status` doesn't wait for what `visavis run`
needs.  ``firmware.__main__`` alone sees the package `board`, and gives it to the commands as a `Hardware`
(``hardware.py``).
"""
