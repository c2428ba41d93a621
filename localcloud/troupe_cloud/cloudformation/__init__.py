"""Templates, stacks and the resources whose handlers are ours."""
