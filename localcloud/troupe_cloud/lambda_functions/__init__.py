"""Functions: state, versions, aliases, policies, how they are invoked."""
