"""The ops by subject: primitives, each one statement with its gradient rules, and composites of them."""
