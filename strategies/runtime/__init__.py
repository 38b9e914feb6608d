"""How a program runs: what it sees (`prelude`), may be (`program`), and where (`sandbox`)."""
