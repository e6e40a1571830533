"""The command `provisioning`: each command parses what was typed, calls one service and shows what came of it."""
