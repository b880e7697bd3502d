"""What servers did: locks, rewrites, blocking, and how runbooks behave when something goes wrong."""
