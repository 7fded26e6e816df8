"""The embedded portals: a real HTTP server over a real database, reached only over HTTP."""
